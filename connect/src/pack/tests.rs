use super::*;

fn pack() -> Vec<u8> {
    let mut sources = SourceMap::default();
    sources.add("a.rule", "rule a {}\n");
    let id = sources.add("sub/ü.rule", "");
    sources.attach(id, "x.csv", Ok(b"a,1\n\xff".as_slice().into()));
    sources.attach(id, "none.txt", Err("there is no such file".into()));
    write("auditd-rules 0.1.0", &sources)
}

fn sealed(version: u16, body: &[u8]) -> Vec<u8> {
    let mut bytes = MAGIC.to_vec();
    bytes.extend(version.to_le_bytes());
    bytes.extend(blake3::hash(body).as_bytes());
    bytes.extend(body);
    bytes
}

fn refused(bytes: &[u8]) -> String {
    read("x.adrp", bytes).unwrap_err().to_string()
}

#[test]
fn what_goes_in_comes_out() {
    let packed = read("x.adrp", &pack()).unwrap();
    let want = [("a.rule", "rule a {}\n"), ("sub/ü.rule", "")];
    assert_eq!(packed.files, want.map(|(name, text)| (name.to_owned(), text.to_owned())));
    assert_eq!(packed.values, [(1, "x.csv".to_owned(), b"a,1\n\xff".to_vec())]);
    assert_eq!(read("x.adrp", &write("", &SourceMap::default())).unwrap(), Packed::default());
}

#[test]
fn the_format_before_files_of_values_is_read() {
    let mut body = Vec::new();
    put(&mut body, b"auditd-rules 0.1.0");
    body.extend(length(1));
    put(&mut body, b"a.rule");
    put(&mut body, b"rule a {}");
    let packed = read("x.adrp", &sealed(1, &body)).unwrap();
    assert_eq!(packed.files, [("a.rule".to_owned(), "rule a {}".to_owned())]);
    assert_eq!(packed.values, []);
    assert!(read("x.adrp", &sealed(2, &body)).is_err());
    assert!(refused(&sealed(0, &body)).ends_with("there is no format 0"));
}

#[test]
fn every_cut_and_every_flipped_bit_is_refused() {
    let whole = pack();
    for length in 0..whole.len() {
        assert!(read("x.adrp", &whole[..length]).is_err(), "cut to {length}");
    }
    for at in 0..whole.len() {
        for bit in 0..8 {
            let mut bytes = whole.clone();
            bytes[at] ^= 1 << bit;
            assert!(read("x.adrp", &bytes).is_err(), "bit {bit} of byte {at}");
        }
    }
    assert!(read("x.adrp", &[whole, b"more".to_vec()].concat()).is_err());
}

#[test]
fn reasons_are_told() {
    assert_eq!(refused(b"MZ"), "x.adrp cannot be loaded as a compiled pack: it is none");
    assert!(refused(&pack()[..20]).ends_with("it is cut off"));
    assert!(refused(&pack()[..60]).ends_with("its checksum does not fit; it is cut off or damaged"));
    let mut newer = pack();
    newer[4] = 3;
    assert!(
        refused(&newer)
            .ends_with("it has format 3 and was made by a newer auditd-rules; this one reads format 2")
    );
}

#[test]
fn a_forged_length_costs_nothing() {
    let mut body = Vec::new();
    put(&mut body, b"forger");
    body.extend(u32::MAX.to_le_bytes());
    body.extend(u32::MAX.to_le_bytes());
    assert!(refused(&sealed(2, &body)).ends_with("it was not made by auditd-rules"));
    // A file of values of a rule file that is not there.
    let mut body = Vec::new();
    put(&mut body, b"forger");
    body.extend(length(0));
    body.extend(length(1));
    body.extend(length(0));
    put(&mut body, b"x.csv");
    put(&mut body, b"a,1");
    assert!(refused(&sealed(2, &body)).ends_with("it was not made by auditd-rules"));
}

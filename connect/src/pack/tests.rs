use super::*;

fn pack() -> Vec<u8> {
    write("auditd-rules 0.1.0", [("a.rule", "rule a {}\n"), ("sub/ü.rule", "")])
}

fn refused(bytes: &[u8]) -> String {
    read("x.adrp", bytes).unwrap_err().to_string()
}

#[test]
fn what_goes_in_comes_out() {
    let files = read("x.adrp", &pack()).unwrap();
    let want = [("a.rule", "rule a {}\n"), ("sub/ü.rule", "")];
    assert_eq!(files, want.map(|(name, text)| (name.to_owned(), text.to_owned())));
    assert_eq!(read("x.adrp", &write("", [])).unwrap(), []);
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
    newer[4] = 2;
    assert!(
        refused(&newer)
            .ends_with("it has format 2 and was made by a newer auditd-rules; this one reads format 1")
    );
}

#[test]
fn a_forged_length_costs_nothing() {
    let mut body = Vec::new();
    put(&mut body, "forger");
    body.extend(u32::MAX.to_le_bytes());
    body.extend(u32::MAX.to_le_bytes());
    let mut bytes = MAGIC.to_vec();
    bytes.extend(VERSION.to_le_bytes());
    bytes.extend(blake3::hash(&body).as_bytes());
    bytes.extend(body);
    assert!(refused(&bytes).ends_with("it was not made by auditd-rules"));
}

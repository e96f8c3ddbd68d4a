use super::keys::Value;
use super::*;

fn parse(name: &str, text: &str) -> Result<Config, Vec<String>> {
    parse_over(Config::default(), name, text)
}

fn wrong(text: &str) -> Vec<String> {
    parse("a.toml", text).unwrap_err()
}

#[test]
fn every_key_is_read_as_it_is_shown() {
    for key in KEYS {
        let values = match (key.get)(&Config::default()) {
            Value::Number(default) => {
                assert!(default >= key.least, "{}", key.name);
                [default, default * 2, key.least].map(Value::Number)
            }
            Value::Listen(_) => {
                ["127.0.0.1:9109", "[::1]:1", "0.0.0.0:65535"].map(|text| Value::Listen(text.parse().ok()))
            }
        };
        for value in values {
            let text = format!("[{}]\n{} = {}\n", key.table, key.name, key.kind.show(value));
            let config = parse("a.toml", &text).unwrap_or_else(|wrong| panic!("{text}{wrong:?}"));
            assert_eq!((key.get)(&config), value, "{text}");
            // And no other one.
            let others = KEYS.iter().filter(|other| other.name != key.name);
            others.for_each(|other| {
                assert_eq!((other.get)(&config), (other.get)(&Config::default()), "{text}")
            });
        }
    }
}

#[test]
fn numbers_and_texts() {
    let keys = |text: &str| {
        parse("a.toml", &format!("[limits]\n{text}")).map(|config| config.limits.keys_per_rule_max)
    };
    assert_eq!(keys("keys_per_rule_max = 1_000"), Ok(1_000));
    assert_eq!(keys("keys_per_rule_max = 0x100"), Ok(256));
    assert_eq!(parse("a.toml", "").map(|config| config.limits.lateness), Ok(5_000_000_000));
    assert_eq!(
        parse("a.toml", "[limits]\nlateness = \"1m30s\"").map(|config| config.limits.lateness),
        Ok(90_000_000_000)
    );
    assert_eq!(
        parse("a.toml", "limits.line_bytes_max = 4096").map(|config| config.limits.line_bytes_max),
        Ok(4_096)
    );
}

#[test]
fn a_port_alone_is_of_the_loopback() {
    let listen =
        |text: &str| parse("a.toml", &format!("[admin]\nlisten = {text}")).map(|config| config.admin);
    assert_eq!(listen("9109"), Ok("127.0.0.1:9109".parse().ok()));
    assert_eq!(listen("\"0.0.0.0:80\""), Ok("0.0.0.0:80".parse().ok()));
    for text in ["70000", "\"9109\"", "\"localhost:80\"", "true"] {
        assert!(listen(text).unwrap_err()[0].contains("this is a port of this machine alone"), "{text}");
    }
}

#[test]
fn what_is_wrong_is_told_all_at_once_with_its_place() {
    let text = "[limits]\nkeys_per_rul_max = 5\nlateness = 5\n\n[limit]\nx = 1\n";
    assert_eq!(
        wrong(text),
        [
            "a.toml:5:2: there is no table `[limit]`; is `limits` meant?",
            "a.toml:2:1: there is no key `keys_per_rul_max` in `[limits]`; is `keys_per_rule_max` meant?",
            "a.toml:3:12: `lateness`: this is a text with units, such as \"5s\" or \"1h30m\"",
        ]
    );
    for (text, part) in [
        ("limits = 3", "a.toml:1:10: `limits` is a table: write `[limits]`"),
        ("[limits]\nkeys_per_rule_max = 63", "the least is 64"),
        ("[limits]\nkeys_per_rule_max = -1", "this is a whole number"),
        ("[limits]\nkeys_per_rule_max = \"70\"", "this is a whole number"),
        ("[limits]\nkeys_per_rule_max = 1.5", "this is a whole number"),
        ("[limits]\nline_bytes_max = \"4 MB\"", "a size is a number with KiB"),
        ("[limits]\nlateness = \"300y\"", "a duration is numbers with units"),
        ("[limits]\nlateness = \"5s\"\nlateness = \"6s\"", "a.toml:3:1: duplicate key"),
        ("[limits\n", "a.toml:1:"),
    ] {
        let told = wrong(text);
        assert!(told.iter().any(|line| line.contains(part)), "{text}: {told:?}");
    }
}

/// `BLESS=1` writes the table of the reference anew.
#[test]
fn the_reference_is_that_of_the_keys() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/configuration.md");
    let page = std::fs::read_to_string(&path).expect("the page is there");
    let from = page.find("| key |").expect("it has a table");
    let until = page[from..].find("\n\n").map_or(page.len(), |at| from + at + 1);
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(&path, format!("{}{}{}", &page[..from], keys::reference(), &page[until..]))
            .expect("it can be written");
        return;
    }
    assert_eq!(page[from..until], keys::reference(), "BLESS=1 writes it anew");
}

#[test]
fn what_a_file_does_not_say_is_as_usual() {
    let usual = Config { limits: Limits { lateness: 7, ..Limits::default() }, admin: None };
    let lateness = |text| parse_over(usual, "a.toml", text).unwrap().limits.lateness;
    assert_eq!((lateness(""), lateness("[limits]\nlateness = \"5s\"")), (7, 5_000_000_000));
}

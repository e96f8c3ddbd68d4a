//! Tunes of the shipped rules, and files of values, as the binary takes them.

use std::fs;

use super::{Place, RULES};

#[test]
fn tunes_alone_are_about_the_shipped_rules() {
    let place = Place::new();
    place.write(
        "tunes.rule",
        "let own = user.username == \"eve\"\n\
         tune secret_read { except own severity critical }\n\
         tune gone_since_then { disable }\n\
         tune list admin_roles { add [\"break-glass\"] }\n\
         test tuned secret_read \"eve may\" {\n\
             at 0s { verb: \"get\", objectRef.resource: \"secrets\", user.username: \"eve\", responseStatus.code: 200 }\n\
             expect no alert\n\
         }\n\
         test secret_read \"eve is told of as shipped\" {\n\
             at 0s { verb: \"get\", objectRef.resource: \"secrets\", user.username: \"eve\", responseStatus.code: 200 }\n\
             expect alert\n\
         }\n",
    );
    let told = |ran: &super::Ran| {
        let all: Vec<_> = ran.json();
        all.iter().filter(|alert| alert["rule"] == "secret_read").count()
    };
    let shipped = place.run(&["run", "--from", "audit.log", "--format", "json"]).ends(0);
    assert_eq!(told(&shipped), 1);
    let tuned = place.run(&["run", "tunes.rule", "--from", "audit.log", "--format", "json"]).ends(0);
    assert_eq!(told(&tuned), 0);
    tuned.says("no rule is called `gone_since_then`");
    let rules = place.run(&["rules", "tunes.rule", "--format", "json"]).ends(0);
    let severity =
        rules.json().into_iter().find(|rule| rule["rule"] == "secret_read" || rule["name"] == "secret_read");
    assert_eq!(severity.unwrap()["severity"], "critical");
    let tests = place.run(&["test", "tunes.rule", "--format", "human"]).ends(0);
    assert!(tests.out.contains("eve may") && tests.out.contains("0 failed"), "{}", tests.out);
    // A pack of them has the shipped rules in it, and is whole.
    place.run(&["compile", "tunes.rule", "-o", "tuned.adrp"]).ends(0);
    let packed = place.run(&["run", "tuned.adrp", "--from", "audit.log", "--format", "json"]).ends(0);
    assert_eq!(told(&packed), 0);
    // With a rule beside them nothing is added.
    place.run(&["compile", "tunes.rule", "set.rule"]).ends(1).says("do not compile");
    place.write("lists.rule", "list a = [\"b\"]");
    place.run(&["compile", "lists.rule"]).ends(1).says("there is no rule in lists.rule");
}

#[test]
fn files_of_values_are_beside_their_rules_and_in_packs() {
    let place = Place::new();
    fs::create_dir(place.path().join("sub")).unwrap();
    place.write(
        "sub/a.rule",
        RULES
            .replace(
                "\"system:admin\"\n",
                "\"x\" and user.username not in ours and t[user.username] != \"known\"\n",
            )
            .replace(
                "rule secret_get",
                "list ours from \"../ours.txt\"\ntable t from \"t.csv\"\nrule secret_get",
            ),
    );
    place.write("ours.txt", "# us\nsystem:admin\n");
    place.write("sub/t.csv", "eve,stranger\n");
    place.run(&["test", "sub"]).ends(0);
    place.run(&["compile", "sub", "-o", "set.adrp"]).ends(0);
    place.write("sub/t.csv", "eve\n");
    place.run(&["compile", "sub", "--format", "json"]).ends(1);
    let broken = place.run(&["compile", "sub", "--format", "json"]).ends(1);
    assert_eq!(broken.json()[0]["code"], "E602");
    fs::remove_file(place.path().join("ours.txt")).unwrap();
    let missing = place.run(&["compile", "sub", "--format", "json"]).ends(1);
    assert!(missing.json()[0]["message"].as_str().unwrap().ends_with("there is no such file"));
    place.run(&["test", "set.adrp"]).ends(0);
}

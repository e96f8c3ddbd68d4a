//! Every example of `docs/language.md` is a rule set of its own, without a mistake and without a doubt.

use super::told;

const PAGE: &str = include_str!("../../../../docs/language.md");

#[test]
fn the_examples_of_the_reference_compile() {
    let mut blocks = 0;
    let mut lines = PAGE.lines();
    while lines.any(|line| line == "```rule") {
        let block: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
        assert_eq!(told(&block.join("\n")), [""; 0], "{}", block.join("\n"));
        blocks += 1;
    }
    assert!(blocks >= 5, "{blocks}");
}

//! The grammar of `docs/language.md`, read and used as it stands there.
//!
//! The EBNF block is parsed into a graph of nodes, and texts are recognised by walking that graph, so that the page itself says
//! which *ways* through the grammar a text takes: each alternative, each option with and without, each repetition none, one and
//! several times. What a random generator never does is then found without a table that somebody would have to keep.
//!
//! Cost: every end that a node can have at a place is computed once; the rule files of tests take milliseconds. Refused: a left
//! recursive grammar, which would not end (ours has none, and a stack that deep would be seen at once).

mod ebnf;
mod recognise;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use regex::Regex;

/// A grammar.
#[derive(Debug)]
pub struct Grammar {
    nodes: Vec<Node>,
    /// Where each production begins.
    productions: BTreeMap<String, Id>,
}

type Id = usize;

#[derive(Debug)]
enum Node {
    /// A quoted word or sign.
    Quoted(String),
    /// A token's pattern, anchored.
    Pattern(Regex),
    /// A production by its name.
    Name(String),
    /// One, then the other.
    Then(Id, Id),
    /// One of these; each with its label.
    Choice(Vec<(Id, String)>),
    /// None or one, any number, or at least one; with its label.
    Repeat { of: Id, least: usize, most: Option<usize>, label: String },
}

/// How a text goes through the grammar, as people read it: `step: (NUMBER "times")? once`.
pub type Way = String;

impl Grammar {
    /// The grammar of the language reference.
    ///
    /// # Errors
    /// If the page has no EBNF block, or it cannot be read.
    pub fn of_the_reference() -> Result<Self, String> {
        let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/language.md");
        let page = std::fs::read_to_string(page).map_err(|error| error.to_string())?;
        let block = page.split_once("```ebnf\n").and_then(|(_, rest)| rest.split_once("```"));
        Self::read(block.ok_or("docs/language.md has no ```ebnf block")?.0)
    }

    /// All ways that there are.
    #[must_use]
    pub fn ways(&self) -> Vec<Way> {
        let mut all: Vec<Way> = self.productions.keys().map(|name| format!("{name}: at all")).collect();
        for node in &self.nodes {
            match node {
                Node::Choice(of) => all.extend(of.iter().map(|(_, label)| label.clone())),
                Node::Repeat { least, most, label, .. } => {
                    all.extend((*least..=most.unwrap_or(2)).map(|times| repeated(label, times)));
                }
                _ => {}
            }
        }
        all
    }
}

fn repeated(label: &str, times: usize) -> Way {
    format!("{label} {}", ["never", "once", "several times"][times.min(2)])
}

//! A text's ways through the grammar.
//!
//! For every node and place all places are computed where the node can end there; then one derivation of the whole text is
//! walked, as the page says: quoted words first, else the earlier alternative, and as much as fits.

use std::collections::{BTreeSet, HashMap};
use std::rc::Rc;

use super::{Grammar, Id, Node, Way, repeated};

impl Grammar {
    /// The ways that this text takes through a production.
    ///
    /// # Errors
    /// If the text is none of that production: how much of it could be read.
    pub fn recognise(&self, production: &str, text: &str) -> Result<BTreeSet<Way>, String> {
        let start = *self.productions.get(production).ok_or_else(|| format!("no production {production}"))?;
        let mut walk = Walk { grammar: self, text, ends: HashMap::new(), furthest: 0, ways: BTreeSet::new() };
        let end = walk.ends(start, 0).iter().copied().find(|end| walk.blank(*end) == text.len());
        let Some(end) = end else {
            let rest: String = text.get(walk.furthest..).unwrap_or("").chars().take(80).collect();
            return Err(format!("the grammar does not go on at `{rest}`"));
        };
        walk.ways.insert(format!("{production}: at all"));
        walk.derive(start, 0, end);
        Ok(walk.ways)
    }
}

struct Walk<'w> {
    grammar: &'w Grammar,
    text: &'w str,
    /// Where a node that begins at a place can end, the furthest first.
    ends: HashMap<(Id, usize), Rc<Vec<usize>>>,
    /// Where the furthest token ended.
    furthest: usize,
    ways: BTreeSet<Way>,
}

/// Whether this word ends where the next character begins.
fn apart(token: &str, after: &str) -> bool {
    let word = |c: char| c == '_' || c.is_ascii_alphanumeric();
    !(token.ends_with(word) && after.starts_with(word))
}

impl Walk<'_> {
    /// Past white space and comments.
    fn blank(&self, mut at: usize) -> usize {
        loop {
            let rest = &self.text[at..];
            at += rest.len() - rest.trim_start().len();
            if !self.text[at..].starts_with('#') {
                return at;
            }
            at += self.text[at..].find('\n').unwrap_or(self.text.len() - at);
        }
    }

    fn token(&self, id: Id, at: usize) -> Option<usize> {
        let at = self.blank(at);
        let rest = &self.text[at..];
        let length = match &self.grammar.nodes[id] {
            Node::Quoted(word) => rest.starts_with(word.as_str()).then_some(word.len()),
            Node::Pattern(pattern) => pattern.find(rest).map(|found| found.end()),
            _ => None,
        }?;
        let (token, after) = rest.split_at(length);
        apart(token, after).then_some(at + length)
    }

    fn ends(&mut self, id: Id, at: usize) -> Rc<Vec<usize>> {
        if let Some(known) = self.ends.get(&(id, at)) {
            return Rc::clone(known);
        }
        let grammar = self.grammar;
        let mut all = BTreeSet::new();
        match &grammar.nodes[id] {
            Node::Quoted(_) | Node::Pattern(_) => all.extend(self.token(id, at)),
            Node::Name(name) => all.extend(self.ends(grammar.productions[name], at).iter()),
            Node::Then(first, rest) => {
                for middle in self.ends(*first, at).iter() {
                    all.extend(self.ends(*rest, *middle).iter());
                }
            }
            Node::Choice(of) => of.iter().for_each(|(id, _)| all.extend(self.ends(*id, at).iter())),
            Node::Repeat { of, least, most, .. } => {
                if *least == 0 {
                    all.insert(at);
                }
                let mut open = vec![at];
                while let Some(from) = open.pop() {
                    for end in self.ends(*of, from).iter() {
                        if all.insert(*end) && *most != Some(1) {
                            open.push(*end);
                        }
                    }
                }
            }
        }
        self.furthest = self.furthest.max(all.last().copied().unwrap_or(0));
        let all = Rc::new(all.into_iter().rev().collect());
        self.ends.insert((id, at), Rc::clone(&all));
        all
    }

    /// Whether a node can begin here with a quoted word.
    fn quoted(&self, id: Id, at: usize) -> bool {
        match &self.grammar.nodes[id] {
            Node::Quoted(_) => self.token(id, at).is_some(),
            Node::Pattern(_) => false,
            Node::Name(name) => self.quoted(self.grammar.productions[name], at),
            Node::Then(first, rest) => {
                let skipped = matches!(&self.grammar.nodes[*first], Node::Repeat { least: 0, .. });
                self.quoted(*first, at) || skipped && self.quoted(*rest, at)
            }
            Node::Choice(of) => of.iter().any(|(id, _)| self.quoted(*id, at)),
            Node::Repeat { of, .. } => self.quoted(*of, at),
        }
    }

    fn derive(&mut self, id: Id, at: usize, end: usize) {
        let grammar = self.grammar;
        match &grammar.nodes[id] {
            Node::Quoted(_) | Node::Pattern(_) => {}
            Node::Name(name) => {
                self.ways.insert(format!("{name}: at all"));
                self.derive(grammar.productions[name], at, end);
            }
            Node::Then(first, rest) => {
                let middles = self.ends(*first, at);
                if let Some(middle) = middles.iter().copied().find(|m| self.ends(*rest, *m).contains(&end)) {
                    self.derive(*first, at, middle);
                    self.derive(*rest, middle, end);
                }
            }
            Node::Choice(of) => {
                let fitting: Vec<_> = of.iter().filter(|(id, _)| self.ends(*id, at).contains(&end)).collect();
                let quoted = fitting.iter().find(|(id, _)| self.quoted(*id, at));
                if let Some((id, label)) = quoted.or(fitting.first()) {
                    self.ways.insert(label.clone());
                    self.derive(*id, at, end);
                }
            }
            Node::Repeat { of, label, .. } => {
                let (mut from, mut times) = (at, 0);
                while from < end {
                    let next = self.ends(*of, from);
                    let next = next
                        .iter()
                        .copied()
                        .find(|next| *next == end || *next > from && self.ends(id, *next).contains(&end));
                    let Some(next) = next else { break };
                    self.derive(*of, from, next);
                    (from, times) = (next, times + 1);
                }
                self.ways.insert(repeated(label, times));
            }
        }
    }
}

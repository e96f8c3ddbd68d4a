//! Reads EBNF: `name: body`, `|`, `( )`, `?`, `*`, `+`, `"quoted"`, `/pattern/`. A production ends where a line begins with the
//! next one's name.

use regex::Regex;

use super::{Grammar, Id, Node};

impl Grammar {
    /// Reads a grammar.
    ///
    /// # Errors
    /// What is not understood, or a name that has no production.
    pub fn read(text: &str) -> Result<Self, String> {
        let mut grammar = Self { nodes: Vec::new(), productions: Default::default() };
        let mut bodies: Vec<(String, String)> = Vec::new();
        for line in text.lines().filter(|line| !line.trim().is_empty()) {
            match line.split_once(':') {
                Some((name, body)) if !line.starts_with(' ') => {
                    bodies.push((name.to_owned(), body.to_owned()))
                }
                _ => {
                    let (_, body) = bodies.last_mut().ok_or("a body before any name")?;
                    body.push(' ');
                    body.push_str(line.trim());
                }
            }
        }
        for (name, body) in &bodies {
            let mut reader = Reader { grammar: &mut grammar, production: name, rest: body };
            let id = reader.choice()?;
            if !reader.rest.trim().is_empty() {
                return Err(format!("{name}: `{}` is not understood", reader.rest));
            }
            if grammar.productions.insert(name.clone(), id).is_some() {
                return Err(format!("{name} has two productions"));
            }
        }
        for node in &grammar.nodes {
            if let Node::Name(name) = node
                && !grammar.productions.contains_key(name)
            {
                return Err(format!("nothing says what {name} is"));
            }
        }
        Ok(grammar)
    }
}

struct Reader<'r> {
    grammar: &'r mut Grammar,
    production: &'r str,
    rest: &'r str,
}

impl<'r> Reader<'r> {
    fn node(&mut self, node: Node) -> Id {
        self.grammar.nodes.push(node);
        self.grammar.nodes.len() - 1
    }

    fn next(&mut self) -> Option<char> {
        self.rest = self.rest.trim_start();
        self.rest.chars().next()
    }

    fn take(&mut self, c: char) -> bool {
        let there = self.next() == Some(c);
        if there {
            self.rest = &self.rest[c.len_utf8()..];
        }
        there
    }

    /// What was read since `before`, on one line.
    fn since(&self, before: &'r str) -> String {
        let read = &before[..before.len() - self.rest.len()];
        format!("{}: {}", self.production, read.split_whitespace().collect::<Vec<_>>().join(" "))
    }

    fn choice(&mut self) -> Result<Id, String> {
        let mut all = Vec::new();
        loop {
            let before = self.rest;
            let id = self.row()?;
            all.push((id, self.since(before)));
            if !self.take('|') {
                break;
            }
        }
        match all.as_slice() {
            [(only, _)] => Ok(*only),
            _ => Ok(self.node(Node::Choice(all))),
        }
    }

    fn row(&mut self) -> Result<Id, String> {
        let mut ids = Vec::new();
        while !matches!(self.next(), None | Some('|' | ')')) {
            ids.push(self.one()?);
        }
        let last = ids.pop().ok_or_else(|| format!("{}: an empty alternative", self.production))?;
        Ok(ids.into_iter().rev().fold(last, |rest, id| self.node(Node::Then(id, rest))))
    }

    fn one(&mut self) -> Result<Id, String> {
        self.next();
        let before = self.rest;
        let of = self.atom()?;
        let (least, most) = match self.rest.chars().next() {
            Some('?') => (0, Some(1)),
            Some('*') => (0, None),
            Some('+') => (1, None),
            _ => return Ok(of),
        };
        self.rest = &self.rest[1..];
        let label = self.since(before);
        Ok(self.node(Node::Repeat { of, least, most, label }))
    }

    fn atom(&mut self) -> Result<Id, String> {
        let bad = format!("{}: `{}` is not understood", self.production, self.rest);
        match self.next() {
            Some('(') => {
                self.take('(');
                let id = self.choice()?;
                if self.take(')') { Ok(id) } else { Err(bad) }
            }
            Some('"') => {
                let (text, rest) = self.rest[1..].split_once('"').ok_or(bad)?;
                self.rest = rest;
                Ok(self.node(Node::Quoted(text.to_owned())))
            }
            Some('/') => {
                let inside = &self.rest[1..];
                let escaped =
                    |at: usize| inside[..at].bytes().rev().take_while(|b| *b == b'\\').count() % 2 == 1;
                let end = inside.match_indices('/').map(|(at, _)| at).find(|at| !escaped(*at)).ok_or(bad)?;
                let pattern = Regex::new(&format!("^(?:{})", &inside[..end])).map_err(|e| e.to_string())?;
                self.rest = &inside[end + 1..];
                Ok(self.node(Node::Pattern(pattern)))
            }
            Some(c) if c.is_ascii_alphabetic() => {
                let end = self.rest.find(|c: char| c != '_' && !c.is_ascii_alphanumeric());
                let (name, rest) = self.rest.split_at(end.unwrap_or(self.rest.len()));
                self.rest = rest;
                Ok(self.node(Node::Name(name.to_owned())))
            }
            _ => Err(bad),
        }
    }
}

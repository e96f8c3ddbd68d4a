//! Conditions, values, lists and maps: on one line if they fit, else broken at their loosest places.

use super::page::{Blank, INDENT, Page};
use crate::source::Span;
use crate::syntax::ast::{
    ArithOp, Call, CompareOp, Entry, EntryKey, Expr, ExprKind, Json, KeyPart, Literal, Literals, Map,
    Postfix, Set, Spanned,
};

/// Which quotes a text keeps.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Quotes {
    /// `"` where that needs no escape.
    Usual,
    /// As they are: regexes stand in `'`.
    Kept,
}

impl Page<'_> {
    /// A text as it stands, in `"` if that changes nothing else.
    pub(super) fn quoted(&self, span: Span) -> String {
        self.literal(span, Quotes::Usual)
    }

    fn literal(&self, span: Span, quotes: Quotes) -> String {
        let text = &self.text[span.range()];
        let body = text.strip_prefix('\'').and_then(|text| text.strip_suffix('\''));
        match body {
            Some(body) if quotes == Quotes::Usual && !body.contains(['"', '\\']) => format!("\"{body}\""),
            _ => text.to_owned(),
        }
    }

    /// A number or duration as it stands, without space after its sign.
    pub(super) fn number(&self, span: Span) -> String {
        let text = &self.text[span.range()];
        let digits = text.rsplit(|c: char| c.is_whitespace()).next().unwrap_or(text).trim_start_matches('-');
        if text.starts_with('-') { format!("-{digits}") } else { digits.to_owned() }
    }

    /// On one line.
    pub(super) fn flat(&self, expr: &Expr) -> String {
        let mut out = String::new();
        self.flat_into(expr, Quotes::Usual, &mut out);
        out
    }

    fn flat_into(&self, expr: &Expr, quotes: Quotes, out: &mut String) {
        match &expr.kind {
            ExprKind::Or(parts) => self.flat_chain(parts, " or ", out),
            ExprKind::And(parts) => self.flat_chain(parts, " and ", out),
            ExprKind::Not(inner) => {
                out.push_str("not ");
                self.flat_into(inner, Quotes::Usual, out);
            }
            ExprKind::Quantified { body, .. } => {
                out.push_str(&self.quantifier(expr));
                self.flat_into(body, Quotes::Usual, out);
                out.push(')');
            }
            ExprKind::Compare { op, right, ignoring_case, .. } => {
                out.push_str(&self.left_of(expr));
                let matches = matches!(op.node, CompareOp::Matches { .. });
                self.flat_into(right, if matches { Quotes::Kept } else { Quotes::Usual }, out);
                out.push_str(case(*ignoring_case));
            }
            ExprKind::In { set, ignoring_case, .. } => {
                out.push_str(&self.left_of(expr));
                out.push_str(&self.flat_set(set));
                out.push_str(case(*ignoring_case));
            }
            ExprKind::Arith { op, left, right } => {
                self.flat_into(left, Quotes::Usual, out);
                out.push_str(arith(op.node));
                self.flat_into(right, Quotes::Usual, out);
            }
            ExprKind::Group(inner) => {
                out.push('(');
                self.flat_into(inner, quotes, out);
                out.push(')');
            }
            ExprKind::Text(_) => out.push_str(&self.literal(expr.span, quotes)),
            ExprKind::Number(_) | ExprKind::Duration(_) => out.push_str(&self.number(expr.span)),
            ExprKind::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
            ExprKind::Path(path) => {
                out.push_str(&path.root.node);
                self.flat_postfix(&path.postfix, out);
            }
            ExprKind::Call(call) => self.flat_call(call, out),
            // A file with mistakes is not printed.
            ExprKind::Error => out.push_str(&self.text[expr.span.range()]),
        }
    }

    fn flat_chain(&self, parts: &[Expr], op: &str, out: &mut String) {
        for (n, part) in parts.iter().enumerate() {
            out.push_str(if n > 0 { op } else { "" });
            let (open, close) = parentheses(part);
            out.push_str(open);
            self.flat_into(part, Quotes::Usual, out);
            out.push_str(close);
        }
    }

    fn flat_call(&self, call: &Call, out: &mut String) {
        out.push_str(&call.name.node);
        out.push('(');
        out.push_str(&self.flat_list(&call.args));
        if let Some(condition) = &call.condition {
            out.push_str(if call.args.is_empty() { "where " } else { " where " });
            self.flat_into(condition, Quotes::Usual, out);
        }
        out.push(')');
        self.flat_postfix(&call.postfix, out);
    }

    fn flat_postfix(&self, postfix: &[Postfix], out: &mut String) {
        for part in postfix {
            match part {
                Postfix::Field(name) => {
                    out.push('.');
                    out.push_str(&name.node);
                }
                Postfix::Each(_) => out.push_str("[]"),
                Postfix::Index(key, _) => {
                    out.push('[');
                    self.flat_into(key, Quotes::Usual, out);
                    out.push(']');
                }
            }
        }
    }

    /// Values with commas between them.
    pub(super) fn flat_list(&self, values: &[Expr]) -> String {
        values.iter().map(|value| self.flat(value)).collect::<Vec<_>>().join(", ")
    }

    fn flat_set(&self, set: &Set) -> String {
        match set {
            Set::Literals(list) => self.flat_literals(list),
            Set::Cidr(networks, _) => {
                let networks: Vec<String> = networks.iter().map(|text| self.quoted(text.span)).collect();
                format!("cidr({})", networks.join(", "))
            }
            Set::Clock(from, to) => {
                format!("{}..{}", &self.text[from.span.range()], &self.text[to.span.range()])
            }
            Set::Value(value) => self.flat(value),
        }
    }

    pub(super) fn flat_literals(&self, list: &Literals) -> String {
        let items: Vec<String> = list.items.iter().map(|item| self.flat_literal(item)).collect();
        format!("[{}]", items.join(", "))
    }

    fn flat_literal(&self, literal: &Literal) -> String {
        match literal {
            Literal::Text(text) => self.quoted(text.span),
            Literal::Number(Spanned { span, .. }) | Literal::Duration(Spanned { span, .. }) => {
                self.number(*span)
            }
            Literal::Word(name) => name.node.clone(),
        }
    }

    /// `any x in list: (`
    fn quantifier(&self, expr: &Expr) -> String {
        let ExprKind::Quantified { all, var, list, .. } = &expr.kind else { return String::new() };
        format!("{} {} in {}: (", if *all { "all" } else { "any" }, var.node, self.flat(list))
    }

    /// A comparison up to its right side.
    fn left_of(&self, expr: &Expr) -> String {
        match &expr.kind {
            ExprKind::Compare { op, left, .. } => format!("{} {} ", self.flat(left), op.node.word()),
            ExprKind::In { negated, left, .. } => {
                format!("{} {} ", self.flat(left), if *negated { "not in" } else { "in" })
            }
            _ => String::new(),
        }
    }

    /// A condition or value from here on; `tail` characters must find room behind it.
    pub(super) fn expr(&mut self, expr: &Expr, tail: usize) {
        self.expr_at(expr, self.column(), tail);
    }

    /// The same behind something that began at `base`: there its lines begin.
    fn expr_at(&mut self, expr: &Expr, base: usize, tail: usize) {
        let flat = self.flat(expr);
        if !self.has_comments(expr.span) && self.fits(flat.chars().count() + tail) {
            return self.push(&flat);
        }
        match &expr.kind {
            ExprKind::Or(parts) => self.chain(parts, "or ", base, tail),
            ExprKind::And(parts) => self.chain(parts, "and ", base, tail),
            ExprKind::Not(inner) => {
                self.push("not ");
                self.expr_at(inner, base, tail);
            }
            ExprKind::Group(inner) => {
                self.push("(");
                self.expr(inner, tail + 1);
                self.push(")");
            }
            ExprKind::Quantified { body, .. } => {
                let head = self.quantifier(expr);
                self.push(&head);
                self.line(body.span.range().start, base + INDENT, Blank::Never);
                self.expr(body, 0);
                self.line(expr.span.range().end - 1, base, Blank::Close);
                self.push(")");
            }
            ExprKind::In { set: Set::Literals(list), ignoring_case, .. } => {
                let left = self.left_of(expr);
                self.push(&left);
                self.literals(list, base, tail + case(*ignoring_case).len());
                self.push(case(*ignoring_case));
            }
            _ => self.push(&flat),
        }
    }

    fn chain(&mut self, parts: &[Expr], op: &str, base: usize, tail: usize) {
        for (n, part) in parts.iter().enumerate() {
            if n > 0 {
                self.line(part.span.range().start, base, Blank::Never);
                self.push(op);
            }
            let (open, close) = parentheses(part);
            let last = if n + 1 == parts.len() { tail } else { 0 };
            self.push(open);
            let base = if open.is_empty() { base } else { self.column() };
            self.expr_at(part, base, last + close.len());
            self.push(close);
        }
    }

    /// A list, its bracket in a line that begins at `base`.
    pub(super) fn literals(&mut self, list: &Literals, base: usize, tail: usize) {
        let flat = self.flat_literals(list);
        if !self.has_comments(list.span) && self.fits(flat.chars().count() + tail) {
            return self.push(&flat);
        }
        self.push("[");
        for (n, item) in list.items.iter().enumerate() {
            let span = match item {
                Literal::Text(text) | Literal::Word(text) => text.span,
                Literal::Number(Spanned { span, .. }) | Literal::Duration(Spanned { span, .. }) => *span,
            };
            self.line(span.range().start, base + INDENT, if n == 0 { Blank::Open } else { Blank::Keep });
            let item = self.flat_literal(item);
            self.push(&item);
            self.push(",");
        }
        self.line(list.span.range().end - 1, base, Blank::Close);
        self.push("]");
    }

    /// A map, its brace in a line that begins at `base`.
    pub(super) fn map(&mut self, map: &Map, base: usize, tail: usize) {
        let flat = self.flat_map(map);
        if !self.has_comments(map.span) && self.fits(flat.chars().count() + tail) {
            return self.push(&flat);
        }
        self.push("{");
        for (n, entry) in map.entries.iter().enumerate() {
            let start = match &entry.key {
                EntryKey::Value(key) => key.span,
                EntryKey::Text(key) => key.span,
            };
            let blank = if n == 0 { Blank::Open } else { Blank::Keep };
            self.line(start.range().start, base + INDENT, blank);
            let key = self.entry_key(entry);
            self.push(&key);
            self.json(&entry.value, base + INDENT);
            self.push(",");
        }
        self.line(map.span.range().end - 1, base, Blank::Close);
        self.push("}");
    }

    fn json(&mut self, value: &Spanned<Json>, base: usize) {
        match &value.node {
            Json::Map(map) => self.map(map, base, 1),
            Json::List(values) => {
                let flat = self.flat_json(value);
                if !self.has_comments(value.span) && self.fits(flat.chars().count() + 1) {
                    return self.push(&flat);
                }
                if let [Spanned { node: Json::Map(only), .. }] = &values[..] {
                    self.push("[");
                    self.map(only, base, 2);
                    return self.push("]");
                }
                self.push("[");
                for (n, value) in values.iter().enumerate() {
                    let blank = if n == 0 { Blank::Open } else { Blank::Keep };
                    self.line(value.span.range().start, base + INDENT, blank);
                    self.json(value, base + INDENT);
                    self.push(",");
                }
                self.line(value.span.range().end - 1, base, Blank::Close);
                self.push("]");
            }
            _ => {
                let flat = self.flat_json(value);
                self.push(&flat);
            }
        }
    }

    fn flat_map(&self, map: &Map) -> String {
        if map.entries.is_empty() {
            return "{}".to_owned();
        }
        let entry = |entry: &Entry| self.entry_key(entry) + &self.flat_json(&entry.value);
        format!("{{ {} }}", map.entries.iter().map(entry).collect::<Vec<_>>().join(", "))
    }

    fn flat_json(&self, value: &Spanned<Json>) -> String {
        match &value.node {
            Json::Text(_) => self.quoted(value.span),
            Json::Number(_) => self.number(value.span),
            Json::Bool(value) => value.to_string(),
            Json::Null => "null".to_owned(),
            Json::Map(map) => self.flat_map(map),
            Json::List(values) => {
                let values: Vec<String> = values.iter().map(|value| self.flat_json(value)).collect();
                format!("[{}]", values.join(", "))
            }
        }
    }

    /// `key: `
    fn entry_key(&self, entry: &Entry) -> String {
        let key = match &entry.key {
            EntryKey::Value(key) => self.flat(key),
            EntryKey::Text(text) => self.quoted(text.span),
        };
        key + ": "
    }

    /// Pieces with spaces between them, in as many lines as it takes; each with its place in the text.
    pub(super) fn fill(&mut self, pieces: &[(usize, String)]) {
        let column = self.column();
        for (n, (at, piece)) in pieces.iter().enumerate() {
            if n > 0 {
                if self.comment_waits(*at) || !self.fits(1 + piece.chars().count()) {
                    self.line(*at, column, Blank::Never);
                } else {
                    self.push(" ");
                }
            }
            self.push(piece);
        }
    }

    /// The parts of `by`, for [`Self::fill`].
    pub(super) fn key_pieces(&self, parts: &[KeyPart]) -> Vec<(usize, String)> {
        let piece = |part: &KeyPart| match &part.name {
            Some(name) => (name.span.range().start, format!("{} = {}", name.node, self.flat(&part.value))),
            None => (part.value.span.range().start, self.flat(&part.value)),
        };
        commas(parts.iter().map(piece).collect())
    }
}

/// A comma after each piece but the last.
pub(super) fn commas(mut pieces: Vec<(usize, String)>) -> Vec<(usize, String)> {
    let last = pieces.len().saturating_sub(1);
    pieces[..last].iter_mut().for_each(|(_, piece)| piece.push(','));
    pieces
}

/// What `fmt` adds around a part of an `or`.
fn parentheses(part: &Expr) -> (&'static str, &'static str) {
    // The parts of an `and` are never an `and` themselves, so what is one stands in an `or`.
    if matches!(part.kind, ExprKind::And(_)) { ("(", ")") } else { ("", "") }
}

fn case(ignoring: bool) -> &'static str {
    if ignoring { " ignoring case" } else { "" }
}

fn arith(op: ArithOp) -> &'static str {
    match op {
        ArithOp::Add => " + ",
        ArithOp::Sub => " - ",
        ArithOp::Mul => " * ",
        ArithOp::Div => " / ",
    }
}

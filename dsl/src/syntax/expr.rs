//! Conditions and values: one grammar, as `(` may open either and only types tell them apart.
//!
//! Every level of the grammar is a loop over the level below, so a long chain costs no stack; what does recurse
//! (parentheses, `not`, brackets, arguments) is counted by [`nested`]. A chain of `+` makes a tree as deep as it is
//! long, and `fmt` puts parentheses around an `and` beside `or`: both count as levels too, so that whoever walks the tree
//! can recurse, and what `fmt` writes is never deeper than allowed.

use super::ast::{
    ArithOp, Call, CompareOp, Expr, ExprKind, Literal, Literals, Path, Postfix, Set, Spanned, Text,
};
use super::input::{Fault, In, Res, absent, fault, nested, too_deep};
use super::lex::{
    Quantity, any_word, at_keyword, at_sign, clock, comma_list, is_digit, is_word, is_word_start, keyword,
    must, must_name, name, not_found, owned, quantity, sign, token, trivia,
};
use super::recover::skip_in_list;
use super::text::{must_text, text, whole_text};
use super::words;
use crate::diag::{Code, Diagnostic, nearest};
use crate::source::Span;
use nom::branch::alt;
use nom::bytes::complete::{tag, take_while};
use nom::character::complete::{char, satisfy};
use nom::combinator::{opt, recognize, value as constant};
use nom::{Err, Input, Parser};

/// What may join conditions or values, and how it is told if it is of another language.
fn joined<'a>(i: In<'a>, word: &'static str, foreign: &'static str) -> Res<'a, In<'a>> {
    if let Ok(found) = keyword(word)(i) {
        return Ok(found);
    }
    let (rest, found) = alt((sign(foreign), any_word)).parse(i)?;
    // A step may be called `And`.
    let other_case = found.rest != word && found.rest.eq_ignore_ascii_case(word) && !at_sign(rest, ":");
    if found.rest == foreign || other_case {
        foreign_operator(found, word);
        return Ok((rest, found));
    }
    Err(absent(i))
}

fn foreign_operator(found: In<'_>, ours: &str) {
    let message = format!("`{}` is no operator of the language", found.rest);
    found.run.report(
        Diagnostic::new(Code::UnknownOperator, found.span(), message).help(format!("write `{ours}`")),
    );
}

/// `condition`: the loosest level.
pub(super) fn condition(i: In<'_>) -> Res<'_, Expr> {
    let start = trivia(i);
    let (first, mut deepest) = start.run.measured(|| conjunction(start));
    let (mut i, first) = first?;
    let mut parts = vec![(first, deepest)];
    while let Ok((rest, _)) = joined(i, "or", "||") {
        let (part, reached) = i.run.measured(|| must(conjunction, "a condition after `or`")(rest));
        let (rest, part) = part?;
        parts.push((part, reached));
        i = rest;
    }
    if parts.len() > 1 {
        for (part, reached) in &parts {
            deepest = deepest.max(reached + usize::from(matches!(part.kind, ExprKind::And(_))));
        }
        if !i.run.reaches(deepest) {
            return Err(too_deep(start));
        }
    }
    let parts = parts.into_iter().map(|(part, _)| part).collect();
    Ok((i, flat(parts, ExprKind::Or, start.to(i))))
}

fn conjunction(i: In<'_>) -> Res<'_, Expr> {
    let start = trivia(i);
    let (mut i, first) = negation(start)?;
    let mut parts = vec![first];
    while let Ok((rest, _)) = joined(i, "and", "&&") {
        let (rest, part) = must(negation, "a condition after `and`")(rest)?;
        parts.push(part);
        i = rest;
    }
    Ok((i, flat(parts, ExprKind::And, start.to(i))))
}

/// One part is itself, more are a list.
fn flat(mut parts: Vec<Expr>, kind: fn(Vec<Expr>) -> ExprKind, span: Span) -> Expr {
    match parts.pop() {
        Some(only) if parts.is_empty() => only,
        last => {
            parts.extend(last);
            Expr { kind: kind(parts), span }
        }
    }
}

fn negation(i: In<'_>) -> Res<'_, Expr> {
    let start = trivia(i);
    if let Ok((rest, _)) = not(start) {
        let (rest, inner) = nested(must(negation, "a condition after `not`")).parse(rest)?;
        return Ok((rest, Expr { kind: ExprKind::Not(Box::new(inner)), span: start.to(rest) }));
    }
    if at_keyword(start, "any") || at_keyword(start, "all") {
        return quantified(start);
    }
    comparison(start)
}

fn not(i: In<'_>) -> Res<'_, In<'_>> {
    if let Ok(found) = keyword("not")(i) {
        return Ok(found);
    }
    if i.starts("!") && !i.starts("!=") {
        let (rest, found) = i.take_split(1);
        foreign_operator(found, "not");
        return Ok((rest, found));
    }
    let (rest, word) = any_word(i)?;
    // A `let` may be called `Not`; but then no value follows, only the next step's name or what ends a `when`.
    let window = |word: &str| matches!(word, "within" | "tumbling" | "session");
    let value = name(rest).is_ok_and(|(after, word)| !at_sign(after, ":") && !window(&word.node));
    let value = value || at_sign(rest, "(");
    if word.rest != "not" && word.rest.eq_ignore_ascii_case("not") && value {
        foreign_operator(word, "not");
        return Ok((rest, word));
    }
    Err(absent(i))
}

/// `any x in PATH: (condition)`
fn quantified(start: In<'_>) -> Res<'_, Expr> {
    let (i, which) = any_word(start)?;
    let all = which.rest == "all";
    let (i, var) = must_name("the name of an element")(i)?;
    let (i, _) = must(keyword("in"), "`in` and a list")(i)?;
    let (i, list) = nested(must(sum, "a list")).parse(i)?;
    let (i, _) = must(sign(":"), "`:` and a condition in parentheses")(i)?;
    let open = trivia(i);
    let (i, _) = match sign("(")(i) {
        Ok(found) => found,
        Err(_) => {
            let help =
                format!("write `{} {} in …: (…)`, so that one sees how far it goes", which.rest, var.node);
            return Err(fault(open, not_found(open, "`(`").help(help)));
        }
    };
    let (i, body) = nested(must(condition, "a condition")).parse(i)?;
    let (i, ()) = closing(open, ")", i)?;
    let kind = ExprKind::Quantified { all, var, list: Box::new(list), body: Box::new(body) };
    Ok((i, Expr { kind, span: start.to(i) }))
}

/// The sign that closes what `open` began.
pub(super) fn closing<'a>(open: In<'a>, what: &'static str, i: In<'a>) -> Res<'a, ()> {
    match sign(what)(i) {
        Ok((rest, _)) => Ok((rest, ())),
        Err(_) => Err(unclosed(open, what, i)),
    }
}

/// The mistake that something else stands where `open` should be closed.
pub(super) fn unclosed<'a>(open: In<'a>, what: &'static str, i: In<'a>) -> Err<Fault> {
    let at = trivia(i);
    let begun = open.take(1);
    let label = format!("this `{}` is not closed", begun.rest);
    let mut problem = not_found(at, &format!("`{what}`")).related(begun.span(), label);
    // Where nothing can go on any more the missing sign is the mistake; elsewhere it is what was found.
    if at.rest.is_empty() || any_word(at).is_ok_and(|(_, word)| words::ends_value(word.rest)) {
        problem.code = Code::Unclosed;
    }
    fault(at, problem)
}

fn comparison(start: In<'_>) -> Res<'_, Expr> {
    let (i, left) = sum(start)?;
    let Some((rest, relation)) = relation(i)? else { return Ok((i, left)) };
    let op = relation.span;
    let (mut i, mut kind) = match relation.node {
        Relation::In { negated } => {
            let (i, set) = set(rest)?;
            (i, ExprKind::In { negated, op, left: Box::new(left), set, ignoring_case: false })
        }
        Relation::Compare(node) => {
            let (i, right) = right_side(rest)?;
            let op = Spanned { node, span: op };
            (i, ExprKind::Compare { op, left: Box::new(left), right: Box::new(right), ignoring_case: false })
        }
    };
    if let Ok((rest, _)) = keyword("ignoring")(i) {
        let (rest, _) = must(keyword("case"), "`case` after `ignoring`")(rest)?;
        if let ExprKind::Compare { ignoring_case, .. } | ExprKind::In { ignoring_case, .. } = &mut kind {
            *ignoring_case = true;
        }
        i = rest;
    }
    if let Some((rest, next)) = self::relation(i)? {
        let problem = Diagnostic::new(Code::ChainedComparison, next.span, "comparisons do not chain")
            .related(op, "the comparison before it")
            .help("write both, joined by `and`: `a < b and b < c`");
        i.run.report(problem);
        (i, _) = if matches!(next.node, Relation::In { .. }) {
            set(rest).map(|(i, _)| (i, ()))
        } else {
            right_side(rest).map(|(i, _)| (i, ()))
        }?;
        kind = ExprKind::Error;
    }
    Ok((i, Expr { kind, span: start.to(i) }))
}

fn right_side(i: In<'_>) -> Res<'_, Expr> {
    let at = trivia(i);
    if at.starts("[") {
        let help = "a list stands after `in`: `verb in [\"get\", \"list\"]`";
        return Err(fault(at, not_found(at, "a single value").help(help)));
    }
    must(sum, "a value to compare with")(at)
}

enum Relation {
    In { negated: bool },
    Compare(CompareOp),
}

/// The operator of a comparison, if one stands here.
fn relation(i: In<'_>) -> Result<Option<(In<'_>, Spanned<Relation>)>, Err<Fault>> {
    let start = trivia(i);
    if let Ok((rest, op)) = order(start) {
        let node = Relation::Compare(op);
        return Ok(Some((rest, Spanned { node, span: start.to(rest) })));
    }
    let negated = keyword("not")(start);
    let (i, is_not) = negated.map_or((start, false), |(rest, _)| (rest, true));
    if let Some((rest, node)) = word_relation(i, is_not) {
        return Ok(Some((rest, Spanned { node, span: start.to(rest) })));
    }
    if is_not {
        let what = "`in`, `contains`, `startswith`, `endswith`, `like` or `matches` after `not`";
        return Err(fault(trivia(i), not_found(trivia(i), what)));
    }
    Ok(None)
}

/// `==` and its like; what other languages have is reported and taken for ours.
fn order(i: In<'_>) -> Res<'_, CompareOp> {
    let ours = alt((
        constant(CompareOp::Eq, (tag("=="), nom::combinator::not(char('=')))),
        constant(CompareOp::Ne, (tag("!="), nom::combinator::not(char('=')))),
        constant(CompareOp::Le, tag("<=")),
        constant(CompareOp::Ge, tag(">=")),
        constant(CompareOp::Lt, (char('<'), nom::combinator::not(char('>')))),
        constant(CompareOp::Gt, char('>')),
    ))
    .parse(i);
    if ours.is_ok() {
        return ours;
    }
    let (rest, found) =
        alt((tag("==="), tag("!=="), tag("<>"), tag("=~"), tag("!~"), tag("="), tag("~"))).parse(i)?;
    let (ours, op) = match found.rest {
        "===" | "=" => ("==", CompareOp::Eq),
        "!==" | "<>" => ("!=", CompareOp::Ne),
        "!~" => ("not matches", CompareOp::Matches { negated: true }),
        _ => ("matches", CompareOp::Matches { negated: false }),
    };
    foreign_operator(found, ours);
    Ok((rest, op))
}

/// `in` and the words that compare text. A near miss is reported and taken for it, if a value follows on the line.
fn word_relation(i: In<'_>, negated: bool) -> Option<(In<'_>, Relation)> {
    const WORDS: [&str; 6] = ["in", "contains", "startswith", "endswith", "like", "matches"];
    let (rest, word) = any_word(i).ok()?;
    let mut meant = word.rest;
    if !WORDS.contains(&meant) {
        if words::is_reserved(meant) || words::CHANGES.contains(&meant) {
            return None;
        }
        let plain: String = meant.chars().filter(|c| *c != '_').collect();
        meant = match plain.to_ascii_lowercase().as_str() {
            "beginswith" | "prefix" | "hasprefix" => "startswith",
            "suffix" | "hassuffix" => "endswith",
            "regex" | "match" => "matches",
            "is" | "equals" | "eq" => "==",
            plain => nearest(plain, WORDS)?,
        };
        let after = rest.rest.trim_start_matches([' ', '\t']);
        if !after.starts_with(|c| c == '"' || c == '\'' || c == '[' || is_word_start(c) || is_digit(c)) {
            return None;
        }
        foreign_operator(word, meant);
    }
    let relation = match meant {
        "in" => Relation::In { negated },
        "contains" => Relation::Compare(CompareOp::Contains { negated }),
        "startswith" => Relation::Compare(CompareOp::StartsWith { negated }),
        "endswith" => Relation::Compare(CompareOp::EndsWith { negated }),
        "like" => Relation::Compare(CompareOp::Like { negated }),
        "matches" => Relation::Compare(CompareOp::Matches { negated }),
        _ => Relation::Compare(if negated { CompareOp::Ne } else { CompareOp::Eq }),
    };
    Some((rest, relation))
}

/// What stands after `in`.
fn set(i: In<'_>) -> Res<'_, Set> {
    let start = trivia(i);
    if start.starts("[") {
        let (i, list) = literals(start)?;
        return Ok((i, Set::Literals(list)));
    }
    if let Ok((rest, _)) = keyword("cidr")(start) {
        let open = trivia(rest);
        let (rest, _) = must(sign("("), "`(` and networks in quotes")(rest)?;
        let (rest, networks) = comma_list(must_text("a network in quotes"))(rest)?;
        let (rest, ()) = closing(open, ")", rest)?;
        return Ok((rest, Set::Cidr(networks, start.to(rest))));
    }
    if let Ok((rest, from)) = opt(clock).parse(start)
        && let Some(from) = from
    {
        let (rest, _) = must(sign(".."), "`..` and the time it goes to")(rest)?;
        let (rest, to) = must(clock, "a time of day such as `06:00`")(rest)?;
        return Ok((rest, Set::Clock(from, to)));
    } else if let Err(other @ Err::Failure(_)) = clock(start) {
        return Err(other);
    }
    let (rest, list) = must(sum, "a list, a list's name or a path after `in`")(start)?;
    Ok((rest, Set::Value(Box::new(list))))
}

/// `[a, b, c]`, whose bracket stands here or nowhere. What is no value of a list is reported and left out.
pub(super) fn literals(i: In<'_>) -> Res<'_, Literals> {
    let open = trivia(i);
    let (mut i, _) = sign("[")(open)?;
    let mut items = Vec::new();
    while !at_sign(i, "]") {
        match must(literal, "a value of the list or `]`")(i) {
            Ok((rest, item)) => {
                items.push(item);
                i = rest;
            }
            Err(problem) => i = skip_in_list(i, problem, "]")?,
        }
        match sign(",")(i) {
            Ok((rest, _)) => i = rest,
            Err(_) if at_sign(i, "]") => break,
            Err(_) if literal_begins(i) => {
                let at = trivia(i);
                let problem = not_found(at, "`,` or `]`").help("values of a list stand apart by `,`");
                i.run.report(problem);
            }
            Err(_) => {
                let problem = unclosed(open, "]", i);
                i = skip_in_list(i, problem, "]")?;
                i = sign(",")(i).map_or(i, |(rest, _)| rest);
            }
        }
    }
    let (i, ()) = closing(open, "]", i)?;
    Ok((i, Literals { items, span: open.to(i) }))
}

/// Whether, where a `,` is missing, another value follows. A word may as well begin what comes after the list.
fn literal_begins(i: In<'_>) -> bool {
    whole_text(i).is_ok() || trivia(i).first().is_some_and(is_digit)
}

fn literal(i: In<'_>) -> Res<'_, Literal> {
    if let Some((rest, text)) = optional(text(i))? {
        return Ok((rest, Literal::Text(text)));
    }
    if let Some((rest, number)) = optional(signed(i))? {
        let span = number.span;
        let literal = match number.node {
            Quantity::Number(node) => Literal::Number(Spanned { node, span }),
            Quantity::Duration(node) => Literal::Duration(Spanned { node, span }),
        };
        return Ok((rest, literal));
    }
    let (rest, word) = any_word(i)?;
    if matches!(word.rest, "true" | "false") {
        return Ok((rest, Literal::Word(owned(word))));
    }
    if words::is_reserved(word.rest) {
        return must_name("a list's name")(i).map(|(rest, name)| (rest, Literal::Word(name)));
    }
    Ok((rest, Literal::Word(owned(word))))
}

/// `Some` if it was here, `None` if something else is.
fn optional<O>(result: Res<'_, O>) -> Result<Option<(In<'_>, O)>, Err<Fault>> {
    match result {
        Ok(found) => Ok(Some(found)),
        Err(Err::Error(_)) => Ok(None),
        Err(other) => Err(other),
    }
}

/// `"-"? NUMBER | DURATION`
pub(super) fn signed(i: In<'_>) -> Res<'_, Spanned<Quantity>> {
    let start = trivia(i);
    let Ok((rest, _)) = sign("-")(start) else { return quantity(start) };
    match must(quantity, "a number after `-`")(rest)? {
        (rest, Spanned { node: Quantity::Number(number), .. }) => {
            Ok((rest, Spanned { node: Quantity::Number(-number), span: start.to(rest) }))
        }
        (_, Spanned { span, .. }) => {
            let at = trivia(rest);
            let problem = Diagnostic::new(Code::Syntax, span, "a duration has no sign");
            Err(fault(at, problem.help("subtract it from something: `t - 5m`")))
        }
    }
}

/// `sum`: a value, or values with operators between them.
pub(super) fn sum(i: In<'_>) -> Res<'_, Expr> {
    left_chain(i, product, alt((constant(ArithOp::Add, char('+')), constant(ArithOp::Sub, char('-')))))
}

fn product(i: In<'_>) -> Res<'_, Expr> {
    left_chain(i, value, alt((constant(ArithOp::Mul, char('*')), constant(ArithOp::Div, char('/')))))
}

/// `part (op part)*`, the first two bound first. The tree is as deep as the chain is long.
fn left_chain<'a>(
    i: In<'a>,
    part: fn(In<'a>) -> Res<'a, Expr>,
    op: impl Parser<In<'a>, Output = ArithOp, Error = Fault>,
) -> Res<'a, Expr> {
    let start = trivia(i);
    let mut op = token(op);
    let (left, mut deepest) = start.run.measured(|| part(start));
    let (mut i, mut left) = left?;
    while let Ok((rest, node)) = op(i) {
        let span = trivia(i).to(rest);
        let (right, reached) = i.run.measured(|| must(part, "a value after the operator")(rest));
        let (rest, right) = right?;
        deepest = deepest.max(reached) + 1;
        if !i.run.reaches(deepest) {
            return Err(too_deep(start));
        }
        let op = Spanned { node, span };
        let kind = ExprKind::Arith { op, left: Box::new(left), right: Box::new(right) };
        left = Expr { kind, span: start.to(rest) };
        i = rest;
    }
    Ok((i, left))
}

fn value(i: In<'_>) -> Res<'_, Expr> {
    let start = trivia(i);
    let (rest, kind) = match start.first() {
        Some('(') => {
            let (rest, inner) =
                nested(must(condition, "a condition or a value")).parse(start.take_from(1))?;
            let (rest, ()) = closing(start, ")", rest)?;
            (rest, ExprKind::Group(Box::new(inner)))
        }
        Some(c) if is_digit(c) || c == '-' => {
            let (rest, number) = signed(start)?;
            no_clock(start, rest)?;
            let kind = match number.node {
                Quantity::Number(number) => ExprKind::Number(number),
                Quantity::Duration(nanos) => ExprKind::Duration(nanos),
            };
            (rest, kind)
        }
        Some(c) if is_word_start(c) => word_value(start)?,
        _ => {
            let (rest, Text { node, .. }) = text(start)?;
            (rest, ExprKind::Text(node))
        }
    };
    Ok((rest, Expr { kind, span: start.to(rest) }))
}

/// A time of day is a value in a range only.
fn no_clock(start: In<'_>, after: In<'_>) -> Result<(), Err<Fault>> {
    if !(after.starts(":") && after.rest[1..].starts_with(is_digit)) {
        return Ok(());
    }
    let end = after.rest[1..].find(|c| !is_word(c)).map_or(after.rest.len(), |length| length + 1);
    let span = start.to(after.take_from(end));
    let problem = Diagnostic::new(Code::Syntax, span, "a time of day stands only in a range after `in`");
    Err(fault(start, problem.help("write `time_of_day(…) in 22:00..06:00`")))
}

/// `true`, `false`, a path or a call.
fn word_value(start: In<'_>) -> Res<'_, ExprKind> {
    let (rest, word) = any_word(start)?;
    match word.rest {
        "true" => return Ok((rest, ExprKind::Bool(true))),
        "false" => return Ok((rest, ExprKind::Bool(false))),
        // The fields of an alert: no other reserved word begins a path.
        "alert" if at_sign(rest, ".") => {}
        other if words::is_reserved(other) => return Err(absent(start)),
        _ => {}
    }
    let open = trivia(rest);
    if !open.starts("(") {
        let (rest, postfix) = postfix(rest)?;
        return Ok((rest, ExprKind::Path(Path { root: owned(word), postfix })));
    }
    let mut i = open.take_from(1);
    let mut args = Vec::new();
    if !at_sign(i, ")") && !at_keyword(i, "where") {
        (i, args) = nested(comma_list(must(sum, "an argument or `)`"))).parse(i)?;
    }
    let mut filter = None;
    if let Ok((rest, _)) = keyword("where")(i) {
        let (rest, inner) = nested(must(condition, "a condition after `where`")).parse(rest)?;
        filter = Some(Box::new(inner));
        i = rest;
    }
    let (i, ()) = closing(open, ")", i)?;
    let (i, postfix) = postfix(i)?;
    Ok((i, ExprKind::Call(Call { name: owned(word), args, condition: filter, postfix })))
}

/// What follows a path's first word, or a call: `.name`, `[]`, `[key]`.
fn postfix(mut i: In<'_>) -> Res<'_, Vec<Postfix>> {
    let mut out = Vec::new();
    loop {
        let start = trivia(i);
        if start.starts(".") && !start.starts("..") {
            let (rest, name) = field(start.take_from(1))?;
            out.push(Postfix::Field(owned(name)));
            i = rest;
        } else if start.starts("[") {
            let inner = start.take_from(1);
            if let Ok((rest, _)) = sign("]")(inner) {
                out.push(Postfix::Each(start.to(rest)));
                i = rest;
                continue;
            }
            let (rest, key) = nested(must(sum, "a key, a number or `]`")).parse(inner)?;
            let (rest, ()) = closing(start, "]", rest)?;
            out.push(Postfix::Index(Box::new(key), start.to(rest)));
            i = rest;
        } else {
            return Ok((i, out));
        }
    }
}

fn field(i: In<'_>) -> Res<'_, In<'_>> {
    let name = recognize((satisfy(|c| is_word_start(c) || c == '$'), take_while(is_word)));
    match token(name)(i) {
        Err(Err::Error(_)) => {
            let at = trivia(i);
            let mut problem = not_found(at, "a field's name after `.`");
            if at.starts("\"") || at.starts("'") {
                problem = problem.help("a key in quotes stands in brackets: `annotations[\"a/b.c\"]`");
            } else if at.starts("*") {
                problem = problem.help("`path[]` is each element of a list");
            } else if at.first().is_some_and(is_digit) {
                problem = problem.help("an element's number stands in brackets: `sourceIPs[0]`");
            }
            Err(fault(at, problem))
        }
        other => other,
    }
}

/// A key of a map in a test: a path or a call.
pub(super) fn path_or_call(i: In<'_>) -> Res<'_, Expr> {
    let start = trivia(i);
    if !start.first().is_some_and(is_word_start) {
        return Err(absent(start));
    }
    let (rest, kind) = word_value(start)?;
    match kind {
        ExprKind::Bool(_) => Err(absent(start)),
        kind => Ok((rest, Expr { kind, span: start.to(rest) })),
    }
}

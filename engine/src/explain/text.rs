//! Conditions in canonical spelling, from the IR: for people, where the rule's own text is not at hand.
//!
//! `let`s are put in and lists stand as their values, so this is longer than what was written; long lists are cut.

use dsl::ir::{ArithOp, CompareOp, Expr, ExprKind, Function, Literal, Network, Segment, Set};

/// Values of a list that are spelled out.
const VALUES_MAX: usize = 8;

/// How tightly a form binds; what is looser inside of something tighter stands in parentheses.
#[derive(Clone, Copy, PartialEq, PartialOrd)]
enum Binds {
    Or,
    And,
    Not,
    Compare,
    Sum,
    Term,
    Value,
}

/// The condition or value as text.
#[must_use]
pub fn spell(expr: &Expr) -> String {
    match &expr.kind {
        ExprKind::Literal(value) => literal(value),
        ExprKind::Read(place) => place.text.clone(),
        ExprKind::Call(function, args) => {
            format!("{}({})", name(*function), args.iter().map(spell).collect::<Vec<_>>().join(", "))
        }
        ExprKind::Part(base, path) => format!("{}{}", inside(base, Binds::Value), segments(path)),
        ExprKind::Arith(op, left, right) => {
            let (sign, binds) = match op {
                ArithOp::Add => ("+", Binds::Sum),
                ArithOp::Sub => ("-", Binds::Sum),
                ArithOp::Mul => ("*", Binds::Term),
                ArithOp::Div => ("/", Binds::Term),
            };
            let tighter = if binds == Binds::Sum { Binds::Term } else { Binds::Value };
            format!("{} {sign} {}", inside(left, binds), inside(right, tighter))
        }
        ExprKind::Lookup(table, key) => format!("{}[{}]", table.name, spell(key)),
        ExprKind::Aggregate(n) => format!("aggregate {n}"),
        ExprKind::Key(n) => format!("key {n}"),
        ExprKind::Not(inner) => match &inner.kind {
            ExprKind::Compare { .. } | ExprKind::In { .. } => relation(inner, true),
            _ => format!("not {}", inside(inner, Binds::Not)),
        },
        ExprKind::And(parts) => joined(parts, " and ", Binds::Not),
        ExprKind::Or(parts) => joined(parts, " or ", Binds::Not),
        ExprKind::IsTrue(inner) => spell(inner),
        ExprKind::Compare { .. } | ExprKind::In { .. } => relation(expr, false),
        ExprKind::Quantified { all, list, body, .. } => {
            let word = if *all { "all" } else { "any" };
            format!("{word} {} in {}: ({})", variable(body).unwrap_or("_"), spell(list), spell(body))
        }
    }
}

/// The list of a quantifier, spelled.
pub(super) fn list(expr: &Expr) -> String {
    match &expr.kind {
        ExprKind::Quantified { list, .. } => spell(list),
        _ => String::new(),
    }
}

fn joined(parts: &[Expr], word: &str, binds: Binds) -> String {
    parts.iter().map(|part| inside(part, binds)).collect::<Vec<_>>().join(word)
}

fn inside(expr: &Expr, around: Binds) -> String {
    let binds = match &expr.kind {
        ExprKind::Or(_) => Binds::Or,
        ExprKind::And(_) => Binds::And,
        ExprKind::Not(inner) if matches!(inner.kind, ExprKind::Compare { .. } | ExprKind::In { .. }) => {
            Binds::Compare
        }
        ExprKind::Not(_) => Binds::Not,
        ExprKind::Compare { .. } | ExprKind::In { .. } | ExprKind::Quantified { .. } => Binds::Compare,
        ExprKind::Arith(ArithOp::Add | ArithOp::Sub, ..) => Binds::Sum,
        ExprKind::Arith(..) => Binds::Term,
        ExprKind::IsTrue(inner) => return inside(inner, around),
        _ => Binds::Value,
    };
    let text = spell(expr);
    if binds < around { format!("({text})") } else { text }
}

fn relation(expr: &Expr, negated: bool) -> String {
    let (left, word, right, ignoring_case) = match &expr.kind {
        ExprKind::Compare { op, left, right, ignoring_case } => {
            (left, compare_word(*op, negated), inside(right, Binds::Sum), *ignoring_case)
        }
        ExprKind::In { left, set, ignoring_case } => {
            let word = if negated { "not in" } else { "in" };
            (left, word.to_owned(), spell_set(set), *ignoring_case)
        }
        _ => return String::new(),
    };
    let case = if ignoring_case { " ignoring case" } else { "" };
    format!("{} {word} {right}{case}", inside(left, Binds::Sum))
}

fn compare_word(op: CompareOp, negated: bool) -> String {
    let not = if negated { "not " } else { "" };
    match op {
        CompareOp::Eq | CompareOp::Ne => {
            if negated == (op == CompareOp::Eq) { "!=" } else { "==" }.to_owned()
        }
        CompareOp::Lt => format!("{not}<"),
        CompareOp::Le => format!("{not}<="),
        CompareOp::Gt => format!("{not}>"),
        CompareOp::Ge => format!("{not}>="),
        CompareOp::Contains { .. } => format!("{not}contains"),
        CompareOp::StartsWith { .. } => format!("{not}startswith"),
        CompareOp::EndsWith { .. } => format!("{not}endswith"),
        CompareOp::Like { .. } => format!("{not}like"),
        CompareOp::Matches { .. } => format!("{not}matches"),
    }
}

fn spell_set(set: &Set) -> String {
    match set {
        Set::Literals(values) => cut(values.iter().map(literal), values.len(), "[", "]"),
        Set::Networks(networks) => {
            let network = |n: &Network| format!("\"{}/{}\"", n.address, n.bits);
            cut(networks.iter().map(network), networks.len(), "cidr(", ")")
        }
        Set::Clock { from, to } => {
            format!("{:02}:{:02}..{:02}:{:02}", from / 60, from % 60, to / 60, to % 60)
        }
        Set::Value(list) => inside(list, Binds::Sum),
    }
}

fn cut(values: impl Iterator<Item = String>, count: usize, open: &str, close: &str) -> String {
    let mut shown: Vec<String> = values.take(VALUES_MAX).collect();
    if count > VALUES_MAX {
        shown.push(format!("… {} more", count - VALUES_MAX));
    }
    format!("{open}{}{close}", shown.join(", "))
}

fn literal(value: &Literal) -> String {
    match value {
        Literal::Text(text) => format!("{text:?}"),
        Literal::Number(n) => n.to_string(),
        Literal::Duration(nanos) => duration(*nanos),
        Literal::Bool(b) => b.to_string(),
        Literal::List(values) => cut(values.iter().map(literal), values.len(), "[", "]"),
    }
}

fn duration(nanos: i64) -> String {
    const UNITS: [(u64, &str); 6] =
        [(7 * 86_400_000, "w"), (86_400_000, "d"), (3_600_000, "h"), (60_000, "m"), (1_000, "s"), (1, "ms")];
    let mut rest = nanos.unsigned_abs() / 1_000_000;
    let mut out = if nanos < 0 { "-".to_owned() } else { String::new() };
    if rest == 0 {
        out.push_str("0s");
    }
    for (size, unit) in UNITS {
        if rest >= size {
            out.push_str(&format!("{}{unit}", rest / size));
            rest %= size;
        }
    }
    out
}

fn segments(path: &[Segment]) -> String {
    path.iter()
        .map(|segment| match segment {
            Segment::Key(key) if key.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') => {
                format!(".{key}")
            }
            Segment::Key(key) => format!("[{key:?}]"),
            Segment::Index(n) => format!("[{n}]"),
            Segment::Computed(inner) => format!("[{}]", spell(inner)),
            Segment::Each => "[]".to_owned(),
        })
        .collect()
}

/// What the variable of a quantifier is called: the first word of a place that begins with one.
fn variable(body: &Expr) -> Option<&str> {
    match &body.kind {
        ExprKind::Read(place) if matches!(place.root, dsl::ir::Root::Element(_)) => {
            place.text.split(['.', '[']).next()
        }
        ExprKind::Call(_, args) => args.iter().find_map(variable),
        ExprKind::Part(inner, _)
        | ExprKind::Not(inner)
        | ExprKind::IsTrue(inner)
        | ExprKind::Lookup(_, inner) => variable(inner),
        ExprKind::Arith(_, left, right) | ExprKind::Compare { left, right, .. } => {
            variable(left).or_else(|| variable(right))
        }
        ExprKind::In { left, set, .. } => variable(left).or_else(|| match set {
            Set::Value(list) => variable(list),
            _ => None,
        }),
        ExprKind::And(parts) | ExprKind::Or(parts) => parts.iter().find_map(variable),
        ExprKind::Quantified { list, .. } => variable(list),
        _ => None,
    }
}

fn name(function: Function) -> &'static str {
    match function {
        Function::Present => "present",
        Function::Len => "len",
        Function::Keys => "keys",
        Function::Lower => "lower",
        Function::Split => "split",
        Function::Base64 => "base64",
        Function::UrlDecode => "url_decode",
        Function::ParseJson => "parse_json",
        Function::Number => "number",
        Function::Quantity => "quantity",
        Function::Time => "time",
        Function::TimeOfDay => "time_of_day",
        Function::Weekday => "weekday",
        Function::CleanPath => "clean_path",
        Function::PublicIp => "public_ip",
        Function::ImageRegistry => "image_registry",
        Function::ImageRepository => "image_repository",
        Function::ImageTag => "image_tag",
        Function::ImageDigest => "image_digest",
    }
}

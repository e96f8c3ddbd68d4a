//! Finds what can be changed in a file of code: operators, bounds, conditions, arms, and whole functions.
//!
//! A change is a range of bytes and what stands there instead; the file itself is not touched. What is asked for a planted
//! error (`engine/src/planted.rs`) is passed over: a test of its own finds these. Constants, patterns and the insides of
//! macros are left alone, since no code runs there that could ask which change is made.

use std::ops::Range;

use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::{BinOp, Expr, Type};

use super::values::values;

/// How a change is put into the code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Form {
    /// At the start of a function's body, which gives the text at once.
    Body,
    /// Behind the pattern of an arm, which is not taken.
    Arm,
    /// An expression, instead of which the text stands.
    Expression,
}

/// One small change to the code.
#[derive(Clone, Debug)]
pub(crate) struct Mutant {
    /// The file, from the top of the repository.
    pub(crate) file: String,
    pub(crate) line: usize,
    pub(crate) column: usize,
    /// File, function and change; no two have the same.
    pub(crate) key: String,
    pub(crate) form: Form,
    pub(crate) range: Range<usize>,
    pub(crate) text: String,
}

/// All changes to a file, in the order of the code.
pub(crate) fn find(file: &str, source: &str) -> Result<Vec<Mutant>, String> {
    let parsed = syn::parse_file(source).map_err(|error| format!("{file}: {error}"))?;
    let mut finder = Finder { file, source, path: Vec::new(), found: Vec::new() };
    finder.visit_file(&parsed);
    let mut found = finder.found;
    found.sort_by_key(|mutant| (mutant.range.start, mutant.range.end));
    let mut keys = std::collections::BTreeMap::new();
    for mutant in &mut found {
        let times: &mut u32 = keys.entry(mutant.key.clone()).or_default();
        *times += 1;
        if *times > 1 {
            mutant.key = format!("{} #{times}", mutant.key);
        }
    }
    Ok(found)
}

struct Finder<'a> {
    file: &'a str,
    source: &'a str,
    /// The type and the function in which we are.
    path: Vec<String>,
    found: Vec<Mutant>,
}

impl Finder<'_> {
    fn text(&self, node: &impl Spanned) -> &str {
        self.source.get(node.span().byte_range()).unwrap_or_default()
    }

    /// Whether it asks for a planted error.
    fn planted(&self, node: &impl Spanned) -> bool {
        self.text(node).contains("planted(")
    }

    /// Whether it is nothing but such a question, or takes part in one.
    fn asks_planted(&self, expr: &Expr) -> bool {
        match expr {
            Expr::Binary(_) => false,
            Expr::Unary(unary) => self.asks_planted(&unary.expr),
            Expr::Paren(paren) => self.asks_planted(&paren.expr),
            other => self.planted(other),
        }
    }

    fn add(&mut self, form: Form, node: &impl Spanned, range: Range<usize>, text: String, shown: &str) {
        let start = node.span().start();
        self.found.push(Mutant {
            file: self.file.to_owned(),
            line: start.line,
            column: start.column + 1,
            key: format!("{} {}: {shown}", self.file, self.path.join("::")),
            form,
            range,
            text,
        });
    }

    /// Something else stands for an expression.
    fn instead(&mut self, node: &impl Spanned, text: String) {
        let shown = format!("{} => {}", short(self.text(node)), short(&text));
        self.add(Form::Expression, node, node.span().byte_range(), text, &shown);
    }

    fn function(&mut self, signature: &syn::Signature, attributes: &[syn::Attribute], block: &syn::Block) {
        if signature.constness.is_some() || is_test(attributes) {
            return;
        }
        self.path.push(signature.ident.to_string());
        let start = block.brace_token.span.open().byte_range().end;
        let body = block.stmts.iter().map(|statement| collapsed(self.text(statement)));
        let body = body.collect::<Vec<_>>().join(" ");
        if !body.is_empty() {
            for value in values(&signature.output) {
                if value == body || self.path.first() == Some(&value) {
                    continue;
                }
                let text = format!("return {value};");
                self.add(Form::Body, &signature.ident, start..start, text, &format!("body => {value}"));
            }
        }
        visit::visit_block(self, block);
        self.path.pop();
    }

    fn binary(&mut self, node: &syn::ExprBinary) {
        if has_let(&node.left) || has_let(&node.right) {
            return;
        }
        if self.asks_planted(&node.left) || self.asks_planted(&node.right) {
            return;
        }
        let (left, right) = (self.text(&node.left).to_owned(), self.text(&node.right).to_owned());
        let assigns = self.text(&node.op).len() > 1 && is_assignment(&node.op);
        for operator in others(&node.op) {
            // The compound ones give nothing; what they change is a place and takes no parentheses.
            let text = if assigns {
                format!("{left} {operator} ({right})")
            } else {
                format!("({left}) {operator} ({right})")
            };
            let op = self.text(&node.op);
            let shown = format!("{} {op} {} => {operator}", end(&left), start(&right));
            self.add(Form::Expression, node, node.span().byte_range(), text, &shown);
        }
    }

    /// A condition that is no operator is turned round.
    fn condition(&mut self, condition: &Expr) {
        let plain = matches!(condition, Expr::Call(_) | Expr::MethodCall(_) | Expr::Path(_) | Expr::Field(_));
        if plain && !self.planted(condition) {
            self.instead(condition, format!("!({})", self.text(condition)));
        }
    }

    fn arms(&mut self, arms: &[syn::Arm]) {
        // Where all the rest has an arm, none of the others must be there.
        let rest = arms.last().is_some_and(|arm| matches!(arm.pat, syn::Pat::Wild(_)) && arm.guard.is_none());
        for (at, arm) in arms.iter().enumerate() {
            match &arm.guard {
                Some((_, guard)) if self.planted(&**guard) && self.asks_planted(guard) => {}
                Some((_, guard)) if has_let(guard) => {}
                Some((_, guard)) => {
                    self.instead(&**guard, "true".into());
                    self.instead(&**guard, "false".into());
                }
                None if rest && at + 1 < arms.len() => {
                    let end = arm.pat.span().byte_range().end;
                    let shown = format!("arm {} => none", short(self.text(&arm.pat)));
                    self.add(Form::Arm, &arm.pat, end..end, String::new(), &shown);
                }
                None => {}
            }
        }
    }
}

impl<'ast> Visit<'ast> for Finder<'_> {
    fn visit_item_fn(&mut self, node: &'ast syn::ItemFn) {
        self.function(&node.sig, &node.attrs, &node.block);
    }

    fn visit_impl_item_fn(&mut self, node: &'ast syn::ImplItemFn) {
        self.function(&node.sig, &node.attrs, &node.block);
    }

    fn visit_trait_item_fn(&mut self, node: &'ast syn::TraitItemFn) {
        if let Some(block) = &node.default {
            self.function(&node.sig, &node.attrs, block);
        }
    }

    fn visit_item_impl(&mut self, node: &'ast syn::ItemImpl) {
        let name = match &*node.self_ty {
            Type::Path(path) => path.path.segments.last().map(|last| last.ident.to_string()),
            _ => None,
        };
        self.path.push(name.unwrap_or_default());
        visit::visit_item_impl(self, node);
        self.path.pop();
    }

    fn visit_item_mod(&mut self, node: &'ast syn::ItemMod) {
        if !is_test(&node.attrs) {
            visit::visit_item_mod(self, node);
        }
    }

    // No code runs in these.
    fn visit_item_const(&mut self, _: &'ast syn::ItemConst) {}
    fn visit_impl_item_const(&mut self, _: &'ast syn::ImplItemConst) {}
    fn visit_item_static(&mut self, _: &'ast syn::ItemStatic) {}
    fn visit_pat(&mut self, _: &'ast syn::Pat) {}
    fn visit_type(&mut self, _: &'ast Type) {}
    fn visit_generic_argument(&mut self, _: &'ast syn::GenericArgument) {}
    fn visit_attribute(&mut self, _: &'ast syn::Attribute) {}
    fn visit_expr_const(&mut self, _: &'ast syn::ExprConst) {}

    fn visit_expr_repeat(&mut self, node: &'ast syn::ExprRepeat) {
        self.visit_expr(&node.expr);
    }

    fn visit_expr_binary(&mut self, node: &'ast syn::ExprBinary) {
        self.binary(node);
        visit::visit_expr_binary(self, node);
    }

    fn visit_expr_unary(&mut self, node: &'ast syn::ExprUnary) {
        let plain = matches!(node.op, syn::UnOp::Not(_) | syn::UnOp::Neg(_));
        if plain && !self.asks_planted(&node.expr) {
            self.instead(node, self.text(&*node.expr).to_owned());
        }
        visit::visit_expr_unary(self, node);
    }

    fn visit_expr_range(&mut self, node: &'ast syn::ExprRange) {
        if let Some(start) = &node.start {
            self.instead(&**start, format!("({}) + 1", self.text(&**start)));
        }
        if let Some(end) = &node.end {
            let sign = if matches!(node.limits, syn::RangeLimits::HalfOpen(_)) { '+' } else { '-' };
            self.instead(&**end, format!("({}) {sign} 1", self.text(&**end)));
        }
        visit::visit_expr_range(self, node);
    }

    fn visit_expr_method_call(&mut self, node: &'ast syn::ExprMethodCall) {
        let name = node.method.to_string();
        let planted = node.args.iter().any(|argument| self.asks_planted(argument));
        if let Some(other) = METHODS.iter().find_map(|(a, b)| match name.as_str() {
            name if name == *a => Some(*b),
            name if name == *b => Some(*a),
            _ => None,
        }) && !planted
        {
            let (whole, method) = (node.span().byte_range(), node.method.span().byte_range());
            let part = |range: Range<usize>| self.source.get(range).unwrap_or_default();
            let text = [part(whole.start..method.start), other, part(method.end..whole.end)].concat();
            let shown = format!(
                "{}{name}{} => {other}",
                end(part(whole.start..method.start)),
                start(part(method.end..whole.end))
            );
            self.add(Form::Expression, node, whole, text, &shown);
        }
        visit::visit_expr_method_call(self, node);
    }

    fn visit_expr_macro(&mut self, node: &'ast syn::ExprMacro) {
        if node.mac.path.is_ident("matches") && !self.planted(node) {
            self.instead(node, format!("!{}", self.text(node)));
        }
    }

    fn visit_expr_if(&mut self, node: &'ast syn::ExprIf) {
        self.condition(&node.cond);
        let planted = is_all_of(&node.cond, &|part| self.asks_planted(part));
        self.visit_expr(&node.cond);
        if !planted {
            self.visit_block(&node.then_branch);
        }
        if let Some((_, other)) = &node.else_branch {
            self.visit_expr(other);
        }
    }

    fn visit_expr_while(&mut self, node: &'ast syn::ExprWhile) {
        self.condition(&node.cond);
        visit::visit_expr_while(self, node);
    }

    fn visit_expr_match(&mut self, node: &'ast syn::ExprMatch) {
        self.arms(&node.arms);
        self.visit_expr(&node.expr);
        for arm in &node.arms {
            let planted = arm.guard.as_ref().is_some_and(|(_, guard)| {
                is_all_of(guard, &|part| !matches!(part, Expr::Unary(_)) && self.asks_planted(part))
            });
            if !planted {
                self.visit_arm(arm);
            }
        }
    }
}

/// Methods that can stand for each other.
const METHODS: &[(&str, &str)] = &[
    ("saturating_add", "saturating_sub"),
    ("checked_add", "checked_sub"),
    ("wrapping_add", "wrapping_sub"),
    ("min", "max"),
    ("any", "all"),
    ("is_some", "is_none"),
    ("is_some_and", "is_none_or"),
    ("is_ok", "is_err"),
    ("first", "last"),
    ("first_key_value", "last_key_value"),
    ("front", "back"),
    ("front_mut", "back_mut"),
    ("push_front", "push_back"),
    ("pop_front", "pop_back"),
    ("pop_first", "pop_last"),
    ("div_euclid", "rem_euclid"),
    ("floor", "ceil"),
];

/// The operators that are put in the place of one.
fn others(op: &BinOp) -> &'static [&'static str] {
    match op {
        BinOp::Lt(_) => &["<=", ">="],
        BinOp::Le(_) => &["<", ">"],
        BinOp::Gt(_) => &[">=", "<="],
        BinOp::Ge(_) => &[">", "<"],
        BinOp::Eq(_) => &["!="],
        BinOp::Ne(_) => &["=="],
        BinOp::And(_) => &["||"],
        BinOp::Or(_) => &["&&"],
        BinOp::Add(_) => &["-", "*"],
        BinOp::Sub(_) => &["+", "/"],
        BinOp::Mul(_) => &["/", "+"],
        BinOp::Div(_) => &["*", "%"],
        BinOp::Rem(_) => &["/", "+"],
        BinOp::BitAnd(_) => &["|"],
        BinOp::BitOr(_) => &["&"],
        BinOp::BitXor(_) => &["|", "&"],
        BinOp::Shl(_) => &[">>"],
        BinOp::Shr(_) => &["<<"],
        BinOp::AddAssign(_) => &["-=", "*="],
        BinOp::SubAssign(_) => &["+=", "/="],
        BinOp::MulAssign(_) => &["/=", "+="],
        BinOp::DivAssign(_) => &["*="],
        BinOp::BitOrAssign(_) => &["&=", "="],
        BinOp::BitAndAssign(_) => &["|=", "="],
        BinOp::BitXorAssign(_) => &["|="],
        BinOp::ShlAssign(_) => &[">>="],
        BinOp::ShrAssign(_) => &["<<="],
        _ => &[],
    }
}

fn is_assignment(op: &BinOp) -> bool {
    !matches!(op, BinOp::Le(_) | BinOp::Ge(_) | BinOp::Eq(_) | BinOp::Ne(_))
        && !matches!(op, BinOp::And(_) | BinOp::Or(_) | BinOp::Shl(_) | BinOp::Shr(_))
}

/// Whether a condition binds names; these parts can not be moved.
fn has_let(expr: &Expr) -> bool {
    match expr {
        Expr::Let(_) => true,
        Expr::Binary(both) => has_let(&both.left) || has_let(&both.right),
        _ => false,
    }
}

/// Whether something holds for one of the parts that must all be true.
fn is_all_of(expr: &Expr, holds: &dyn Fn(&Expr) -> bool) -> bool {
    match expr {
        Expr::Binary(both) if matches!(both.op, BinOp::And(_)) => {
            is_all_of(&both.left, holds) || is_all_of(&both.right, holds)
        }
        Expr::Unary(_) => false,
        other => holds(other),
    }
}

fn is_test(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().any(|attribute| match &attribute.meta {
        syn::Meta::Path(path) => path.is_ident("test"),
        syn::Meta::List(list) => list.path.is_ident("cfg") && list.tokens.to_string() == "test",
        syn::Meta::NameValue(_) => false,
    })
}

/// On one line.
fn collapsed(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// So much of each end of a long text is shown.
const SHOWN: usize = 40;

fn start(text: &str) -> String {
    let text = collapsed(text);
    match text.char_indices().nth(SHOWN) {
        Some((at, _)) => format!("{}..", text.get(..at).unwrap_or_default()),
        None => text,
    }
}

fn end(text: &str) -> String {
    let text = collapsed(text);
    let over = text.chars().count().saturating_sub(SHOWN);
    if over == 0 { text } else { format!("..{}", text.chars().skip(over).collect::<String>()) }
}

fn short(text: &str) -> String {
    let text = collapsed(text);
    if text.chars().count() <= 2 * SHOWN { text } else { format!("{} {}", start(&text), end(&text)) }
}

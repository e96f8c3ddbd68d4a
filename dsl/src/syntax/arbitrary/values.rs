//! Conditions, values, texts, lists and maps.

use super::{Maker, NAMES, Space};

/// Deeper than this only leaves are made. Well below what the language allows, as `fmt` adds parentheses.
const DEPTH_MAX: usize = 6;

impl Maker<'_, '_> {
    pub(super) fn condition(&mut self) {
        self.conjunction();
        for _ in 0..self.few() {
            self.token("or");
            self.conjunction();
        }
    }

    fn conjunction(&mut self) {
        self.negation();
        for _ in 0..self.few() {
            self.token("and");
            self.negation();
        }
    }

    /// Mostly none, sometimes enough to break a line.
    fn few(&mut self) -> usize {
        let end = if self.depth > DEPTH_MAX { 1 } else { 4 };
        self.choices.below(end).saturating_sub(1) * (1 + self.choices.below(3))
    }

    fn negation(&mut self) {
        self.depth += 1;
        match self.choices.below(8) {
            7 if self.depth < DEPTH_MAX => {
                self.token("not");
                self.negation();
            }
            6 if self.depth < DEPTH_MAX => {
                let which = self.choices.pick(&["any", "all"]);
                self.token(which);
                self.name();
                self.token("in");
                self.sum();
                self.tokens(&[":", "("]);
                self.condition();
                self.token(")");
            }
            _ => self.comparison(),
        }
        self.depth -= 1;
    }

    fn comparison(&mut self) {
        self.sum();
        match self.choices.below(4) {
            0 => return,
            1 => {
                let op = self.choices.pick(&["==", "!=", "<", "<=", ">", ">="]);
                self.token(op);
                self.sum();
            }
            2 => {
                self.maybe(|m| m.token("not"));
                let op = self.choices.pick(&["contains", "startswith", "endswith", "like", "matches"]);
                self.token(op);
                self.sum();
            }
            _ => {
                self.maybe(|m| m.token("not"));
                self.token("in");
                self.set();
            }
        }
        self.maybe(|m| m.tokens(&["ignoring", "case"]));
    }

    fn set(&mut self) {
        match self.choices.below(4) {
            0 => self.sum(),
            1 => self.literals(),
            2 => {
                self.tokens(&["cidr", "("]);
                self.commas(Self::text);
                self.token(")");
            }
            _ => {
                let from = self.choices.pick(&["22:00", "00:00", "09:59"]);
                let to = self.choices.pick(&["06:00", "23:59"]);
                self.tokens(&[from, "..", to]);
            }
        }
    }

    pub(super) fn literals(&mut self) {
        self.bracketed("[", "]", |m| match m.choices.below(5) {
            0 => m.text(),
            1 => m.number(true),
            2 => m.duration(),
            3 => {
                let word = m.choices.pick(&["true", "false"]);
                m.token(word);
            }
            _ => m.name(),
        });
    }

    pub(super) fn sum(&mut self) {
        self.product();
        for _ in 0..self.few() {
            let op = self.choices.pick(&["+", "-"]);
            self.token(op);
            self.product();
        }
    }

    fn product(&mut self) {
        self.value();
        for _ in 0..self.few().min(1) {
            let op = self.choices.pick(&["*", "/"]);
            self.token(op);
            self.value();
        }
    }

    fn value(&mut self) {
        self.depth += 1;
        match self.choices.below(10) {
            0..=3 => self.path(),
            4 => self.text(),
            5 => self.number(true),
            6 => self.duration(),
            7 => {
                let word = self.choices.pick(&["true", "false"]);
                self.token(word);
            }
            8 if self.depth < DEPTH_MAX => {
                self.token("(");
                self.condition();
                self.token(")");
            }
            9 if self.depth < DEPTH_MAX => self.call(),
            _ => self.path(),
        }
        self.depth -= 1;
    }

    fn path(&mut self) {
        if self.choices.once_in(12) {
            self.tokens(&["alert", ".", "rule"]);
        } else {
            self.name();
        }
        self.postfix();
    }

    fn postfix(&mut self) {
        for _ in 0..self.choices.below(4) {
            match self.choices.below(4) {
                0 | 1 => {
                    self.token(".");
                    let name = self.choices.pick(&["name", "list", "$ref", "or", "_x", "where", "true"]);
                    self.token(name);
                }
                2 => self.tokens(&["[", "]"]),
                _ if self.depth < DEPTH_MAX => {
                    self.token("[");
                    self.depth += 1;
                    self.sum();
                    self.depth -= 1;
                    self.token("]");
                }
                _ => {}
            }
        }
    }

    pub(super) fn call(&mut self) {
        let name = self.choices.pick(&["count", "present", "first", NAMES[0]]);
        self.tokens(&[name, "("]);
        self.maybe(|m| m.commas(Self::sum));
        self.maybe(|m| {
            m.token("where");
            m.condition();
        });
        self.token(")");
        self.postfix();
    }

    pub(super) fn number(&mut self, signed: bool) {
        if signed && self.choices.once_in(4) {
            self.token("-");
        }
        let number = self.choices.pick(&["0", "1", "42", "0.8", "007", "1.50"]);
        self.token(number);
    }

    pub(super) fn duration(&mut self) {
        let duration = self.choices.pick(&["5m", "0s", "1h30m", "250ms", "2w1d", "1m5ms"]);
        self.token(duration);
    }

    pub(super) fn text(&mut self) {
        let text = self.choices.pick(&[
            r#""x""#,
            r#""""#,
            "''",
            "'plain'",
            r#"'with "quotes"'"#,
            r"'a\.b$'",
            r#""esc \" \\ \n \r \t \u{1F600}""#,
            r#""it's # no {comment}""#,
            "\"é… \t\"",
        ]);
        self.token(text);
    }

    /// The text of an alert, values in braces and all.
    pub(super) fn template(&mut self) {
        let mut text = String::new();
        for _ in 0..self.choices.below(5) {
            match self.choices.below(4) {
                0 => text.push_str("some text, "),
                1 => text.push_str("{{ and }}"),
                2 => text.push_str("\"\\\n'é #"),
                _ => {
                    let mut inner = Maker::new(self.choices, Space::Line);
                    inner.depth = DEPTH_MAX - 2;
                    inner.sum();
                    text = format!("{text}{{{}}}", inner.out);
                }
            }
        }
        let single = !text.contains(['\'', '\n']) && self.choices.once_in(2);
        let escaped = text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
        self.token(&if single { format!("'{text}'") } else { format!("\"{escaped}\"") });
    }

    pub(super) fn map(&mut self) {
        self.depth += 1;
        self.bracketed("{", "}", |m| {
            match m.choices.below(3) {
                0 => m.path(),
                1 => m.call(),
                _ => m.text(),
            }
            m.token(":");
            m.json();
        });
        self.depth -= 1;
    }

    fn json(&mut self) {
        self.depth += 1;
        match self.choices.below(5) {
            0 => self.text(),
            1 => self.number(true),
            2 => {
                let word = self.choices.pick(&["true", "false", "null"]);
                self.token(word);
            }
            3 if self.depth < DEPTH_MAX => self.map(),
            4 if self.depth < DEPTH_MAX => self.bracketed("[", "]", Self::json),
            _ => self.token("0"),
        }
        self.depth -= 1;
    }
}

//! Follows one document's structure, byte by byte where it must, and stops where it ends or goes wrong.
//!
//! Goes on where it stopped when more bytes came. Inside strings it jumps from quote to backslash to line break; what a
//! scalar is spelled like is left to the decoder.

/// Why scanning stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stop {
    /// The document ends before this.
    Complete,
    /// The bytes ended.
    End,
    /// A line break in a string.
    InString,
    /// A token that cannot stand here, in the middle of a line.
    Illegal,
    /// What begins in this line cannot go on the document.
    NewLine(usize),
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Expect {
    #[default]
    Value,
    ValueOrEnd,
    Key,
    KeyOrEnd,
    Colon,
    CommaOrEnd,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Inside {
    #[default]
    Nothing,
    String,
    Scalar,
}

/// Where a document stands.
#[derive(Debug, Default)]
pub(super) struct Scan {
    /// The open brackets.
    open: Vec<u8>,
    expect: Expect,
    inside: Inside,
    /// Where the line at hand begins, if nothing but blanks has been seen of it; not of the first line.
    fresh_line: Option<usize>,
    /// The first line that could have begun anew.
    pub(super) anew: Option<usize>,
}

impl Scan {
    /// Goes on from `at`; leaves `at` behind what was looked at.
    pub(super) fn go_on(&mut self, buf: &[u8], at: &mut usize, start: usize) -> Stop {
        loop {
            match self.inside {
                Inside::String => {
                    let Some(found) = memchr::memchr3(b'"', b'\\', b'\n', &buf[*at..]) else {
                        *at = buf.len();
                        return Stop::End;
                    };
                    *at += found;
                    match buf[*at] {
                        b'"' => {
                            *at += 1;
                            self.inside = Inside::Nothing;
                        }
                        b'\\' if *at + 1 == buf.len() => return Stop::End,
                        // A line break that is escaped is as wrong as a bare one.
                        b'\\' if buf[*at + 1] == b'\n' => *at += 1,
                        b'\\' => *at += 2,
                        _ => return Stop::InString,
                    }
                }
                Inside::Scalar => {
                    let scalar = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.');
                    *at += buf[*at..].iter().take_while(|b| scalar(b)).count();
                    if *at == buf.len() {
                        return Stop::End;
                    }
                    self.inside = Inside::Nothing;
                }
                Inside::Nothing => {
                    let Some(&byte) = buf.get(*at) else { return Stop::End };
                    if let Some(stop) = self.token(byte, *at, start) {
                        if stop == Stop::Complete {
                            *at += 1;
                        }
                        return stop;
                    }
                    if self.inside != Inside::Scalar {
                        *at += 1;
                    }
                }
            }
        }
    }

    fn token(&mut self, byte: u8, at: usize, start: usize) -> Option<Stop> {
        match byte {
            b' ' | b'\t' | b'\r' => return None,
            b'\n' => {
                self.fresh_line = Some(at + 1);
                return None;
            }
            _ => {}
        }
        let fresh = self.fresh_line.take();
        if fresh == Some(at) && at > start && (matches!(byte, b'{' | b'[') || byte.is_ascii_alphanumeric()) {
            let element = self.open.len() == 2
                && self.open.last() == Some(&b'[')
                && matches!(self.expect, Expect::Value | Expect::ValueOrEnd);
            if byte == b'{' && !element {
                return Some(Stop::NewLine(at));
            }
            self.anew.get_or_insert(at);
        }
        if self.step(byte) {
            return self.open.is_empty().then_some(Stop::Complete);
        }
        Some(fresh.map_or(Stop::Illegal, Stop::NewLine))
    }

    /// Takes a token; false if it cannot stand here.
    fn step(&mut self, byte: u8) -> bool {
        let value = matches!(self.expect, Expect::Value | Expect::ValueOrEnd);
        match byte {
            b'{' if value => {
                self.open.push(b'{');
                self.expect = Expect::KeyOrEnd;
            }
            b'[' if value => {
                self.open.push(b'[');
                self.expect = Expect::ValueOrEnd;
            }
            b'}' | b']' => {
                let (bracket, first) =
                    if byte == b'}' { (b'{', Expect::KeyOrEnd) } else { (b'[', Expect::ValueOrEnd) };
                let ends = self.expect == Expect::CommaOrEnd || self.expect == first;
                if self.open.last() != Some(&bracket) || !ends {
                    return false;
                }
                self.open.pop();
                self.expect = Expect::CommaOrEnd;
            }
            b',' if self.expect == Expect::CommaOrEnd => {
                self.expect = if self.open.last() == Some(&b'{') { Expect::Key } else { Expect::Value };
            }
            b':' if self.expect == Expect::Colon => self.expect = Expect::Value,
            b'"' => {
                self.expect = match self.expect {
                    Expect::Key | Expect::KeyOrEnd => Expect::Colon,
                    Expect::Value | Expect::ValueOrEnd => Expect::CommaOrEnd,
                    Expect::Colon | Expect::CommaOrEnd => return false,
                };
                self.inside = Inside::String;
            }
            _ if value && (byte.is_ascii_alphanumeric() || byte == b'-') => {
                self.expect = Expect::CommaOrEnd;
                self.inside = Inside::Scalar;
            }
            _ => return false,
        }
        true
    }
}

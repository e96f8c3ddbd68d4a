//! What other programs make of an event on its way: lists, records around it as a text.

use std::io::Write;

use crate::dice::Dice;

/// What every event begins with, and the items of a list do not.
const HEAD: &[u8] = br#"{"kind":"Event","apiVersion":"audit.k8s.io/v1","#;
/// Most events that the API server posts in one list.
const LIST_MAX: usize = 400;
/// Most events of one record of a cloud's log service.
const RECORD_MAX: usize = 50;

/// How events come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// One a line, as the log backend writes them.
    Lines,
    /// `EventList`s of up to 400, one a line, as the webhook backend posts them.
    EventList,
    /// One array a line.
    Array,
    /// As a text in `message`, beside flat fields, as KLog-like collectors do.
    Message,
    /// As a text in `log`, as container runtimes and fluentd do.
    Log,
    /// CloudWatch's `logEvents[].message`.
    CloudWatch,
    /// Azure's `records[].properties.log`.
    Azure,
}

impl Form {
    /// Whether an event stands in it as a text. Such lines are escaped once, before they are copied.
    pub(crate) fn is_text(self) -> bool {
        matches!(self, Self::Message | Self::Log | Self::CloudWatch | Self::Azure)
    }

    /// All, each by its name.
    pub const ALL: [(&str, Self); 7] = [
        ("lines", Self::Lines),
        ("eventlist", Self::EventList),
        ("array", Self::Array),
        ("message", Self::Message),
        ("log", Self::Log),
        ("cloudwatch", Self::CloudWatch),
        ("azure", Self::Azure),
    ];
}

/// Writes events in their form.
#[derive(Clone, Debug)]
pub(crate) struct Wrapper {
    form: Form,
    /// Events that the open list still takes.
    room: usize,
}

impl Wrapper {
    pub(crate) fn new(form: Form) -> Self {
        Self { form, room: 0 }
    }

    pub(crate) fn is_plain(&self) -> bool {
        self.form == Form::Lines
    }

    pub(crate) fn put(&mut self, out: &mut Vec<u8>, event: &[u8], dice: &mut Dice) {
        match self.form {
            Form::Lines => out.extend_from_slice(event),
            Form::Message => {
                out.extend_from_slice(br#"{"_timestamp_":1767571200,"cluster_uuid":"","message":""#);
                out.extend_from_slice(event);
                out.extend_from_slice(br#"","logtag":"audit"}"#);
            }
            Form::Log => {
                out.extend_from_slice(br#"{"log":""#);
                out.extend_from_slice(event);
                out.extend_from_slice(br#"\n","stream":"stdout","time":"2026-01-05T00:00:00.000000000Z"}"#);
            }
            Form::EventList | Form::Array | Form::CloudWatch | Form::Azure => {
                return self.item(out, event, dice);
            }
        }
        out.push(b'\n');
    }

    fn item(&mut self, out: &mut Vec<u8>, event: &[u8], dice: &mut Dice) {
        if self.room == 0 {
            let most = if self.form == Form::EventList { LIST_MAX } else { RECORD_MAX };
            self.room = 1 + dice.below(most);
            out.extend_from_slice(match self.form {
                Form::EventList => {
                    br#"{"kind":"EventList","apiVersion":"audit.k8s.io/v1","metadata":{},"items":["#
                }
                Form::CloudWatch => {
                    br#"{"messageType":"DATA_MESSAGE","logGroup":"/aws/eks/prod/cluster","logEvents":["#
                }
                Form::Azure => br#"{"records":["#,
                _ => b"[",
            });
        } else {
            out.push(b',');
        }
        match self.form {
            Form::EventList => match event.strip_prefix(HEAD) {
                Some(rest) => {
                    out.push(b'{');
                    out.extend_from_slice(rest);
                }
                None => out.extend_from_slice(event),
            },
            Form::CloudWatch => {
                let written =
                    write!(out, r#"{{"id":"{}","timestamp":1767571200000,"message":""#, dice.next());
                debug_assert!(written.is_ok(), "memory takes what is written");
                out.extend_from_slice(event);
                out.extend_from_slice(br#""}"#);
            }
            Form::Azure => {
                out.extend_from_slice(br#"{"category":"kube-audit","properties":{"log":""#);
                out.extend_from_slice(event);
                out.extend_from_slice(br#"\n","stream":"stdout"}}"#);
            }
            _ => out.extend_from_slice(event),
        }
        self.room -= 1;
        if self.room == 0 {
            self.close(out);
        }
    }

    fn close(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(if self.form == Form::Array { b"]\n" } else { b"]}\n" });
    }

    /// Closes the list that is open.
    pub(crate) fn finish(&mut self, out: &mut Vec<u8>) {
        if self.room > 0 {
            self.room = 0;
            self.close(out);
        }
    }
}

/// JSON as the content of a JSON text: it holds no control characters.
pub(crate) fn escape(out: &mut Vec<u8>, json: &[u8]) {
    let mut rest = json;
    while let Some(at) = rest.iter().position(|byte| matches!(byte, b'"' | b'\\')) {
        out.extend_from_slice(&rest[..at]);
        out.extend_from_slice(&[b'\\', rest[at]]);
        rest = &rest[at + 1..];
    }
    out.extend_from_slice(rest);
}

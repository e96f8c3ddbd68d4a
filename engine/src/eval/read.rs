//! Reads of places: a root, then steps down from it. `docs/semantics.md`, "Values" and "Fields".

use std::borrow::Cow;

use dsl::ir::{Derived, UndecodableField};

use crate::event::row::Slot;
use crate::plan::expr::{Read, Root, Segment};

use super::derived::{self, EventCx};
use super::val::Val;
use super::{Cx, Event, LostCx, flagged, unknown, value};

/// The value of a place, and whether it is a part of `desired` of a patch.
pub(super) fn read<'a>(read: &'a Read, cx: &Cx<'_, 'a>) -> (Val<'a>, bool) {
    let (mut val, patch, done) = match (&read.root, &cx.event) {
        (Root::Element(var), _) => {
            let (val, patch) = cx.bound(*var);
            (val, patch, 0)
        }
        (Root::Of(base), _) => {
            let (val, patch) = flagged(base, cx);
            (val, patch, 0)
        }
        (Root::Alert(field), Event::Gone(late)) => {
            (Val::option(late.alert.map(|alert| Val::held(alert.field(*field)))), false, 0)
        }
        (Root::Derived(Derived::Cluster), Event::Gone(late)) => {
            (Val::option(late.cluster.map(Val::text)), false, 0)
        }
        (root, Event::Lost(lost)) => return (lost_field(root, lost, &read.path), false),
        (_, Event::Gone(_)) | (Root::Alert(_) | Root::Undecodable(_), _) => (Val::Absent, false, 0),
        (Root::Event, Event::Here(event)) => {
            let (val, done) = field(event, &read.path, cx);
            (val, false, done)
        }
        (Root::RequestObject, Event::Here(event)) => {
            (unknown::val(unknown::request_object(event.row)), false, 0)
        }
        (Root::ResponseObject(kinds), Event::Here(event)) => {
            let first = read.path.first().map(|first| key(first, cx));
            let first = first.as_ref().map(Option::as_deref);
            (unknown::val(unknown::response_object(event.row, *kinds, first)), false, 0)
        }
        (Root::Derived(root), Event::Here(event)) => {
            let patch = derived::is_desired(*root) && event.row.verb() == "patch";
            (event.derived(*root), patch, 0)
        }
    };
    for segment in read.path.get(done..).unwrap_or_default() {
        val = down(val, segment, patch, cx);
    }
    (val.turned(&read.turn), patch)
}

/// The few fields of what is no event; none of them has parts.
fn lost_field<'a>(root: &Root, lost: &LostCx<'a>, path: &[Segment]) -> Val<'a> {
    match (root, path) {
        (Root::Undecodable(UndecodableField::Reason), []) => Val::text(lost.reason),
        #[expect(clippy::cast_precision_loss, reason = "numbers of the language are doubles")]
        (Root::Undecodable(UndecodableField::Offset), []) => Val::Number(lost.offset as f64),
        (Root::Derived(Derived::Source), []) => Val::text(&*lost.source.name),
        (Root::Derived(Derived::Cluster), []) => Val::option(lost.source.cluster.as_deref().map(Val::text)),
        (Root::Event, [Segment::Key(key)]) if **key == *"stageTimestamp" => Val::Time(lost.time),
        _ => Val::Absent,
    }
}

/// A field of the event, and how many segments that took.
fn field<'a>(event: &EventCx<'a>, path: &'a [Segment], cx: &Cx<'_, 'a>) -> (Val<'a>, usize) {
    let Some(first) = path.first().and_then(|segment| key(segment, cx)) else { return (Val::Absent, 1) };
    let row = event.row;
    if let Some(map) = Slot::of_event(&first)
        && let Some(second) = path.get(1).and_then(|segment| key(segment, cx))
        && let Some(part) = map.part(&second)
    {
        // The name of what is being created is the one part of a map that is unknown on its own.
        if part == Slot::Name {
            return (unknown::val(unknown::object_name(row)), 2);
        }
        if row.is_map(map) {
            return (Val::option(Val::slot(row, part)), 2);
        }
    }
    (unknown::val(unknown::field(row, &first)), 1)
}

/// The key that a segment goes down by, if it does.
fn key<'a>(segment: &'a Segment, cx: &Cx<'_, 'a>) -> Option<Cow<'a, str>> {
    match segment {
        Segment::Key(key) => Some(Cow::Borrowed(key)),
        Segment::Computed(node) => match value(node, cx) {
            Val::Text(key) => Some(key),
            _ => None,
        },
        Segment::Index(_) | Segment::Each => None,
    }
}

fn down<'a>(val: Val<'a>, segment: &'a Segment, patch: bool, cx: &Cx<'_, 'a>) -> Val<'a> {
    match segment {
        Segment::Key(key) => val.key(key, patch),
        Segment::Index(n) => val.index(*n, patch),
        Segment::Each => val.each(),
        Segment::Computed(node) => computed(&val, &value(node, cx), patch),
    }
}

fn computed<'a>(val: &Val<'a>, by: &Val<'a>, patch: bool) -> Val<'a> {
    match by {
        Val::Text(key) => val.key(key, patch),
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "checked to be a whole number"
        )]
        Val::Number(n) if *n >= 0.0 && n.fract() == 0.0 && *n < 1e18 => val.index(*n as u64, patch),
        Val::Unknown => Val::Unknown,
        Val::Spread(items, open) => {
            let mut out = Vec::new();
            let mut more = *open;
            for item in items {
                match computed(val, item, patch) {
                    Val::Spread(values, open) => {
                        out.extend(values);
                        more |= open;
                    }
                    one => out.push(one),
                }
            }
            Val::Spread(out, more)
        }
        _ => Val::Absent,
    }
}

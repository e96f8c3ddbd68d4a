//! Why a value is unknown, in a few words.

use dsl::ir::{Derived, Expr, ExprKind, Root};

use crate::eval::Cx;
use crate::event::document::Node;
use crate::event::row::{Row, Slot};

pub(super) fn unknown(expr: &Expr, cx: &Cx<'_, '_>) -> &'static str {
    let Some(row) = cx.row() else { return "its event is gone" };
    match &expr.kind {
        ExprKind::Read(place) => match place.root {
            Root::Event => "it is not known before the response",
            Root::RequestObject => "the event does not carry the request's body",
            Root::ResponseObject(_) => response(row),
            Root::Derived(derived) => of_derived(derived, row),
            Root::Alert(_) | Root::Undecodable(_) => "it is read of no event",
            Root::Element(_) => "the patch does not say",
        },
        _ => "it is computed from what is unknown",
    }
}

fn response(row: &Row<'_>) -> &'static str {
    match row.raw(Slot::ResponseObject) {
        None => "the event does not carry the response's body",
        Some(body) if !body.is_map() => "the response is no object",
        Some(_) => "the response is of another kind",
    }
}

fn of_derived(derived: Derived, row: &Row<'_>) -> &'static str {
    let known = matches!(row.verb(), "create" | "update" | "patch");
    match derived {
        Derived::DryRun => "the body of the delete was not recorded",
        Derived::Decision => "it is not known before the response",
        Derived::ObjectName => "a create that does not tell the name",
        _ if !known => "the verb sends no object",
        _ if row.raw(Slot::RequestObject).is_none() => "the event does not carry the request's body",
        Derived::PodSpec | Derived::Containers if row.verb() != "patch" => "the resource makes no pods",
        _ if matches!(
            row.raw(Slot::RequestObject).map(|b| b.node()),
            Some(Node::Map { .. } | Node::List { .. })
        ) =>
        {
            "the patch does not say"
        }
        _ => "the body is no object",
    }
}

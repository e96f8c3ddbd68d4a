//! Why a value is unknown, in a few words: what [`crate::eval::unknown`] says of its place.

use dsl::ir::{Expr, ExprKind, Root};

use crate::eval::Cx;
use crate::eval::unknown;

pub(super) fn unknown(expr: &Expr, cx: &Cx<'_, '_>) -> &'static str {
    let Some(row) = cx.row() else { return "its event is gone" };
    let ExprKind::Read(place) = &expr.kind else { return COMPUTED };
    match place.root {
        Root::Alert(_) | Root::Undecodable(_) => "it is read of no event",
        root => unknown::why(root, &place.segments, row).map_or(COMPUTED, unknown::Why::text),
    }
}

const COMPUTED: &str = "it is computed from what is unknown";

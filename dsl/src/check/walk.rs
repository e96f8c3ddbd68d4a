//! The way down a path, by type.

use super::bodies::Bodies;
use super::ty::{Dead, Facts, Ty};
use crate::ir::{BodyKinds, Segment};
use crate::source::Span;

/// One checked step down.
#[derive(Debug)]
pub(crate) struct Down {
    pub segment: Segment,
    pub span: Span,
    /// Of a computed one: the type of the sum.
    pub key: Ty,
}

/// A mistake on the way down: how many steps went well, the type there, what is wrong.
pub(crate) type Stuck = (usize, Ty, Dead);

/// Goes down by type.
pub(crate) fn walk(ty: Ty, facts: Facts, downs: &[Down]) -> Result<(Ty, Facts), Stuck> {
    let mut at = (ty, facts);
    for (number, down) in downs.iter().enumerate() {
        let next = match &down.segment {
            Segment::Key(name) => at.0.field(name),
            Segment::Index(_) | Segment::Each => at.0.element().map(|ty| (ty, Facts::default())),
            Segment::Computed(_) => at.0.computed(&down.key).map(|ty| (ty, Facts::default())),
        };
        at = match next {
            Ok(next) => next,
            Err(dead) => return Err((number, at.0, dead)),
        };
    }
    Ok(at)
}

/// Goes down in each kind of response; it is enough that one of them has the path.
pub(crate) fn walk_response(bodies: &Bodies, downs: &[Down]) -> (BodyKinds, Result<(Ty, Facts), Stuck>) {
    let mut kinds = BodyKinds { object: false, list: false, status: false };
    let mut found: Vec<(Ty, Facts)> = Vec::new();
    let mut stuck: Option<Stuck> = None;
    for (kind, ty) in bodies.responses() {
        if ty.is_poison() {
            continue;
        }
        match walk(ty.clone(), Facts::default(), downs) {
            Ok(end) => {
                kinds.object |= kind.object;
                kinds.list |= kind.list;
                kinds.status |= kind.status;
                found.push(end);
            }
            // The one that led farthest is the one that was meant.
            Err(this) => stuck = Some(stuck.map_or(this.clone(), |that| farther(that, this))),
        }
    }
    let facts = match found.as_slice() {
        [(_, first), rest @ ..] if rest.iter().all(|(_, facts)| facts == first) => *first,
        _ => Facts::default(),
    };
    let walked = match stuck {
        Some(stuck) if found.is_empty() => Err(stuck),
        _ => Ok((Ty::union(found.into_iter().map(|(ty, _)| ty)), facts)),
    };
    (kinds, walked)
}

fn farther(one: Stuck, two: Stuck) -> Stuck {
    match (one, two) {
        (one, two) if two.0 > one.0 => two,
        (one, two) if one.0 > two.0 => one,
        ((at, ty, Dead::Field(mut others)), (_, _, Dead::Field(more))) => {
            others.extend(more);
            (at, ty, Dead::Field(others))
        }
        (one, _) => one,
    }
}

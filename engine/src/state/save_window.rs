//! Saving and loading what windows keep beside their rings: aggregates, windows that close, first sights, silences.
//!
//! Sums that can be made again from the values that are kept are made again; those of windows that close are saved word by
//! word. Whatever contradicts itself is damage.

use super::carry::Carried;
use super::envelope::LoadError;
use super::groups::Window;
use super::rules::ShapeSpec;
use super::save::{load_seen, save_seen};
use super::wire::{Reader, Result, Writer};
use crate::plan::Measure;
use crate::window::Owner;
use crate::window::aggregate::{Counter, Exact, Extreme, Gauge, Kept, Spec, Total, WORDS_MAX};
use crate::window::closing::{Closing, ClosingSpec};
use crate::window::distinct::Distinct;
use crate::window::first_seen::FirstSeen;
use crate::window::silent::Silence;
use crate::window::slices::{Slice, Slices};

/// Windows of these kinds.
pub(super) fn save_window(window: &Window, w: &mut Writer) {
    match window {
        Window::Closing(open) => w.maybe(open.as_deref(), save_closing),
        Window::FirstSeen(seen) => {
            w.i64(seen.began);
            save_distinct(&seen.tuples, w);
        }
        Window::Silent(running) => w.maybe(running.as_deref(), |w, silence| {
            w.i64(silence.since);
            w.i64(silence.deadline);
            w.maybe(silence.last.as_ref(), save_seen);
            save_owner(&silence.owner, w);
        }),
        Window::None | Window::Sliding(_) | Window::Sequence(_) => {}
    }
}

/// Windows of these kinds; nothing for others.
pub(super) fn load_window(
    shape: &ShapeSpec,
    carried: &Carried,
    r: &mut Reader<'_>,
) -> Result<Option<Window>> {
    Ok(Some(match shape {
        ShapeSpec::Closing(spec) => {
            Window::Closing(r.maybe(|r| load_closing(spec, carried, r))?.map(Box::new))
        }
        ShapeSpec::FirstSeen(_) => {
            let mut seen = FirstSeen::new(r.i64()?);
            load_distinct(&mut seen.tuples, r)?;
            Window::FirstSeen(seen)
        }
        ShapeSpec::Silent { .. } => Window::Silent(
            r.maybe(|r| {
                let (since, deadline) = (r.i64()?, r.i64()?);
                let last = r.maybe(load_seen)?;
                Ok(Silence { since, deadline, last, owner: load_owner(carried, r)? })
            })?
            .map(Box::new),
        ),
        ShapeSpec::Each | ShapeSpec::Sliding(_) | ShapeSpec::Sequence(_) => return Ok(None),
    }))
}

fn save_closing(w: &mut Writer, open: &Closing) {
    w.i64(open.start);
    w.i64(open.end);
    w.u64(open.count);
    w.list(open.first.iter(), save_seen);
    w.list(open.last.iter(), save_seen);
    w.truth(open.late);
    w.truth(open.dry_run_unknown);
    w.truth(open.approximate);
    w.truth(open.few_shown);
    for gauge in &open.gauges {
        match gauge {
            Gauge::Count(n) => w.u64(*n),
            Gauge::Distinct(values, more, gone) => {
                w.list(values.iter(), |w, value| w.bytes(value));
                w.u64(*more);
                w.u64(*gone);
            }
            Gauge::Total(total, n) => {
                save_total(total, w);
                w.u64(*n);
            }
            Gauge::Extreme(most) => w.maybe(*most, Writer::i64),
            Gauge::Ranked(values, more) => {
                w.list(values.iter(), |w, bits| w.i64(*bits));
                w.truth(*more);
            }
        }
    }
    save_owner(&open.owner, w);
}

fn load_closing(spec: &ClosingSpec, carried: &Carried, r: &mut Reader<'_>) -> Result<Closing> {
    let mut open = Closing::new(spec, r.i64()?);
    open.end = r.i64()?;
    open.count = r.u64()?;
    open.restore(r.list(load_seen)?, r.list(load_seen)?.into());
    open.late = r.truth()?;
    open.dry_run_unknown = r.truth()?;
    open.approximate = r.truth()?;
    open.few_shown = r.truth()?;
    for gauge in &mut open.gauges {
        match gauge {
            Gauge::Count(n) => *n = r.u64()?,
            Gauge::Distinct(values, more, gone) => {
                *values = r.list(|r| r.bytes().map(Box::from))?.into_iter().collect();
                *more = r.u64()?;
                *gone = r.u64()?;
            }
            Gauge::Total(total, n) => {
                load_total(total, r)?;
                *n = r.u64()?;
            }
            Gauge::Extreme(most) => *most = r.maybe(Reader::i64)?,
            Gauge::Ranked(values, more) => {
                *values = r.list(Reader::i64)?;
                *more = r.truth()?;
            }
        }
    }
    open.owner = load_owner(carried, r)?;
    Ok(open)
}

fn save_total(total: &Total, w: &mut Writer) {
    match total {
        Total::Numbers(exact) => {
            w.u64(exact.low as u64);
            w.list(exact.words.iter(), |w, word| w.u64(*word));
        }
        Total::Nanos(sum) => w.out.extend_from_slice(&sum.to_le_bytes()),
    }
}

fn load_total(total: &mut Total, r: &mut Reader<'_>) -> Result<()> {
    match total {
        Total::Numbers(exact) => {
            let low = usize::try_from(r.u64()?).map_err(|_| LoadError::Corrupt)?;
            let words = r.list(Reader::u64)?;
            let signed = words.last().is_none_or(|sign| *sign == 0 || *sign == u64::MAX);
            if !signed || low.saturating_add(words.len()) > WORDS_MAX {
                return Err(LoadError::Corrupt);
            }
            *exact = Exact { low, words };
        }
        Total::Nanos(sum) => *sum = i128::from_le_bytes(r.array()?),
    }
    Ok(())
}

fn save_owner(owner: &Owner, w: &mut Writer) {
    w.list(owner.key.iter(), Writer::value);
    w.maybe(owner.cluster.as_ref(), |w, cluster| w.bytes(cluster.as_bytes()));
    w.list(owner.captures.iter(), Writer::value);
    w.truth(owner.short);
}

fn load_owner(carried: &Carried, r: &mut Reader<'_>) -> Result<Owner> {
    Ok(Owner {
        key: r.list(Reader::value)?,
        cluster: r.maybe(Reader::text)?,
        captures: carried.captures(0, r.list(Reader::value)?)?,
        short: r.truth()?,
    })
}

/// One aggregate of a window that slides.
pub(super) fn save_counter(counter: &Counter, w: &mut Writer) {
    match counter {
        Counter::Requests => {}
        Counter::Filtered(kept) | Counter::Total(kept, _) | Counter::Ranked(kept, _) => {
            save_kept(kept, w);
            save_slices(&kept.gone, w);
        }
        Counter::Distinct(distinct, gone) => {
            save_distinct(distinct, w);
            save_slices(gone, w);
        }
        Counter::Extreme(Extreme { queue, dropped }) => {
            w.maybe(*dropped, Writer::i64);
            w.list(queue.iter(), |w, (at, bits)| {
                w.i64(*at);
                w.i64(*bits);
            });
        }
    }
}

/// Fills a counter that is empty.
pub(super) fn load_counter(counter: &mut Counter, spec: &Spec, r: &mut Reader<'_>) -> Result<()> {
    match counter {
        Counter::Requests => return Ok(()),
        Counter::Distinct(distinct, gone) => {
            load_distinct(distinct, r)?;
            return load_slices(gone, spec.measure, r);
        }
        Counter::Extreme(extreme) => {
            extreme.dropped = r.maybe(Reader::i64)?;
            extreme.queue = r.list(|r| Ok((r.i64()?, r.i64()?)))?.into();
            return Ok(());
        }
        Counter::Filtered(_) | Counter::Total(..) | Counter::Ranked(..) => {}
    }
    let dropped = r.maybe(Reader::i64)?;
    let values = r.list(|r| Ok((r.i64()?, r.i64()?)))?;
    if let Counter::Filtered(kept) | Counter::Total(kept, _) | Counter::Ranked(kept, _) = counter {
        kept.dropped = dropped;
        load_slices(&mut kept.gone, spec.measure, r)?;
    }
    if let Counter::Total(kept, total) = counter {
        kept.gone.all.iter().filter_map(|slice| slice.total.as_ref()).for_each(|of| total.join(of, false));
    }
    // Where there is less room than there was some of them go.
    for (at, bits) in values {
        counter.value(spec, at, bits);
    }
    Ok(())
}

fn save_kept(kept: &Kept, w: &mut Writer) {
    w.maybe(kept.dropped, Writer::i64);
    w.list(kept.values.iter(), |w, (at, bits)| {
        w.i64(*at);
        w.i64(*bits);
    });
}

/// What a window that slides still counts of what went.
pub(super) fn save_slices(slices: &Slices, w: &mut Writer) {
    w.list(slices.all.iter(), |w, slice| {
        w.i64(slice.last);
        w.u64(slice.count);
        w.maybe(slice.total.as_ref(), |w, total| save_total(total, w));
    });
}

/// Fills what is empty, of values of that measure.
pub(super) fn load_slices(slices: &mut Slices, measure: Measure, r: &mut Reader<'_>) -> Result<()> {
    let all = r.list(|r| {
        let (last, count) = (r.i64()?, r.u64()?);
        let total = r.maybe(|r| {
            let mut total = Total::new(measure);
            load_total(&mut total, r)?;
            Ok(total)
        })?;
        Ok(Slice { last, count, total })
    })?;
    if all.into_iter().all(|slice| slices.restore(slice)) { Ok(()) } else { Err(LoadError::Corrupt) }
}

fn save_distinct(distinct: &Distinct, w: &mut Writer) {
    w.maybe(distinct.dropped, Writer::i64);
    w.list(distinct.iter(), |w, (at, value)| {
        w.i64(at);
        w.bytes(value);
    });
}

fn load_distinct(distinct: &mut Distinct, r: &mut Reader<'_>) -> Result<()> {
    let dropped = r.maybe(Reader::i64)?;
    r.list(|r| Ok((r.i64()?, r.bytes()?)))?.into_iter().for_each(|(at, value)| distinct.restore(at, value));
    distinct.dropped = dropped;
    Ok(())
}

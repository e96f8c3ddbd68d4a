//! The figures: one row each, printed as soon as it is measured.

use connect::Error;
use serde::Serialize;

use super::measure::Ran;
use crate::output::{self, Format};

/// What a figure, or its ratio to another, is held to.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Bound {
    AtLeast(f64),
    AtMost(f64),
}

impl Bound {
    fn holds(self, value: f64) -> bool {
        match self {
            Self::AtLeast(least) => value >= least,
            Self::AtMost(most) => value <= most,
        }
    }

    fn text(self, unit: &str) -> String {
        match self {
            Self::AtLeast(least) => format!(">= {}", figure(least, unit)),
            Self::AtMost(most) => format!("<= {}", figure(most, unit)),
        }
    }
}

/// One figure.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Row {
    /// The number of its target.
    target: u8,
    name: String,
    value: f64,
    unit: &'static str,
    /// Processor time of an event in all threads, in nanoseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    cpu_ns: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    alerts: Option<usize>,
    /// What it is compared with.
    #[serde(skip_serializing_if = "Option::is_none")]
    beside: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ratio: Option<f64>,
    /// The same of processor time; above 1 is cheaper.
    #[serde(skip_serializing_if = "Option::is_none")]
    cpu_ratio: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bound: Option<Bound>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reached: Option<bool>,
}

impl Row {
    pub(super) fn of(target: u8, name: String, value: f64, unit: &'static str) -> Self {
        Self {
            target,
            name,
            value,
            unit,
            cpu_ns: None,
            alerts: None,
            beside: None,
            ratio: None,
            cpu_ratio: None,
            bound: None,
            reached: None,
        }
    }

    /// Events a second.
    pub(super) fn rate(target: u8, name: String, ran: &Ran) -> Self {
        let row = Self::of(target, name, ran.rate(), "events/s");
        Self { cpu_ns: Some(ran.cpu_ns()), alerts: Some(ran.alerts.len()), ..row }
    }

    /// A bound of the figure itself.
    pub(super) fn bound(self, bound: Bound) -> Self {
        Self { bound: Some(bound), reached: Some(bound.holds(self.value)), ..self }
    }

    /// A bound of what it is of another.
    pub(super) fn beside_value(self, what: &'static str, other: f64, bound: Bound) -> Self {
        let ratio = self.value / other;
        Self {
            beside: Some(what),
            ratio: Some(ratio),
            bound: Some(bound),
            reached: Some(bound.holds(ratio)),
            ..self
        }
    }

    pub(super) fn beside(self, what: &'static str, other: &Ran, bound: Bound) -> Self {
        let cpu_ratio = self.cpu_ns.map(|ns| other.cpu_ns() / ns);
        Self { cpu_ratio, ..self.beside_value(what, other.rate(), bound) }
    }

    fn text(&self) -> String {
        let mut text = format!("{}  {:<62} {:>14}", self.target, self.name, figure(self.value, self.unit));
        if let Some(ns) = self.cpu_ns {
            text.push_str(&format!("  {ns:>5.0} ns CPU"));
        }
        if let (Some(beside), Some(ratio)) = (self.beside, self.ratio) {
            text.push_str(&format!("  {ratio:.2} of {beside}"));
        }
        if let Some(ratio) = self.cpu_ratio {
            text.push_str(&format!(" (by CPU {ratio:.2})"));
        }
        if let (Some(bound), Some(reached)) = (self.bound, self.reached) {
            let unit = if self.ratio.is_some() { "" } else { self.unit };
            let word = if reached { "reached" } else { "MISSED" };
            text.push_str(&format!("  {word} {}", bound.text(unit)));
        }
        text
    }
}

/// A number with its unit, as people read it.
fn figure(value: f64, unit: &str) -> String {
    match unit {
        "events/s" => format!("{:.2} M/s", value / 1e6),
        "s" => format!("{:.2} ms", value * 1e3),
        "bytes" if value >= 1e6 => format!("{:.1} MB", value / 1e6),
        "bytes" => format!("{value:.0} B"),
        _ => format!("{value}"),
    }
}

/// Prints rows.
#[derive(Debug)]
pub(super) struct Table {
    format: Format,
}

impl Table {
    pub(super) fn new(format: Format) -> Self {
        Self { format }
    }

    pub(super) fn row(&mut self, row: Row) -> Result<(), Error> {
        output::print(&match self.format {
            Format::Human => row.text(),
            Format::Json => output::json(&row)?,
        })
    }
}

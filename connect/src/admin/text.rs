//! Figures in Prometheus' text form, as its own client library writes it.

use prometheus::{CounterVec, GaugeVec, Opts, Registry, TextEncoder};

use super::{Family, Kind};

/// The text of these figures. Names without a figure are left out.
///
/// # Errors
/// If names or labels are none that Prometheus takes.
pub(super) fn of(figures: &[Family]) -> Result<String, prometheus::Error> {
    let registry = Registry::new();
    for family in figures.iter().filter(|family| !family.samples.is_empty()) {
        let opts = Opts::new(family.name, family.help);
        match family.kind {
            Kind::Counter => {
                let all = CounterVec::new(opts, family.labels)?;
                for (labels, figure) in &family.samples {
                    all.get_metric_with_label_values(labels)?.inc_by(*figure);
                }
                registry.register(Box::new(all))?;
            }
            Kind::Gauge => {
                let all = GaugeVec::new(opts, family.labels)?;
                for (labels, figure) in &family.samples {
                    all.get_metric_with_label_values(labels)?.set(*figure);
                }
                registry.register(Box::new(all))?;
            }
        }
    }
    TextEncoder::new().encode_to_string(&registry.gather())
}

//! The sinks of a run together: each alert in every shape that somebody wants, sorted if the run has an end.

use connect::Error;
use connect::sink::{Sink, Target};
use connect::sorted::{Entry, Sorter};
use engine::alert::Alert;

use crate::{human, output};

/// Where alerts go, and how they look there. Files take JSON; standard output what its reader wants.
pub(crate) struct Sinks {
    targets: Vec<Target>,
    sinks: Vec<Sink>,
    human: bool,
    colour: bool,
    /// Of a bounded run: they come sorted, at the end.
    sorter: Option<(Sorter, Sorter)>,
}

impl Sinks {
    pub(crate) fn new(targets: Vec<Target>, human: bool) -> Self {
        Self { targets, sinks: Vec::new(), human, colour: output::colour_out(), sorter: None }
    }

    /// Opens all of them; alerts of a live run are not sorted.
    pub(crate) fn open(mut self, live: bool) -> Result<Self, Error> {
        self.sinks = self.targets.iter().map(Sink::open).collect::<Result<_, _>>()?;
        self.sorter = (!live).then(|| (Sorter::default(), Sorter::default()));
        Ok(self)
    }

    fn wants(&self, human: bool) -> bool {
        self.sinks.iter().any(|sink| (sink.is_stdout() && self.human) == human)
    }

    /// Takes alerts on their way.
    pub(crate) fn take(&mut self, alerts: &[Alert]) -> Result<(), Error> {
        for human in [true, false].into_iter().filter(|human| self.wants(*human)).collect::<Vec<_>>() {
            for alert in alerts {
                let text = if human { human::alert(alert, self.colour) } else { json(alert) };
                self.give(human, alert, text)?;
            }
        }
        if self.sorter.is_none() { self.sinks.iter_mut().try_for_each(Sink::flush) } else { Ok(()) }
    }

    fn give(&mut self, human: bool, alert: &Alert, text: String) -> Result<(), Error> {
        match &mut self.sorter {
            Some((for_people, for_programs)) => {
                let entry = Entry { time: alert.time, rule: alert.rule.name.to_string(), id: alert.id, text };
                if human { for_people.push(entry) } else { for_programs.push(entry) }
            }
            None => write(&mut self.sinks, self.human, human, &text),
        }
    }

    /// Writes what is still to be written.
    pub(crate) fn finish(&mut self) -> Result<(), Error> {
        if let Some((for_people, for_programs)) = self.sorter.take() {
            for_people.finish(|entry| write(&mut self.sinks, self.human, true, &entry.text))?;
            for_programs.finish(|entry| write(&mut self.sinks, self.human, false, &entry.text))?;
        }
        self.sinks.iter_mut().try_for_each(Sink::flush)
    }
}

/// To the sinks that take this shape.
fn write(sinks: &mut [Sink], stdout_is_human: bool, human: bool, text: &str) -> Result<(), Error> {
    let takes = |sink: &&mut Sink| (sink.is_stdout() && stdout_is_human) == human;
    sinks.iter_mut().filter(takes).try_for_each(|sink| sink.line(text))
}

fn json(alert: &Alert) -> String {
    let mut out = Vec::new();
    alert.to_json(&mut out);
    String::from_utf8_lossy(&out).into_owned()
}

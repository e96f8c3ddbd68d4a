//! The sinks of a run together: each alert in every shape that somebody wants, sorted if the run has an end.

use connect::Error;
use connect::sink::{Length, Sink, Target};
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

    /// Opens all of them to be gone on with: none is emptied, and alerts are not sorted. Gives what is to be said of that.
    pub(crate) fn go_on(mut self, known: &[Length]) -> Result<(Self, Vec<String>), Error> {
        let mut notes = Vec::new();
        for (number, target) in self.targets.iter().enumerate() {
            if self.targets[..number].contains(target) {
                return Err(Error::usage("a sink is named twice in --to"));
            }
            let (sink, note) = Sink::go_on(target, known)?;
            self.sinks.push(sink);
            notes.extend(note);
        }
        Ok((self, notes))
    }

    /// Sees to it that what was written is on the disk. Gives how long each file is now.
    pub(crate) fn settle(&mut self) -> Result<Vec<Length>, Error> {
        self.sinks.iter_mut().filter_map(|sink| sink.settle().transpose()).collect()
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

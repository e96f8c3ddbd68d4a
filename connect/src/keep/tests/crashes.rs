//! A disk that stops after any number of steps, and what may be found on it then.
//!
//! What the process was killed at leaves everything it had done. What the machine died at leaves what had been synced, and of all else
//! anything: of bytes none, some, or zeros; of new names any.

use std::collections::BTreeMap;

use super::*;

/// A file's bytes, and how many of them are certain.
#[derive(Clone, Debug, Default)]
struct Inode {
    bytes: Vec<u8>,
    synced: bool,
}

#[derive(Clone, Debug)]
enum Change {
    Link(String, usize),
    Unlink(String),
}

#[derive(Clone, Debug, Default)]
struct Paper {
    inodes: Vec<Inode>,
    names: BTreeMap<String, usize>,
    /// As the disk has them for certain.
    certain: BTreeMap<String, usize>,
    /// What was done to names since.
    since: Vec<Change>,
    /// Steps that are still done; then one is done in part, if it can be, and fails, as do all behind it.
    left: Option<usize>,
    /// The step that fails is the only one: the disk was full, or was not there for a moment.
    comes_back: bool,
    steps: usize,
}

impl Paper {
    /// Whether the next step is done.
    fn step(&mut self) -> io::Result<()> {
        self.steps += 1;
        match &mut self.left {
            None => Ok(()),
            Some(0) => {
                if self.comes_back {
                    self.left = None;
                }
                Err(io::Error::from(io::ErrorKind::StorageFull))
            }
            Some(left) => {
                *left -= 1;
                Ok(())
            }
        }
    }

    fn change(&mut self, change: Change) {
        apply(&mut self.names, &change);
        self.since.push(change);
    }

    /// The disk with all that was done, of a process that was killed.
    fn after_a_kill(&self) -> Self {
        Self { left: None, ..self.clone() }
    }

    /// Disks that the machine's death may have left.
    fn after_a_loss_of_power(&self) -> Vec<Self> {
        let mut out = Vec::new();
        let few = self.since.len().min(6);
        for kept in 0..1_u32 << few {
            let mut names = self.certain.clone();
            let old = self.since.len() - few;
            for (n, change) in self.since.iter().enumerate() {
                if n < old || kept >> (n - old) & 1 == 1 {
                    apply(&mut names, change);
                }
            }
            for torn in 0..4 {
                let inodes = self.inodes.iter().map(|inode| torn_inode(inode, torn)).collect();
                out.push(Self { inodes, names: names.clone(), certain: names.clone(), ..Self::default() });
            }
        }
        out
    }
}

fn torn_inode(inode: &Inode, torn: usize) -> Inode {
    let bytes = match torn {
        _ if inode.synced => inode.bytes.clone(),
        0 => Vec::new(),
        1 => inode.bytes[..inode.bytes.len() / 2].to_vec(),
        2 => vec![0; inode.bytes.len()],
        _ => inode.bytes.clone(),
    };
    Inode { bytes, synced: true }
}

fn apply(names: &mut BTreeMap<String, usize>, change: &Change) {
    match change {
        Change::Link(name, inode) => drop(names.insert(name.clone(), *inode)),
        Change::Unlink(name) => drop(names.remove(name)),
    }
}

impl Disk for Paper {
    fn list(&self) -> io::Result<Vec<String>> {
        Ok(self.names.keys().cloned().collect())
    }

    fn read(&self, name: &str) -> io::Result<Vec<u8>> {
        let inode = self.names.get(name).ok_or(io::ErrorKind::NotFound)?;
        Ok(self.inodes[*inode].bytes.clone())
    }

    fn write(&mut self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let done = self.step();
        let written = if done.is_ok() { bytes } else { &bytes[..bytes.len() / 3] };
        self.inodes.push(Inode { bytes: written.to_vec(), synced: false });
        self.change(Change::Link(name.to_owned(), self.inodes.len() - 1));
        done
    }

    fn sync(&mut self, name: &str) -> io::Result<()> {
        self.step()?;
        self.inodes[self.names[name]].synced = true;
        Ok(())
    }

    fn rename(&mut self, from: &str, to: &str) -> io::Result<()> {
        self.step()?;
        let inode = self.names[from];
        self.change(Change::Link(to.to_owned(), inode));
        self.change(Change::Unlink(from.to_owned()));
        Ok(())
    }

    fn sync_folder(&mut self) -> io::Result<()> {
        self.step()?;
        self.certain = self.names.clone();
        self.since.clear();
        Ok(())
    }

    fn remove(&mut self, name: &str) -> io::Result<()> {
        self.step()?;
        self.change(Change::Unlink(name.to_owned()));
        Ok(())
    }
}

const SAVES: u8 = 5;

/// Saves one after another, and gives the last that was said to be saved, with the disk.
fn saved(paper: Paper) -> (u8, Paper) {
    let mut row = Row::new(paper);
    let mut last = 0;
    for n in 1..=SAVES {
        if row.save(&snapshot(n).encode()).is_ok() {
            last = n;
        }
    }
    (last, row.disk)
}

/// What is found is whole and no older than what was said to be saved; and the folder can be gone on with.
fn holds(last: u8, disk: Paper, told: &str) {
    let mut row = Row::new(disk);
    let found = row.newest(Ok).unwrap();
    match &found.taken {
        None => assert_eq!((last, found.refused.len()), (0, 0), "{told}"),
        Some(taken) => {
            let n = taken.state[0];
            assert_eq!(*taken, snapshot(n), "{told}");
            assert!(n == last || n == last + 1, "{told}: {n} after {last}");
        }
    }
    row.save(&snapshot(9).encode()).unwrap();
    row.save(&snapshot(10).encode()).unwrap();
    let mut names = row.disk.list().unwrap();
    names.retain(|name| name.ends_with(WHOLE) || name.ends_with(PART));
    assert_eq!(names.len(), KEPT, "{told}: {names:?}");
    assert_eq!(Row::new(row.disk).newest(Ok).unwrap().taken, Some(snapshot(10)), "{told}");
}

#[test]
fn whatever_step_is_the_last_one_the_right_snapshot_is_found() {
    let steps = saved(Paper::default()).1.steps;
    assert!(steps > 4 * usize::from(SAVES), "a save has four steps, and takes the old away");
    let mut found = 0;
    for left in 0..=steps {
        let (last, disk) = saved(Paper { left: Some(left), ..Paper::default() });
        holds(last, disk.after_a_kill(), &format!("killed at step {left}"));
        for disk in disk.after_a_loss_of_power() {
            holds(last, disk, &format!("power lost at step {left}"));
            found += 1;
        }
    }
    assert!(found > 500, "{found}");
}

#[test]
fn a_step_that_fails_once_loses_one_snapshot_and_no_more() {
    let steps = saved(Paper::default()).1.steps;
    for left in 0..steps {
        let (last, disk) = saved(Paper { left: Some(left), comes_back: true, ..Paper::default() });
        let told = format!("failed at step {left}");
        // Only what fails in the last of them can show.
        assert!(last >= SAVES - 1, "{told}: {last}");
        holds(last, disk.after_a_kill(), &told);
    }
}

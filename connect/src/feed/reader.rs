//! One source as blocks.
//!
//! Bytes are read to where their block has them, and blocks that are given back are filled again, those of a pipe by its thread. So
//! nothing is copied but the part of a line at a block's end, and a long input takes no memory but what its first blocks took.

use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use engine::frame::blocks::{BLOCK_BYTES, Block, Blocks};
use engine::matches::SourceId;

use super::Given;
use crate::Error;
use crate::input::Input;

/// How many blocks may lie ready before the thread of a pipe waits.
const BLOCKS_AHEAD: usize = 4;
/// How many may be on their way back to it.
const BLOCKS_BACK: usize = 16;
/// How long a silent pipe is waited for before the caller may look after other things.
const PATIENCE: Duration = Duration::from_millis(50);

/// An input, and how far it is in blocks.
#[derive(Debug)]
struct Cut {
    input: Input,
    blocks: Blocks,
    /// Nothing more can be read.
    ended: bool,
    /// What is left over has been framed as the end of it all.
    finished: bool,
}

impl Cut {
    fn new(input: Input, (source, offset): (SourceId, u64), line_bytes_max: usize) -> Self {
        let blocks = Blocks::new(source, BLOCK_BYTES, line_bytes_max).starting_at(offset);
        Self { input, blocks, ended: false, finished: false }
    }

    /// Reads once, if no block is ready; nothing: more bytes came, which make no block yet. `live` gives what there is and does
    /// not wait for a full block.
    fn next(&mut self, live: bool) -> Option<Given> {
        if let Some(block) = self.blocks.pop() {
            return Some(Given::Block(block));
        }
        if self.finished {
            return Some(Given::End);
        }
        if self.ended {
            self.finished = true;
            self.blocks.finish();
            return Some(Given::Ending);
        }
        let got = self.blocks.read(|room| self.input.read_into(room));
        match got {
            Ok(1..) if live => self.blocks.flush(),
            Ok(1..) => {}
            Ok(0) => {
                self.ended = true;
                self.blocks.cut_off();
            }
            Err(error) => {
                self.ended = true;
                return Some(Given::Failed(error));
            }
        }
        self.blocks.pop().map(Given::Block)
    }
}

/// Where blocks come from.
#[derive(Debug)]
enum Origin {
    Direct(Box<Cut>),
    /// What comes of [`Cut::next`], until it ends.
    Thread {
        pipe: Receiver<Option<Given>>,
        used: SyncSender<Block>,
    },
    /// It could not be begun with; the reason, until it is told.
    Nothing(Option<Error>),
}

/// A source that is being read.
#[derive(Debug)]
pub(crate) struct Reader {
    origin: Origin,
    /// When something came last, or it was opened.
    heard: Instant,
}

impl Reader {
    /// Of a source from an offset on.
    pub(crate) fn direct(input: Input, from: (SourceId, u64), line_bytes_max: usize) -> Self {
        Self::new(Origin::Direct(Box::new(Cut::new(input, from, line_bytes_max))))
    }

    /// Lets a thread wait for what may be long in coming. The thread is left behind when the process ends.
    pub(crate) fn behind_a_thread<F>(
        open: F,
        from: (SourceId, u64),
        line_bytes_max: usize,
        live: bool,
    ) -> Self
    where
        F: FnOnce() -> Result<Input, Error> + Send + 'static,
    {
        let (give, pipe) = sync_channel(BLOCKS_AHEAD);
        let (used, again) = sync_channel::<Block>(BLOCKS_BACK);
        thread::spawn(move || {
            let mut cut = match open() {
                Ok(input) => Cut::new(input, from, line_bytes_max),
                Err(error) => {
                    let _gone = give.send(Some(Given::Failed(error)));
                    return;
                }
            };
            loop {
                again.try_iter().for_each(|block| cut.blocks.take_back(block));
                let given = cut.next(live);
                if matches!(given, Some(Given::End)) || give.send(given).is_err() {
                    return;
                }
            }
        });
        Self::new(Origin::Thread { pipe, used })
    }

    /// One that gives nothing but the reason why.
    pub(crate) fn failed(error: Error) -> Self {
        Self::new(Origin::Nothing(Some(error)))
    }

    fn new(origin: Origin) -> Self {
        Self { origin, heard: Instant::now() }
    }

    pub(crate) fn next(&mut self) -> Given {
        loop {
            let given = match &mut self.origin {
                Origin::Direct(cut) => cut.next(false),
                Origin::Nothing(error) => Some(error.take().map_or(Given::End, Given::Failed)),
                Origin::Thread { pipe, .. } => match pipe.recv_timeout(PATIENCE) {
                    Ok(given) => {
                        self.heard = Instant::now();
                        given
                    }
                    Err(RecvTimeoutError::Timeout) => Some(Given::Nothing(self.heard.elapsed())),
                    Err(RecvTimeoutError::Disconnected) => Some(Given::End),
                },
            };
            if let Some(given) = given {
                return given;
            }
        }
    }

    /// Takes a block back, for its memory.
    pub(crate) fn take_back(&mut self, block: Block) {
        match &mut self.origin {
            Origin::Direct(cut) => cut.blocks.take_back(block),
            Origin::Nothing(_) => {}
            Origin::Thread { used, .. } => {
                // If the thread has enough of them, or has ended, it is freed.
                let _enough = used.try_send(block);
            }
        }
    }
}

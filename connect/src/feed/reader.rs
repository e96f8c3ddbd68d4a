//! One source as blocks.
//!
//! Buffers are used again: what a file is read into, what comes from the thread of a pipe and goes back to it, and the blocks
//! themselves once they are given back. So a long input takes no memory but what its first blocks took.

use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use engine::frame::blocks::{BLOCK_BYTES, Block, Blocks};
use engine::matches::SourceId;

use super::Given;
use crate::Error;
use crate::input::Input;

/// How many bytes are asked for at once.
const READ_BYTES: usize = 256 << 10;
/// How many such reads may lie ready before the thread of a pipe waits.
const READS_AHEAD: usize = 4;
/// How long a silent pipe is waited for before the caller may look after other things.
const PATIENCE: Duration = Duration::from_millis(50);

/// Where the bytes come from.
#[derive(Debug)]
enum Origin {
    Direct { input: Input, buffer: Buffer },
    Thread { pipe: Receiver<Result<Buffer, Error>>, used: SyncSender<Buffer> },
}

/// What one read gave, in memory that is used again.
#[derive(Debug, Default)]
struct Buffer {
    /// As long as anything that was asked for, so that nothing need be zeroed for the next read.
    bytes: Vec<u8>,
    filled: usize,
}

impl Buffer {
    /// Reads anew, and says how much; 0 is the end.
    fn read(&mut self, input: &mut Input) -> Result<usize, Error> {
        self.filled = 0;
        self.bytes.resize(READ_BYTES, 0);
        self.filled = input.read_into(&mut self.bytes)?;
        Ok(self.filled)
    }

    fn filled(&self) -> &[u8] {
        self.bytes.get(..self.filled).unwrap_or_default()
    }
}

/// A source that is being read.
#[derive(Debug)]
pub(crate) struct Reader {
    origin: Origin,
    blocks: Blocks,
    /// Gives what there is and does not wait for a full block.
    live: bool,
    ended: bool,
    /// When something came last, or it was opened.
    heard: Instant,
}

impl Reader {
    pub(crate) fn direct(input: Input, source: SourceId, line_bytes_max: usize) -> Self {
        Self::new(Origin::Direct { input, buffer: Buffer::default() }, source, line_bytes_max, false)
    }

    /// Lets a thread wait for what may be long in coming. The thread is left behind when the process ends.
    pub(crate) fn behind_a_thread<F>(open: F, source: SourceId, line_bytes_max: usize, live: bool) -> Self
    where
        F: FnOnce() -> Result<Input, Error> + Send + 'static,
    {
        let (give, pipe) = sync_channel(READS_AHEAD);
        let (used, again) = sync_channel::<Buffer>(READS_AHEAD + 2);
        thread::spawn(move || {
            let mut input = match open() {
                Ok(input) => input,
                Err(error) => {
                    let _gone = give.send(Err(error));
                    return;
                }
            };
            loop {
                let mut buffer = again.try_recv().unwrap_or_default();
                let got = buffer.read(&mut input);
                let last = !matches!(got, Ok(1..));
                if give.send(got.map(|_| buffer)).is_err() || last {
                    return;
                }
            }
        });
        Self::new(Origin::Thread { pipe, used }, source, line_bytes_max, live)
    }

    fn new(origin: Origin, source: SourceId, line_bytes_max: usize, live: bool) -> Self {
        let blocks = Blocks::new(source, BLOCK_BYTES, line_bytes_max);
        Self { origin, blocks, live, ended: false, heard: Instant::now() }
    }

    pub(crate) fn next(&mut self) -> Given {
        loop {
            if let Some(block) = self.blocks.pop() {
                return Given::Block(block);
            }
            if self.ended {
                return Given::End;
            }
            match self.more() {
                Ok(Some(0)) => self.end(),
                Ok(Some(_)) => {
                    self.heard = Instant::now();
                    if self.live {
                        self.blocks.flush();
                    }
                }
                Ok(None) => return Given::Nothing(self.heard.elapsed()),
                Err(error) => {
                    self.end();
                    return Given::Failed(error);
                }
            }
        }
    }

    fn end(&mut self) {
        self.ended = true;
        self.blocks.finish();
    }

    /// Takes a block back, for its memory.
    pub(crate) fn take_back(&mut self, block: Block) {
        self.blocks.take_back(block);
    }

    /// Reads on and says how many bytes there were; `None` is nothing yet, 0 the end.
    fn more(&mut self) -> Result<Option<usize>, Error> {
        match &mut self.origin {
            Origin::Direct { input, buffer } => {
                let got = buffer.read(input)?;
                self.blocks.push(buffer.filled());
                Ok(Some(got))
            }
            Origin::Thread { pipe, used } => match pipe.recv_timeout(PATIENCE) {
                Ok(buffer) => {
                    let buffer = buffer?;
                    let got = buffer.filled;
                    self.blocks.push(buffer.filled());
                    // If the thread has enough of them, or has ended, it is freed.
                    let _enough = used.try_send(buffer);
                    Ok(Some(got))
                }
                Err(RecvTimeoutError::Timeout) => Ok(None),
                Err(RecvTimeoutError::Disconnected) => Ok(Some(0)),
            },
        }
    }
}

//! One source as blocks.

use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use engine::frame::blocks::Blocks;
use engine::matches::SourceId;

use super::{BLOCK_BYTES, Given};
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
    Direct(Input),
    Thread(Receiver<Result<Vec<u8>, Error>>),
}

/// A source that is being read.
#[derive(Debug)]
pub(crate) struct Reader {
    origin: Origin,
    blocks: Blocks,
    buffer: Vec<u8>,
    /// Gives what there is and does not wait for a full block.
    live: bool,
    ended: bool,
    /// When something came last, or it was opened.
    heard: Instant,
}

impl Reader {
    pub(crate) fn direct(input: Input, source: SourceId, line_bytes_max: usize) -> Self {
        Self::new(Origin::Direct(input), source, line_bytes_max, false)
    }

    /// Lets a thread wait for what may be long in coming. The thread is left behind when the process ends.
    pub(crate) fn behind_a_thread<F>(open: F, source: SourceId, line_bytes_max: usize, live: bool) -> Self
    where
        F: FnOnce() -> Result<Input, Error> + Send + 'static,
    {
        let (give, take) = sync_channel(READS_AHEAD);
        thread::spawn(move || {
            let mut input = match open() {
                Ok(input) => input,
                Err(error) => {
                    let _gone = give.send(Err(error));
                    return;
                }
            };
            loop {
                let mut bytes = Vec::new();
                let got = input.read_more(&mut bytes, READ_BYTES);
                let last = !matches!(got, Ok(1..));
                if give.send(got.map(|_| bytes)).is_err() || last {
                    return;
                }
            }
        });
        Self::new(Origin::Thread(take), source, line_bytes_max, live)
    }

    fn new(origin: Origin, source: SourceId, line_bytes_max: usize, live: bool) -> Self {
        let blocks = Blocks::new(source, BLOCK_BYTES, line_bytes_max);
        Self { origin, blocks, buffer: Vec::new(), live, ended: false, heard: Instant::now() }
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
                    self.blocks.push(&self.buffer);
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

    /// Fills the buffer anew and says how many bytes there are; `None` is nothing yet, 0 the end.
    fn more(&mut self) -> Result<Option<usize>, Error> {
        self.buffer.clear();
        match &mut self.origin {
            Origin::Direct(input) => input.read_more(&mut self.buffer, READ_BYTES).map(Some),
            Origin::Thread(pipe) => match pipe.recv_timeout(PATIENCE) {
                Ok(bytes) => {
                    self.buffer = bytes?;
                    Ok(Some(self.buffer.len()))
                }
                Err(RecvTimeoutError::Timeout) => Ok(None),
                Err(RecvTimeoutError::Disconnected) => Ok(Some(0)),
            },
        }
    }
}

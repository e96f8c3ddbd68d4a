//! One source as blocks.

use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::thread;
use std::time::Duration;

use super::{BLOCK_BYTES, Block, Given, cut};
use crate::Error;
use crate::input::Input;

/// How many bytes are asked for at once.
const READ_BYTES: usize = 256 << 10;
/// How long a silent pipe is waited for before the caller may look after other things.
const PATIENCE: Duration = Duration::from_millis(50);
/// Of a document that is passed over this much is kept, so that the place where it ends is seen whole.
const SKIPPED_TAIL_BYTES: usize = 1 << 10;

/// Where the bytes come from.
#[derive(Debug)]
enum Origin {
    Direct(Input),
    Thread(Receiver<Result<Vec<u8>, Error>>),
}

enum More {
    Some,
    None,
    Nothing,
    Failed(Error),
}

/// A source that is being read.
#[derive(Debug)]
pub(crate) struct Reader {
    origin: Origin,
    buffer: Vec<u8>,
    /// How many of these bytes have been looked through for an end of a document, in vain.
    known: usize,
    /// Of the buffer's first byte.
    offset: u64,
    line_bytes_max: usize,
    /// Gives what there is and does not wait for a full block.
    live: bool,
    /// Where a document began that is being passed over.
    skipping: Option<u64>,
    ended: bool,
    failure: Option<Error>,
}

impl Reader {
    pub(crate) fn direct(input: Input, line_bytes_max: usize) -> Self {
        Self::new(Origin::Direct(input), line_bytes_max, false)
    }

    /// Lets a thread wait for what may be long in coming. The thread is left behind when the process ends.
    pub(crate) fn behind_a_thread<F>(open: F, line_bytes_max: usize, live: bool) -> Self
    where
        F: FnOnce() -> Result<Input, Error> + Send + 'static,
    {
        let (give, take) = sync_channel(4);
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
        Self::new(Origin::Thread(take), line_bytes_max, live)
    }

    fn new(origin: Origin, line_bytes_max: usize, live: bool) -> Self {
        Self {
            origin,
            buffer: Vec::new(),
            known: 0,
            offset: 0,
            line_bytes_max,
            live,
            skipping: None,
            ended: false,
            failure: None,
        }
    }

    pub(crate) fn next(&mut self) -> Given {
        let mut wanted = if self.live { 1 } else { BLOCK_BYTES };
        loop {
            if let Some(error) = self.failure.take() {
                return Given::Failed(error);
            }
            if self.ended {
                return self.rest();
            }
            while self.buffer.len() < wanted && !self.ended {
                match self.more() {
                    More::Some => {}
                    More::None => self.ended = true,
                    More::Nothing => return Given::Nothing,
                    More::Failed(error) => {
                        self.ended = true;
                        self.failure = Some(error);
                    }
                }
            }
            if self.ended {
                continue;
            }
            if let Some(given) = self.whole() {
                return given;
            }
            self.known = self.buffer.len();
            wanted = self.buffer.len() + 1;
        }
    }

    /// What can be given of the buffer, before the end.
    fn whole(&mut self) -> Option<Given> {
        if let Some(start) = self.skipping {
            return match cut::first(&self.buffer) {
                Some(at) => {
                    self.skipping = None;
                    self.drop_front(at);
                    Some(Given::TooLarge { offset: start, length: self.offset - start })
                }
                None => {
                    self.drop_front(self.buffer.len().saturating_sub(SKIPPED_TAIL_BYTES));
                    None
                }
            };
        }
        let at = if self.live && cut::ends_whole(&self.buffer) {
            Some(self.buffer.len())
        } else {
            cut::last(&self.buffer, self.known)
        };
        if let Some(at) = at {
            let rest = self.buffer.split_off(at);
            return Some(self.give(rest));
        }
        if self.buffer.len() > self.line_bytes_max {
            self.skipping = Some(self.offset);
        }
        None
    }

    fn rest(&mut self) -> Given {
        if let Some(start) = self.skipping.take() {
            self.drop_front(cut::first(&self.buffer).unwrap_or(self.buffer.len()));
            return Given::TooLarge { offset: start, length: self.offset - start };
        }
        if self.buffer.is_empty() { Given::End } else { self.give(Vec::new()) }
    }

    fn give(&mut self, rest: Vec<u8>) -> Given {
        let bytes = std::mem::replace(&mut self.buffer, rest);
        self.known = 0;
        let offset = self.offset;
        self.offset += bytes.len() as u64;
        Given::Block(Block { offset, bytes })
    }

    fn drop_front(&mut self, bytes: usize) {
        self.buffer.drain(..bytes);
        self.known = 0;
        self.offset += bytes as u64;
    }

    fn more(&mut self) -> More {
        match &mut self.origin {
            Origin::Direct(input) => match input.read_more(&mut self.buffer, READ_BYTES) {
                Ok(0) => More::None,
                Ok(_) => More::Some,
                Err(error) => More::Failed(error),
            },
            Origin::Thread(pipe) => match pipe.recv_timeout(PATIENCE) {
                Ok(Ok(bytes)) if bytes.is_empty() => More::None,
                Ok(Ok(bytes)) => {
                    self.buffer.extend(bytes);
                    More::Some
                }
                Ok(Err(error)) => More::Failed(error),
                Err(RecvTimeoutError::Timeout) => More::Nothing,
                Err(RecvTimeoutError::Disconnected) => More::None,
            },
        }
    }
}

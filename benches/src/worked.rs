//! The time that a thread was at work: what is left of the clock where other programs want the same processors.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// For how long a processor has run this thread until now.
#[must_use]
pub fn worked() -> Duration {
    Duration::try_from(clock_gettime(ClockId::ThreadCPUTime)).unwrap_or_default()
}

//! SIGINT and SIGTERM ask a run to end in order: what has been read is decided, told and written, and then it ends.
//!
//! The first of them sets a flag that the run looks at between blocks. A second one ends the process on the spot, for
//! somebody who would not wait.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;

use crate::Error;

/// What a shell says of a process that an interrupt ended.
const STATUS_INTERRUPTED: i32 = 130;

/// A flag that becomes true with the first SIGINT or SIGTERM.
///
/// # Errors
/// If the operating system will not have it.
pub fn watch() -> Result<Arc<AtomicBool>, Error> {
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM] {
        // In this order: at the second signal the flag is set already, and the first of the two acts.
        flag::register_conditional_shutdown(signal, STATUS_INTERRUPTED, Arc::clone(&stop))
            .and_then(|_| flag::register(signal, Arc::clone(&stop)))
            .map_err(|cause| Error::named("watch for", "signals", &cause))?;
    }
    Ok(stop)
}

//! Any bytes as a line, whole or in the middle of an event: the scanner and the walker, with every instruction set that the
//! machine has, say what the tape says.

#![no_main]

use libfuzzer_sys::fuzz_target;

const HEAD: &[u8] = br#"{"kind":"Event","apiVersion":"audit.k8s.io/v1","level":"Metadata","auditID":"a","stage":"ResponseComplete","requestURI":"/x","verb":"get","user":{}"#;
const TAIL: &[u8] = br#","requestReceivedTimestamp":"2026-11-22T02:15:30.000001Z","stageTimestamp":"2026-11-22T02:15:30.123456Z"}"#;

fuzz_target!(|bytes: &[u8]| {
    let line = match bytes.split_first() {
        // So that what stands in the middle is reached without finding all that must stand around it.
        Some((b',', _)) => [HEAD, bytes, TAIL].concat(),
        _ => bytes.to_vec(),
    };
    if let Err(why) = engine::event::compare::hold(&line) {
        panic!("{why}");
    }
});

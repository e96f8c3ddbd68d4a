//! A random rule set and a random log, made from bytes: the engine gives the alerts that the reference evaluator gives.

#![no_main]

use libfuzzer_sys::fuzz_target;
use tests::generate::{Case, Choices};
use tests::harness::{hold, print_case};

fuzz_target!(|bytes: &[u8]| {
    let case = Case::new(&mut Choices::bytes(bytes));
    if let Err(text) = hold(&case) {
        panic!("{}\n{text}", print_case(&case));
    }
});

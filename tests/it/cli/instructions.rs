//! The block loops are compiled with the instructions of the machine that they are for.
//!
//! A closure in such a loop becomes a function of its own, compiled without them; each instruction is then a call, and decoding
//! takes twice the time with the same answers. Such calls need the instructions as functions, by their names, in the binary.

use std::ops::Range;

/// Names in the symbol table of a 64-bit ELF file of this byte order; nothing of any other file.
fn symbols(file: &[u8]) -> Option<&[u8]> {
    let number = |at: Range<usize>| {
        let mut bytes = [0; 8];
        let some = file.get(at)?;
        bytes[..some.len()].copy_from_slice(some);
        usize::try_from(u64::from_le_bytes(bytes)).ok()
    };
    let (table, size, sections) = (number(0x28..0x30)?, number(0x3a..0x3c)?, number(0x3c..0x3e)?);
    let section = |index: usize| table + index * size;
    let symbols = (0..sections)
        .map(section)
        .find(|&at| number(at + 4..at + 8) == Some(2))
        .and_then(|at| number(at + 0x28..at + 0x2c))?;
    let (from, length) = (
        number(section(symbols) + 0x18..section(symbols) + 0x20)?,
        number(section(symbols) + 0x20..section(symbols) + 0x28)?,
    );
    file.get(from..from + length)
}

#[test]
fn no_instruction_of_a_block_loop_is_a_call() {
    let file = std::fs::read(super::binary()).unwrap();
    let names = String::from_utf8_lossy(symbols(&file).expect("a symbol table"));
    assert!(names.contains("with_features"), "the block loops have other names than this test knows");
    for instruction in ["_mm256_cmpeq_epi8", "_mm256_movemask_epi8", "_mm256_or_si256", "_mm256_max_epu8"] {
        let calls: Vec<_> = names.split('\0').filter(|name| name.contains(instruction)).collect();
        assert!(calls.is_empty(), "{calls:?}");
    }
}

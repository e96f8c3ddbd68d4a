#!/usr/bin/env bash
# Every test of the repository. Needs rustup alone: it fetches the pinned toolchain and cargo the crates.
#
#   scripts/test.sh                        10,000 random cases against the reference evaluator
#   PROPTEST_CASES=1000000 scripts/test.sh any other number
set -euo pipefail
cd "$(dirname "$0")/.."

cargo test --workspace --quiet
cargo run --quiet --package auditd-rules -- test rules
cargo run --quiet --package auditd-rules -- fmt --check rules

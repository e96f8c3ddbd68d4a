#!/usr/bin/env bash
# The unsafe code (engine/src/event/simd) under Miri, once as x86-64 with AVX2 and once as arm64 with NEON, and the decoders that
# use it under the address sanitizer, with made-up bytes. Needs a nightly toolchain: rustup fetches it.
#
#   scripts/test-unsafe.sh            a minute of the sanitizer
#   FUZZ_SECONDS=3600 scripts/test-unsafe.sh
set -euo pipefail
cd "$(dirname "$0")/.."

rustup toolchain install nightly --profile minimal --component miri,rust-src
export MIRIFLAGS="-Zmiri-disable-isolation" PROPTEST_CASES=${PROPTEST_CASES:-12}
export PROPTEST_FAILURE_PERSISTENCE=off
miri() { cargo +nightly miri test --package auditd-rules-engine --lib "$@" event::simd; }

RUSTFLAGS="-C target-feature=+avx2,+pclmulqdq" miri --target x86_64-unknown-linux-gnu
# Nothing is linked, so that a C compiler for arm64 is not needed; nothing of what it would build is called.
CC_aarch64_unknown_linux_gnu=true AR_aarch64_unknown_linux_gnu=true miri --target aarch64-unknown-linux-gnu

cargo fuzz --version >/dev/null 2>&1 || cargo install --locked --quiet cargo-fuzz
for target in decoders_of_lines lines_in_blocks; do
    cargo +nightly fuzz run -s address "$target" -- -max_total_time="${FUZZ_SECONDS:-60}" -rss_limit_mb=4096
done

#!/usr/bin/env bash
# The tests of what is written for one instruction set, and of all decoders, as arm64 runs them: natively there, elsewhere under
# qemu's user emulation (on Debian: gcc-aarch64-linux-gnu, libc6-dev-arm64-cross, qemu-user).
#
#   scripts/test-arm64.sh             the decoders
#   scripts/test-arm64.sh FILTER      any other tests of the engine
set -euo pipefail
cd "$(dirname "$0")/.."

target=aarch64-unknown-linux-gnu
if [ "$(uname -m)" != aarch64 ]; then
    for tool in aarch64-linux-gnu-gcc qemu-aarch64; do
        command -v "$tool" >/dev/null || { echo "needs $tool"; exit 2; }
    done
    export CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER=aarch64-linux-gnu-gcc
    export CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_RUNNER="qemu-aarch64 -L /usr/aarch64-linux-gnu"
fi
rustup target add "$target"
# Emulation is slow: fewer of the made-up cases than by default.
export PROPTEST_CASES=${PROPTEST_CASES:-32} AUDIT_CASES=${AUDIT_CASES:-32}
# The recorded logs would take an hour.
cargo test --package auditd-rules-engine --lib --target "$target" "${1:-event::}" -- --skip recorded

#!/usr/bin/env bash
# Every test of the repository. Needs rustup, which fetches the pinned toolchain, and what the program's own build needs. The tests of
# Kafka need Java and Maven, which fetches a broker, and one of the admin port promtool: as root on Debian they are installed. Where
# they are not there these say so and pass, unless CI is set.
#
#   scripts/test.sh                        10,000 random cases against the reference evaluator
#   AUDIT_CASES=100000 scripts/test.sh      any other number
set -euo pipefail
cd "$(dirname "$0")/.."

# A program that tests run, and the Debian package that has it.
need() {
    command -v "$1" >/dev/null && return
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        apt-get update -q && apt-get install -q -y --no-install-recommends "$2" && return
    fi
    echo "there is no $1: what needs it is passed over" >&2
}
need java default-jre-headless
need mvn maven
need promtool prometheus

cargo test --workspace --quiet
# The same cases against an engine with an error planted, one after the other: each must be found.
cargo test --quiet --package auditd-rules-tests --features planted-errors --test planted
cargo run --quiet --package auditd-rules -- test rules --format human
cargo run --quiet --package auditd-rules -- fmt --check rules

#!/usr/bin/env bash
# Mutation testing of time, windows and sequences: each small change to that code must be found by a test.
#
#   scripts/mutants.sh                 all of it: several hours on two cores; goes on where it was cut off
#   scripts/mutants.sh -f 'engine/src/time/**'    a part
#
# First the engine's own tests, which build fast; then what they let live is put to random cases against the reference
# evaluator. `docs/mutants.md` lists what survives both, each with its reason; anything else that does is a hole.
set -euo pipefail
cd "$(dirname "$0")/.."

cargo mutants --version >/dev/null 2>&1 || cargo install --locked --quiet cargo-mutants
jobs=${MUTANTS_JOBS:-2}
out=${MUTANTS_OUT:-target}
# Long property tests look for what is rare; most of what a mutant breaks is not.
export AUDIT_CASES=${AUDIT_CASES:-400}

run() { cargo mutants --workspace --iterate --no-shuffle --jobs "$jobs" --output "$out" "${files[@]}" "$@" || [ $? -eq 2 ]; }
files=("$@")
run --test-package auditd-rules-engine -- --lib -- --skip event::
run --test-package auditd-rules-tests -- --test it equal::
cat "$out/mutants.out/missed.txt"

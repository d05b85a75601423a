#!/usr/bin/env bash
# Merges the inputs that Tests/fuzz/run.sh found into the corpus: a smallest set with the same coverage.
#     Tests/fuzz/keep.sh [target ...]
set -euo pipefail
cd "$(dirname "$0")/../.."
[ $# -gt 0 ] || set -- frames import orders session
export SWIFT_BACKTRACE=enable=no ASAN_OPTIONS=detect_leaks=0:detect_stack_use_after_return=0
for target; do
  small=.fuzz/$target/small
  rm -rf "$small"
  mkdir -p "$small"
  .build-fuzz/release/fuzz "$target" -merge=1 -max_len="${LENGTH:-512}" "$small" \
    ".fuzz/$target/corpus" > ".fuzz/$target/merge.log" 2>&1
  python3 Tests/fuzz/corpus.py pack "$target" "$small"
  wc -lc "Tests/fuzz/corpus/$target.found.hex"
done

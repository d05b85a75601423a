#!/usr/bin/env bash
# Fuzzes what strangers' bytes reach, under the address sanitizer:
#     Tests/fuzz/run.sh [seconds for each target, 60] [target ...]
# RUNS=N: so many inputs instead. An input that breaks something stays in .fuzz/TARGET/ and is printed;
# give it again: .build-fuzz/release/fuzz TARGET FILE
set -euo pipefail
cd "$(dirname "$0")/../.."
seconds=${1:-60}
shift || true
[ $# -gt 0 ] || set -- frames orders session

# Backtraces are libFuzzer's here.
export JOULEBOOK_FUZZ=1 SWIFT_BACKTRACE=enable=no
export ASAN_OPTIONS=detect_leaks=0:detect_stack_use_after_return=0${ASAN_OPTIONS:+:$ASAN_OPTIONS}
"${SWIFT:-swift}" build -j "${JOBS:-2}" -c release --scratch-path .build-fuzz --product fuzz \
  -Xswiftc -sanitize=fuzzer,address 2>&1 | grep -v 'Cannot export local symbol'

limit=-max_total_time=$seconds
[ -z "${RUNS:-}" ] || limit=-runs=$RUNS
for target; do
  folder=.fuzz/$target
  mkdir -p "$folder/corpus"
  python3 Tests/fuzz/seeds.py "$target" "$folder/corpus"
  echo "fuzzing $target"
  .build-fuzz/release/fuzz "$target" "$folder/corpus" -artifact_prefix="$folder/" -timeout=10 \
    -max_len="${LENGTH:-2048}" -use_value_profile=1 -print_final_stats=1 \
    "$limit" > "$folder/log" 2>&1 || {
    tail -60 "$folder/log"
    exit 1
  }
  sed -n 's/^stat::number_of_executed_units: */  inputs: /p' "$folder/log"
  grep -o 'cov: [0-9]*' "$folder/log" | tail -1 | sed 's/^/  /'
done

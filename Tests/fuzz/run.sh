#!/usr/bin/env bash
# Fuzzes the code that untrusted bytes reach under the address sanitizer, two targets at a time:
#     Tests/fuzz/run.sh [seconds for each target, 60] [target ...]
# RUNS=N runs N inputs of each target instead. LENGTH=N limits inputs to N bytes. It starts from the corpus in
# Tests/fuzz/corpus and the inputs of earlier runs (.fuzz/TARGET/corpus). An input that fails is stored in
# .fuzz/TARGET/, and the command that runs it again is printed.
set -euo pipefail
cd "$(dirname "$0")/../.."
seconds=${1:-60}
shift || true
[ $# -gt 0 ] || set -- session orders frames import

# libFuzzer prints the backtraces. Freed memory stays quarantined for the length of an input.
export JOULEBOOK_FUZZ=1 SWIFT_BACKTRACE=enable=no
options=detect_leaks=0:detect_stack_use_after_return=0:quarantine_size_mb=4:malloc_context_size=4
export ASAN_OPTIONS=$options:max_malloc_fill_size=0${ASAN_OPTIONS:+:$ASAN_OPTIONS}

mkdir -p .fuzz
if ! "${SWIFT:-swift}" build -j "${JOBS:-2}" -c release --scratch-path .build-fuzz \
  --product fuzz > .fuzz/build.log 2>&1; then
  grep -v 'Cannot export local symbol' .fuzz/build.log | tail -n 60
  echo "the fuzzer is not built"
  exit 1
fi

limit=-max_total_time=$seconds
[ -z "${RUNS:-}" ] || limit=-runs=$RUNS

# Runs one target; its output goes to its log.
fuzz() {
  local target=$1 folder=.fuzz/$1
  mkdir -p "$folder/corpus"
  python3 Tests/fuzz/corpus.py unpack "$target" "$folder/corpus"
  # Inputs take far less than a second; a long timeout tolerates a suspended machine.
  .build-fuzz/release/fuzz "$target" "$folder/corpus" -artifact_prefix="$folder/" -timeout=300 \
    -rss_limit_mb=4096 -max_len="${LENGTH:-512}" -print_final_stats=1 "$limit" > "$folder/log" 2>&1
}

# Prints the result.
report() {
  local target=$1 log=.fuzz/$1/log
  if [ "$2" -eq 0 ]; then
    printf '%-8s %s inputs, %s edges covered, nothing found\n' "$target" \
      "$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")" \
      "$(grep -o 'cov: [0-9]*' "$log" | tail -1 | cut -d' ' -f2)"
    return
  fi
  tail -n 60 "$log"
  echo "$target failed. The input again, with all that it does:"
  sed -n "s|.*Test unit written to \(.*\)|  TELL=1 .build-fuzz/release/fuzz $target \1|p" "$log"
  return 1
}

failed=0
while [ $# -gt 0 ]; do
  pair=("${@:1:2}")
  shift ${#pair[@]}
  processes=()
  for target in "${pair[@]}"; do
    fuzz "$target" &
    processes+=($!)
  done
  for index in "${!pair[@]}"; do
    status=0
    wait "${processes[$index]}" || status=$?
    report "${pair[$index]}" "$status" || failed=1
  done
done
exit $failed

#!/usr/bin/env bash
# Fuzzes what strangers' bytes reach, under the address sanitizer, two targets at a time:
#     Tests/fuzz/run.sh [seconds for each target, 60] [target ...]
# RUNS=N: so many inputs of each instead. LENGTH=N: inputs of at most so many bytes. Begins with the corpus
# in Tests/fuzz/corpus, goes on with what earlier runs found (.fuzz/TARGET/corpus). An input that breaks
# something stays in .fuzz/TARGET/; it is said how to run it again.
set -euo pipefail
cd "$(dirname "$0")/../.."
seconds=${1:-60}
shift || true
[ $# -gt 0 ] || set -- session orders frames

# Backtraces are libFuzzer's here. Memory that was given back is watched for the length of an input.
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

# One target; what it says goes to its log.
fuzz() {
  local target=$1 folder=.fuzz/$1
  mkdir -p "$folder/corpus"
  python3 Tests/fuzz/corpus.py unpack "$target" "$folder/corpus"
  # No input takes a second; a machine that stands still for minutes is no input's fault.
  .build-fuzz/release/fuzz "$target" "$folder/corpus" -artifact_prefix="$folder/" -timeout=300 \
    -rss_limit_mb=4096 -max_len="${LENGTH:-512}" -print_final_stats=1 "$limit" > "$folder/log" 2>&1
}

# What came of it.
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

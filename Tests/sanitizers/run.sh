#!/usr/bin/env bash
# Every test under a sanitizer, the servers that tests start included:
#     Tests/sanitizers/run.sh [address|thread] [FILTER of swift test]
# TIMES=N: N times. Ends with the first report. Builds in .build-asan or .build-tsan, apart from .build.
set -euo pipefail
cd "$(dirname "$0")/../.."
kind=${1:-address}
filter=${2:-}

case $kind in
address)
  scratch=.build-asan
  # Leaks: the runtime keeps what it never frees. Stack frames: closures of Swift confuse the copies.
  export ASAN_OPTIONS=detect_leaks=0:detect_stack_use_after_return=0
  ;;
thread)
  scratch=.build-tsan
  export TSAN_OPTIONS=halt_on_error=1:history_size=4:suppressions=$PWD/Tests/sanitizers/thread.supp
  ;;
*)
  sed -n '2,4s/^# *//p' "$0"
  exit 64
  ;;
esac
# The sanitizer tells where; the runtime's own backtrace would wait for a terminal.
export SWIFT_BACKTRACE=enable=no

swift=${SWIFT:-swift}
"$swift" build --build-tests -j "${JOBS:-2}" --sanitize="$kind" --scratch-path "$scratch" 2>&1 |
  grep -v 'Cannot export local symbol'
for _ in $(seq "${TIMES:-1}"); do
  "$swift" test --skip-build --sanitize="$kind" --scratch-path "$scratch" \
    ${filter:+--filter "$filter"}
done

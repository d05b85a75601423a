#!/usr/bin/env bash
# Every test under a sanitizer, the servers that tests start included:
#     Tests/sanitizers/run.sh [address|thread] [FILTER of swift test]
# TIMES=N: N times. Ends with the first report, of a test or of a server that a test started, whatever the
# test thinks of it. Builds in .build-asan or .build-tsan, apart from .build.
set -euo pipefail
cd "$(dirname "$0")/../.."
kind=${1:-address}
filter=${2:-}
reports=$(mktemp -d)
trap 'rm -rf "$reports"' EXIT

case $kind in
address)
  scratch=.build-asan
  # Leaks: the runtime keeps what it never frees. Stack frames: closures of Swift confuse the copies.
  export ASAN_OPTIONS=detect_leaks=0:detect_stack_use_after_return=0:log_path=$reports/report
  ;;
thread)
  scratch=.build-tsan
  export TSAN_OPTIONS=halt_on_error=1:history_size=4:log_path=$reports/report
  TSAN_OPTIONS+=:suppressions=$PWD/Tests/sanitizers/thread.supp
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
  status=0
  "$swift" test --skip-build --sanitize="$kind" --scratch-path "$scratch" \
    ${filter:+--filter "$filter"} || status=$?
  for report in "$reports"/*; do
    [ -e "$report" ] || continue
    cat "$report"
    status=1
  done
  [ "$status" -eq 0 ] || exit "$status"
done

#!/usr/bin/env bash
# Runs all tests (arguments go to `swift test`). The tests run side by side, so what failed stands
# somewhere among thousands of lines: it is said once more at the end, where people and CI look.
set -uo pipefail
cd "$(dirname "$0")/.."
log=$(mktemp)
trap 'rm -f "$log"' EXIT

${SWIFT:-swift} test "$@" 2>&1 | tee "$log"
status=${PIPESTATUS[0]}
if [ "$status" -ne 0 ]; then
  printf '\nWhat failed:\n'
  grep -aE -A6 '✘ .*(recorded an issue|Caught error|timed out)|Fatal error|error: .*(signal|:[0-9]+:)' \
    "$log" | grep -avE '^(◇|✔|--)' | tail -n 120
  grep -aE '✘ Test run with' "$log"
fi
exit "$status"

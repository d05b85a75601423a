#!/usr/bin/env bash
# `make demo` and the commands of README.md and clients/python/README.md work as pasted, with the release build.
#     Tests/readme/run.sh [path of the joulebook program]
set -euo pipefail
cd "$(dirname "$0")/../.."
swift=${SWIFT:-swift}
if [ $# = 0 ]; then
  # The first block of README.md, but a day of the week: it makes the release build too.
  report=$(mktemp)
  make --no-print-directory demo DEMO="--days 1 --report $report"
  grep -q "</html>" "$report"
  rm "$report"
  set -- "$("$swift" build -c release --show-bin-path)/joulebook"
fi
exec python3 Tests/readme/run.py "$@"

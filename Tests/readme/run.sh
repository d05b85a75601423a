#!/usr/bin/env bash
# The commands of README.md and clients/python/README.md work as pasted, with the release build.
#     Tests/readme/run.sh [path of the joulebook program]
set -euo pipefail
cd "$(dirname "$0")/../.."
swift=${SWIFT:-swift}
if [ $# = 0 ]; then
  "$swift" build -q -j "${JOBS:-2}" -c release --product joulebook
  set -- "$("$swift" build -c release --show-bin-path)/joulebook"
fi
exec python3 Tests/readme/run.py "$@"

#!/bin/sh
# Injects faults into a real server and prints a table: Tests/faults/run.sh [--quick] [calls|writes|files|kills|power|pruning|disk|clients|floods|clock|descriptors|sessions|answers|comebacks ...]
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
exec "$("$root/Tests/python/setup.sh")" "$root/Tests/faults/run.py" "$@"

#!/bin/sh
# Measures what one abuser costs nine honest clients of a real server: Tests/abuse/run.sh [--quick] [KIND ...]
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
exec "$("$root/Tests/python/setup.sh")" "$root/Tests/abuse/run.py" "$@"

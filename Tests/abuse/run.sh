#!/bin/sh
# Measures what one abuser costs nine honest clients of a real server: Tests/abuse/run.sh [--quick] [KIND ...]
# Or lets abusers of all kinds join them for ten minutes: Tests/abuse/run.sh soak [--minutes 10]
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
script=run.py
if [ "${1:-}" = soak ]; then script=soak.py; shift; fi
exec "$("$root/Tests/python/setup.sh")" "$root/Tests/abuse/$script" "$@"

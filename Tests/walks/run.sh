#!/bin/sh
# Walks through the first hour of a newcomer and the work of an operator and of a broker on a real server: Tests/walks/run.sh [--program FILE] [newcomer|operator|broker ...]
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
exec "$("$root/Tests/python/setup.sh")" "$root/Tests/walks/run.py" "$@"

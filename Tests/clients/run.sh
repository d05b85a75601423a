#!/bin/sh
# Runs the scenarios of clients/scenarios.txt with the bots of the languages.
#     Tests/clients/run.sh PROGRAM FOLDER LANGUAGE ...      FOLDER is that of build.sh
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
exec "$("$root/Tests/python/setup.sh")" "$root/Tests/clients/run.py" "$@"

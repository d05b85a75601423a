#!/bin/sh
# Replaces, revokes and resets sessions on a new server.
#     Tests/python/session_keys.sh [path of the joulebook program]
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
program=${1:-$root/.build/debug/joulebook}
python=$("$root/Tests/python/setup.sh")
. "$root/Tests/python/server.sh"
start_server
timeout 240 "$python" "$root/Tests/python/session_keys.py" "$port" "$(cat "$folder/data/operator.key")"

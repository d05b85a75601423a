#!/bin/sh
# Has every message of the schema sent to a new server, or by it, and says which were not met.
#     Tests/python/every_message.sh [path of the joulebook program]
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
program=${1:-$root/.build/debug/joulebook}
python=$("$root/Tests/python/setup.sh")
. "$root/Tests/python/server.sh"
start_server --set settlement.transfers=1
timeout 240 "$python" "$root/Tests/python/every_message.py" "$port" "$(cat "$folder/data/operator.key")"

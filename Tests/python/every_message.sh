#!/bin/sh
# Exchanges every message of the schema with a new server and prints the missing ones.
#     Tests/python/every_message.sh [path of the joulebook program]
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
program=${1:-$root/.build/debug/joulebook}
python=$("$root/Tests/python/setup.sh")
. "$root/Tests/python/server.sh"
start_server --set settlement.transfers=1
timeout 240 "$python" "$root/Tests/python/every_message.py" "$port" "$(cat "$folder/data/operator.key")"

#!/bin/sh
# Starts a server with a new data folder and runs the Python example on it.
#     Tests/python/first_trade.sh [path of the joulebook program]
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
program=${1:-$root/.build/debug/joulebook}
python=$("$root/Tests/python/setup.sh")
. "$root/Tests/python/server.sh"
start_server
timeout 120 "$python" "$root/clients/python/examples/first_trade.py" \
  127.0.0.1 "$port" 1 "$(cat "$folder/data/operator.key")"

#!/bin/sh
# Captures the first trade of a new exchange, and dissects it and all golden vectors with tshark.
#     Tests/python/dissect.sh [path of the joulebook program]
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
program=${1:-$root/.build/debug/joulebook}
python=$("$root/Tests/python/setup.sh")
. "$root/Tests/python/server.sh"
start_server
relay=
: > "$folder/relay"
# SIGKILL, because the process that starts this script may have blocked SIGTERM.
trap 'kill -9 $relay 2>/dev/null || true; stop_server' EXIT
"$python" "$root/Tests/python/pcap.py" relay "$port" "$folder/capture.pcap" > "$folder/relay" &
relay=$!
port=$(wait_for "$folder/relay" '/./p')
timeout 120 "$python" "$root/clients/python/examples/first_trade.py" \
  127.0.0.1 "$port" 1 "$(cat "$folder/data/operator.key")" > "$folder/trade"
"$python" "$root/Tests/python/dissect.py" "$root/proto/joulebook.lua" \
  "$root/proto/vectors/joulebook.json" "$folder/capture.pcap" "$folder"

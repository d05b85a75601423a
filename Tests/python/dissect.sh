#!/bin/sh
# Captures the first trade of a new exchange and reads it, and all golden vectors, with tshark.
#     Tests/python/dissect.sh [path of the joulebook program]
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
program=${1:-$root/.build/debug/joulebook}
python=$("$root/Tests/python/setup.sh")
folder=$(mktemp -d)
server= relay=
: > "$folder/out"; : > "$folder/relay"  # There from the start: a program that was just started may not have opened it.
# The relay is killed outright: who starts this script may have blocked the gentler signal.
trap 'kill -9 $relay 2>/dev/null || true; kill $server 2>/dev/null || true; wait 2>/dev/null || true; rm -rf "$folder"' EXIT
wait_for() { # FILE PATTERN: prints what the pattern finds, once it is there
  for _ in $(seq 600); do
    found=$(sed -n "$2" "$1")
    [ -n "$found" ] && { echo "$found"; return; }
    sleep 0.1
  done
  echo "nothing came in $1" >&2
  exit 1
}
"$program" serve --data "$folder/data" --listen 127.0.0.1:0 > "$folder/out" 2> "$folder/err" &
server=$!
port=$(wait_for "$folder/out" 's/^listening on 127.0.0.1://p')
"$python" "$root/Tests/python/pcap.py" relay "$port" "$folder/capture.pcap" > "$folder/relay" &
relay=$!
port=$(wait_for "$folder/relay" '/./p')
timeout 120 "$python" "$root/clients/python/examples/first_trade.py" \
  127.0.0.1 "$port" 1 "$(cat "$folder/data/operator.key")" > "$folder/trade"
"$python" "$root/Tests/python/dissect.py" "$root/proto/joulebook.lua" \
  "$root/proto/vectors/joulebook.json" "$folder/capture.pcap" "$folder"

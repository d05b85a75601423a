#!/bin/sh
# Has every message of the schema sent to a new server, or by it, and says which were not met.
#     Tests/python/every_message.sh [path of the joulebook program]
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
program=${1:-$root/.build/debug/joulebook}
python=$("$root/Tests/python/setup.sh")
folder=$(mktemp -d)
: > "$folder/out"
"$program" serve --data "$folder/data" --listen 127.0.0.1:0 --set settlement.transfers=1 \
  > "$folder/out" 2> "$folder/err" &
server=$!
trap 'kill $server 2>/dev/null || true; wait $server 2>/dev/null || true; rm -rf "$folder"' EXIT
port=
for _ in $(seq 600); do
  port=$(sed -n 's/^listening on 127.0.0.1://p' "$folder/out")
  [ -n "$port" ] && break
  sleep 0.1
done
[ -n "$port" ] || { cat "$folder/err"; echo "the server did not start"; exit 1; }
timeout 240 "$python" "$root/Tests/python/every_message.py" "$port" "$(cat "$folder/data/operator.key")"

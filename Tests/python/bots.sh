#!/bin/sh
# Installs the Python package with pip and lets its example bots trade on a new server.
#     Tests/python/bots.sh [path of the joulebook program]
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
program=${1:-$root/.build/debug/joulebook}
python=$("$root/Tests/python/setup.sh")
folder=$(mktemp -d)
server=
: > "$folder/out"
trap 'kill $server 2>/dev/null || true; wait $server 2>/dev/null || true; rm -rf "$folder"' EXIT
# pip builds where the sources are: a copy keeps the repository clean.
cp -r "$root/clients/python" "$folder/package"
"$python" -m pip install --quiet --disable-pip-version-check --no-deps \
  --target "$folder/site" "$folder/package"
export PYTHONPATH="$folder/site"
"$program" serve --data "$folder/data" --listen 127.0.0.1:0 > "$folder/out" 2> "$folder/err" &
server=$!
port=
for _ in $(seq 600); do
  port=$(sed -n 's/^listening on 127.0.0.1://p' "$folder/out")
  [ -n "$port" ] && break
  sleep 0.1
done
[ -n "$port" ] || { cat "$folder/err"; echo "the server did not start"; exit 1; }
timeout 240 "$python" "$root/Tests/python/bots.py" "$folder/package/examples" "$port" \
  "$(cat "$folder/data/operator.key")"

#!/bin/sh
# Installs the Python package with pip and runs its example bots on a new server.
#     Tests/python/bots.sh [path of the joulebook program]
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
program=${1:-$root/.build/debug/joulebook}
python=$("$root/Tests/python/setup.sh")
. "$root/Tests/python/server.sh"
start_server
# pip builds in the source folder, so it gets a copy.
cp -r "$root/clients/python" "$folder/package"
"$python" -m pip install --quiet --disable-pip-version-check --no-deps \
  --target "$folder/site" "$folder/package"
export PYTHONPATH="$folder/site"
timeout 240 "$python" "$root/Tests/python/bots.py" "$folder/package/examples" "$port" \
  "$(cat "$folder/data/operator.key")"

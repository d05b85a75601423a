#!/bin/sh
# Builds the Python package, runs its own tests, and checks its types with mypy.
#     Tests/python/package.sh
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
python=$("$root/Tests/python/setup.sh")
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
# Building leaves files in the source folder, so it gets a copy.
mkdir "$folder/clients" "$folder/work"
cp -r "$root/clients/python" "$folder/clients/package"
timeout 400 "$python" "$root/Tests/python/package.py" "$folder/clients/package" "$folder/work"

#!/bin/sh
# Prints the path of a Python with sbe 0.4.3, cryptography and mypy from PyPI: that of `make deps` (.venv), or one
# that is created here in .build/python-venv.
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
venv="$root/.build/python-venv"
python="$venv/bin/python"
wanted="sbe==0.4.3 bitstring<5 cryptography>=42 mypy>=1.11 setuptools>=70.1"

# `make deps` has been run.
if [ -x "$root/.venv/bin/python" ] && "$root/.venv/bin/python" -c '
import cryptography, importlib.metadata, mypy, sbe, setuptools, sys
sys.exit(importlib.metadata.version("sbe") != "0.4.3" or int(setuptools.__version__.split(".")[0]) < 71)' 2>/dev/null; then
  echo "$root/.venv/bin/python"
  exit 0
fi
if [ -x "$python" ] && [ "$(cat "$venv/wanted" 2>/dev/null)" = "$wanted" ]; then
  echo "$python"
  exit 0
fi
mkdir -p "$root/.build"
# Several tests may come here at once: the first creates it, the others wait and find it.
exec 9> "$root/.build/python-venv.lock"
flock 9
if [ -x "$python" ] && [ "$(cat "$venv/wanted" 2>/dev/null)" = "$wanted" ]; then
  echo "$python"
  exit 0
fi
{
  rm -rf "$venv"
  python3 -m venv "$venv" || {
    echo "python3 -m venv failed: install python3-venv (make deps does)"
    exit 1
  }
  "$venv/bin/pip" install --quiet --disable-pip-version-check \
    "sbe==0.4.3" "bitstring<5" "cryptography>=42" "mypy>=1.11" "setuptools>=70.1" || {
    echo "pip could not install sbe, cryptography, mypy and setuptools: the Python tests cannot run"
    exit 1
  }
} >&2
printf '%s\n' "$wanted" > "$venv/wanted"
echo "$python"

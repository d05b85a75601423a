#!/usr/bin/env bash
# The exchange's hot path allocates nothing and counts no references: read off from the release code.
set -euo pipefail
cd "$(dirname "$0")/../.."
swift=${SWIFT:-swift}
"$swift" build -q -j "${JOBS:-2}" -c release --target ExchangeCore
build=$("$swift" build -c release --show-bin-path)
library=$(mktemp --suffix .so)
trap 'rm -f "$library"' EXIT
# Linked, so that each call has a name.
find "$build/ExchangeCore.build" "$build/MarketModel.build" -name '*.o' -exec \
  ld -shared -z notext -o "$library" {} +
python3 Tests/hotpath/check.py "$library"
# What tests of a debug build do to it from outside, nobody can do to a release build.
if [ -e "$build/joulebook" ] && grep -q JOULEBOOK_TEST_ "$build/joulebook"; then
  echo "the release build reads the variables of tests" >&2
  exit 1
fi

#!/usr/bin/env bash
# The exchange's hot path allocates nothing and counts no references: read off from the release code.
set -euo pipefail
cd "$(dirname "$0")/../.."
swift=${SWIFT:-swift}
"$swift" build -q -j "${JOBS:-2}" -c release --target ExchangeCore
build=$("$swift" build -c release --show-bin-path)
library=$(mktemp --suffix .so)
trap 'rm -f "$library"' EXIT
# Linked, so that each call has a name. A source that is gone may have left its object behind.
objects=()
for module in ExchangeCore MarketModel; do
  while read -r object; do
    source=$(basename "$object" .o)
    [ -z "$(find "Sources/$module" -name "$source")" ] || objects+=("$object")
  done < <(find "$build/$module.build" -name '*.o')
done
ld -shared -z notext -o "$library" "${objects[@]}"
python3 Tests/hotpath/check.py "$library"
# What tests of a debug build do to it from outside, nobody can do to a release build.
if [ -e "$build/joulebook" ] && grep -q JOULEBOOK_TEST_ "$build/joulebook"; then
  echo "the release build reads the variables of tests" >&2
  exit 1
fi

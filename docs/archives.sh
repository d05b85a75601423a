#!/usr/bin/env bash
# Builds the reference of the libraries into .build/docs, one DocC archive each, from the modules of the debug
# build. The tools are those of the toolchain: no package is needed, and the sources are not compiled again.
#     docs/archives.sh
set -euo pipefail
cd "$(dirname "$0")/.."
swift=${SWIFT:-swift}
tools=$(dirname "$(readlink -f "$(command -v "$swift")")")
build=$("$swift" build --show-bin-path)
target=$(uname -m)-unknown-linux-gnu
graphs=$(mktemp -d)
trap 'rm -rf "$graphs"' EXIT
maps=()
for map in Sources/*/module.modulemap .build/checkouts/swift-crypto/Sources/*/include/module.modulemap; do
  maps+=(-Xcc "-fmodule-map-file=$map")
done

mkdir -p .build/docs
for module in MarketModel ExchangeCore JoulebookClient Settlement; do
  mkdir "$graphs/$module"
  "$tools/swift-symbolgraph-extract" -module-name "$module" -target "$target" -I "$build/Modules" "${maps[@]}" \
    -minimum-access-level public -skip-synthesized-members -output-dir "$graphs/$module"
  "$tools/docc" convert "Sources/$module/$module.docc" --warnings-as-errors \
    --fallback-display-name "$module" --fallback-bundle-identifier "joulebook.$module" \
    --additional-symbol-graph-dir "$graphs/$module" --output-path ".build/docs/$module.doccarchive"
done

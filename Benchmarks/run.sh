#!/usr/bin/env bash
# Measures everything and writes docs/BENCHMARKS.md and its plot.
#     Benchmarks/run.sh [order-level file, csv.gz]
set -euo pipefail
cd "$(dirname "$0")/.."
swift=${SWIFT:-swift}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"$swift" build -j "${JOBS:-2}" --package-path Benchmarks -c release
bin=$("$swift" build --package-path Benchmarks -c release --show-bin-path)

"$bin/flow" --generate "$folder" --operations "${OPERATIONS:-2000000}" ${1:+--orders "$1"} > /dev/null
"$bin/flow" --passes 5 --table "$folder/core.md" --plot docs/images/latency.svg "$folder"/*.flow
Benchmarks/ratio.sh "$bin" "$folder"/[A-E].flow | tee "$folder/book.md"
"$bin/micro" --markdown | tee "$folder/micro.md"
"$bin/extremes" | tee "$folder/extremes.md"
"$bin/journal" --folder "$folder" --ones 2000 --commands 2000000 2>&1 | tee "$folder/journal.txt"
"$bin/ledger" 2>&1 | tee "$folder/ledger.txt"

{
  cat Benchmarks/PREFACE.md
  cat "$folder/core.md"
  printf '\n![Latency of single operations](images/latency.svg)\n'
  cat Benchmarks/BOOK.md "$folder/book.md"
  printf '\n## Structures\n\n`swift run --package-path Benchmarks -c release micro`\n\n'
  printf 'One structure at a time, fastest of seven passes. The limit is what its dependent loads alone take '
  printf 'on this machine in the same run.\n\n'
  cat "$folder/micro.md"
  printf '\n## The longest commands and the largest book\n\n'
  printf '`swift run --package-path Benchmarks -c release extremes`\n\n'
  printf 'A command is never interrupted: one that names, trades with or re-covers many orders takes '
  printf 'as long as they need, each a bounded time. No other command depends on how many there are; '
  printf 'what standing instructions set off is bounded by `Capacity.cascadeSteps`.\n\n'
  cat "$folder/extremes.md"
  printf '\n## Journal\n\n`swift run --package-path Benchmarks -c release journal`\n\n```\n'
  cat "$folder/journal.txt"
  printf '```\n\n## Ledger\n\n`swift run --package-path Benchmarks -c release ledger`\n\n```\n'
  cat "$folder/ledger.txt"
  printf '```\n\nMeasured %s on %s, %s cores, load %s at the end.\n' "$(date -u +%F)" \
    "$(sed -n 's/^model name.*: //p' /proc/cpuinfo | head -1)" "$(nproc)" \
    "$(cut -d' ' -f1 /proc/loadavg)"
} > docs/BENCHMARKS.md
echo "wrote docs/BENCHMARKS.md"
Benchmarks/net.sh

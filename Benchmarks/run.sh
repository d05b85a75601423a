#!/usr/bin/env bash
# Measures everything; writes docs/BENCHMARKS.md and its plots, docs/figures.tsv, and the figures in all pages.
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
# Against bare loops over the stores' C interfaces, in one run each.
mkdir "$folder/stores"
"$bin/ledger-ratio" sqlite "$folder/stores" 50 2>&1 | tee "$folder/ratio.txt"
Benchmarks/postgresql.sh "$bin/ledger-ratio" postgresql 2>&1 | tee -a "$folder/ratio.txt"

{
  cat Benchmarks/PREFACE.md
  echo
  cat "$folder/core.md"
  printf '\n![Latency of single operations](images/latency.svg)\n'
  cat Benchmarks/BOOK.md "$folder/book.md"
  printf '\n## Structures\n\n`swift run --package-path Benchmarks -c release micro`\n\n'
  printf 'One structure at a time, fastest of seven passes. The limit is the time of the dependent loads that the '
  printf 'operation needs, measured on this machine in the same run.\n\n'
  cat "$folder/micro.md"
  printf '\n## The longest commands and the largest book\n\n'
  printf '`swift run --package-path Benchmarks -c release extremes`\n\n'
  printf 'A command runs to its end. One that names, trades with or re-covers many orders takes a bounded time '
  printf 'for each of them; the duration of every other command is independent of the size of the book. '
  printf '`Capacity.cascadeSteps` bounds the orders that standing instructions enter after a command.\n\n'
  cat "$folder/extremes.md"
  printf '\n## Journal\n\n`swift run --package-path Benchmarks -c release journal`\n\n```\n'
  cat "$folder/journal.txt"
  printf '```\n\n## Ledger\n\n`swift run --package-path Benchmarks -c release ledger`\n\n```\n'
  cat "$folder/ledger.txt"
  printf '```\n\n`ledger-ratio`: 10,000 transfers a batch between 10,000 accounts, against bare loops that write the same rows:\n\n```\n'
  cat "$folder/ratio.txt"
  printf '```\n\nMeasured %s on %s, load %s at the end.\n' "$(date -u +%F)" "$(Benchmarks/machine.sh)" \
    "$(cut -d' ' -f1 /proc/loadavg)"
} > docs/BENCHMARKS.md
echo "wrote docs/BENCHMARKS.md"
Benchmarks/net.sh

#!/usr/bin/env bash
# The bare book in Swift and in C++, turn about, so that both meet the same weather; a Markdown table.
#     Benchmarks/ratio.sh FOLDER-OF-PROGRAMS FLOW...
# ROUNDS (default 7) turns each; the ratio is that of the fastest passes.
set -euo pipefail
bin=$1
shift
lines=$(mktemp)
trap 'rm -f "$lines"' EXIT
for ((round = 0; round < ${ROUNDS:-7}; round++)); do
  "$bin/flow" --book-only --passes 1 "$@" | sed -n 's/^file=/swift file=/p' >> "$lines"
  "$bin/yardstick" --passes 1 "$@" | sed 's/^/cpp /' >> "$lines"
done
if grep -q 'ok=false' "$lines"; then
  echo "results differ from the file's:" >&2
  grep 'ok=false' "$lines" >&2
  exit 1
fi
printf '| shape | Swift ns/op | fastest | p50 | p99 | p99.9 | C++ ns/op | fastest | Swift : C++ | results |\n'
printf '| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | --- |\n'
sed -E 's/[a-z0-9_]+=//g' "$lines" | awk '
  # language file ops trades volume notional hash ok ns_per_op fastest p50 p99 p999 ...
  {
    key = $1 " " $2
    count[key]++
    times[key, count[key]] = $9
    if (!(key in fastest) || $10 < fastest[key]) {
      fastest[key] = $10
      p50[key] = $11; p99[key] = $12; p999[key] = $13
    }
    if (!($2 in seen)) { seen[$2] = 1; order[++files] = $2 }
  }
  function median(key,   n, i, j, t, v) {
    n = count[key]
    for (i = 1; i <= n; i++) v[i] = times[key, i]
    for (i = 1; i <= n; i++)
      for (j = i + 1; j <= n; j++)
        if (v[j] < v[i]) { t = v[i]; v[i] = v[j]; v[j] = t }
    return v[int(n / 2) + 1]
  }
  END {
    for (i = 1; i <= files; i++) {
      s = "swift " order[i]
      c = "cpp " order[i]
      printf "| %s | %.1f | %.1f | %d | %d | %d | %.1f | %.1f | %.2f | agree |\n", order[i], \
        median(s), fastest[s], p50[s], p99[s], p999[s], median(c), fastest[c], \
        fastest[s] / fastest[c]
    }
  }'

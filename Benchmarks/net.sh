#!/usr/bin/env bash
# Measures the server over loopback and puts the section "Network" into docs/BENCHMARKS.md, in front of
# "Journal"; writes docs/figures.tsv and the figures in all pages. Options go to the program:
#     Benchmarks/net.sh --seconds 1
set -euo pipefail
cd "$(dirname "$0")/.."
swift=${SWIFT:-swift}
section=$(mktemp)
trap 'rm -f "$section"' EXIT
"$swift" build -j "${JOBS:-2}" --package-path Benchmarks -c release --product net
bin=$("$swift" build --package-path Benchmarks -c release --show-bin-path)
"$bin/net" --table "$section" --plot docs/images/network.svg "$@" > /dev/null
python3 - "$section" docs/BENCHMARKS.md "$(Benchmarks/machine.sh)" <<'PYTHON'
import pathlib, re, sys
section, page = map(pathlib.Path, sys.argv[1:3])
text = re.sub(r"## Network\n.*?(?=## Journal\n)", "", page.read_text(), flags=re.S)
added = re.sub(r"^Measured (?:on )?([\d-]+), load", rf"Measured \1 on {sys.argv[3]}, load", section.read_text(), flags=re.M)
page.write_text(text.replace("## Journal\n", added + "## Journal\n", 1))
PYTHON
echo "wrote the section Network of docs/BENCHMARKS.md"
Benchmarks/figures.py --measured

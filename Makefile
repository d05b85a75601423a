# Joulebook. Start with `make demo` or `make test`; both install what they need.

# Release builds answer in microseconds; tests run the debug build with every check on.
SWIFT ?= swift
JOBS ?= 2
# Options of the demo, e.g. `make demo DEMO="--community fontana"`.
DEMO ?=
# Number of seeds of `make simulate`, the first seed, and steps of each run.
SEEDS ?= 10000
FIRST ?= 1
STEPS ?= 200
# `make sanitize SANITIZER=thread FILTER=RingsTests` runs one suite under one sanitizer.
SANITIZER ?= address thread
FILTER ?=
# Keeps freed memory in the process between simulated runs instead of returning it to the system.
KEEP_MEMORY := MALLOC_MMAP_THRESHOLD_=33554432 MALLOC_TRIM_THRESHOLD_=1073741824
# Number of kills of `make kills`; of server, settler and PostgreSQL with LEDGER=postgresql.
ifeq ($(LEDGER),postgresql)
KILLS ?= 100
else
KILLS ?= 1000
endif
# Seconds per target of `make fuzz`.
SECONDS ?= 60

C_LIBRARIES := libuv1-dev libsqlite3-dev libpq-dev libssl-dev
PYTHON_PACKAGES := 'sbe==0.4.3' 'bitstring<5' cryptography 'mypy>=1.11' 'setuptools>=70.1'
PYTHON := .venv/bin/python
# Toolchains of the clients, all Debian's; and the languages that `make clients` builds and runs.
CLIENT_PACKAGES := g++ golang-go openjdk-17-jdk-headless rustc cargo librust-openssl-dev
LANGUAGES ?= cpp go java rust

# Installs system packages only if they are missing, so that later runs need no sudo.
SUDO := $(shell [ "$$(id -u)" = 0 ] || echo sudo)

.PHONY: help deps browser tshark libraries server build release test kills faults abuse soak walks sbom sanitize fuzz simulate demo docs \
  bench bench-net figures check format generate clients clean

help: ## Lists the targets.
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 12

deps: libraries server $(PYTHON) ## Installs the C libraries and the Python packages of the tests.

browser: ## Installs a headless Chromium, in which the walks look at the reports.
	@command -v chromium > /dev/null || command -v chromium-headless-shell > /dev/null || { $(SUDO) apt-get update -qq && \
	  DEBIAN_FRONTEND=noninteractive $(SUDO) apt-get install -qq -y --no-install-recommends chromium-headless-shell; }

tshark: ## Installs tshark, with which a test reads captures by the dissector.
	@$(call install,tshark)

# The tests of the ledger in PostgreSQL start servers of their own.
server:
	@$(call install,postgresql)

libraries:
	@$(call install,$(C_LIBRARIES) pkg-config)

# Installs those of the packages that are missing.
define install
for package in $(1); do \
	  if ! dpkg-query -W -f '$${Status}' $$package 2>/dev/null | grep -q 'ok installed'; then \
	    missing="$$missing $$package"; fi; done; \
	if [ -n "$$missing" ]; then \
	  echo "installing$$missing"; \
	  $(SUDO) apt-get update -qq && \
	  DEBIAN_FRONTEND=noninteractive $(SUDO) apt-get install -qq -y --no-install-recommends $$missing; \
	fi
endef

$(PYTHON): Makefile
	@python3 -m venv .venv || { $(SUDO) apt-get update -qq && \
	  $(SUDO) apt-get install -qq -y python3-venv && python3 -m venv .venv; }
	@$(PYTHON) -m pip install --quiet --disable-pip-version-check $(PYTHON_PACKAGES)
	@touch $(PYTHON)

build: libraries ## Builds everything for debugging.
	$(SWIFT) build -j $(JOBS)

release: libraries ## Builds the optimised program .build/release/joulebook.
	$(SWIFT) build -j $(JOBS) -c release --product joulebook

test: deps ## Runs all tests.
	SWIFT="$(SWIFT)" Tests/run.sh -j $(JOBS)
	Tests/hotpath/run.sh
	SWIFT="$(SWIFT)" JOBS=$(JOBS) Tests/readme/run.sh
	Tests/faults/run.sh --quick
	Tests/abuse/run.sh --quick
	Tests/walks/run.sh

kills: release ## Kills the server repeatedly and checks that each order happens once (KILLS=1000); LEDGER=postgresql: server, settler and PostgreSQL.
ifeq ($(LEDGER),postgresql)
	JOULEBOOK_PROGRAM=$(CURDIR)/.build/release/joulebook JOULEBOOK_LEDGER_KILLS=$(KILLS) JOULEBOOK_LEDGER_TRANSFERS=1000000 \
	  $(SWIFT) test -j $(JOBS) --filter PostgresSettlementTests/kills
else
	JOULEBOOK_PROGRAM=$(CURDIR)/.build/release/joulebook JOULEBOOK_KILLS=$(KILLS) $(SWIFT) test -j $(JOBS) --filter ExactlyOnceTests/killedServers
endif

faults: deps build ## Injects faults into a real server and prints a table.
	@command -v strace > /dev/null || $(SUDO) apt-get install -qq -y --no-install-recommends strace
	Tests/faults/run.sh

abuse: deps release ## Measures what each kind of abuser costs nine honest clients, and prints a table.
	Tests/abuse/run.sh --program .build/release/joulebook

soak: deps release ## Lets honest clients and abusers of all kinds work for ten minutes; nothing may grow (MINUTES=10).
	Tests/abuse/run.sh soak --minutes $(or $(MINUTES),10)

walks: deps build ## Walks through first hours of a newcomer, an operator and a broker, a line for each step.
	Tests/walks/run.sh

sbom: deps ## Lists all dependencies with versions, and writes joulebook.cdx.json (CycloneDX).
	.ci/sbom.py joulebook.cdx.json

sanitize: libraries ## Runs the tests under the sanitizers (SANITIZER="address thread" FILTER=RingsTests).
	for kind in $(SANITIZER); do Tests/sanitizers/run.sh $$kind '$(FILTER)' || exit 1; done

fuzz: libraries ## Fuzzes frames, orders and sessions (SECONDS=60 per target).
	SWIFT="$(SWIFT)" JOBS=$(JOBS) Tests/fuzz/run.sh $(SECONDS)

simulate: release ## Simulates the exchange under faults (FIRST=1 SEEDS=10000 STEPS=200).
	$(KEEP_MEMORY) .build/release/joulebook simulate --first $(FIRST) --seeds $(SEEDS) --steps $(STEPS)

demo: release ## Simulates a community and writes report.html (DEMO="--community fontana").
	.build/release/joulebook demo $(DEMO)

docs: build ## Builds the reference of the libraries: .build/docs/*.doccarchive.
	SWIFT="$(SWIFT)" docs/archives.sh

bench: libraries ## Measures core, journal, ledger and server; writes docs/BENCHMARKS.md and all figures.
	Benchmarks/run.sh $(ORDERS)

bench-net: libraries ## Measures the server over loopback and writes its section of docs/BENCHMARKS.md.
	Benchmarks/net.sh

figures: ## Fills the figures in all pages from docs/figures.tsv, which make bench writes.
	Benchmarks/figures.py

check: ## Checks the format of the sources and the generated files.
	$(SWIFT) format lint --strict -r Sources Tests Examples Package.swift
	$(SWIFT) run -j $(JOBS) -q sbegen --check

format: ## Formats the sources.
	$(SWIFT) format -i -r Sources Tests Examples Package.swift

generate: ## Generates codecs, reference pages and reject codes from proto/.
	$(SWIFT) run -j $(JOBS) -q sbegen

clients: deps release ## Makes the clients of other languages, and runs their bots (LANGUAGES="cpp go java rust").
	@$(call install,$(CLIENT_PACKAGES))
	$(SWIFT) run -j $(JOBS) -q sbegen --clients
	Tests/clients/build.sh .build/clients $(LANGUAGES)
	Tests/clients/run.sh .build/release/joulebook .build/clients $(LANGUAGES)

clean: ## Removes all build products.
	rm -rf .build .build-asan .build-tsan .build-fuzz .fuzz .venv

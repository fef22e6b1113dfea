# Needs make and a Python of at least 3.11, nothing else: everything is installed into .venv,
# in the versions of constraints.txt. Another interpreter: PYTHON=/path/to/python make ...

ifndef PYTHON
PYTHON := $(shell for p in python3 python3.13 python3.12 python3.11; do \
	"$$p" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo "$$p" && break; \
	done)
endif

BIN := .venv/bin
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check
INSTALL := $(PIP) install --constraint constraints.txt
TESTED := attachments,console,dev,dp,enclave,fast,oracles,plots,stats

# program:package, for the tests marked `system`
PROGRAMS := openssl:openssl age:age ssh-keygen:openssh-client minisign:minisign bwrap:bubblewrap chromium:chromium
MISSING = $(strip $(foreach pair,$(PROGRAMS),\
	$(if $(shell command -v $(firstword $(subst :, ,$(pair)))),,$(lastword $(subst :, ,$(pair))))))

# What judges whether pages serve everybody; from npm, which comes with a tool of the tests.
AXE := build/axe/node_modules/axe-core/axe.min.js

# Tests make hundreds of databases, which wait for the disk at every commit: where there is room for
# them in memory, they lie there.
ROOMY := $(shell test "$$(df --output=avail /dev/shm 2>/dev/null | tail -1)" -gt 4000000 2>/dev/null \
	&& echo /dev/shm)
ifneq ($(ROOMY),)
test test-slow: export TMPDIR := $(ROOMY)
endif

# A wheel's files all carry this date, so that two builds are the same bytes.
export SOURCE_DATE_EPOCH ?= 1577836800

.DEFAULT_GOAL := help
.PHONY: help demo test check test-system test-slow docs bench bench-peers bench-threshold wheel constraints clean

help: ## show this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1|\2/p' Makefile | awk -F'|' '{printf "%-20s %s\n", $$1, $$2}'

demo: .venv/installed ## three hospitals on this machine learn their patients' average age
	@$(BIN)/quorate demo age

test: check ## every check, then the fast tests
	$(BIN)/pytest -n 2 --ignore tests/docs

check: .venv/installed-dev ## format, lint, types, layers, and what the documents claim
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/pyright
	$(BIN)/lint-imports --no-logo
	$(BIN)/pytest --quiet -n 2 tests/docs

test-system: .venv/installed-dev ## tests against programs of the system (Debian: installs them)
ifneq ($(MISSING),)
	@scripts/install-programs $(MISSING)
endif
	@test -f $(AXE) || $(BIN)/python scripts/fetch_axe.py || echo "warning: no axe-core: its tests are skipped" >&2
	$(BIN)/pytest -m system

test-slow: .venv/installed-dev ## the long tail
	$(BIN)/pytest -n 2 -m slow

docs: .venv/installed-dev ## the documents as pages, in build/docs
	$(BIN)/mkdocs build --quiet

bench: .venv/installed-bench ## rounds, bytes and seconds
	$(BIN)/python -m bench

bench-peers: .venv/installed-bench ## the engine beside SPU and MPyC, which are installed into build/peers
	$(BIN)/python -m bench.peers

bench-threshold: .venv/installed-dev ## signatures beside frost-rs, which is installed into build/peers
	$(BIN)/python -m bench.threshold

wheel: .venv/installed-dev ## build the wheel twice, and compare
	@rm -rf dist build/again
	$(BIN)/python -m build --no-isolation --outdir dist
	$(BIN)/python -m build --no-isolation --wheel --outdir build/again
	cmp dist/*.whl build/again/*.whl
	@$(BIN)/python -m pip hash dist/*.whl

constraints: | $(BIN)/python ## choose the newest versions again
	$(BIN)/python scripts/pins.py > constraints.txt.new
	mv constraints.txt.new constraints.txt

clean: ## remove everything that was made here
	rm -rf .venv build dist constraints.txt.new
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
	rm -rf .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache

$(BIN)/python:
	@test -n "$(PYTHON)" || { \
		echo "make: error: no Python of at least 3.11 was found" >&2; \
		echo "make: hint: name one: PYTHON=/path/to/python make ..." >&2; exit 1; }
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "make: error: $(PYTHON) is not a Python of at least 3.11" >&2; exit 1; }
	@"$(PYTHON)" -m venv --clear .venv || { rm -rf .venv; \
		echo "make: hint: on Debian, venv is a package of its own: python3-venv" >&2; exit 1; }

.venv/installed: pyproject.toml constraints.txt | $(BIN)/python
	@echo "installing into .venv (once)"
	@$(INSTALL) editables hatchling
	@$(INSTALL) --no-build-isolation --editable '.[fast]'
	@touch $@

.venv/installed-dev: .venv/installed
	@echo "installing the tools of the tests into .venv (once)"
	@$(INSTALL) setuptools wheel
	@$(INSTALL) --no-build-isolation --editable '.[$(TESTED)]'
	@touch $@

.venv/installed-bench: .venv/installed-dev
	@echo "installing the plots of the benchmarks into .venv (once)"
	@$(INSTALL) --no-build-isolation --editable '.[bench,$(TESTED)]'
	@touch $@

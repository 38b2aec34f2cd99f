# Every target sets up what it needs by itself; the first run takes a minute, later ones start at once.
# PYTHON=/path/to/python3.12 chooses the interpreter, ARGS="…" passes options on.

PYTHON ?= python3
JOBS ?= 2
ARGS ?=
MINUTES ?= 10

BIN := .venv/bin
READY := .venv/.ready
SDKS := .venvs/openai-1 .venvs/openai-2 .venvs/openai-node

.DEFAULT_GOAL := help
.PHONY: help serve test coverage proof lowest lint format bench load soak growth peers generators docs moving examples sdks pythons redis sdk-suite clients browser browser-test picture others wheel-check deploy-check clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

serve: $(READY) ## start the server (ARGS="--port 8000 --kind wild")
	@exec $(BIN)/mockchat serve $(ARGS)

test: $(READY) ## run all tests with reduced counts
	@$(BIN)/python -m pytest -n $(JOBS) $(ARGS)

coverage: $(READY) ## the same, measured: all branches of contract and payloads, 95 % of all
	@$(BIN)/coverage erase
	@$(BIN)/coverage run -m pytest -n $(JOBS) $(ARGS)
	@$(BIN)/coverage combine --quiet
	@$(BIN)/python tests/house/coverage_gate.py

proof: $(READY) ## run the law tests with full counts
	@MOCKCHAT_PROOF=1 $(BIN)/python -m pytest -n $(JOBS) -m proof $(ARGS)

lowest: $(READY) .venvs/lowest/.ready ## run the inner rooms' tests on the oldest dependencies we declare
	@PYTHONPATH=. .venvs/lowest/bin/python -m pytest tests/contract tests/payloads tests/scripting tests/server $(ARGS)

lint: $(READY) ## ruff, its formatter, mypy --strict
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

format: $(READY) ## let ruff fix and format the code
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

bench: $(READY) ## measure validation, schemas of callers, the server beside what others do, and checks
	@$(BIN)/python benchmarks/bench_validation.py
	@$(BIN)/python benchmarks/bench_schemas.py
	@$(BIN)/python benchmarks/bench_strategies.py
	@$(BIN)/python benchmarks/bench_server.py $(ARGS)
	@$(BIN)/python benchmarks/bench_check.py
	@$(BIN)/python benchmarks/bench_coverage.py

load: $(READY) .venvs/peers-node/.ready ## measure the server under load beside other mock servers, which it installs by npm
	@$(BIN)/python benchmarks/bench_load.py $(ARGS)

# MINUTES=1 for a look; ten of them say most.
soak: $(READY) ## an hour's worth of requests at full speed, with faults: no leak, an exact journal, workers killed
	@$(BIN)/python benchmarks/soak.py --minutes $(MINUTES) $(ARGS)

growth: $(READY) ## measure what a reply costs by messages, tools, stubs and journal, and draw docs/growth.svg
	@$(BIN)/python benchmarks/bench_growth.py $(ARGS)

peers: .venvs/peers/.ready ## measure calls and tests beside other tools, which it installs in an environment of their own
	@.venvs/peers/bin/python benchmarks/bench_calls.py $(ARGS)

generators: .venvs/generators/.ready ## measure the strategies beside Schemathesis and hypothesis-jsonschema, in an environment of their own
	@.venvs/generators/bin/python benchmarks/bench_strategies.py $(ARGS)

docs: .venvs/docs/.ready ## build the manual into build/docs; warnings are errors
	@rm -rf build/docs
	@.venvs/docs/bin/sphinx-build --quiet --fail-on-warning --keep-going docs build/docs
	@echo "build/docs/index.html"

moving: .venvs/moving/.ready ## run the tests of docs/moving.md as other tools have them
	@.venvs/moving/bin/python -m pytest -q -p no:cacheprovider -k old_way tests/moving $(ARGS)

EXAMPLES := $(patsubst examples/%/planted.json,%,$(wildcard examples/*/planted.json))
examples: $(EXAMPLES:%=example-%) ## run the examples' tests, and plant the fault that each of them tells of

example-%: .venvs/example-%/.ready
	@cd examples/$* && ../../.venvs/example-$*/bin/python -m pytest -q -p no:cacheprovider $(ARGS)
	@.venvs/example-$*/bin/python examples/planted.py $*

sdks: $(SDKS:%=%/.ready) ## make the environments of openai 1.x, 2.x and for node, which the tests then use

# A Python may be on PATH, or one of pyenv's that is not chosen.
pythons: $(READY) ## make environments of the newer Pythons there are, which the tests then use
	@for version in 3.12 3.13 3.14; do \
	  for python in python$$version "$$HOME"/.pyenv/versions/$$version.*/bin/python; do \
	    $$python -c '' 2>/dev/null || continue; \
	    test -e .venvs/python$$version/.ready && break; \
	    echo "setting up .venvs/python$$version (once)" >&2; \
	    $$python -m venv --clear .venvs/python$$version \
	      && .venvs/python$$version/bin/python -m pip install -qq --disable-pip-version-check . \
	      && touch .venvs/python$$version/.ready || exit 1; \
	    break; \
	  done; \
	done

redis: ## install Debian's redis-server where there is none, which the tests of shared state then use
	@command -v redis-server >/dev/null || { apt-get update -qq && apt-get install -y -qq redis-server >/dev/null; } \
	  || echo "redis-server is left out: its tests say that they are skipped" >&2

sdk-suite: $(READY) .venvs/sdk-suite/.ready ## run the openai SDK's own tests against mockchat
	@PYTHONPATH=tests $(BIN)/python tests/sdk/official_suite.py .venvs/sdk-suite $(ARGS)

clients: $(READY) sdks ## measure what the clients do with every plan and fault, and write docs/clients.md
	@PYTHONPATH=tests $(BIN)/python tests/clients/client_page.py

browser: .venvs/browser/.ready ## install Chromium (Debian's, as root), Playwright and axe, which pages are tested with

browser-test: browser docs ## look at the pages in headless Chromium: readable, usable by keys, accessible, no request
	@MOCKCHAT_BROWSER=1 .venvs/browser/bin/python -m pytest tests/browser $(ARGS)

picture: browser ## take the pictures of a report and of the live page that docs/ shows
	@.venvs/browser/bin/python tests/browser/report_picture.py
	@.venvs/browser/bin/python tests/browser/live_page_pictures.py

others: $(READY) ## check servers that others wrote, and ours under every profile, and write docs/servers.md
	@PYTHONPATH=tests $(BIN)/python tests/others/other_page.py $(ARGS)
	@MOCKCHAT_OTHERS=1 $(BIN)/python -m pytest -q tests/others/test_record_through.py

wheel-check: $(READY) ## build sdist and wheel, install the wheel elsewhere, make one call
	@PYTHONPATH=tests $(BIN)/python tests/house/wheel_check.py

deploy-check: $(READY) ## do in a clean folder what the Dockerfile does: install, start, health check, one call
	@PYTHONPATH=tests $(BIN)/python tests/house/deploy_check.py

clean: ## remove what the targets made
	rm -rf .venv .venvs build dist htmlcov .coverage .coverage.* .mypy_cache .pytest_cache .ruff_cache .hypothesis

$(READY): pyproject.toml hatch_build.py
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  echo "mockchat needs Python 3.11 or newer and found '$$($(PYTHON) --version 2>&1)'; choose one: make PYTHON=/path/to/python3.11" >&2; exit 1; }
	@echo "setting up .venv (once)" >&2
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --editable '.[dev]'
	@touch $@

# The SDK drivers of the tests need the SDK and pydantic alone.
.venvs/openai-%/.ready: | $(READY)
	@echo "setting up .venvs/openai-$* (once)" >&2
	@$(BIN)/python -m venv .venvs/openai-$*
	@.venvs/openai-$*/bin/python -m pip install -qq --disable-pip-version-check 'openai==$*.*'
	@touch $@

# Without npm, or without its registry, the tests of this client say that they skip it, and why.
.venvs/openai-node/.ready: tests/clients/package.json tests/clients/package-lock.json
	@mkdir -p $(@D)
	@cp $^ $(@D)
	@if command -v npm >/dev/null && (echo "setting up $(@D)" >&2; cd $(@D) && npm ci --silent --fetch-retries=1 --no-audit --no-fund); \
	  then touch $@; else echo "openai for node is left out: npm ci did not work" >&2; fi

# Without npm, or without its registry, mockchat is measured alone.
.venvs/peers-node/.ready:
	@mkdir -p $(@D)
	@if command -v npm >/dev/null && (echo "setting up $(@D)" >&2; cd $(@D) && npm install --silent --no-audit --no-fund --fetch-retries=1 \
	  @copilotkit/aimock@1.43.0 @stoplight/prism-cli@5.14.2 @dwmkerr/mock-llm@0.1.29 wiremock@3.13.2); \
	  then touch $@; else echo "other mock servers are left out: npm install did not work" >&2; fi

# openai-responses works with openai before 3 only, so all of them are measured with that.
.venvs/peers/.ready: pyproject.toml | $(READY)
	@echo "setting up .venvs/peers" >&2
	@$(BIN)/python -m venv --clear .venvs/peers
	@.venvs/peers/bin/python -m pip install -qq --disable-pip-version-check --editable '.[fast]' \
	  'openai<3' openai-responses respx pytest-httpserver pytest-mockllm
	@touch $@

# What only pattern rules ask for, make would delete at the end.
.PRECIOUS: .venvs/example-%/.ready
.venvs/example-%/.ready: examples/%/requirements.txt pyproject.toml | $(READY)
	@echo "setting up $(@D)" >&2
	@$(BIN)/python -m venv --clear $(@D)
	@$(@D)/bin/python -m pip install -qq --disable-pip-version-check --editable . -r $<
	@if [ -f examples/$*/package.json ]; then cd examples/$* && npm ci --silent --no-audit --no-fund; fi
	@touch $@

.venvs/docs/.ready: pyproject.toml | $(READY)
	@echo "setting up .venvs/docs" >&2
	@$(BIN)/python -m venv --clear .venvs/docs
	@.venvs/docs/bin/python -m pip install -qq --disable-pip-version-check --editable '.[docs]'
	@touch $@

.venvs/moving/.ready: pyproject.toml | $(READY)
	@echo "setting up .venvs/moving" >&2
	@$(BIN)/python -m venv --clear .venvs/moving
	@.venvs/moving/bin/python -m pip install -qq --disable-pip-version-check --editable . \
	  'openai<3' openai-responses vcrpy
	@touch $@

# hypothesis-jsonschema uses of Hypothesis what 6.170.10 no longer has.
.venvs/generators/.ready: pyproject.toml | $(READY)
	@echo "setting up .venvs/generators" >&2
	@$(BIN)/python -m venv --clear .venvs/generators
	@.venvs/generators/bin/python -m pip install -qq --disable-pip-version-check --editable '.[fast]' \
	  'hypothesis<6.170.10' hypothesis-jsonschema schemathesis
	@touch $@

.venvs/lowest/.ready: pyproject.toml tests/house/lowest.py | $(READY)
	@echo "setting up .venvs/lowest" >&2
	@$(BIN)/python -m venv --clear .venvs/lowest
	@.venvs/lowest/bin/python -m pip install -qq --disable-pip-version-check $$($(BIN)/python tests/house/lowest.py)
	@touch $@

# Playwright drives the browser that is there; its own, of some hundred MiB, are never downloaded.
.venvs/browser/.ready: tests/browser/requirements.txt tests/browser/package.json tests/browser/package-lock.json pyproject.toml | $(READY)
	@echo "setting up .venvs/browser" >&2
	@for tool in chromium npm; do \
	  command -v $$tool >/dev/null && continue; \
	  test "$$(id -u)" = 0 && command -v apt-get >/dev/null || { echo "install $$tool first" >&2; exit 1; }; \
	  apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $$tool >/dev/null || exit 1; \
	done
	@$(BIN)/python -m venv --clear $(@D)
	@$(@D)/bin/python -m pip install -qq --disable-pip-version-check --editable . --requirement $<
	@cp tests/browser/package.json tests/browser/package-lock.json $(@D)
	@cd $(@D) && npm ci --silent --no-audit --no-fund
	@touch $@

# The suite must be that of the SDK version under test, so both come from one pip download.
.venvs/sdk-suite/.ready: tests/sdk/official_suite.txt | $(READY)
	@echo "setting up .venvs/sdk-suite (once)" >&2
	@$(BIN)/python -m venv --clear .venvs/sdk-suite
	@.venvs/sdk-suite/bin/python -m pip install -qq --disable-pip-version-check --requirement $<
	@cd .venvs/sdk-suite && bin/python -m pip download -qq --disable-pip-version-check --no-deps --no-binary openai \
	  "openai==$$(bin/python -c 'import openai; print(openai.__version__)')"
	@touch $@

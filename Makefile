# make run         set up what is missing and start; without a display, parse the sample clip into ./out
# make test        everything that .ci/run checks
# make coverage    the tests again, with coverage, file by file against tests/coverage_ratchet.json (minutes)
# make mutants      faults planted one at a time, for the tests to see: SAMPLE=300 of them (hours; goes on where it was stopped)
# make docs         the documentation as a site, in ./site; dead links and anchors fail
# make screenshots  every picture and clip of the documentation again, the gallery of all models too (half an hour)
# make bench | clip | clean

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
MAKEFLAGS += --no-print-directory
.DEFAULT_GOAL := run
.PHONY: run test check coverage mutants pins venv dev libraries bench docs screenshots clip clean

VENV := .venv
BIN := $(VENV)/bin
# One onnxruntime per environment: the CUDA build where an NVIDIA driver answers, else the CPU build. Both destroy each other.
DEVICE ?= $(shell nvidia-smi -L >/dev/null 2>&1 && echo gpu || echo cpu)
OTHER_RUNTIME := $(if $(filter gpu,$(DEVICE)),onnxruntime,onnxruntime-gpu)
# What `make run` brings beside the program itself. LIGHT=1: without torch, so without personalising.
EXTRAS := $(DEVICE)$(if $(LIGHT),,,personalize,download)
# Where to find torch's CPU build: PyPI's own brings gigabytes of CUDA with it. Empty: wherever pip is set up to look.
TORCH_INDEX ?=
# The versions that the checks ran with; what talks to sites and their certificates stays free. Empty: the newest allowed.
PINS := constraints.txt
# How many processes run the tests of `make check`; each keeps about one core busy.
WORKERS := 2
# How many faults `make mutants` plants.
SAMPLE := 300
PIP := PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore $(BIN)/python -m pip install -qq $(if $(PINS),-c $(PINS))
RUN_STAMP := $(VENV)/.ready-$(DEVICE)$(if $(LIGHT),-light)
DEV_STAMP := $(VENV)/.ready-dev-$(DEVICE)
DOCS_STAMP := $(VENV)/.ready-docs

run: $(RUN_STAMP)
	@if [ -n "$${DISPLAY:-}$${WAYLAND_DISPLAY:-}" ]; then $(need_libraries); exec $(BIN)/xfactor; fi; \
	echo "No display here: parsing the sample clip into ./out instead of opening the window."; \
	exec $(BIN)/python -m app.commands.first_run out

test: $(DEV_STAMP) libraries check

check:
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo
	@$(BIN)/pytest -m "not gpu and not camera" -n $(WORKERS) --dist loadfile

coverage: $(DEV_STAMP)
	@$(BIN)/pytest -q -m "not gpu and not camera" --cov --cov-report=json:.coverage.json --cov-report=
	@$(BIN)/python -m tests.coverage_ratchet .coverage.json

mutants: $(DEV_STAMP)
	@$(BIN)/python -m tests.mutation --sample $(SAMPLE)

# After `make test PINS=` is green with newer ones.
pins: $(DEV_STAMP)
	@{ echo '# The versions that the checks ran with: `make pins` writes this. yt-dlp and certificates stay free.'; \
	$(BIN)/python -m pip freeze --exclude-editable | sed -E 's/\+cpu$$//; /^(certifi|yt-dlp|yt-dlp-ejs)==/d'; } > constraints.txt

venv: $(RUN_STAMP)
dev: $(DEV_STAMP)

$(VENV)/pyvenv.cfg:
	@python=; for name in $(PYTHON) python3.11 python3.12 python3.13 python3; do \
	  if $$name -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then python=$$name; break; fi; done; \
	if [ -z "$$python" ]; then echo "xfactor needs Python 3.11 or newer: sudo apt-get install -y python3 python3-venv" >&2; exit 1; fi; \
	if ! $$python -c 'import ensurepip' 2>/dev/null; then $(call install,python3-venv); fi; \
	echo "Creating $(VENV) with $$($$python --version)"; \
	$$python -m venv $(VENV)

$(RUN_STAMP): pyproject.toml $(PINS) $(VENV)/pyvenv.cfg
	@echo "Installing xfactor for $(DEVICE) into $(VENV) (once)"
	@$(call one_runtime)
	@$(PIP) $(if $(TORCH_INDEX),--extra-index-url $(TORCH_INDEX)) -e ".[$(EXTRAS)]"
	@rm -f $(VENV)/.ready-*; touch $@

$(DEV_STAMP): pyproject.toml $(PINS) $(VENV)/pyvenv.cfg
	@echo "Installing xfactor for $(DEVICE) and what its tests need into $(VENV) (once)"
	@$(call one_runtime)
	@$(PIP) $(if $(TORCH_INDEX),--extra-index-url $(TORCH_INDEX)) -e ".[$(DEVICE),train,dev,download]"
	@rm -f $(VENV)/.ready-*; touch $(RUN_STAMP) $@

# An earlier checkout installed itself as `xfactor`, the name of somebody else's package.
one_runtime = $(BIN)/python -m pip uninstall --quiet --yes xfactor 2>/dev/null || true; if [ -n "$$($(BIN)/python -m pip list --format=freeze 2>/dev/null | grep -x '$(OTHER_RUNTIME)==.*')" ]; then \
	  $(BIN)/python -m pip uninstall --quiet --yes onnxruntime onnxruntime-gpu; fi

# What Qt needs of the system: installed when we may, else said in the exact line.
libraries: $(VENV)/pyvenv.cfg
	@$(need_libraries)

need_libraries = packages="$$($(BIN)/python -m app.commands.qt_libraries)"; if [ -n "$$packages" ]; then $(call install,$$packages); fi

install = if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	    echo "Installing system packages: $(1)"; \
	    apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends $(1) >/dev/null; \
	  else echo "System packages are missing. Install them and run this again:" >&2; \
	    echo "  sudo apt-get install -y --no-install-recommends $(1)" >&2; exit 1; fi

# Nothing of the program is imported, and nothing of it installed: MkDocs reads the sources.
docs: $(DOCS_STAMP)
	@$(BIN)/python -m mkdocs build --strict --quiet
	@echo "site/index.html"

$(DOCS_STAMP): pyproject.toml $(VENV)/pyvenv.cfg
	@$(PIP) $$($(BIN)/python -c 'import tomllib; print(*(r.replace(" ", "") for r in tomllib.load(open("pyproject.toml", "rb"))["project"]["optional-dependencies"]["docs"]))')
	@touch $@

bench: $(RUN_STAMP)
	@$(BIN)/xfactor bench

screenshots: $(DEV_STAMP) libraries
	@QT_QPA_PLATFORM=offscreen $(BIN)/python -m benchmarks.screenshots docs/screenshots
	@QT_QPA_PLATFORM=offscreen $(BIN)/python -m benchmarks.gallery docs/gallery.md

clip: $(DEV_STAMP)
	@$(BIN)/python -m synthetic.clip --out out/sample.mp4

clean:
	rm -rf out site build dist ./*.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .coverage*
	find . -name __pycache__ -not -path './.venv/*' -prune -exec rm -rf {} +

# Everyday commands. Needs Python 3.11, 3.12 or 3.13 and make; the first run makes .venv and installs the pinned set.

ifeq ($(OS),Windows_NT)
BIN := .venv/Scripts
else
BIN := .venv/bin
endif
READY := .venv/.installed
NLPCOURSE := $(BIN)/nlpcourse
PYTHON ?= $(shell for each in python3.11 python3.12 python3.13 python3 python; do \
	$$each -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' >/dev/null 2>&1 && echo $$each && break; done)

.DEFAULT_GOAL := help
.PHONY: demo test check site exercises variants mutants clean help

demo: $(READY)  ## build the site and the exercises, grade a sample class, say what to open
	$(NLPCOURSE) demo

test: $(READY)  ## run every test (ARGS="tests/nlpcourse -x" for some)
	$(BIN)/python -m pytest -n 2 --dist loadgroup $(ARGS)

check: $(READY)  ## ruff, mypy, import-linter, and whether the released notebooks are up to date
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(NLPCOURSE) exercises --check

site: $(READY)  ## build the book into _build/html
	$(NLPCOURSE) site

exercises: $(READY)  ## make the released notebooks from solutions/<topic>/
	$(NLPCOURSE) exercises

variants: $(READY)  ## grade every right and wrong variant, write records/variants
	$(BIN)/python -m autograder.proof variants

mutants: $(READY)  ## grade mutants and 500 seeds, write records/mutants
	$(BIN)/python -m autograder.proof mutants

clean:  ## delete what was built (not .venv, not the data cache)
	rm -rf _build build .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis .jupyter_cache
	find . -path ./.venv -prune -o -name __pycache__ -type d -exec rm -rf {} +

help:  ## show this
	@grep -hE '^[a-z]+:.*##' Makefile | sed -E 's/:.*##/:/' | awk -F': *' '{printf "make %-10s %s\n", $$1, $$2}'

$(READY): pyproject.toml constraints.txt
	@test -n "$(PYTHON)" || { echo "error: no Python 3.11, 3.12 or 3.13 found; install one, or name it: make PYTHON=/path/to/python3.11" >&2; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv || { rm -rf .venv; \
		echo "error: $(PYTHON) cannot make a virtual environment; on Debian and Ubuntu install python3-venv" >&2; exit 1; }
	@echo "installing the pinned packages into .venv (a minute or more)"
	@$(BIN)/python -m pip install --disable-pip-version-check -q -c constraints.txt -e '.[site,instructor,training,dev]'
	@touch $(READY)

# Factory AI. `make run` sets up what is missing and starts everything; `make help` lists the rest.

PYTHON ?=
ARGS ?=
PYTEST_ARGS ?=

VENV := .venv/bin/python
SET_UP = setup_python="$$(PYTHON='$(PYTHON)' .ci/find-python)" && "$$setup_python" .ci/setup.py

.DEFAULT_GOAL := help
.PHONY: help setup run test lint bench screenshots

help:
	@echo "make run     set up what is missing and start everything; ARGS=\"--camera gate=rtsp://… --port 8001\""
	@echo "make test    set up the tests' tools; lint; every test on SQLite and again on PostgreSQL"
	@echo "make lint    style, import contracts, missing migrations"
	@echo "make bench   the figures, each beside its limit (minutes); ARGS=\"viewers --seconds 4\" runs one"
	@echo "make screenshots   the pictures of the documents, from the running product; ARGS=\"queue\" takes one"
	@echo "make setup   install everything, start nothing"

setup:
	@$(SET_UP) tests

run:
	@$(SET_UP) runtime
	@exec $(VENV) manage.py up $(ARGS)

test: setup lint
	@.ci/run-tests $(PYTEST_ARGS)

lint: setup
	@echo "Lint: style"
	@$(VENV) -m ruff check --no-cache --quiet .
	@$(VENV) -m ruff format --check --quiet .
	@echo "Lint: imports point one way, rules are pure"
	@.venv/bin/lint-imports --config pyproject.toml
	@echo "Lint: every model change has its migration"
	@.ci/check-migrations

bench: setup
	@.ci/run-benches $(ARGS)

screenshots: setup
	@$(VENV) docs/screenshots.py $(ARGS)

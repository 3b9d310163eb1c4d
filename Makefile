# `make` lists the targets. Nothing but Python and make has to be installed; the rest goes into .venv.
.DEFAULT_GOAL := help
.PHONY: help install run test bench chaos simulate story faults lint screenshots format lock clean

# The first Python here that SmartLock supports; `make run PYTHON=/path/to/python` names another one.
SUPPORTED := import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))
PYTHON ?= $(shell for python in python3 python3.13 python3.12 python3.11 python; do \
	$$python -c '$(SUPPORTED)' 2>/dev/null && echo $$python && break; done)
FOUND = $(or $(PYTHON),$(error SmartLock needs Python 3.11, 3.12 or 3.13 and finds none here: install one, \
	or name it with PYTHON=/path/to/python))
VENV := .venv/bin/python
ARGS ?=
# Containers often forbid to keep compiled modules: then every process of ours compiles Django anew, for seconds.
unexport PYTHONDONTWRITEBYTECODE

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

install: ## install the locked dependencies, those for development included
	@$(FOUND) -m deploy.install --dev

# No shell stands between make and the program, so that Ctrl-C and a polite kill reach it.
run: ## set everything up and run it in the foreground (Ctrl-C stops it); PORT=8010 and the like are heeded
	@$(FOUND) -m deploy.install
	@$(VENV) -m deploy.run

# Everything on PostgreSQL (journeys on both), then on SQLite what may depend on the database.
test: install ## run all tests; ARGS="-k webhook" goes to pytest
	$(VENV) -m deploy.services $(VENV) -m pytest -n 4 $(ARGS)
	$(VENV) -m pytest -n 4 -m "django_db and not journey and not once" $(ARGS) || [ $$? -eq 5 ]

MINUTES ?= 10
chaos: install ## break real processes at random and judge what is left (docs/chaos.md); MINUTES=10 SEED=...
	$(VENV) -m tests.chaos --minutes $(MINUTES) --seed "$(SEED)" $(ARGS)

simulate: install ## tell thousands of seeded stories of the job engine (docs/simulation.md); SEEDS=5000, SEED=123 replays
	$(VENV) -m tests.simulation $(if $(SEED),--seed $(SEED),--seeds $(or $(SEEDS),2000)) $(ARGS)

story: install ## tell a stay's whole life in seconds: moved clock, pretend door, throw-away database
	@$(VENV) -m tests.story

faults: install ## play every fault of the sandbox against every act at a door and write docs/faults.md
	$(VENV) -m tests.faults $(ARGS)

# Node with npm is needed too: BullMQ and Express are what we are measured against.
bench: install ## measure us beside BullMQ, Celery, Procrastinate and Express; ONLY=burst,webhook ROUNDS=1 SCALE=0.1
	@ONLY="$(ONLY)" WHO="$(WHO)" ROUNDS="$(ROUNDS)" SCALE="$(SCALE)" $(VENV) -m bench

lint: install ## check style, types, import rules, migrations, deployment settings and the compose file
	$(VENV) -m ruff check
	$(VENV) -m ruff format --check
	$(VENV) -m mypy
	$(VENV) -c 'from importlinter.cli import lint_imports_command; lint_imports_command()'
	$(VENV) -m deploy.production $(VENV) manage.py makemigrations --check --dry-run
	$(VENV) -m deploy.production $(VENV) manage.py check --deploy --fail-level WARNING
	$(VENV) -m deploy.production --compose

screenshots: install ## take the pictures of README from a `make run` that is running in another terminal
	$(VENV) -m docs.screenshots

format: install ## rewrite the files in the agreed style
	$(VENV) -m ruff check --fix
	$(VENV) -m ruff format

COMPILE = $(VENV) -m uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-emit-find-links --custom-compile-command "make lock"
lock: install ## pin all dependencies anew (ARGS=--upgrade for the newest versions)
	$(COMPILE) $(ARGS) pyproject.toml -o requirements.txt
	$(COMPILE) $(ARGS) pyproject.toml --group dev -o requirements-dev.txt
	echo uv | $(COMPILE) $(ARGS) - -o deploy/uv.txt
	$(COMPILE) $(ARGS) bench/requirements.in -o bench/requirements.txt

clean: ## remove caches and logs; .env, the database and .venv stay
	rm -rf .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis var/log var/static var/static.stamp
	find . -name __pycache__ -not -path './.venv/*' -prune -exec rm -rf {} +

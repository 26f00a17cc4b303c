# North Star: `make run` is a working dashboard, `make test` the tests. Nothing but Python 3.11+ and make is assumed.
.POSIX:
.SUFFIXES:
.PHONY: run test check format bench screenshots lock clean help

VENV = .venv
BIN = $(VENV)/bin
MARK_RUN = $(VENV)/.installed-run
MARK_DEV = $(VENV)/.installed-dev
CODE = calc warehouse owners metrics northstar demo benchmarks tests conftest.py manage.py
TESTS = tests
WORKERS = 3
# Settings that only have to look like production's for `check --deploy`; nothing is started with them.
DEPLOY = NORTHSTAR_ENV_FILE=/dev/null NORTHSTAR_PRODUCTION=true ALLOWED_HOSTS=northstar.example \
	SECRET_KEY=$$($(BIN)/python -c 'import secrets; print(secrets.token_urlsafe(60))') \
	NORTHSTAR_ENCRYPTION_KEYS=$$($(BIN)/python -c 'from cryptography.fernet import Fernet; print(Fernet.generate_key().decode())') \
	DATABASE_URL=postgres://app@db/northstar REDIS_URL=redis://redis:6379/0

help:
	@echo "make run          the dashboard with demo data at http://127.0.0.1:8000 (PORT=..., DEMO=0 for an empty one)"
	@echo "make test         all tests (TESTS=tests/calc for some of them)"
	@echo "make check        format, lint, types, import contracts, migrations, templates, deployment check"
	@echo "make format       put code and templates into the form that make check wants"
	@echo "make bench        the benchmarks"
	@echo "make screenshots  pictures of the pages, in artifacts/"
	@echo "make lock         resolve the dependencies anew into requirements*.txt"

run: $(MARK_RUN)
	@DEMO="$${DEMO:-1}" exec $(BIN)/python manage.py up

test: $(MARK_DEV)
	$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal $(TESTS)

check: $(MARK_DEV)
	$(BIN)/ruff format --check $(CODE)
	$(BIN)/ruff check $(CODE)
	$(BIN)/lint-imports --no-logo
	$(BIN)/python -W ignore::RuntimeWarning manage.py makemigrations --check --dry-run
	find templates -name '*.html' -exec $(BIN)/djade --check --target-version 5.2 {} +
	$(DEPLOY) $(BIN)/python manage.py check --deploy --fail-level WARNING
	$(BIN)/mypy $(CODE)

format: $(MARK_DEV)
	$(BIN)/ruff check --fix $(CODE)
	$(BIN)/ruff format $(CODE)
	find templates -name '*.html' -exec $(BIN)/djade --target-version 5.2 {} +

bench: $(MARK_DEV)
	$(BIN)/python -m benchmarks $(ARGS)

screenshots: $(MARK_DEV)
	$(BIN)/python -m tests.browser.screenshots $(ARGS)

# The locks are read again only when they change: the second call costs nothing.
$(MARK_RUN): requirements.txt scripts/bootstrap
	@scripts/bootstrap $(VENV) $(MARK_RUN) requirements.txt

$(MARK_DEV): requirements.txt requirements-dev.txt scripts/bootstrap
	@scripts/bootstrap $(VENV) $(MARK_DEV) requirements-dev.txt
	@touch $(MARK_RUN)

UPGRADE = --upgrade
LOCK = $(BIN)/uv pip compile --quiet --generate-hashes --universal --python-version 3.11 --no-emit-index-url \
	--no-header --annotation-style line $(UPGRADE) pyproject.toml --extra embedded --extra duckdb --extra postgres --extra notify

lock: $(MARK_DEV)
	$(LOCK) --output-file requirements.txt
	$(LOCK) --extra export --group dev --constraint requirements.txt --output-file requirements-dev.txt

clean:
	rm -rf $(VENV) node_modules artifacts .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

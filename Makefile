# Two commands are all a newcomer needs: make book, make test. Each sets up .venv by itself.
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready

.PHONY: book pdf test test-all lint spelling bench lock clean
.DEFAULT_GOAL := book

$(READY): requirements.txt pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --require-hashes --requirement requirements.txt
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	$(BIN)/jupyter kernelspec install --sys-prefix --log-level ERROR src/parabook/jupyter/kernels/parabook-warm
	$(BIN)/python -m parabook.vega
	touch $(READY)

book: $(READY)
	@$(BIN)/analysis build

# The book on paper as well; needs Chromium.
pdf: $(READY)
	@$(BIN)/analysis build --pdf

# The browser tests need Chromium; where it is absent they are skipped, and say so. CI installs it.
test: lint
	$(BIN)/python -m pytest -n 2 --dist loadgroup -m "not slow" $(PYTEST_FLAGS)

# With the slow ones, which tests/conftest.py lists.
test-all: lint
	$(BIN)/python -m pytest -n 2 --dist loadgroup $(PYTEST_FLAGS)

lint: $(READY) spelling
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

spelling: $(READY)
	$(BIN)/typos

# Beside the tools people use today, by hand: takes a quarter of an hour.
bench: $(READY)
	PYTHONPATH=. $(BIN)/python -m benchmarks

# The lock: every package with its hashes, for Python 3.11 and newer, without a trace of the machine it was made on.
lock:
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-header \
		--no-emit-index-url --no-emit-find-links --all-extras pyproject.toml --output-file requirements.txt

clean:
	rm -rf _build .pytest_cache .mypy_cache .ruff_cache .hypothesis

# Two commands are all a newcomer needs: make book, make test. Each sets up .venv by itself.
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready
# Every package is in the lock with its hash: nothing is left to resolve.
INSTALL = $(BIN)/python tools/install.py
LOCK = uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header \
	--no-emit-index-url --no-emit-find-links pyproject.toml

.PHONY: book pdf test fast test-all lint style types spelling lab preview bench lock clean
.DEFAULT_GOAL := book

$(READY): requirements.txt pyproject.toml
	$(PYTHON) -m venv .venv
	$(INSTALL) requirements.txt
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	$(BIN)/jupyter kernelspec install --sys-prefix --log-level ERROR src/parabook/jupyter/kernels/parabook-warm
	$(BIN)/python -m parabook.drawings
	touch $(READY)

# What tests, benchmarks, JupyterLab and Spark need beside it: .venv/.test and so on.
.venv/.%: requirements/%.txt $(READY)
	$(INSTALL) $<
	touch $@

book: $(READY)
	@$(BIN)/analysis build

# The book on paper as well; needs Chromium.
pdf: $(READY)
	@$(BIN)/analysis build --pdf

# The browser tests need Chromium; where it is absent they are skipped, and say so. CI installs it.
# Types are checked beside the tests, and three of them run at once on two processors: they leave one idle at times.
test:
	@$(MAKE) --no-print-directory --jobs=2 types fast

fast: style
	$(BIN)/python -m pytest -n 3 --dist loadfile -m "not slow" $(PYTEST_FLAGS)

# With the slow ones, which tests/conftest.py lists, and Spark.
test-all: lint .venv/.spark
	THOROUGH=1 $(BIN)/python -m pytest -n 2 --dist loadfile $(PYTEST_FLAGS)

lint: style types

style: spelling
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: .venv/.test
	$(BIN)/mypy

spelling: .venv/.test
	$(BIN)/typos

# The chapters in JupyterLab.
lab: .venv/.lab
	$(BIN)/jupyter lab --ip 127.0.0.1 chapters

# The book in a browser, and what changes in it at once.
preview: $(READY)
	@$(BIN)/analysis preview

# Beside the tools people use today, by hand, on a machine that does nothing else: takes up to ten minutes.
bench: .venv/.bench .venv/.spark
	PYTHONPATH=. $(BIN)/python -m benchmarks

# The locks: every package with its hashes, for Python 3.11 and newer, without a trace of the machine they were made on.
lock:
	$(LOCK) --extra build --extra preview --output-file requirements.txt
	$(LOCK) --extra build --extra preview --extra test --constraints requirements.txt --output-file requirements/test.txt
	$(LOCK) --extra bench --constraints requirements/test.txt --output-file requirements/bench.txt
	$(LOCK) --extra lab --constraints requirements.txt --output-file requirements/lab.txt
	$(LOCK) --extra test-spark --constraints requirements/test.txt --output-file requirements/spark.txt

clean:
	rm -rf _build .pytest_cache .mypy_cache .ruff_cache .hypothesis

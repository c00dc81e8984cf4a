# Thin wrapper: every target calls `python -m helpers`, so Windows works without make.
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/ready

# Some machines switch byte code off; without it every notebook recompiles its imports (7 s).
unexport PYTHONDONTWRITEBYTECODE

.PHONY: run test lab app book bench clean

run: $(READY)
	$(BIN)/python -m helpers run $(if $(COHORT),--cohort "$(COHORT)") $(if $(MAP),--map "$(MAP)")

test: $(READY)
	$(BIN)/python -m pytest

lab: $(READY)
	$(BIN)/jupyter lab --notebook-dir=notebooks

app: $(READY)
	$(BIN)/python -m helpers app $(if $(COHORT),--cohort "$(COHORT)") $(if $(MAP),--map "$(MAP)")

book: $(READY)
	$(BIN)/python -m helpers book $(if $(COHORT),--cohort "$(COHORT)") $(if $(MAP),--map "$(MAP)")

bench: $(READY)
	for file in tests/bench/bench_*.py; do $(BIN)/python $$file || exit 1; done

$(READY): requirements.txt pyproject.toml
	$(PYTHON) -c "import sys; v = sys.version_info[:2]; sys.exit(None if (3, 11) <= v <= (3, 13) else 'Python 3.11, 3.12 or 3.13 is needed, $(PYTHON) is %d.%d. Name another: make PYTHON=python3.12' % v)"
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --disable-pip-version-check --quiet -r requirements.txt
	touch $@

clean:
	rm -rf build .venv

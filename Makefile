PYTHON ?= python3
BIN := .venv/bin

.PHONY: install test lint bench results weights

install: .venv/installed

.venv/installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/pip install -q -c constraints.txt -e '.[train,dev]'
	touch $@

test: install
	$(BIN)/pytest

lint: install
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

bench: install
	$(BIN)/python benchmarks/train_to_accuracy.py
	$(BIN)/python benchmarks/train_to_accuracy.py --model digits-wide --target 99.4 --seeds 5 --peers none
	$(BIN)/python benchmarks/noise_speed.py

weights: install
	for name in digits-fast digits-wide; do \
		$(BIN)/legible train $$name --no-hold-out -o runs/$$name --overwrite && \
		mkdir -p src/legible/weights/$$name && \
		cp runs/$$name/card.json runs/$$name/model.onnx runs/$$name/weights.safetensors src/legible/weights/$$name; \
	done

results: install
	$(BIN)/legible reproduce --tables-only --pages docs/results

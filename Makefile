PYTHON ?= python3
BIN := .venv/bin

.PHONY: install test lint bench results weights api

install: .venv/installed

.venv/installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/pip install -q -c constraints.txt -e '.[train,web,heic,dev]'
	touch $@

test: install
	$(BIN)/pytest

lint: install
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

bench: install
	$(BIN)/python benchmarks/side_by_side.py $(if $(KERAS),--keras-python $(KERAS))

# the recipes of all that ships, as the cards tell them; digits, its like and line-reader take hours
LEVELS := 0.1 0.2 0.3 0.4 0.5 0.6 0.7 0.8 0.9
TRAIN := $(BIN)/legible train -d mnist --no-hold-out --overwrite
READER := $(BIN)/legible train -d mnist --overwrite
DIGITS := $(READER) --task recognise --noise any:0.4 --held-out 4000
STRONG := $(foreach seed,0 1 2 3 4,runs/digits-strong-$(seed))
PLAIN := $(foreach seed,0 2 3 4,runs/digits-plain-$(seed))

weights: install
	$(TRAIN) digits-fast -o runs/digits-fast
	$(TRAIN) digits-wide -o runs/digits-wide
	$(TRAIN) dense-autoencoder:128-96-128 --noise gaussian:0.5 --epochs 20 --batch-size 256 \
		--optimiser muon --learning-rate 0.05 --schedule one-cycle -o runs/digit-bottleneck
	$(TRAIN) unet:filters=32,growth=1.5,whole=512,blind=yes --noise mixed:0.9,grain=0.95,draws=3 \
		--task restore:mse --epochs 52 \
		$(foreach level,$(LEVELS),--test-noise gaussian:$(level) --test-noise salt-and-pepper:$(level)) \
		-o runs/digit-denoiser
	$(TRAIN) vae-ladder --noise binary --task generate:samples=500 -o runs/digit-generator
	$(BIN)/legible train page-net -d page-tiles --no-hold-out --task restore:mse --epochs 34 --overwrite \
		-o runs/page-cleaner
	$(READER) line-reader -o runs/line-reader
	$(DIGITS) ensemble:of=digits-strong,n=1,views=7 --seed 4 -o runs/digits
	$(foreach folder,$(STRONG),$(DIGITS) ensemble:of=digits-strong,n=1,views=7 --seed $(lastword $(subst -, ,$(folder))) -o $(folder) &&) true
	$(foreach folder,$(PLAIN),$(DIGITS) digits-plain --seed $(lastword $(subst -, ,$(folder))) -o $(folder) &&) true
	$(BIN)/legible models join $(STRONG) $(PLAIN) --views 7 --overwrite -o runs/digits-ensemble
	for name in $(notdir $(wildcard src/legible/weights/*)); do \
		mkdir -p src/legible/weights/$$name && \
		cp runs/$$name/card.json runs/$$name/model.onnx runs/$$name/weights.safetensors src/legible/weights/$$name; \
	done

ROOMS := apply cards data errors evaluation images models noise prepare registry report seeds studies training web

api: install
	$(BIN)/pdoc legible $(addprefix legible.,$(ROOMS)) -o build/api

results: install
	$(BIN)/legible reproduce --tables-only --pages docs/results --readme README.md

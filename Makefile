# Every target works in a fresh clone: .venv is created when it is first needed.
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
SHELL := /bin/bash

PYTHON ?= python3
MODEL  ?= unet
DATA   ?= data/sample
NAME   := $(notdir $(abspath $(DATA)))
BOARD  ?= $(NAME)
ARGS   ?=

BIN    := .venv/bin
STAMP  := .venv/.ready
MODELS := $(sort $(basename $(notdir $(wildcard configs/model/*.yaml))))
CONFIG := $(wildcard configs/data/$(NAME).yaml configs/data/$(NAME)/$(MODEL).yaml)
CHOSEN  = $(if $(filter $(MODEL),$(MODELS)),--config configs/model/$(MODEL).yaml,--model $(MODEL))
# The page shows images of the board's dataset, also if only BOARD is set.
IMAGES  = $(wildcard $(if $(filter file,$(origin DATA)),data/$(BOARD),$(DATA)))
# The board compares unseen sources with the others if a manifest of `cellbench data split` tells them apart.
MANIFEST = $(foreach file,$(wildcard $(addsuffix /manifest.csv,$(IMAGES))),$(shell \
  grep -q in-source '$(file)' && grep -q out-of-source '$(file)' && echo --manifest '$(file)'))
SCORES  = $(strip $(wildcard leaderboard/$(BOARD)/scores.csv) \
  $(patsubst %/,%,$(wildcard leaderboard/$(BOARD)/entries/*/)))

.PHONY: setup train evaluate leaderboard robustness board-open-cells label-budget weights test quick lint docs \
  docs-serve pictures readme bench package oldest clean help \
  dataset known-model known-board

help:  ## show this list
	@sed -nE 's/^([a-z-]+):.*##  ?(.*)/  make \1\t\2/p' Makefile | expand -t 26
	@echo "  MODEL: $(MODELS), or a model that an installed package registers [unet]"
	@echo "  DATA: a dataset folder [data/sample]. BOARD: a name for the leaderboard [name of the DATA folder]"

setup: $(STAMP)  ## create .venv with the tested set of packages (6 GB)

# The installation is editable, so only a change of the dependencies needs another one.
$(STAMP): pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' || \
	  { echo "cellbench needs Python 3.11, 3.12 or 3.13; choose one, for example with PYTHON=python3.12"; exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check $(PIP_ARGS) -c constraints.txt -e '.[dev]'
	touch $@

# Models of installed packages are known only where there is an environment.
known-model:
	@case " $(MODELS) " in *" $(MODEL) "*) exit;; esac; \
	known=$$($(BIN)/cellbench models --names 2>/dev/null || echo "$(MODELS)"); \
	case " $$(echo $$known) " in *" $(MODEL) "*) exit;; esac; \
	echo "unknown MODEL=$(MODEL); choose one of:" $$known >&2; exit 2

dataset: $(STAMP)
ifeq ($(DATA),data/sample)
	@$(BIN)/cellbench data sample $(DATA)
endif

train: known-model dataset  ## train MODEL on DATA; ARGS="--data.batch_size 4" sets options
	$(BIN)/cellbench fit --config configs/base.yaml $(CHOSEN) \
	  $(addprefix --config ,$(CONFIG)) --data.root $(DATA) \
	  --trainer.default_root_dir runs/$(NAME)/$(MODEL) $(ARGS)

evaluate: dataset  ## run all baselines and trained models on DATA's test split, score and rank them
	$(BIN)/cellbench run $(wildcard baselines/*/entry.yaml) $$(ls runs/$(NAME)/*/entry.yaml 2>/dev/null) \
	  --data $(DATA) --out predictions/$(BOARD)
	@mkdir -p leaderboard/$(BOARD)
	$(BIN)/cellbench evaluate $(DATA)/test/labels predictions/$(BOARD) --out leaderboard/$(BOARD)/scores.csv
	@$(MAKE) --no-print-directory leaderboard

known-board:
	@[ -n "$(SCORES)" ] || { echo "leaderboard/$(BOARD) has neither scores.csv nor entries/NAME/;" \
	  "run 'make evaluate', or see leaderboard/RULES.md for how to submit scores" >&2; exit 2; }

leaderboard: known-board $(STAMP)  ## rank and draw BOARD again from its scores, its submissions, or both
	$(BIN)/cellbench rank $(SCORES) --out leaderboard/$(BOARD) \
	  $(MANIFEST) --entries $(wildcard predictions/$(BOARD)/*/entry.yaml)
	@$(BIN)/cellbench report leaderboard/$(BOARD) --published leaderboard/published/*.csv \
	  $(addprefix --data ,$(IMAGES)) $(addprefix --predictions ,$(wildcard predictions/$(BOARD)))

robustness: dataset  ## run all baselines and trained models on perturbed copies of DATA's test split
	$(BIN)/cellbench robustness $(wildcard baselines/*/entry.yaml) $$(ls runs/$(NAME)/*/entry.yaml 2>/dev/null) \
	  --data $(DATA) --out leaderboard/$(BOARD) $(ARGS)
	@[ ! -f leaderboard/$(BOARD)/leaderboard.csv ] || $(MAKE) --no-print-directory leaderboard

board-open-cells: $(STAMP)  ## train every model on data/open-cells and make docs/boards/open-cells again
	PATH="$(abspath $(BIN)):$$PATH" scripts/board_open_cells.sh

label-budget: $(STAMP)  ## train on 2 to 100 % of DATA's labels, with and without unlabelled images; takes hours
	PATH="$(abspath $(BIN)):$$PATH" scripts/label_budget.sh

weights: $(STAMP)  ## train the ready model on data/open-cells (3 hours), score it, and write weights/cellbench_weights
	PATH="$(abspath $(BIN)):$$PATH" WEIGHTS_ARGS="$(WEIGHTS_ARGS)" scripts/make_weights.sh

test: $(STAMP)  ## run all tests
	$(BIN)/python -m pytest

quick: $(STAMP)  ## run all tests but the slow ones
	$(BIN)/python -m pytest -m "not slow"

lint: $(STAMP)  ## check the code with ruff and mypy
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

docs:  ## build the documentation site in site/; a warning is an error
	PYTHON=$(PYTHON) scripts/build_docs.sh site

docs-serve:  ## show the documentation site on this machine, and again after each change
	PYTHON=$(PYTHON) scripts/build_docs.sh --serve

# The limit is on processor time, because a busy machine would draw worse outlines after the usual five minutes.
pictures: $(STAMP)  ## draw the pictures of the documentation again (trains a model on the sample)
	@for tool in chromium xvfb-run; do command -v $$tool >/dev/null || { echo "make pictures needs $$tool; on Debian:" \
	  "apt-get install chromium xvfb libegl1 libxcb-cursor0 libxcb-icccm4 libxcb-keysyms1 libxcb-xkb1 libxkbcommon-x11-0" >&2; \
	  exit 2; }; done
	$(MAKE) train evaluate MODEL=stardist DATA=data/sample BOARD=sample \
	  ARGS="--trainer.max_time null --max_cpu_time 00:00:20:00"
	$(BIN)/python scripts/draw_docs.py data/sample predictions/sample/stardist docs/pictures
	$(BIN)/cellbench evaluate data/sample/test/labels predictions/sample --out runs/pictures/scores.csv --details
	$(BIN)/python scripts/draw_typical_errors.py runs/pictures data/sample predictions/sample
	chromium --headless --no-sandbox --hide-scrollbars --window-size=1200,1150 \
	  --screenshot=docs/pictures/board.png file://$(abspath leaderboard/sample/report.html)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[napari]'
	xvfb-run -a $(BIN)/python scripts/draw_napari.py data/sample docs/pictures

readme: $(STAMP)  ## check that the tables of README and documentation are those of docs/results
	$(BIN)/python scripts/readme_tables.py --check

bench: $(STAMP)  ## measure the speed, and compare it with other packages
	$(BIN)/python -m pytest tests/speed -n 0 -s

package:  ## build the wheel and try it in a fresh environment, without training packages
	PYTHON=$(PYTHON) scripts/check_wheel.sh

oldest:  ## run the light tests with the oldest dependencies; needs Python 3.11
	scripts/test_oldest.sh

clean:  ## delete runs, predictions and caches; keep datasets, boards and .venv
	rm -rf runs predictions .pytest_cache .mypy_cache .ruff_cache .hypothesis

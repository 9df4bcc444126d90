# Every goal works from a fresh clone: the environment is made when it is first needed.
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
# The page shows images of the board's own dataset: BOARD may be named without DATA.
IMAGES  = $(wildcard $(if $(filter file,$(origin DATA)),data/$(BOARD),$(DATA)))
SCORES  = leaderboard/$(BOARD)/scores.csv $(patsubst %/,%,$(wildcard leaderboard/$(BOARD)/entries/*/))

.PHONY: setup train evaluate leaderboard test lint bench clean help dataset known-model

help:  ## this list
	@sed -nE 's/^([a-z]+):.*##  ?(.*)/  make \1\t\2/p' Makefile | expand -t 22
	@echo "  MODEL is one of: $(MODELS). DATA is a dataset folder [data/sample], BOARD its board's name."

setup: $(STAMP)  ## make .venv with the tested set of packages

# The editable install follows the code; only a change of what is installed makes it anew.
$(STAMP): pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' || \
	  { echo "cellbench needs Python 3.11 to 3.13; name one with PYTHON=python3.12"; exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	touch $@

known-model:
	@case " $(MODELS) " in *" $(MODEL) "*) ;; *) \
	  echo "unknown MODEL=$(MODEL); choose one of: $(MODELS)" >&2; exit 2;; esac

dataset: $(STAMP)
ifeq ($(DATA),data/sample)
	@$(BIN)/cellbench data sample $(DATA)
endif

train: known-model dataset  ## train MODEL on DATA; more options in ARGS
	$(BIN)/cellbench fit --config configs/base.yaml --config configs/model/$(MODEL).yaml \
	  $(addprefix --config ,$(CONFIG)) --data.root $(DATA) \
	  --trainer.default_root_dir runs/$(NAME)/$(MODEL) $(ARGS)

evaluate: dataset  ## segment DATA's test split with all models and baselines, score and rank them
	$(BIN)/cellbench run $(wildcard baselines/*/entry.yaml) $$(ls runs/$(NAME)/*/entry.yaml 2>/dev/null) \
	  --data $(DATA) --out predictions/$(BOARD)
	@mkdir -p leaderboard/$(BOARD)
	$(BIN)/cellbench evaluate $(DATA)/test/labels predictions/$(BOARD) --out leaderboard/$(BOARD)/scores.csv
	@$(MAKE) --no-print-directory leaderboard

leaderboard: $(STAMP)  ## rank and draw BOARD again from its scores and what was handed in for it
	$(BIN)/cellbench rank $(SCORES) --out leaderboard/$(BOARD) --entries $(wildcard predictions/$(BOARD)/*/entry.yaml)
	@$(BIN)/cellbench report leaderboard/$(BOARD) --published leaderboard/published/*.csv \
	  $(addprefix --data ,$(IMAGES)) $(addprefix --predictions ,$(wildcard predictions/$(BOARD)))

test: $(STAMP)  ## all tests
	$(BIN)/python -m pytest

lint: $(STAMP)  ## ruff and mypy
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

bench: $(STAMP)  ## speed against named peers
	$(BIN)/python -m pytest tests/speed -n 0 -s

clean:  ## remove runs, predictions and caches; datasets, boards and .venv stay
	rm -rf runs predictions .pytest_cache .mypy_cache .ruff_cache .hypothesis

#!/usr/bin/env bash
# Make the board of all systems, docs/boards/open-cells, again: train every model for the same processor time, run
# the models and baselines on the test split, score, rank and draw. docs/boards/README.md describes the board and
# its variables, which are set before the command: MODELS="unet unetr" MINUTES=1 BOARD=/tmp/board.
# What is finished is kept, so the same command continues after an interruption: a training goes on from its last
# checkpoint. To train a model again, delete its folder in RUNS.
set -euo pipefail
cd "$(dirname "$0")/.."

DATA=${DATA:-data/open-cells}
MODELS=${MODELS:-$(basename -s .yaml configs/model/*.yaml)}
MINUTES=${MINUTES:-30}
BOARD=${BOARD:-docs/boards/open-cells}
RUNS=${RUNS:-runs/open-cells-$MINUTES-minutes}
PREDICTIONS=${PREDICTIONS:-predictions/open-cells-$MINUTES-minutes}

fail() { echo "board_open_cells: $*" >&2; exit 2; }

[[ -d $DATA/test/labels ]] || fail "DATA=$DATA: not there; docs/boards/README.md says where its images come from"
[[ $MINUTES =~ ^[1-9][0-9]?$ ]] || fail "MINUTES=$MINUTES: must be a whole number from 1 to 99"
for model in $MODELS; do
  [[ -f configs/model/$model.yaml ]] || fail "unknown model $model; choose from $(basename -s .yaml configs/model/*.yaml | xargs)"
done

train() {
  local run=$RUNS/$1
  [[ -f $run/entry.yaml ]] && return  # written when a training and the tuning after it are finished
  # One thread and a limit on processor time: other programs do not change how long a model learns. The interval is
  # longer than the training, so that validation, which would use this time, takes place only at the end.
  OMP_NUM_THREADS=1 cellbench fit --ckpt_path last --config configs/base.yaml --config "configs/model/$1.yaml" \
    --config configs/data/open-cells.yaml --data.root "$DATA" --data.num_workers 0 --trainer.default_root_dir "$run" \
    --trainer.max_time null --trainer.val_check_interval 00:06:00:00 \
    --max_cpu_time "$(printf '00:00:%02d:00' "$MINUTES")"
}

entries=(baselines/*/entry.yaml)
for model in $MODELS; do
  train "$model"
  entries+=("$RUNS/$model")
done
cellbench run "${entries[@]}" --data "$DATA" --out "$PREDICTIONS"
mkdir -p "$BOARD"
cellbench evaluate "$DATA/test/labels" "$PREDICTIONS" --out "$BOARD/scores.csv" --details --cells --jobs "$(nproc)"
# Too large to be committed, and the page would offer it if it were there.
if [[ -f $BOARD/scores_cells.csv ]]; then mkdir -p "$RUNS"; mv "$BOARD/scores_cells.csv" "$RUNS/"; fi
cellbench rank "$BOARD/scores.csv" --out "$BOARD" --entries "$PREDICTIONS"/*/entry.yaml
# Without --data: the page that is committed has no images of the dataset.
cellbench report "$BOARD" --published leaderboard/published/*.csv \
  --title "open-cells: every system after $MINUTES minutes on one processor core, and the ready model"

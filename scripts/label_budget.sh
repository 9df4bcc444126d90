#!/usr/bin/env bash
# How many labels does training need, and what do unlabelled images give? docs/unlabeled.md describes the experiment.
# For each share of the labels of the training images, train one model in three ways for the same processor time, and
# score it on the test split: on the labelled images alone, with a mean teacher, and with pseudo-labels.
# Variables are set before the command: SHARES="10" WAYS="supervised mean-teacher" MINUTES=1 makes two rows alone.
# What is finished is kept, so the same command continues after an interruption. To make a row again, delete its folder
# in WORK/runs. Needs about 1 GB in WORK.
set -euo pipefail
cd "$(dirname "$0")/.."

DATA=${DATA:-data/open-cells}
MODEL=${MODEL:-convnext_stardist}
MINUTES=${MINUTES:-20}
SHARES=${SHARES:-2 5 10 25 100}
WAYS=${WAYS:-supervised mean-teacher pseudo-labels}
WORK=${WORK:-runs/label-budget-$MODEL-$MINUTES-minutes}
OUT=${OUT:-docs/boards/label-budget}
PYTHON=${PYTHON:-python}

fail() { echo "label_budget: $*" >&2; exit 2; }

[[ -d $DATA/test/labels ]] || fail "DATA=$DATA: not there; docs/boards/README.md says where its images come from"
[[ -f $DATA/manifest.csv ]] || fail "DATA=$DATA: has no manifest.csv with the source of each image"
[[ $MINUTES =~ ^[1-9][0-9]?$ ]] || fail "MINUTES=$MINUTES: must be a whole number from 1 to 99"
[[ -f configs/model/$MODEL.yaml ]] || fail "unknown MODEL=$MODEL; choose from $(basename -s .yaml configs/model/*.yaml | xargs)"
[[ -n ${SHARES// /} ]] || fail "SHARES is empty; name percentages, such as SHARES=\"2 10\""
for share in $SHARES; do
  [[ $share =~ ^([1-9][0-9]?|100)$ ]] || fail "SHARES: $share is not a whole number from 1 to 100"
done
for way in $WAYS; do
  [[ $way =~ ^(supervised|mean-teacher|pseudo-labels)$ ]] || \
    fail "unknown way $way in WAYS; choose from supervised mean-teacher pseudo-labels"
done

train() {  # way, share and the options of the way
  local run=$WORK/runs/$1-$2
  [[ -f $run/entry.yaml && ! -f $run/unfinished ]] && return
  mkdir -p "$run"
  touch "$run/unfinished"
  # One thread and a limit on processor time: other programs do not change how long a model learns.
  OMP_NUM_THREADS=1 cellbench fit --ckpt_path last --config configs/base.yaml --config "configs/model/$MODEL.yaml" \
    --config configs/data/label-budget.yaml --data.root "$WORK/data/$2" --data.cache "$run/cache" \
    --trainer.default_root_dir "$run" --max_cpu_time "$(printf '00:00:%02d:00' "$MINUTES")" "${@:3}"
  rm -rf "$run/unfinished" "$run/cache"
}

for share in $SHARES; do
  data=$WORK/data/$share
  [[ -d $data ]] || cellbench data hide-labels "$DATA" "$data" --keep "$share%" --seed 2022
  for way in $WAYS; do
    case $way in
      supervised) train supervised "$share" ;;
      mean-teacher) train mean-teacher "$share" --unlabeled.share 1 ;;
      pseudo-labels)
        # The supervised model labels the other images. Half of the patches are from labelled images, as with the
        # mean teacher.
        train supervised "$share"
        [[ -d $data-pseudo ]] || cellbench pseudo-label "$data" --out "$data-pseudo" \
          --checkpoint "$WORK/runs/supervised-$share/checkpoints/best.ckpt"
        train pseudo-labels "$share" --data.roots "[$data,$data-pseudo]" --data.shares "[0.5,0.5]"
        ;;
    esac
    cellbench segment "$DATA/test/images" "$WORK/predictions/$way-$share" \
      --checkpoint "$WORK/runs/$way-$share/checkpoints/best.ckpt"
  done
done
cellbench evaluate "$DATA/test/labels" "$WORK/predictions" --out "$WORK/scores.csv" --jobs "$(nproc)"
"$PYTHON" scripts/draw_label_budget.py "$WORK/scores.csv" "$OUT"

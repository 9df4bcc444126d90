#!/usr/bin/env bash
# Train the ready model, score it on images of other laboratories, and write weights file, checksum and model card to
# weights/cellbench_weights/, but only if the model is good enough to be published (scripts/write_model_card.py).
# docs/weights.md describes the steps and the variables, which are set before the command: DATA=… OUT=/tmp/weights.
# What is finished is kept, so the same command continues after an interruption. To start again, delete WORK.
set -euo pipefail
cd "$(dirname "$0")/.."

NAME=generalist
DATA=${DATA:-data/open-cells}
WORK=${WORK:-runs/weights/$NAME}
OUT=${OUT:-weights/cellbench_weights}
SCALES=${SCALES:-0.5 1.575}  # 20x and 63x, if the images are 40x
WEIGHTS_ARGS=${WEIGHTS_ARGS:-}
CARD_ARGS=${CARD_ARGS:-}  # --publish-anyway, if a target is missed
about=configs/weights/${NAME}_about.yaml
weights=$WORK/$NAME.safetensors

fail() { echo "make_weights: $*" >&2; exit 2; }

[[ -f $DATA/manifest.csv && -d $DATA/test/labels ]] ||
  fail "DATA=$DATA: not there; docs/boards/README.md says where its images come from"

# Images whose licence is not confirmed are left out.
mkdir -p "$WORK"
[[ -d $WORK/data ]] || cellbench data subset "$DATA" "$WORK/data" --where licence=CC0-1.0 --where licence=MIT

if [[ ! -f $WORK/trained ]]; then
  # shellcheck disable=SC2086  # WEIGHTS_ARGS are several words
  cellbench fit --ckpt_path last --config configs/base.yaml --config configs/model/stardist.yaml \
    --config configs/weights/$NAME.yaml --data.root "$WORK/data" --data.cache "$WORK/cache" \
    --trainer.default_root_dir "$WORK/run" $WEIGHTS_ARGS
  # The model card states both. They are written last, so that this file says that the training is finished.
  printf 'make weights%s\n' "${WEIGHTS_ARGS:+ WEIGHTS_ARGS=\"$WEIGHTS_ARGS\"}" > "$WORK/trained.partial"
  python -c 'import torch; print(torch.cuda.get_device_name() if torch.cuda.is_available() else "a processor")' \
    >> "$WORK/trained.partial"
  mv "$WORK/trained.partial" "$WORK/trained"
fi
[[ $weights -nt $WORK/trained ]] ||
  cellbench export "$WORK/run/checkpoints/best.ckpt" "$weights" --to weights --about "$about"

# `segment` keeps finished label maps, and starts again if the weights file has changed.
for split in test tune; do
  images=$WORK/data/$split/images predictions=$WORK/predictions/$split
  cellbench segment "$images" "$predictions/$NAME" --checkpoint "$weights" --diameter auto
  [[ -d $predictions/otsu_watershed ]] ||
    python baselines/otsu_watershed/predict.py -i "$images" -o "$predictions/otsu_watershed"
  cellbench evaluate "$WORK/data/$split/labels" "$predictions" --out "$WORK/boards/$split/scores.csv"
  cellbench rank "$WORK/boards/$split/scores.csv" --out "$WORK/boards/$split"
done
for scale in $SCALES; do
  [[ -d $WORK/scaled/$scale ]] || cellbench data rescale "$WORK/data" "$WORK/scaled/$scale" --factor "$scale" --split test
  cellbench segment "$WORK/scaled/$scale/test/images" "$WORK/predictions/$scale/$NAME" \
    --checkpoint "$weights" --diameter auto
  cellbench evaluate "$WORK/scaled/$scale/test/labels" "$WORK/predictions/$scale" --out "$WORK/boards/scaled/$scale.csv"
done

# shellcheck disable=SC2086  # CARD_ARGS are several words
python scripts/write_model_card.py "$about" --weights "$weights" --training "$WORK/trained" --data "$WORK/data" --boards "$WORK/boards" \
  --out "$WORK/$NAME.md" $CARD_ARGS

cp "$weights" "$WORK/$NAME.md" "$OUT/"
(cd "$OUT" && sha256sum -- *.safetensors > SHA256SUMS)
echo "wrote $OUT/$NAME.safetensors, its model card $OUT/$NAME.md and $OUT/SHA256SUMS; look at them, then commit them"

#!/usr/bin/env bash
# Check what `pip install cellbench` gives to a user: build the wheel, install it without extras in a fresh
# environment outside the checkout, and go from the sample data to a leaderboard page there.
#   scripts/check_wheel.sh          or, to check wheels that are built already:  scripts/check_wheel.sh FOLDER
set -euo pipefail
# The goal is 700 MB. Today's set has 920: llvmlite 180 (for numba), OpenCV 160, SciPy 115, compiled bytecode 140.
MAX_MB=1000
checkout=$(cd "$(dirname "$0")/.." && pwd)
wheels=${1:+$(realpath "$1")}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
unset PYTHONPATH

fail() { echo "check_wheel: $*" >&2; exit 1; }

"${PYTHON:-python3}" -m venv venv
if [[ -z $wheels ]]; then
  wheels=$work/wheels
  venv/bin/python -m pip wheel --quiet --disable-pip-version-check --no-deps --wheel-dir "$wheels" "$checkout" "$checkout/weights"
fi
venv/bin/python -m pip install --quiet --disable-pip-version-check -c "$checkout/constraints.txt" "$wheels"/cellbench-*.whl
installed=$SECONDS
venv/bin/python -m pip check --disable-pip-version-check >/dev/null || fail "the installed packages do not fit together"
site=$(venv/bin/python -c 'import cellbench, pathlib; print(pathlib.Path(cellbench.__file__).parents[1])')
[[ $site == "$work"/venv/* ]] || fail "cellbench was imported from $site instead of the new environment"
for file in py.typed configs/base.yaml configs/model/unet.yaml baselines/otsu_watershed/predict.py data/real/README.md; do
  [[ -f $site/cellbench/$file ]] || fail "the wheel lacks cellbench/$file"
done

export PATH="$work/venv/bin:$PATH"
cellbench data sample sample
cellbench data describe sample
cellbench run otsu_watershed --data sample --out predictions
cellbench evaluate sample/test/labels predictions --out board/scores.csv
cellbench rank board/scores.csv --out board --bootstrap 100 --entries predictions/otsu_watershed/entry.yaml
cellbench report board --data sample --predictions predictions
for file in board/{scores.csv,leaderboard.csv,provenance.json,report.html} predictions/otsu_watershed/{runtime,resources}.csv; do
  [[ -s $file ]] || fail "$file was not written"
done
images=$(find sample/test/images -type f | wc -l)
labels=$(find predictions -name '*_label.tiff' | wc -l)
[[ $images -eq $labels ]] || fail "there are $labels label maps for $images images"

status=0
message=$(cellbench fit --config model/unet.yaml 2>&1) || status=$?
[[ $status -eq 1 && $message == *'pip install "cellbench[train]"'* && $message != *$'\n'* ]] ||
  fail "training without the extra exits with $status and says: $message"

# The ready models are a distribution of their own.
venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --target ready "$wheels"/cellbench_weights-*.whl
(cd ready/cellbench_weights && sha256sum --check --quiet SHA256SUMS) || fail "the weights do not have their checksums"
[[ -s ready/cellbench_weights/generalist.md ]] || fail "the wheel of the weights lacks a model card"

read -r size bytecode < <(venv/bin/python - "$site" <<'EOF'
import sys
from pathlib import Path

files = [
    path
    for folder in Path(sys.argv[1]).iterdir()
    if not folder.name.startswith(("pip", "setuptools", "pkg_resources"))  # of every environment
    for path in ([folder] if folder.is_file() else folder.rglob("*"))
    if path.is_file()
]
total = sum(path.stat().st_size for path in files)
bytecode = sum(path.stat().st_size for path in files if path.suffix == ".pyc")
print(round(total / 1e6), round(bytecode / 1e6))
EOF
)
echo "cellbench without extras: $size MB, $bytecode of them bytecode; installed in $installed s," \
  "the commands took $((SECONDS - installed)) s"
[[ $size -le $MAX_MB ]] || fail "the installation has more than $MAX_MB MB"

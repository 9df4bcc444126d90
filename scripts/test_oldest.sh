#!/usr/bin/env bash
# Run the tests of everything that needs no training packages, with the oldest version of each dependency that
# pyproject.toml allows, in a fresh environment. With --train: all tests, with the oldest training packages too.
# Needs Python 3.11 (name it with PYTHON=…): the oldest versions have no wheels for newer ones.
set -euo pipefail
cd "$(dirname "$0")/.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
unset PYTHONPATH

extras=(distributed)
# stardist is an oracle of the tests; selenium opens the page in a browser.
tools=(pytest pytest-xdist hypothesis selenium stardist)
tests=(tests/{images,labels,data,evaluation,ranking,boards,report,entrants,commands} tests/test_files.py)
for file in commands/test_{cli,export_command,profile_command}.py entrants/test_ready_entrants.py; do
  tests+=(--ignore "tests/$file")  # they need the training packages
done
if [[ ${1:-} == --train ]]; then
  extras+=(train pretrained tensorboard formats export)
  tools=()
  dev=,dev  # the newest tools for the tests
  tests=()
fi

python=${PYTHON:-python3.11}
"$python" scripts/lower_bounds.py "${extras[@]}" >"$work/oldest.txt"
"$python" -m venv "$work/venv"
"$work/venv/bin/python" -m pip install --quiet --disable-pip-version-check -c "$work/oldest.txt" \
  -e ".[$(IFS=,; echo "${extras[*]}")${dev:-}]" "${tools[@]}"
"$work/venv/bin/python" -m pytest "${tests[@]}"

#!/usr/bin/env bash
# Build the documentation site into a folder, in a fresh environment; a warning is an error: scripts/build_docs.sh OUT
set -euo pipefail
out=$(realpath -m "$1")
cd "$(dirname "$0")/.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3}" -m venv "$work/venv"
# The packages of the extra docs alone: the pages are made from the source code, which is not imported.
"$work/venv/bin/python" - >"$work/docs.txt" <<'END'
import tomllib

print("\n".join(tomllib.load(open("pyproject.toml", "rb"))["project"]["optional-dependencies"]["docs"]))
END
"$work/venv/bin/python" -m pip install --quiet --disable-pip-version-check -c constraints.txt -r "$work/docs.txt"
NO_MKDOCS_2_WARNING=1 "$work/venv/bin/mkdocs" build --quiet --strict --site-dir "$out"

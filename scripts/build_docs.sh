#!/usr/bin/env bash
# Build the documentation site into a folder, in an environment of its own; a warning is an error:
#   scripts/build_docs.sh OUT       or, to show it on this machine while you write:  scripts/build_docs.sh --serve
set -euo pipefail
out=$1
[[ $out == --serve ]] || out=$(realpath -m "$out")
cd "$(dirname "$0")/.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3}" -m venv "$work/venv"
# The packages of the extra docs alone: the pages are made from the source code, which is not imported.
"$work/venv/bin/python" - >"$work/docs.txt" <<'END'
import tomllib

with open("pyproject.toml", "rb") as file:
    print("\n".join(tomllib.load(file)["project"]["optional-dependencies"]["docs"]))
END
"$work/venv/bin/python" -m pip install --quiet --disable-pip-version-check -c constraints.txt -r "$work/docs.txt"
export NO_MKDOCS_2_WARNING=1
if [[ $out == --serve ]]; then
  "$work/venv/bin/mkdocs" serve --no-strict
else
  "$work/venv/bin/mkdocs" build --strict --site-dir "$out"
fi

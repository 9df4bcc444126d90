#!/usr/bin/env bash
# Check every submission and rank every board that has some: .github/rank_boards.sh OUT
# OUT/rank.md states the result in Markdown; OUT/BOARD/ is the ranked board. Exit status 1 if a submission has faults.
set -uo pipefail
shopt -s nullglob
out=$1
mkdir -p "$out"
rank=$out/rank.md
: >"$rank"
status=0

# Names of folders and messages come from strangers: other characters are left out of names, and an indented
# line is shown as it is.
plain() { tr -cd 'A-Za-z0-9_. -' <<<"$1"; }
fault() {
  printf '%s cannot be ranked:\n\n    %s\n\n' "$1" "$(tr -s '[:cntrl:]' ' ' <<<"$2")" >>"$rank"
  status=1
}

for board in leaderboard/*/; do
  name=$(basename "$board")
  scores=()
  [[ -f ${board}scores.csv ]] && scores=("${board}scores.csv")
  submitted=("$board"entries/*/)
  ((${#submitted[@]})) || continue
  printf '## %s\n\n' "$(plain "$name")" >>"$rank"
  entries=()
  for entry in "${submitted[@]}"; do
    entry=${entry%/}
    if message=$(cellbench rank "${scores[@]}" "$entry" --out "$out/.alone" --bootstrap 1 2>&1 >/dev/null); then
      entries+=("$entry")
    else
      fault "The submission \`$(plain "$(basename "$entry")")\`" "$message"
    fi
    rm -rf "$out/.alone"
  done
  ((${#entries[@]})) || continue
  mkdir -p "$out/$name"
  for kept in "$board"about.md "$board"page.json; do
    [[ -f $kept ]] && cp "$kept" "$out/$name"
  done
  if message=$(cellbench rank "${scores[@]}" "${entries[@]}" --out "$out/$name" 2>&1 >/dev/null) &&
    message=$(cellbench report "$out/$name" 2>&1 >/dev/null); then
    { cat "$out/$name/leaderboard.md"; echo; } >>"$rank"
  else
    fault "The board" "$message"
  fi
done
[[ -s $rank ]] || echo "No board has submissions." >"$rank"
exit $status

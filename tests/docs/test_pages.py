"""The pages of the site look as their Markdown is meant."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = sorted([*(ROOT / "docs").rglob("*.md"), ROOT / "leaderboard/RULES.md"])
CODE = re.compile(r"^```.*?^```$", re.DOTALL | re.MULTILINE)
# A list or table, and before it a line that is neither part of it nor a heading, comment or blank line.
JOINED = re.compile(r"^(?!#|<!--|- |\d+\. |\|| |---$).+\n((?:- |\d+\. |\|).*)", re.MULTILINE)


@pytest.mark.parametrize("page", [str(path.relative_to(ROOT)) for path in PAGES])
def test_a_list_or_table_has_a_blank_line_before_it(page: str) -> None:
    """GitHub needs none, but the site would show it as a line of text."""
    text = CODE.sub("(code)", (ROOT / page).read_text("utf-8"))
    assert [match[1] for match in JOINED.finditer(text)] == []


@pytest.mark.parametrize("before", ["Text:", "```sh\nls\n```"])
@pytest.mark.parametrize("block", ["- item", "1. item", "| a |"])
def test_a_missing_blank_line_is_found(before: str, block: str) -> None:
    assert JOINED.search(CODE.sub("(code)", f"{before}\n{block}\n"))
    assert not JOINED.search(CODE.sub("(code)", f"{before}\n\n{block}\n"))

"""The commands and programs in the guides work, in the order of each page, and print what it shows."""

from pathlib import Path

import pytest
from guide_blocks import PAGES, ROOT, Page, read_blocks

# Pages whose blocks take more than ten seconds together.
SLOW = {"docs/guides/entrant.md"}
BLOCKS = [
    pytest.param(page, line, id=f"{page}:{line}", marks=[pytest.mark.slow] * (page in SLOW))
    for page in PAGES
    for line in read_blocks(ROOT / page)
]


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Page]:
    """Return every page with a folder of its own."""
    folders = {page: tmp_path_factory.mktemp(Path(page).stem) for page in PAGES}
    return {page: Page(ROOT / page, folder) for page, folder in folders.items()}


@pytest.mark.parametrize(("page", "line"), BLOCKS)
def test_block(page: str, line: int, pages: dict[str, Page]) -> None:
    pages[page].run(line)


def test_pages_that_are_called_slow_exist() -> None:
    assert set(PAGES) >= SLOW


def test_a_block_that_fails_names_its_page_and_line(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("Text.\n\n```bash\nfalse\n```\n")
    with pytest.raises(AssertionError, match=r"page\.md:3: exit status 1"):
        Page(page, tmp_path).run(3)


def test_a_block_that_prints_something_else_fails(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("```bash\necho 1 2\n```\n\n```text\n1 3\n```\n")
    with pytest.raises(AssertionError, match=r"(?s)page\.md:1: Expected:.*1 3.*Got:.*1 2"):
        Page(page, tmp_path).run(1)


def test_earlier_blocks_run_first_and_only_once(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("```bash\necho 1 >>runs\n```\n```bash\ncat runs\n```\n```text\n1\n```\n")
    blocks = Page(page, tmp_path)
    blocks.run(4)
    blocks.run(1)
    assert (tmp_path / "runs").read_text() == "1\n"

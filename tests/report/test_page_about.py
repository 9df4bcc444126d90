"""What a page states beside the ranking: title, text, date, entries, unmatched files, how to cite."""

import json
import shutil
from html.parser import HTMLParser
from pathlib import Path

import pytest
import yaml
from pages import scores_of, write_scores

from cellbench.boards import write_board
from cellbench.boards.reading import read_board
from cellbench.cli import main
from cellbench.errors import ScoresError
from cellbench.report import write_report
from cellbench.report.page import write_page
from cellbench.report.page.links import find_links, link_licence, web_address
from cellbench.report.page.prose import render_markdown

TAGS = {
    *("p", "em", "strong", "code", "pre", "ul", "ol", "li", "blockquote", "hr", "br", "a", "span"),
    *("h3", "h4", "h5", "h6", "table", "thead", "tbody", "tr", "th", "td"),
}


class Elements(HTMLParser):
    """Elements with their attributes, and the text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data

    def links(self) -> list[str | None]:
        return [attributes.get("href") for tag, attributes in self.found if tag == "a"]


@pytest.fixture
def own(board: Path, tmp_path: Path) -> Path:
    """Copy the board, which other tests read."""
    return Path(shutil.copytree(board, tmp_path / "cells"))


@pytest.fixture(autouse=True)
def _no_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cellbench.report.draw_board", lambda _: [])


def test_title_text_and_date_are_kept(own: Path, tmp_path: Path) -> None:
    about = tmp_path / "text.md"
    about.write_text("\ufeff# Cells\n\nFrom *two* microscopes.\n", encoding="utf-8")
    words = ["report", str(own), "--title", "Cells & <b>", "--about", str(about)]
    assert main([*words, "--date", "2026-02-03"]) == 0
    first = (own / "report.html").read_bytes()
    assert main(["report", str(own)]) == 0
    assert (own / "report.html").read_bytes() == first
    text = first.decode()
    assert "<h1><bdi>Cells &amp; &lt;b&gt;</bdi></h1>" in text
    assert "<title>Cells &amp; &lt;b&gt;: leaderboard</title>" in text
    assert '<time datetime="2026-02-03">2026-02-03</time>' in text
    assert "<h3>Cells</h3>" in text
    assert "<p>From <em>two</em> microscopes.</p>" in text
    assert '<li><a href="#about">About</a></li>' in text


def test_another_ranking_has_another_date_and_the_same_title(own: Path) -> None:
    assert main(["report", str(own), "--title", "Cells", "--date", "2020-01-01"]) == 0
    write_board([own / "scores.csv"], own, bootstrap=7)
    assert main(["report", str(own)]) == 0
    kept = json.loads((own / "page.json").read_text())
    assert kept["title"] == "Cells"
    assert kept["date"] > "2026-01-01"
    assert main(["report", str(own), "--title", ""]) == 0
    assert "<h1><bdi>cells</bdi></h1>" in (own / "report.html").read_text()


def test_without_a_report_there_is_no_date_and_no_text(own: Path) -> None:
    text = write_page(read_board(own), []).read_text(encoding="utf-8")
    assert "<h1><bdi>cells</bdi></h1>" in text
    assert "<time" not in text
    assert 'id="about"' not in text
    assert 'id="algorithms"' not in text


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("text.md", None, "text.md: cannot be read (No such file or directory)"),
        ("text.md", b"\xff\xfe\x00", "text.md: is not a text in UTF-8"),
        ("text.md", b"x" * 200_001, "text.md: is larger than 200 kB"),
        ("cells/page.json", b"{", "page.json: cannot be read"),
        ("cells/page.json", b'{"title": 1}', "page.json: does not hold texts only"),
    ],
)
def test_what_cannot_be_read(
    name: str, content: bytes | None, message: str, own: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if content is not None:
        (own.parent / name).write_bytes(content)
    more = ["--about", str(own.parent / name)] if name == "text.md" else []
    assert main(["report", str(own), *more]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert message in line
    assert not (own / "about.md").exists()


def test_a_date_is_a_date(own: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", str(own), "--date", "3.2.2026"]) == 2
    assert "'3.2.2026' is not a date such as 2026-11-30" in capsys.readouterr().err


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "a <img src=x onerror=alert(1)> b",
        "<div markdown=1>\n*x*\n</div>",
        "<!-- a -->\n\n<style>p {}</style>",
        "<?php x ?> <![CDATA[x]]> <!DOCTYPE html>",
        "[x](javascript:alert(1)) [x]( java\nscript:alert(1)) [x](&#106;avascript:alert(1))",
        "[x](JaVaScRiPt:alert(1)) [x](data:text/html,x) [x](file:///etc/passwd) [x](//evil.org)",
        '[x][1]\n\n[1]: javascript:alert(1) "t" onclick="x"',
        '[x](https://a.org "t\\" onclick=alert(1)")',
        "[x](https://good.org@evil.org/) <https://good.org@evil.org>",
        "![x](https://evil.org/pixel.png) ![x][1]\n\n[1]: https://evil.org/p.png",
        "<javascript:alert(1)> <a@b.org>",
        '```"><script>\n<b>\n```',
        "``` {.x onclick=alert(1)}\n<b>\n```",
        "`<b>` **<i>** ~~<u>~~ # <u>",
        "| <b> |\n|---|\n| <i> |",
        "\x02wzxhzdk:0\x03 \x02klzzwxh:0000\x03 <b>",
        "> " * 300 + "<b>",
        "&lt;script&gt; &#60;script&#62;",
    ],
)
def test_html_in_a_text_never_passes(text: str) -> None:
    found = Elements(str(render_markdown(text)))
    assert {tag for tag, _ in found.found} <= TAGS
    allowed = {"href", "rel", "class", "start", "align"}
    for tag, attributes in found.found:
        assert set(attributes) <= allowed, (tag, attributes)
        assert str(attributes.get("class", "language-")).startswith("language-")
    assert all(str(link).startswith("https://") and "@" not in str(link) for link in found.links())


def test_what_a_text_can_have() -> None:
    table, code = "| a |\n|--:|\n| 1 |\n", "```sh\nls\n```\n"
    text = f"# One\n## Two\n[paper](https://doi.org/10.1/x) `a<b`\n\n1. x\n\n{table}\n{code}"
    found = Elements(str(render_markdown(text)))
    tags = [tag for tag, _ in found.found]
    assert tags[:4] == ["h3", "h4", "p", "a"]
    assert {"ol", "li", "table", "td", "pre", "code"} <= set(tags)
    assert found.links() == ["https://doi.org/10.1/x"]
    assert "a<b" in found.text


@pytest.mark.parametrize(
    ("text", "links"),
    [
        ("https://example.org/a_(b).", ["https://example.org/a_(b)"]),
        ("A (see http://example.org), B", ["http://example.org"]),
        ("doi:10.1109/TSMC.1979.4310076", ["https://doi.org/10.1109/TSMC.1979.4310076"]),
        (
            "https://doi.org/10.1038/s41592-020-01018-x",
            ["https://doi.org/10.1038/s41592-020-01018-x"],
        ),
        ("10.1007/978-3-030-00934-2_30;", ["https://doi.org/10.1007/978-3-030-00934-2_30"]),
        ("U-Net, arXiv: 1505.04597v1", ["https://arxiv.org/abs/1505.04597v1"]),
        ("javascript:alert(1) data:text/html,x ftp://x.org file:///x", []),
        ("https://good.org@evil.org/ https:// https:///x https://[x", []),
        ('10.1234/x"><script>', ["https://doi.org/10.1234/x%22%3E%3Cscript"]),
        ("version 10.2, 3/4", []),
        ("", []),
    ],
)
def test_links(text: str, links: list[str]) -> None:
    parts = find_links(text)
    assert "".join(part.text for part in parts) == text
    assert [part.href for part in parts if part.href] == links


def test_licences() -> None:
    assert link_licence("Apache-2.0")[0].href == "https://spdx.org/licenses/Apache-2.0.html"
    assert link_licence("CC-BY-NC-ND-4.0")[0].href.endswith("/CC-BY-NC-ND-4.0.html")
    assert link_licence("our own") == [("our own", "")]
    assert link_licence("https://example.org/l")[0].href == "https://example.org/l"
    assert web_address("https://example.org/\u202ex") == ""


def enter(folder: Path, **stated: object) -> Path:
    folder.mkdir(parents=True)
    scores = scores_of([folder.name], ["x", "y", "z"])
    scores.to_csv(folder / "scores.csv", index=False)
    (folder / "entry.yaml").write_text(yaml.safe_dump({"name": folder.name, **stated}))
    return folder


def record(folder: Path, **facts: object) -> None:
    stated = {"protocol": {"name": "neurips22", "version": 2}, **facts}
    (folder / "scores.json").write_text(json.dumps(stated))


def test_entries_have_links(tmp_path: Path) -> None:
    evil = "javascript:alert(1)"
    folders = [
        enter(
            tmp_path / "entries/good",
            title="Good <net>",
            authors=["A. Author", "B. Author"],
            paper="Author 2024, doi:10.1234/x",
            code="https://example.org/code",
            licence="MIT",
        ),
        enter(tmp_path / "entries/evil", paper=evil, licence='"><img src=x>'),
        enter(tmp_path / "entries/silent"),
    ]
    write_board(folders, tmp_path / "b", bootstrap=5)
    text = write_page(read_board(tmp_path / "b"), []).read_text(encoding="utf-8")
    section = text[text.index('<section id="algorithms"') :]
    section = section[: section.index("</section>")]
    found = Elements(section)
    assert found.links() == [
        "https://doi.org/10.1234/x",
        "https://example.org/code",
        "https://spdx.org/licenses/MIT.html",
    ]
    headings = ["Algorithm", "Authors", "Paper", "Code", "Licence of the code"]
    assert [title for title in headings if title not in found.text] == []
    assert "Licence of the weights" not in found.text
    assert "A. Author; B. Author" in found.text
    assert evil in found.text
    assert "Good <net>" in found.text
    assert "silent" not in found.text
    assert "img" not in {tag for tag, _ in found.found}


def test_unmatched_files_are_failures(tmp_path: Path) -> None:
    folders = [enter(tmp_path / "entries" / name) for name in ("a", "b")]
    many = [f"{number:03}.tif" for number in range(203)]
    record(folders[0], unmatched={"a": ["<b>x</b>.tif", "y_masks.png"], "other": ["z"]})
    record(folders[1], unmatched={"b": many})
    write_board(folders, tmp_path / "board", bootstrap=5)
    known = json.loads((tmp_path / "board/provenance.json").read_text())
    assert known["unmatched"] == {"a": ["<b>x</b>.tif", "y_masks.png"], "b": many}
    text = write_page(read_board(tmp_path / "board"), []).read_text(encoding="utf-8")
    section = text[text.index('<section id="failures"') : text.index('<section id="cite"')]
    assert "Files that match no image" in section
    assert '<td class="name"><bdi>&lt;b&gt;x&lt;/b&gt;.tif</bdi></td>' in section
    assert "199.tif" in section
    assert "200.tif" not in section
    assert "… and 3 more files" in section


def test_without_unmatched_files_nothing_is_said(tmp_path: Path) -> None:
    board = write_scores(tmp_path / "b", scores_of(["a"], ["x"]))
    assert "unmatched" not in json.loads((board / "provenance.json").read_text())
    assert "match no image" not in write_page(read_board(board), []).read_text(encoding="utf-8")


@pytest.mark.parametrize("unmatched", [["a"], {"a": 1}, {"a": None}])
def test_a_damaged_list_of_unmatched_files(unmatched: object, tmp_path: Path) -> None:
    folder = enter(tmp_path / "entries/a")
    record(folder, unmatched=unmatched)
    with pytest.raises(ScoresError, match=r"scores\.json: does not list unmatched files as"):
        write_board([folder], tmp_path / "board", bootstrap=5)


def test_how_to_cite(own: Path) -> None:
    write_report(own, title="Cells_1 & {more}")
    text = Elements((own / "report.html").read_text(encoding="utf-8")).text
    run = json.loads((own / "provenance.json").read_text())["run_id"]
    day = json.loads((own / "page.json").read_text())["date"]
    assert (
        f"This leaderboard: Cells_1 & {{more}} ({day}). Leaderboard of 3 algorithms on 6 images, protocol "
        "neurips22 version 2, made with cellbench"
    ) in text
    assert f"Ranking {run}." in text
    assert "@misc{cells-1-more,\n  title = {{Cells\\_1 \\& \\{more\\}}}," in text
    assert f"  year = {{{day[:4]}}},\n" in text
    assert "The scoring and ranking follow the challenge: Ma, J. et al." in text

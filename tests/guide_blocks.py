"""The blocks of commands and of Python in the pages of the documentation, and how tests run them.

Blocks marked `bash` or `python` run, in the order of the page and in a folder of its own. A block
marked `text` is what the block before it prints; `...` stands for any text. Blocks with another mark, such
as `sh`, are only shown: they need a cluster, a GPU, the network or hours.
"""

import contextlib
import doctest
import io
import os
import shlex
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

from sybil import Sybil
from sybil.parsers.markdown import CodeBlockParser

from cellbench.cli import main

ROOT = Path(__file__).parents[1]
# A training ends after a few steps on small patches. Everything else runs as the page says.
SHORT = ["--config", str(ROOT / "tests/conf/guides.yaml")]
SHELL = f"""
python() {{ {shlex.quote(sys.executable)} "$@"; }}
cellbench() {{
  [[ $1 != fit ]] || set -- "$@" {shlex.join(SHORT)}
  python -m cellbench.cli "$@"
}}
"""
OF_THE_SHELL = set("|<>&;$*`\\{")


@dataclass
class Block:
    """A fenced block of a page.

    Attributes:
        language: ``bash`` or ``python``.
        source: what it runs.
        prints: what the page says that it prints; empty for nothing.
    """

    language: str
    source: str
    prints: str = ""


def read_blocks(path: Path) -> dict[int, Block]:
    """Return the blocks of a page that run, by the number of their first line."""
    parsers = [CodeBlockParser(name, lambda _: None) for name in ("bash", "python", "text")]
    blocks: dict[int, Block] = {}
    for each in Sybil(parsers=parsers).parse(path).examples():
        language = each.region.lexemes["arguments"]
        if language != "text":
            blocks[each.line] = Block(language, each.parsed)
        elif blocks:
            blocks[max(blocks)].prints = each.parsed
    return blocks


PAGES = sorted(
    path.relative_to(ROOT).as_posix()
    for path in [ROOT / "README.md", *ROOT.glob("docs/guides/*.md")]
    if read_blocks(path)
)


@dataclass
class Page:
    """A page whose blocks are run.

    Attributes:
        path: the page.
        folder: the current folder of its blocks.
    """

    path: Path
    folder: Path
    _names: dict[str, object] = field(default_factory=dict)
    _finished: set[int] = field(default_factory=set)

    def run(self, line: int) -> None:
        """Run the block at a line, and before it those above it that did not run in this process."""
        for each, block in read_blocks(self.path).items():
            if each > line:
                break
            if each not in self._finished:
                self._run_block(f"{self.path.name}:{each}", block)
                self._finished.add(each)

    def _run_block(self, place: str, block: Block) -> None:
        with contextlib.chdir(self.folder):
            status, printed = (
                self._run_python(place, block.source)
                if block.language == "python"
                else run_commands(block.source)
            )
        assert status == 0, f"{place}: exit status {status}\n{printed}"
        flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
        if block.prints and not doctest.OutputChecker().check_output(block.prints, printed, flags):
            raise AssertionError(f"{place}: Expected:\n{block.prints}\nGot:\n{printed}")

    def _run_python(self, place: str, source: str) -> tuple[int, str]:
        output = io.StringIO()
        with contextlib.redirect_stdout(output):
            exec(compile(source, place, "exec"), self._names)
        return 0, output.getvalue()


def run_commands(source: str) -> tuple[int, str]:
    """Run the commands of a block; return the exit status and what was printed.

    Importing takes longer than most commands. Where a block consists of plain ``cellbench`` commands, they
    run in this process; everything else runs in a shell.
    """
    commands = [shlex.split(line, comments=True) for line in source.splitlines()]
    commands = [words for words in commands if words]
    if OF_THE_SHELL & set(source) or any(words[0] != "cellbench" for words in commands):
        command = ["bash", "-euo", "pipefail", "-c", SHELL + source]
        environment = {**os.environ, "OMP_NUM_THREADS": "1"}
        run = subprocess.run(command, capture_output=True, text=True, env=environment)
        return run.returncode, run.stdout + run.stderr
    output = io.StringIO()
    with contextlib.redirect_stdout(output), contextlib.redirect_stderr(output):
        for _, *words in commands:
            status = main([*words, *(SHORT if words[0] == "fit" else [])])
            if status:
                return status, output.getvalue()
    return 0, output.getvalue()

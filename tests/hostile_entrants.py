"""Entrants for tests: a folder with entry.yaml, a program, and the label maps that it may write."""

import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from cellbench.data.folder import DatasetImage, read_dataset
from cellbench.entrants.bubblewrap import why_not_bubblewrap
from cellbench.entrants.entries import read_entry
from cellbench.entrants.isolation import choose_sandbox, hidden_folders
from cellbench.entrants.results import Row
from cellbench.entrants.run import run_entrant

PROGRAM = """\
import os, pathlib, shutil, signal, subprocess, sys, time
inputs, outputs = map(pathlib.Path, sys.argv[1:3])
(image,) = inputs.iterdir()
target = outputs / f"{image.stem}_label.tiff"
def answer():
    shutil.copyfile(f"answers/{image.stem}_label.tiff", target)
print("looking at", image.name, flush=True)
"""

SERVER = """\
import os, pathlib, shutil, signal, subprocess, sys, time
outputs = pathlib.Path(sys.argv[1])
def say(line):
    print(line, flush=True)
def write(image):
    target = outputs / f"{image.stem}_label.tiff"
    shutil.copyfile(f"answers/{image.stem}_label.tiff", target)
    return target
def answer(image):
    say(f"done {write(image)}")
def note(word):
    if "LOG" in os.environ:
        open(os.environ["LOG"], "a").write(word + "\\n")
note("start")
say("cellbench-serve 1")
for number, line in enumerate(sys.stdin):
    image = pathlib.Path(line.rstrip("\\n"))
    note(image.stem)
"""

ISOLATIONS = ("process", "bubblewrap")


def needs(isolation: str) -> None:
    """Skip the test if this machine lacks what the isolation needs."""
    if isolation == "bubblewrap" and (reason := why_not_bubblewrap()):
        pytest.skip(reason)


def make_entrant(folder: Path, data: Path, action: str = "answer()", **options: object) -> Path:
    """Write an entrant whose program does ``action``; without one it writes the right answers."""
    (folder / "answers").mkdir(parents=True)
    for labels in (data / "test/labels").iterdir():
        shutil.copy(labels, folder / "answers")
    (folder / "program.py").write_text(f"{PROGRAM}{action}\n")
    command = ["python", "-S", "program.py", "{inputs}", "{outputs}"]
    env = {"TRUTH": str(data / "test/labels"), "OUT": str(data.parent / "out")}
    entry = {"name": folder.name, "command": command, "env": env, **options}
    (folder / "entry.yaml").write_text(yaml.safe_dump(entry))
    return folder


def make_server(folder: Path, data: Path, action: str = "answer(image)", **options: object) -> Path:
    """Write an entrant that serves; its server does ``action`` for each request."""
    serve = ["python", "-S", "server.py", "{outputs}"]
    make_entrant(folder, data, serve=serve, **options)
    lines = "".join(f"    {line}\n" for line in action.splitlines())
    (folder / "server.py").write_text(SERVER + lines)
    return folder


def noted(log: Path) -> list[str]:
    """Return what a server of :func:`make_server` noted: its starts, and the stems of the requests."""
    return log.read_text().split()


def run(folder: Path, data: Path, isolation: str = "process", **options: Any) -> list[Row]:
    """Run an entrant on the test split; the results go to ``out`` beside the data."""
    needs(isolation)
    out = data.parent / "out"
    sandbox, _ = choose_sandbox(isolation, [*hidden_folders(data), out])
    images: list[DatasetImage] = read_dataset(data, ["test"])
    return run_entrant(read_entry(folder), folder, images, out / folder.name, sandbox, **options)

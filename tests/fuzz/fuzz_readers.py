"""Reads damaged files for a given time: every one is a result or one line of error.

``python tests/fuzz/fuzz_readers.py --seconds 600``. Anything else, for example another exception, output
to stderr, a crash, a call of more than five seconds or too much memory, is written to the folder of
findings: the file that did it, and what happened. Exit status 1 where there are any.
"""

import argparse
import faulthandler
import hashlib
import logging
import os
import re
import resource
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from random import Random

sys.path.append(str(Path(__file__).parents[1]))  # helpers: label_formats, pictures

import numpy as np
from mutations import mutated
from seeds import make_seeds

from cellbench.boards.record import check_version, read_record
from cellbench.boards.scores import read_scores_file
from cellbench.data.coco_file import of_categories, read_coco_file
from cellbench.data.coco_masks import segmentation_runs
from cellbench.data.folder import read_manifest
from cellbench.entrants.entries import read_entry
from cellbench.errors import CellbenchError
from cellbench.evaluation.masks import read_mask_table
from cellbench.evaluation.runtimes import read_runtimes
from cellbench.images import image_shape, read_image
from cellbench.labels import open_labels, read_labels

SLOWEST_SECONDS = 5
MOST_PIXELS = 4_000_000
MEMORY = 1 << 30  # 256 bytes for each of the pixels that are allowed
ADDRESSES = 2 << 30  # a request beyond is refused, as one beyond a machine's memory is
MASK_SHAPE = (20, 30)


def read_as_labels(path: Path) -> None:
    """Read a label map at once and by bands, which has to give the same."""
    labels = read_labels(path)
    assert labels.ndim == 2
    assert labels.dtype.kind in "iu"
    assert labels.min() >= 0
    opened = open_labels(path)
    assert (opened.shape, opened.dtype) == (labels.shape, labels.dtype)
    assert np.array_equal(np.concatenate(list(opened.bands(1))), labels)


def read_as_image(path: Path) -> None:
    """Read an image, and its size from the header."""
    image = read_image(path)
    assert image.dtype == np.float32
    assert image.shape == (*image_shape(path), 3)
    assert 0 <= image.min() <= image.max() <= 1


def read_as_runtimes(path: Path) -> None:
    """Read a table of running times."""
    assert all(0 <= seconds < float("inf") for seconds in read_runtimes(path).values())


def read_as_masks(path: Path) -> None:
    """Read a run-length table and draw its images; one that is broken leaves the others alone."""
    faults = []
    for rows in read_mask_table(path).values():
        try:
            labels = rows.open(MASK_SHAPE).whole()
        except CellbenchError as error:
            faults.append(error)
        else:
            assert labels.shape == MASK_SHAPE
            assert labels.max() <= len(rows.rows)
    if faults:
        raise faults[0]


def read_as_coco(path: Path) -> None:
    """Read a COCO file and all of its masks."""
    for cell in of_categories(read_coco_file(path))[0]:
        starts, ends = segmentation_runs(cell.segmentation, MASK_SHAPE, f"{path}, {cell.name}")
        assert (starts < ends).all()
        assert (ends[:-1] <= starts[1:]).all()


def read_as_record(path: Path) -> None:
    """Read a board's provenance.json."""
    check_version(path, read_record(path))


READERS: dict[str, tuple[Callable[[Path], None], ...]] = {
    "picture": (read_as_labels, read_as_image, image_shape),
    "runtimes": (read_as_runtimes,),
    "masks": (read_as_masks,),
    "coco": (read_as_coco,),
    "scores": (read_scores_file,),
    "manifest": (read_manifest,),
    "record": (read_as_record,),
    "entry": (read_entry,),
}


class Fuzzer:
    """Damages and reads files, in a process of its own.

    Args:
        findings: the folder of what went wrong.
        work: a folder for files on the way; it keeps the last one, should this process crash.
    """

    def __init__(self, findings: Path, work: Path) -> None:
        self.findings = findings
        self.case = work / "case"
        self.trace = (work / "trace").open("w+")
        self.noise = (work / "noise").open("w+")
        self.seeds = make_seeds(work)
        faulthandler.enable(self.trace)
        os.dup2(self.noise.fileno(), sys.stderr.fileno())
        logging.getLogger("cellbench.images").setLevel(logging.ERROR)  # warnings are no noise
        os.environ["CELLBENCH_MAX_PIXELS"] = str(MOST_PIXELS)
        for kind, seeds in self.seeds.items():  # what is sound is read, and all imports are made
            for seed in seeds:
                self.case.write_bytes(seed)
                for read in READERS[kind]:
                    with suppress(CellbenchError):
                        read(self.case)
        self.peak = _peak_memory()
        size = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (size + ADDRESSES, size + ADDRESSES))

    def run(self, seconds: float, start: int) -> int:
        """Read cases until the time is over, and return their number."""
        end, number = time.monotonic() + seconds, start
        while time.monotonic() < end:
            random = Random(number)
            kind = random.choices(list(self.seeds), (18, 1, 1, 1, 1, 1, 1, 1))[0]
            seed = random.choice(self.seeds[kind])
            self.case.write_bytes(mutated(seed, self.seeds[kind], random))
            for read in READERS[kind]:
                self.check(read)
            number += 1
        faulthandler.cancel_dump_traceback_later()
        return number - start

    def check(self, read: Callable[[Path], object]) -> None:
        """Call a reader on the case and note what may not happen."""
        faulthandler.dump_traceback_later(SLOWEST_SECONDS, exit=True, file=self.trace)
        try:
            read(self.case)
        except CellbenchError as error:
            if "\n" in str(error) or not str(error).startswith(str(self.case)):
                self.note(f"{read.__name__}-message", str(error))
        except Exception as error:
            self.note(f"{read.__name__}-{type(error).__name__}", _frames(error))
        if _peak_memory() > self.peak + MEMORY:
            self.peak = _peak_memory()
            self.note(f"{read.__name__}-memory", f"{self.peak} bytes")
        if os.fstat(self.noise.fileno()).st_size:
            self.note(f"{read.__name__}-stderr", Path(self.noise.name).read_text(errors="replace"))
            os.ftruncate(self.noise.fileno(), 0)
            os.lseek(self.noise.fileno(), 0, os.SEEK_SET)

    def note(self, name: str, text: str) -> None:
        """Keep the case, one of each sort."""
        keep(self.findings, self.case, name, text)


def _peak_memory() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def _frames(error: BaseException) -> str:
    """Return the traceback, the most recent call first, as faulthandler does."""
    frames = traceback.format_exception(error)
    return "".join(reversed(frames))


def keep(findings: Path, case: Path, name: str, text: str) -> None:
    """Write a case and what happened, unless the same lines of code have a finding already."""
    places = re.findall(r'File ".*', text)[:4]
    sort = hashlib.sha256("".join(places).encode()).hexdigest()[:8]
    target = findings / f"{name}-{sort}"
    if not target.with_suffix(".txt").exists():
        target.with_suffix(".bin").write_bytes(case.read_bytes())
        target.with_suffix(".txt").write_text(text)


def main() -> int:
    """Run fuzzing processes one after the other; a new one where one crashes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=0, help="number of the first case")
    parser.add_argument("--findings", type=Path, default=Path("runs/fuzz"))
    parser.add_argument("--work", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.work is not None:
        print(Fuzzer(arguments.findings, arguments.work).run(arguments.seconds, arguments.seed))
        return 0
    arguments.findings.mkdir(parents=True, exist_ok=True)
    begun, cases, seed = time.monotonic(), 0, arguments.seed
    while (left := arguments.seconds - (time.monotonic() - begun)) > 0:
        with tempfile.TemporaryDirectory() as work:
            words = ["--seconds", str(min(left, 60)), "--seed", str(seed), "--work", work]
            command = [sys.executable, __file__, *words, "--findings", str(arguments.findings)]
            child = subprocess.run(command, stdout=subprocess.PIPE, text=True)
            if child.returncode == 0:
                cases += int(child.stdout)
            elif not (Path(work) / "case").is_file():
                sys.exit((Path(work) / "noise").read_text() or "the fuzzing process cannot start")
            else:
                text = (Path(work) / "trace").read_text() + (Path(work) / "noise").read_text()
                keep(arguments.findings, Path(work) / "case", f"crash{child.returncode}", text)
        seed += 10_000_000
    found = sorted(arguments.findings.glob("*.txt"))
    rate = cases / (time.monotonic() - begun)
    print(f"{cases} cases, {rate:.0f} per second, {len(found)} findings in {arguments.findings}")
    for path in found:
        print(f"  {path.stem}: {path.read_text().strip().splitlines()[0]}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())

"""A loaded model that segments images on request: the serve protocol, version 1.

The protocol lets one process segment many images one at a time, so that a program is started and its model
is loaded once. Requests are read from standard input and answered on standard output:

1. When the model is loaded, the program writes the line ``cellbench-serve 1``: the name of the protocol and
   its version.
2. Each line of the input is the path of one image file, in UTF-8 and ending with a newline character. So a
   path that contains a newline cannot be requested.
3. The program segments the image, writes its label map, and then answers with one line: ``done PATH``, the
   path of the label map, or ``failed REASON``. A failure does not end the program. There is exactly one
   answer for each request, in the same order, and each is sent at once (flushed). A client waits for the
   answer before it sends the next request.
4. At the end of the input, the program ends with exit status 0.

Nothing else may be written to standard output; messages go to standard error.
"""

import logging
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import torch

from cellbench.errors import ImageError, UsageError
from cellbench.inference.overlap import windowed_parts
from cellbench.inference.scaling import check_diameter
from cellbench.inference.segment import IMAGE_ERRORS, read_model_image, segment_image
from cellbench.labels import label_path, write_labels
from cellbench.models.segmenter import Segmenter

GREETING = "cellbench-serve 1"
"""The first line of the output: the name of the protocol and its version."""

_log = logging.getLogger(__name__)


def serve_images(
    models: Sequence[Segmenter],
    outputs: str | Path,
    **options: Any,
) -> None:
    """Segment the images that are requested on standard input, until it ends.

    Args:
        models: a loaded model, or those of an ensemble.
        outputs: folder for the label maps; the one of ``cells.png`` is ``cells_label.tiff``.
        **options: options of [`segment_image`][cellbench.inference.segment.segment_image].

    Raises:
        UsageError: if the path of the folder has a line break, because an answer is one line.
        CellbenchError: if an option does not fit a model; nothing is sent then.
    """
    check_diameter(models[0], options.get("diameter"))
    windowed_parts(models, options.get("overlap"))
    if "\n" in str(outputs):
        raise UsageError(f"{str(outputs)!r}: the path of the folder has a line break; rename it")

    sources: dict[Path, Path] = {}

    def segment(path: Path) -> Path:
        image = read_model_image(models, path)
        target = label_path(outputs, path.stem)
        source = path.resolve()
        if sources.setdefault(target, source) != source:
            raise ImageError(
                f"{path}: {target} is the label map of {sources[target]}; rename one of the images"
            )
        target.unlink(missing_ok=True)
        write_labels(target, segment_image(models, image, **options))
        return target

    with _protected_output() as replies:
        serve(segment, sys.stdin.buffer, replies)


def serve(segment: Callable[[Path], Path], requests: BinaryIO, replies: BinaryIO) -> None:
    """Greet, then answer one request after the other until there are no more.

    Args:
        segment: segments the image file of a path, and returns the path of the label map that it wrote.
        requests: the lines to read, each the path of an image.
        replies: where the answers are written.
    """
    _send(replies, GREETING)
    for line in iter(requests.readline, b""):
        try:
            _send(replies, f"done {segment(_requested(line))}")
        except BrokenPipeError:
            raise
        except Exception as error:  # the model may be of another package and raise anything
            if not isinstance(error, IMAGE_ERRORS):
                _log.exception("unexpected error")
            _send(replies, f"failed {_reason(error)}")


def _requested(line: bytes) -> Path:
    try:
        text = line.removesuffix(b"\n").removesuffix(b"\r").decode("utf-8")
    except UnicodeDecodeError as error:
        raise ImageError("the path of the image is not valid UTF-8; rename the file") from error
    if not text or "\0" in text:
        raise ImageError(f"{text!r}: not the path of an image; send one path per line")
    return Path(text)


def _reason(error: Exception) -> str:
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return "out of memory"
    return " ".join(str(error).split()) or type(error).__name__


def _send(replies: BinaryIO, line: str) -> None:
    # The folder's path may have bytes that are not UTF-8: they are sent as they are.
    replies.write(os.fsencode(line) + b"\n")
    replies.flush()


@contextmanager
def _protected_output() -> Iterator[BinaryIO]:
    """Keep standard output for the answers; what libraries print goes to standard error."""
    sys.stdout.flush()
    descriptor = sys.stdout.fileno()
    with os.fdopen(os.dup(descriptor), "wb") as replies:
        os.dup2(sys.stderr.fileno(), descriptor)
        try:
            yield replies
        finally:
            sys.stdout.flush()
            os.dup2(replies.fileno(), descriptor)

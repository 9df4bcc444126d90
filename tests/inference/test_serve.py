"""The serve protocol: one image path per line on standard input, one answer per line."""

import io
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from checkpoints import save_checkpoint, small_unet
from PIL import Image

from cellbench.cli import main
from cellbench.errors import ImageError
from cellbench.inference import load_model, segment_image
from cellbench.inference.segment import read_model_image
from cellbench.inference.serve import serve, serve_images
from cellbench.labels import read_labels

GREETING = b"cellbench-serve 1"


def answers(requests: bytes, segment: object) -> list[bytes]:
    replies = io.BytesIO()
    serve(segment, io.BytesIO(requests), replies)  # type: ignore[arg-type]
    return replies.getvalue().splitlines()


def test_each_request_has_one_answer_in_order() -> None:
    def segment(path: Path) -> Path:
        if path.name == "bad.png":
            raise ImageError("bad.png:\nis damaged")
        return Path("out") / f"{path.stem}_label.tiff"

    assert answers(b"in/a b.png\nbad.png\nin/c.d.png", segment) == [
        GREETING,
        b"done out/a b_label.tiff",
        b"failed bad.png: is damaged",
        b"done out/c.d_label.tiff",
    ]
    assert answers(b"", segment) == [GREETING]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"\xff.png\n", b"not valid UTF-8"),
        (b"\n", b"not the path of an image"),
        (b"a\0b.png\n", b"not the path of an image"),
    ],
)
def test_lines_that_are_no_path_fail(line: bytes, reason: bytes) -> None:
    def segment(path: Path) -> Path:
        raise AssertionError(path)

    greeting, answer = answers(line, segment)
    assert greeting == GREETING
    assert answer.startswith(b"failed ")
    assert reason in answer


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (MemoryError(), b"failed out of memory"),
        (torch.OutOfMemoryError("CUDA: much text"), b"failed out of memory"),
        (RuntimeError("sizes of\ntensors"), b"failed sizes of tensors"),
        (ValueError(), b"failed ValueError"),
        (ZeroDivisionError("division by zero"), b"failed division by zero"),
        (FileNotFoundError(2, "No such file", "a"), b"failed [Errno 2] No such file: 'a'"),
    ],
)
def test_failures_are_one_line(error: Exception, reason: bytes) -> None:
    def segment(path: Path) -> Path:
        raise error

    assert answers(b"a.png\n", segment) == [GREETING, reason]


def test_answers_are_sent_at_once() -> None:
    """A client that waits for an answer before its next request must get it."""
    replies = io.BytesIO()

    class Client(io.BytesIO):
        def readline(self, size: int | None = -1, /) -> bytes:
            seen.append(replies.getvalue().count(b"\n"))
            return super().readline(size)

    seen: list[int] = []
    serve(lambda path: path, Client(b"a\nb\n"), replies)
    assert seen == [1, 2, 3]


def test_a_model_serves_in_a_process_of_its_own(tmp_path: Path) -> None:
    checkpoint = save_checkpoint(small_unet(), tmp_path / "model.ckpt")
    image = tmp_path / "été 1.png"
    pixels = np.random.default_rng(0).integers(0, 255, (40, 50), np.uint8)
    Image.fromarray(pixels).save(image)
    words = ["segment", "-", str(tmp_path / "out"), "--checkpoint", str(checkpoint)]
    requests = f"{image}\n{tmp_path / 'absent.png'}\n{image}\n"
    answer = subprocess.run(
        [sys.executable, "-m", "cellbench.cli", *words, "--device", "cpu"],
        input=requests.encode(),
        capture_output=True,
        timeout=300,
    )
    assert answer.returncode == 0, answer.stderr
    written = tmp_path / "out/été 1_label.tiff"
    greeting, first, second, third = answer.stdout.decode().splitlines()
    assert greeting == "cellbench-serve 1"
    assert first == third == f"done {written}"
    assert second.startswith(f"failed {tmp_path / 'absent.png'}: ")
    assert [path.name for path in written.parent.iterdir()] == [written.name]
    model = load_model(checkpoint, "cpu")
    expected = segment_image(model, read_model_image(model, image))
    np.testing.assert_array_equal(read_labels(written), expected)


def test_nothing_is_overwritten_or_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        Image.fromarray(np.full((40, 40), 9, np.uint8)).save(tmp_path / folder / "x.png")
    requests = "a/x.png\r\nb/x.png\nc/x.png\na/x.png\n"
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(requests.encode())))
    with open(1, "w", closefd=False) as output:
        monkeypatch.setattr(sys, "stdout", output)
        serve_images([small_unet().eval()], "out")
    _, first, other, absent, again = capfdbinary.readouterr().out.decode().splitlines()
    assert first == again == "done out/x_label.tiff"
    assert other.startswith("failed b/x.png: out/x_label.tiff is the label map of ")
    assert absent.startswith("failed c/x.png: ")
    assert (tmp_path / "out/x_label.tiff").is_file()


@pytest.mark.parametrize(
    ("words", "status", "message"),
    [
        (["--diameter", "auto"], 1, "does not store the diameters"),
        (["--overlap", "2"], 2, "overlap 2.0: must be"),
    ],
)
def test_options_are_checked_before_the_greeting(
    words: list[str], status: int, message: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    checkpoint = save_checkpoint(small_unet(), tmp_path / "model.ckpt")
    command = ["segment", "-", str(tmp_path / "out"), "--checkpoint", str(checkpoint)]
    assert main([*command, *words]) == status
    output, errors = capfd.readouterr()
    assert output == ""
    assert message in errors


def test_answers_need_a_folder_without_line_breaks(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    checkpoint = save_checkpoint(small_unet(), tmp_path / "model.ckpt")
    words = ["segment", "-", str(tmp_path / "a\nb"), "--checkpoint", str(checkpoint)]
    assert main(words) == 2
    assert "line break" in capsys.readouterr().err

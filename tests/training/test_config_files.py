"""Configuration files: mistakes are found before they are parsed, and ``model`` may be a name."""

from pathlib import Path

import pytest
from training_runs import CONF, CONFIGS

from cellbench.cli import main

UNET = "cellbench.models.unet.UNetBoundary"


def error_line(words: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    capsys.readouterr()
    assert main(["fit", *words]) == 2
    (line,) = capsys.readouterr().err.strip().splitlines()
    return line.removeprefix("cellbench: ")


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"\xff\xfe\x00", "not a configuration file; it is not text in UTF-8"),
        (b"", "not a configuration file; it must contain options such as seed_everything: 1"),
        (b"tune: true\ntune: false", "tune is set twice (line 2); remove one of them"),
        (b"data:\n  root: a\n  root: b", "root is set twice (line 3)"),
        (b"model: &a\n  x: *a", "not a valid YAML file (a part refers to itself)"),
        (b"trainer: 3", "trainer: expected options, but got 3"),
        (b"model:", "model: expected a class or its options, but got nothing"),
        (b"data: [1]", "data: expected a class or its options, but got [1]"),
        (b"model: {class_path: 3}", "model.class_path: expected a class path such as"),
        (
            b"model: {class_path: unet, channels: [4, 8]}",
            "model.channels: options beside class_path are written below init_args",
        ),
        (b"model: unett", "model 'unett': not known; did you mean unet?"),
        (
            b"model: cellbench.models.unet.UNet3",
            "model class cellbench.models.unet.UNet3: cannot be",
        ),
        (b"tune: !!python/name:os.system", "not a valid YAML file (line 1: could not determine"),
        (b"fit: {tune: true}", "fit.tune: there is no such option; did you mean tune?"),
        (b"optimizer: {lr: 1}", "optimizer.lr: there is no such option; a model makes its own opt"),
    ],
)
def test_a_mistake_is_one_line_that_names_the_file(
    content: bytes, expected: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "mine.yaml"
    file.write_bytes(content)
    for words in (["--model", "unet", "--config", str(file)], ["-c", str(file), "--model", "unet"]):
        assert error_line(words, capsys).startswith(f"{file}: {expected}")


def test_files_that_cannot_be_opened(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    absent = error_line(["--config", "model/unett.yaml"], capsys)
    assert absent.startswith("model/unett.yaml: no such configuration file; those of cellbench are")
    folder = error_line([f"--config={tmp_path}"], capsys)
    assert folder == f"{tmp_path}: cannot be read (Is a directory)"


@pytest.mark.parametrize(
    "content", ["model: unet", "model: {class_path: unet}", f"model: {UNET}"], ids=str
)
def test_a_file_may_name_the_model(
    content: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(content)
    words = ["--config", str(CONFIGS / "base.yaml"), "--config", str(file), "--print_config"]
    assert main(["fit", *words]) == 0
    assert f"class_path: {UNET}" in capsys.readouterr().out


@pytest.mark.parametrize("model", [["--model", "unet"], ["--model=unet"]])
def test_options_of_the_model_may_come_before_its_name(
    model: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--config", str(CONFIGS / "base.yaml"), "--config", str(CONF / "tiny.yaml")]
    assert main(["fit", *words, *model, "--model.channels", "[4, 8]", "--print_config"]) == 0
    out = capsys.readouterr().out
    assert f"class_path: {UNET}" in out
    assert "window: 64" in out
    assert "- 4\n    - 8" in out or "- 4\n      - 8" in out


def test_the_command_line_still_overrides_a_file(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["--config", str(CONFIGS / "model/convnext_hover.yaml"), "--model", "unet"]
    assert main(["fit", *words, "--print_config"]) == 0
    assert f"class_path: {UNET}" in capsys.readouterr().out

"""`cellbench segment` that is repeated: only what is new or has changed is segmented again."""

import shutil
from collections.abc import Callable

import pytest
from checkpoints import save_checkpoint, small_unet
from segmentation_runs import DEVICE, STEMS, Runs, times, write_image

from cellbench.cli import main
from cellbench.inference import run_files
from cellbench.inference.finished import JOURNAL_FILE, FinishedImages
from cellbench.labels import read_labels

RECORD_OF_A_HUGE_TIME = (
    '["b_label.tiff", {"image": "b.png", "image_checksum": "1", "labels_checksum": "2", "runtime_s": '
    f'{"9" * 400}, "rank_runtime_s": 0, "diameter": null, "scale": 1}}]'
)


def test_a_complete_run_does_nothing_again(runs: Runs, capsys: pytest.CaptureFixture[str]) -> None:
    out = runs.root / "out"
    assert runs() == STEMS
    before = {path: path.read_bytes() for path in out.iterdir()}
    (runs.root / "images").rename(runs.root / "moved")
    (runs.root / "images").symlink_to("moved")
    shutil.copy(runs.root / "model.ckpt", runs.root / "copy.ckpt")
    (runs.root / "copy.ckpt").replace(runs.root / "model.ckpt")
    capsys.readouterr()
    assert runs() == []
    said = capsys.readouterr()
    assert said.err == f"{out}: 4 of 4 label maps are kept from an earlier run\n"
    cells = sum(int(read_labels(path).max()) for path in out.glob("*.tiff"))
    assert cells > 0
    assert said.out == f"4 images, {cells} cells in {out}/\n"
    assert {path: path.read_bytes() for path in out.iterdir()} == before
    write_image(runs.root / "images/e.png", 5)
    assert runs() == ["e"]
    assert [*times(out)] == [f"{stem}.png" for stem in [*STEMS, "e"]]


def other_checkpoint(runs: Runs) -> None:
    save_checkpoint(small_unet(6), runs.root / "model.ckpt")


@pytest.mark.parametrize(
    ("words", "change", "name"),
    [
        (["--overlap", 0.6], None, "overlap"),
        (["--tta"], None, "tta"),
        (["--precision", "auto"], None, "precision"),
        ([], other_checkpoint, "checkpoints"),
    ],
)
def test_other_settings_begin_again(
    words: list[object],
    change: Callable[[Runs], None] | None,
    name: str,
    runs: Runs,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Not even a kill leaves label maps or tables of two settings in the folder."""
    out = runs.root / "out"
    runs()
    if change is not None:
        change(runs)
    with monkeypatch.context() as patch:
        patch.setattr(FinishedImages, "write_tables", lambda *_: None)
        patch.setattr(run_files, "segment_cells", interrupt)
        runs(*words, status=130)
    assert f"other settings ({name})" in capsys.readouterr().err
    assert {path.name for path in out.iterdir()} == {JOURNAL_FILE}
    assert runs(*words) == STEMS
    assert runs(*words) == []
    runs(*words, out="other")
    assert runs.maps() == runs.maps("other")


def interrupt(*_: object, **__: object) -> None:
    raise KeyboardInterrupt


def changed_image(runs: Runs) -> None:
    write_image(runs.root / "images/b.png", 9)


def other_format(runs: Runs) -> None:
    (runs.root / "images/b.png").rename(runs.root / "images/b.tif")


def deleted_map(runs: Runs) -> None:
    (runs.root / "out/b_label.tiff").unlink()


def changed_map(runs: Runs) -> None:
    shutil.copy(runs.root / "out/a_label.tiff", runs.root / "out/b_label.tiff")


def edited_record(text: str) -> Callable[[Runs], None]:
    def edit(runs: Runs) -> None:
        path = runs.root / "out" / JOURNAL_FILE
        lines = path.read_text().splitlines()
        assert lines[3].startswith('["b_label.tiff"')
        lines[3] = text
        path.write_text("\n".join(lines))

    return edit


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (changed_image, "b.png is segmented again, because an image or its label map has changed"),
        (other_format, "b.tif is segmented again"),
        (deleted_map, "b.png is segmented again"),
        (changed_map, "b.png is segmented again"),
        (edited_record('["b_label.tiff", {"image": "b.p'), "3 of 4 label maps are kept"),
        (edited_record('["b_label.tiff", {"image": "b.png"}]'), "3 of 4 label maps are kept"),
        (edited_record('["b_label.tiff", 7]'), "3 of 4 label maps are kept"),
        (edited_record(RECORD_OF_A_HUGE_TIME), "3 of 4 label maps are kept"),
    ],
)
def test_only_what_changed_is_segmented_again(
    change: Callable[[Runs], None], said: str, runs: Runs, capsys: pytest.CaptureFixture[str]
) -> None:
    runs()
    first = times(runs.root / "out")
    change(runs)
    capsys.readouterr()
    assert runs() == ["b"]
    line = capsys.readouterr().err
    assert line.startswith(f"{runs.root / 'out'}: 3 of 4 label maps are kept from an earlier run")
    assert said in line
    assert len(line.splitlines()) == 1
    again = times(runs.root / "out")
    assert {name: again[name] for name in ("a.png", "c.png", "d.png")} == {
        name: first[name] for name in ("a.png", "c.png", "d.png")
    }
    runs(out="other")
    assert runs.maps() == runs.maps("other")


def test_an_image_that_changes_while_it_is_segmented_is_not_kept(
    runs: Runs, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = run_files.segment_cells

    def change(*arguments: object, **options: object) -> object:
        write_image(runs.root / f"images/{runs.read[-1]}.png", 20)
        return original(*arguments, **options)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(run_files, "segment_cells", change)
        runs()
    assert runs() == STEMS


def test_label_maps_of_other_settings_do_not_stay(
    runs: Runs, capsys: pytest.CaptureFixture[str]
) -> None:
    """Images that are not given would keep the label maps of the earlier settings."""
    runs()
    one = ["segment", str(runs.root / "images/c.png"), str(runs.root / "out"), *DEVICE]
    one += ["--checkpoint", str(runs.root / "model.ckpt")]
    before = runs.maps()
    capsys.readouterr()
    assert main([*one, "--tta"]) == 1
    line = capsys.readouterr().err.splitlines()[-1]
    assert "contains label maps of other images (a.png and 2 more) that were made with" in line
    assert runs.maps() == before
    assert main(one) == 0
    assert runs() == []

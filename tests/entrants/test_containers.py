"""Entries with an image run in containers, under the challenge's contract."""

import shutil
import subprocess
from pathlib import Path

import pytest
import yaml
from datasets import make_dataset

from cellbench.cli import main
from cellbench.data.folder import read_dataset
from cellbench.entrants.containers import ENGINE_VARIABLE, ContainerSandbox, find_engine
from cellbench.entrants.entries import read_entry
from cellbench.entrants.run import run_entrant
from cellbench.entrants.sandbox import Task
from cellbench.entrants.workplace import Scratch
from cellbench.errors import EntrantError

RESTRICTED = "podman --storage-driver vfs --cgroup-manager cgroupfs --runtime runc"
"""What podman needs on machines that are containers themselves."""

PREDICT = """\
[ -z "$WAIT" ] || sleep "$WAIT"
for image in /workspace/inputs/*; do
  name=${image##*/}
  echo "looking at $name"
  echo x > $image && echo "inputs can be changed"
  cp "/workspace/answers/${name%.*}_label.tiff" /workspace/outputs/
done
"""


def entry_of(folder: Path, image: str, **options: object) -> Path:
    folder.mkdir(exist_ok=True)
    content = {"name": folder.name, "image": image, **options}
    (folder / "entry.yaml").write_text(yaml.safe_dump(content))
    return folder


@pytest.mark.parametrize(
    ("engine", "expected"),
    [
        (
            "podman --runtime runc",
            "podman --runtime runc run --rm --name NAME --network none --ulimit nofile=1024:1024 --ulimit "
            "nproc=4096:4096 --pids-limit 4096 --memory 500 --env A=b c --volume PLACE/inputs:"
            "/workspace/inputs:ro,z --volume PLACE/outputs:/workspace/outputs:z id sh predict.sh",
        ),
        (
            "apptainer",
            "apptainer exec --containall --no-home --writable-tmpfs --net --network none --pwd /workspace "
            "--env A=b c --bind PLACE/inputs:/workspace/inputs:ro --bind PLACE/outputs:/workspace/outputs "
            "id sh predict.sh",
        ),
    ],
)
def test_the_command_of_each_engine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, engine: str, expected: str
) -> None:
    monkeypatch.setattr("cellbench.entrants.containers._GRAPHICS", {})
    scratch = Scratch(tmp_path)
    with scratch.workplace() as workplace:
        task = Task([], tmp_path, {"A": "b c"}, image="id", memory=500)
        launch = ContainerSandbox(engine.split()).launch(task, workplace)
        words = " ".join(launch.words).replace(str(workplace.inputs.parent), "PLACE")
        name = launch.words[launch.words.index("--name") + 1] if "--name" in words else "NAME"
    assert words.replace(name, "NAME") == expected
    scratch.remove()


def test_without_an_engine_nothing_is_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    data = make_dataset(tmp_path / "data", images=1)
    words = ["run", str(entry_of(tmp_path / "boxed", "b:1")), "--data", str(data)]
    words += ["--out", str(tmp_path / "out")]
    monkeypatch.setenv("PATH", str(tmp_path))
    assert main(words) == 1
    assert (
        "none of podman, docker, apptainer is installed; install podman" in capsys.readouterr().err
    )
    monkeypatch.setenv(ENGINE_VARIABLE, "no-such-engine --flag")
    assert main(words) == 1
    assert "no-such-engine does not work here" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_program_is_no_container(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = make_dataset(tmp_path / "data", images=1)
    words = ["run", "otsu_watershed", "--data", str(data), "--out", str(tmp_path / "out")]
    assert main([*words, "--isolation", "container"]) == 2
    assert "otsu_watershed has a `command` and no `image`" in capsys.readouterr().err


@pytest.fixture(scope="module")
def engine() -> list[str]:
    """The engine of this machine, with which an empty image can be made."""
    if shutil.which("podman") is None:
        pytest.skip("podman is not installed")
    with pytest.MonkeyPatch.context() as patch:
        for options in ("podman", RESTRICTED):
            patch.setenv(ENGINE_VARIABLE, options)
            try:
                words = find_engine()
            except EntrantError as error:
                reason = str(error)
                continue
            probe = [*words, "info", "--format", "{{.Store.GraphDriverName}}"]
            driver = subprocess.run(probe, capture_output=True, text=True, check=False).stdout
            if options == "podman" and driver.strip() != "overlay":
                continue
            return words
    pytest.skip(reason)


def make_image(engine: list[str], root: Path, data: Path, predict: str = PREDICT) -> Path:
    """Make a tar of an image with a shell and `cp` of this machine."""
    programs = [Path("/bin/sh").resolve(), Path("/bin/cp"), Path("/bin/sleep")]
    needed = {path: path for path in programs}
    for program in programs:
        text = subprocess.run(["ldd", program], capture_output=True, text=True, check=True).stdout
        needed |= {Path(word): Path(word) for word in text.split() if word.startswith("/")}
    for path in needed:
        target = root / str(path).lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path.resolve(), target)
    (root / "bin").mkdir(exist_ok=True)
    shutil.copy(Path("/bin/sh").resolve(), root / "bin/sh")
    (root / "workspace").mkdir()
    (root / "workspace/predict.sh").write_text(predict)
    shutil.copytree(data / "test/labels", root / "workspace/answers")
    archive, saved = root.with_suffix(".tar"), root.with_name("image.tar")
    subprocess.run(["tar", "-C", root, "-cf", archive, "."], check=True)
    name = f"cellbench-test-{root.parent.name}".lower().replace("_", "-")
    path = "ENV PATH=/bin:/usr/bin"
    options = ["--change", "WORKDIR /workspace", "--change", path, str(archive), name]
    subprocess.run([*engine, "import", *options], check=True, capture_output=True)
    subprocess.run([*engine, "save", "-o", saved, name], check=True, capture_output=True)
    subprocess.run([*engine, "rmi", "--force", name], check=True, capture_output=True)
    return saved


@pytest.mark.slow
def test_an_image_in_a_real_container(engine: list[str], tmp_path: Path) -> None:
    data = make_dataset(tmp_path / "data", images=1)
    saved = make_image(engine, tmp_path / "root", data)
    folder = entry_of(tmp_path / "boxed", "image.tar", memory="500m")
    saved.rename(folder / "image.tar")
    sandbox = ContainerSandbox(engine)
    image = sandbox.prepare("image.tar", folder)
    images = read_dataset(data, ["test"])
    try:
        (row,) = run_entrant(read_entry(folder), folder, images, tmp_path / "out", sandbox)
        assert (row["status"], row["isolation"]) == ("ok", "container"), row
        assert "inputs can be changed" not in row["message"]
        kept = run_entrant(read_entry(folder), folder, images, tmp_path / "out", sandbox)
        assert kept == [row]
        # Only containers of this image: other runs on this machine may have theirs.
        words = [*engine, "ps", "--all", "--quiet", "--filter", f"ancestor={image}"]
        left = subprocess.run(words, capture_output=True, text=True, check=True)
        assert left.stdout == ""
    finally:
        subprocess.run([*engine, "rmi", "--force", image], check=False, capture_output=True)


def test_an_image_that_does_not_exist(engine: list[str], tmp_path: Path) -> None:
    data = make_dataset(tmp_path / "data", images=1)
    folder = entry_of(tmp_path / "boxed", "localhost/no-such-image:1")
    images = read_dataset(data, ["test"])
    (row,) = run_entrant(
        read_entry(folder), folder, images, tmp_path / "out", ContainerSandbox(engine)
    )
    assert row["status"] == "failed"
    assert "podman pull localhost/no-such-image:1 failed" in row["message"]

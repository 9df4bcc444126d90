"""Containers: an entry's ``image`` run by podman, docker or apptainer, as the challenge ran submissions.

The contract is the challenge's: ``sh predict.sh`` in the image's working folder reads /workspace/inputs and
writes /workspace/outputs.
"""

import hashlib
import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from cellbench.entrants.environment import full_environment
from cellbench.entrants.process import Launch, last_line
from cellbench.entrants.sandbox import Sandbox, Task
from cellbench.entrants.workplace import Workplace
from cellbench.errors import EntrantError

ENGINE_VARIABLE = "CELLBENCH_CONTAINER_ENGINE"
"""Environment variable with the engine and its own options, such as ``podman --runtime runc``."""

_ENGINES = ("podman", "docker", "apptainer")
_COMMAND = ("sh", "predict.sh")
_INPUTS, _OUTPUTS = "/workspace/inputs", "/workspace/outputs"
# Engines that may not raise these limits fail without them; the second one also limits fork bombs.
_LIMITS = ("--ulimit", "nofile=1024:1024", "--ulimit", "nproc=4096:4096", "--pids-limit", "4096")
_GRAPHICS = {
    "podman": ("--device", "nvidia.com/gpu=all"),
    "docker": ("--gpus", "all"),
    "apptainer": ("--nv",),
}
_LOADED = re.compile(r"Loaded image(?:\(s\)| ID)?: *(\S+)")
_PROBE_SECONDS = 60
_LOAD_SECONDS = 3600


class ContainerSandbox(Sandbox):
    """Starts the image of an entry in a container without network.

    Args:
        engine: the engine's program, and its options.
    """

    name = "container"

    def __init__(self, engine: Sequence[str]) -> None:
        self._engine = list(engine)
        self._kind = Path(engine[0]).name

    def prepare(self, image: str, folder: Path) -> str:
        """Load or pull the image of an entry.

        Args:
            image: name of the image, or a file beside ``entry.yaml``: a ``.tar`` that ``docker save`` or
                ``podman save`` wrote, or a ``.sif`` of apptainer.
            folder: the folder of ``entry.yaml``.

        Returns:
            The image's id, which changes with its content; under apptainer, what it is started from.

        Raises:
            EntrantError: if the image cannot be found.
        """
        file = folder / image
        if self._kind == "apptainer":
            is_archive = file.suffix == ".tar"
            named = f"docker-archive:{file}" if is_archive else str(file)
            return named if file.is_file() else f"docker://{image}"
        if file.is_file():
            answer = self._ask("load", "--input", str(file))
            if not (loaded := _LOADED.search(answer)):
                raise EntrantError(
                    f"{file}: {self._kind} did not load an image from it; save it again"
                )
            image = loaded[1]
        try:
            return self._ask("image", "inspect", "--format", "{{.Id}}", image).strip()
        except EntrantError:
            self._ask("pull", image)
            return self._ask("image", "inspect", "--format", "{{.Id}}", image).strip()

    def launch(self, task: Task, workplace: Workplace) -> Launch:
        """Return how to start a container with its folders.

        Args:
            task: what is run; ``image`` is what [`prepare`][] returned.
            workplace: its folders.
        """
        make = self._apptainer if self._kind == "apptainer" else self._run
        words = [*make(task, workplace), str(task.image), *_COMMAND]
        return Launch(words, task.folder, full_environment({}), workplace.writable)

    def clean_up(self, workplace: Workplace) -> None:
        """Remove the container, which the engine's service may keep running.

        Args:
            workplace: the folders that it was started with.
        """
        if self._kind != "apptainer":
            subprocess.run(
                [*self._engine, "rm", "--force", _name(workplace)],
                capture_output=True,
                check=False,
                timeout=_PROBE_SECONDS,
            )

    def _run(self, task: Task, workplace: Workplace) -> list[str]:
        words = [*self._engine, "run", "--rm", "--name", _name(workplace), "--network", "none"]
        words += [*_LIMITS, *self._graphics()]
        if task.memory is not None:
            words += ["--memory", str(task.memory)]
        for name, value in task.env.items():
            words += ["--env", f"{name}={value}"]
        # `z` lets SELinux open the folders to the container; elsewhere it has no effect.
        words += ["--volume", f"{workplace.inputs}:{_INPUTS}:ro,z"]
        return [*words, "--volume", f"{workplace.outputs}:{_OUTPUTS}:z"]

    def _apptainer(self, task: Task, workplace: Workplace) -> list[str]:
        words = [*self._engine, "exec", "--containall", "--no-home", "--writable-tmpfs"]
        words += ["--net", "--network", "none", "--pwd", "/workspace", *self._graphics()]
        for name, value in task.env.items():
            words += ["--env", f"{name}={value}"]
        words += ["--bind", f"{workplace.inputs}:{_INPUTS}:ro"]
        return [*words, "--bind", f"{workplace.outputs}:{_OUTPUTS}"]

    def _graphics(self) -> Sequence[str]:
        return _GRAPHICS.get(self._kind, ()) if Path("/dev/nvidiactl").exists() else ()

    def _ask(self, *words: str) -> str:
        """Return what the engine prints.

        Raises:
            EntrantError: if it fails.
        """
        try:
            answer = subprocess.run(
                [*self._engine, *words],
                capture_output=True,
                text=True,
                check=False,
                timeout=_LOAD_SECONDS,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise EntrantError(f"{self._kind} {words[0]} failed: {error}") from error
        if answer.returncode:
            raise EntrantError(
                f"{self._kind} {words[0]} {words[-1]} failed: {last_line(answer.stderr)}; check the `image`"
            )
        return answer.stdout


def find_engine() -> list[str]:
    """Return this machine's container engine: the environment variable's, or the first that works.

    Returns:
        The program and its options.

    Raises:
        EntrantError: if there is none.
    """
    if named := os.environ.get(ENGINE_VARIABLE):
        candidates = [shlex.split(named)]
    else:
        candidates = [[name] for name in _ENGINES if shutil.which(name)]
    reason = "none of " + ", ".join(_ENGINES) + " is installed"
    for words in candidates:
        probe = "info" if Path(words[0]).name != "apptainer" else "version"
        try:
            subprocess.run([*words, probe], capture_output=True, check=True, timeout=_PROBE_SECONDS)
        except subprocess.CalledProcessError as error:
            reason = (
                f"{words[0]} does not work here: {last_line(error.stderr.decode(errors='replace'))}"
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            reason = f"{words[0]} does not work here: {error}"
        else:
            return words
    raise EntrantError(
        f"an entry with an `image` needs a container engine, but {reason}; install podman, or set "
        f"{ENGINE_VARIABLE} to the engine and its options"
    )


def _name(workplace: Workplace) -> str:
    """Return the name of the container of a workplace."""
    return f"cellbench-{hashlib.sha256(str(workplace.outputs).encode()).hexdigest()[:16]}"

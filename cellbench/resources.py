"""Files that come with the package: training configs and baselines; and ready weights, if installed."""

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

_PACKAGE = Path(__file__).parent
_CONFIG_OPTIONS = ("--config", "-c")
_WEIGHTS = "cellbench_weights"
WEIGHTS_SUFFIX = ".safetensors"
"""Extension of weights files."""

INSTALL_WEIGHTS = 'run: pip install "cellbench[weights]"'
"""How ready models are installed."""


def resource_folder(name: str) -> Path:
    """Return the folder of one kind of packaged files.

    A wheel carries these folders inside the package; in a checkout they are beside it.

    Args:
        name: ``"configs"`` or ``"baselines"``.

    Returns:
        The folder.
    """
    packaged = _PACKAGE / name
    return packaged if packaged.is_dir() else _PACKAGE.parent / name


def weights_folder() -> Path | None:
    """Return the folder with ready weights: the package cellbench_weights; None if there is none.

    ``pip install "cellbench[weights]"`` installs it; in a checkout it is in the folder weights/.
    """
    spec = find_spec(_WEIGHTS)
    installed = list(spec.submodule_search_locations or []) if spec else []
    beside = _PACKAGE.parent / "weights" / _WEIGHTS
    return next((each for each in (*map(Path, installed), beside) if each.is_dir()), None)


def ready_weights(name: str) -> Path | None:
    """Return the weights file of a ready model; None if it is not installed.

    Args:
        name: name of the model.
    """
    folder = weights_folder()
    file = None if folder is None else folder / f"{name}{WEIGHTS_SUFFIX}"
    return file if file is not None and file.is_file() else None


def find_config(path: str) -> str:
    """Return the path of a config file, which may be named relative to the packaged configs.

    Args:
        path: a YAML file, or the name of a packaged one such as ``model/unet.yaml``. A file in the
            working folder comes first.

    Returns:
        The path of the packaged file if only that exists; otherwise ``path`` unchanged.
    """
    packaged = resource_folder("configs") / path
    return str(packaged) if packaged.is_file() and not Path(path).exists() else path


def find_configs(words: Sequence[str]) -> list[str]:
    """Apply [`find_config`][] to every ``--config`` of a command line.

    Args:
        words: the command line, split into words.

    Returns:
        The words, with the path of each packaged config in full.
    """
    found = list(words)
    for index, word in enumerate(found):
        option, equals, value = word.partition("=")
        if option not in _CONFIG_OPTIONS:
            continue
        if equals:
            found[index] = f"{option}={find_config(value)}"
        elif index + 1 < len(found):
            found[index + 1] = find_config(found[index + 1])
    return found


def list_baselines() -> list[str]:
    """List the names of the baselines that come with the package.

    Returns:
        Names in alphabetical order.

    Examples:
        >>> "otsu_watershed" in list_baselines()
        True
    """
    return sorted(path.parent.name for path in resource_folder("baselines").glob("*/entry.yaml"))


def find_entrant(path: Path) -> Path:
    """Return the path of an entrant, which may be the name of a packaged baseline.

    Args:
        path: an ``entry.yaml``, its folder, or the name of a baseline. An existing file or folder comes
            first.

    Returns:
        The folder of the packaged baseline if only that exists; otherwise ``path`` unchanged.
    """
    named = not path.exists() and str(path) in list_baselines()
    return resource_folder("baselines") / path if named else path

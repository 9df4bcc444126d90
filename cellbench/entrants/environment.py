"""The environment variables that a program of an entrant sees."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path

_NAMES = frozenset({"LANG", "LANGUAGE", "LD_LIBRARY_PATH", "PATH", "PYTHONPATH", "TZ"})
_PREFIXES = ("CELLBENCH_", "CUDA_", "HIP_", "LC_", "NVIDIA_", "PYTORCH_", "ROCR_")
_NETWORK = frozenset({
    "ALL_PROXY", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY",
    "CURL_CA_BUNDLE", "PIP_CERT", "REQUESTS_CA_BUNDLE", "SSL_CERT_DIR", "SSL_CERT_FILE",
})  # fmt: skip
_ENDS = ("_NUM_THREADS",)  # OMP_, MKL_, OPENBLAS_, NUMBA_, NUMEXPR_


def reduced_environment(
    home: str, scratch: str, own: Mapping[str, str], *, network: bool = False
) -> dict[str, str]:
    """Return the variables of a sandbox: a short list of this process's, and the entry's own.

    Args:
        home: the program's home folder.
        scratch: its folder for temporary files.
        own: the entry's ``env``, which comes last.
        network: whether it may use the network, for which it then sees the variables of proxies and
            certificates.
    """
    kept = {
        name: value
        for name, value in full_environment({}).items()
        if _is_kept(name) or (network and name.upper() in _NETWORK)
    }
    return {**kept, "HOME": home, "TMPDIR": scratch, **own}


def full_environment(own: Mapping[str, str]) -> dict[str, str]:
    """Return the variables of this process, for a program that runs in another folder.

    The words ``python`` and ``cellbench`` start the interpreter and the command of this environment, and
    folders in ``PYTHONPATH`` are made absolute.

    Args:
        own: the entry's ``env``, which comes last.
    """
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    variables = {**os.environ, "PATH": path}
    if places := python_path():
        variables["PYTHONPATH"] = os.pathsep.join(map(str, places))
    return {**variables, **own}


def python_path() -> list[Path]:
    """Return the folders of ``PYTHONPATH``, absolute; an empty entry means the working folder."""
    places = os.environ.get("PYTHONPATH")
    return [Path(place).absolute() for place in places.split(os.pathsep)] if places else []


def _is_kept(name: str) -> bool:
    return name in _NAMES or name.startswith(_PREFIXES) or name.endswith(_ENDS)

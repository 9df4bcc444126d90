"""Download open datasets that have a direct address."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import requests

from cellbench.data.fetch import TIMEOUT, fetch, unpack
from cellbench.errors import DatasetError


@dataclass(frozen=True)
class RemoteDataset:
    """An open dataset: zip archives below one address.

    Attributes:
        address: the part of an archive's address before its file name.
        files: file names of the archives.
        licence: the licence that the authors state.
        ending: the part of an archive's address after its file name.
        record: address of the Zenodo record that lists the archives' ``md5``; empty if there is none.
        sha256: published checksum of the only archive; empty if there is none.
    """

    address: str
    files: tuple[str, ...]
    licence: str
    ending: str = ""
    record: str = ""
    sha256: str = ""


DATASETS: dict[str, RemoteDataset] = {
    "neurips22": RemoteDataset(
        address="https://zenodo.org/records/10719375/files/",
        files=(
            "Training-labeled.zip",
            "Tuning.zip",
            "Testing.zip",
            "train-unlabeled-part1.zip",
            "train-unlabeled-part2.zip",
        ),
        licence="CC BY-NC-ND 4.0",
        ending="?download=1",
        record="https://zenodo.org/api/records/10719375",
    ),
    "dsb2018": RemoteDataset(
        address="https://data.broadinstitute.org/bbbc/BBBC038/",
        files=("stage1_train.zip",),
        licence="CC0",
    ),
    "dsb2018-stardist": RemoteDataset(
        address="https://github.com/stardist/stardist/releases/download/0.1.0/",
        files=("dsb2018.zip",),
        licence="CC0",
        # The checksum that the dataset loader of torch-em uses.
        sha256="e44921950edce378063aa4457e625581ba35b4c2dbd9a07c19d48900129f386f",
    ),
}
"""Downloads by name. ``dsb2018-stardist`` is the fluorescence subset of the StarDist publication."""


def download(
    name: str,
    folder: str | Path,
    *,
    datasets: Mapping[str, RemoteDataset] = DATASETS,
    wait_s: float = 1.0,
) -> list[Path]:
    """Download and unpack a dataset; calling it again continues an interrupted download.

    Archives are compared with their published checksum (Zenodo's ``md5``, read from its record). The
    SHA-256 of the first download is always stored in ``<file>.sha256`` (the format of ``sha256sum``)
    and compared from then on, so later runs need no network. An archive that you put into ``folder``
    yourself is used.

    Args:
        name: one of ``datasets``.
        folder: where to put the archives, and beside each a folder with its files; import the dataset from
            this folder.
        datasets: the datasets that can be downloaded, by name.
        wait_s: pause in seconds before another attempt; doubled after each attempt without progress.

    Returns:
        The unpacked folders.

    Raises:
        DatasetError: if the name is unknown, the network or the disk fails, or a checksum differs.
    """
    if name not in datasets:
        raise DatasetError(f"unknown dataset {name!r}; choose one of {', '.join(datasets)}")
    dataset, folder = datasets[name], Path(folder)
    checksums = dict.fromkeys(dataset.files, f"sha256:{dataset.sha256}" if dataset.sha256 else "")
    if dataset.record and not all((folder / file).exists() for file in dataset.files):
        checksums = _zenodo_checksums(dataset)
    unpacked = []
    for file in dataset.files:
        address = f"{dataset.address}{file}{dataset.ending}"
        fetch(address, folder / file, checksums[file], wait_s)
        unpacked.append(folder / Path(file).stem)
        unpack(folder / file, unpacked[-1])
    return unpacked


def _zenodo_checksums(dataset: RemoteDataset) -> dict[str, str]:
    """Read ``algorithm:digest`` by file name from a Zenodo record."""
    try:
        response = requests.get(dataset.record, timeout=TIMEOUT)
        response.raise_for_status()
        listed = {entry["key"]: str(entry["checksum"]) for entry in response.json()["files"]}
        return {file: listed[file] for file in dataset.files}
    except requests.JSONDecodeError as error:
        raise DatasetError(f"{dataset.record}: the answer is not JSON; try again later") from error
    except requests.RequestException as error:
        raise DatasetError(
            f"{dataset.record}: {error}; check the network connection and run again"
        ) from error
    except (KeyError, TypeError) as error:
        raise DatasetError(
            f"{dataset.record}: the record lists no checksum for {error}; download the archives yourself, "
            f"put them into the folder and run again"
        ) from error

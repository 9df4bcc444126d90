"""The folder of a site: it is replaced only if cellbench wrote everything in it."""

import json
from pathlib import Path

from cellbench.errors import CellbenchError, UsageError

RECORD = "site.json"
"""The file that lists the files of a site, by which a later run knows that it may replace them."""
_VERSION = 1


def check_replaceable(out: Path) -> None:
    """Check that a folder is absent, empty, or a site that cellbench wrote and nobody added to.

    Args:
        out: the folder.

    Raises:
        UsageError: if it is a file.
        CellbenchError: if it is anything else.
    """
    if not out.exists():
        return
    if not out.is_dir():
        raise UsageError(f"--out {out}: is a file; name a folder")
    found = {path.relative_to(out).as_posix() for path in out.rglob("*") if not path.is_dir()}
    if not found:
        return
    if RECORD not in found:
        raise CellbenchError(
            f"--out {out}: exists and is not a site that cellbench wrote; choose another folder"
        )
    others = found - {RECORD, *_listed(out / RECORD)}
    if others:
        raise CellbenchError(
            f"--out {out}: contains {min(others)}, which cellbench did not write and which would be lost; "
            "move it elsewhere, or choose another folder"
        )


def write_record(folder: Path) -> None:
    """List the files of a complete site.

    Args:
        folder: the folder of the site.
    """
    files = sorted(
        path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()
    )
    text = json.dumps({"cellbench_site": _VERSION, "files": files}, indent=1, ensure_ascii=False)
    (folder / RECORD).write_text(text + "\n", encoding="utf-8")


def _listed(path: Path) -> list[str]:
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        return [str(name) for name in record["files"]] if record["cellbench_site"] else []
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise CellbenchError(
            f"{path}: is not the record of a site that cellbench wrote; choose another folder"
        ) from error

"""Algorithms that were trained on test images of the board, as ``cellbench data leaks`` found them."""

from collections.abc import Mapping
from pathlib import Path

from cellbench.boards.reading import BoardTables
from cellbench.boards.text_table import read_text
from cellbench.errors import UsageError
from cellbench.images import image_stem
from cellbench.report.page.texts import count

_COLUMNS = ("image", "other", "kind", "distance")


def read_leaks(board: BoardTables, tables: Mapping[str, Path]) -> dict[str, str]:
    """Read which algorithms were trained on test images of the board.

    Args:
        board: the tables; algorithms and values are used.
        tables: what ``cellbench data leaks`` printed, by the name of the training dataset as entries state
            it in ``trained_on``.

    Returns:
        A note for each algorithm that was trained on a dataset with test images, by name.

    Raises:
        UsageError: if no algorithm states that it was trained on one of the datasets.
        ScoresError: if a table cannot be read.
    """
    trained = {} if board.algorithms is None else _trained_on(board)
    images = set(board.values["image"])
    notes: dict[str, list[str]] = {}
    for dataset, path in tables.items():
        algorithms = [name for name, known in trained.items() if dataset.casefold() in known]
        if not algorithms:
            stated = sorted({name for known in trained.values() for name in known.values()})
            raise UsageError(
                f"--leaks {dataset}: no entry states that it was trained on this dataset; the entries "
                f"name {', '.join(stated) or 'none'}. Rank the board with --entries to add entries"
            )
        rows = read_text(path, _COLUMNS, "make it with cellbench data leaks")
        leaked = len(images & {image_stem(Path(name).name) for name in rows["image"]})
        if leaked:
            words = f"{leaked} of {count(len(images), 'test image')} also in {dataset}"
            for name in algorithms:
                notes.setdefault(name, []).append(words)
    return {name: "; ".join(words) for name, words in notes.items()}


def _trained_on(board: BoardTables) -> dict[str, dict[str, str]]:
    """Return the datasets of each algorithm by their names without upper case."""
    assert board.algorithms is not None
    return {
        name: {word.strip().casefold(): word.strip() for word in words.split(";") if word.strip()}
        for name, words in board.algorithms[["algorithm", "trained_on"]].itertuples(index=False)
    }

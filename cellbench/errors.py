"""Errors that a user can mend: each message names the file, what is wrong, and what to do."""


class CellbenchError(ValueError):
    """Bad input. The command line prints the message as one line and exits with status 1."""


class UsageError(CellbenchError):
    """An option with a value that is not known. The command line exits with status 2."""


class ImageError(CellbenchError):
    """An image file that cannot be read as one two-dimensional image."""


class LabelMapError(CellbenchError):
    """A label map that cannot be read, written or compared."""


class InvalidLabelsError(LabelMapError):
    """An array that is not a label map: not (H, W), not integers, or with negative ids."""


class DatasetError(CellbenchError):
    """A dataset folder, manifest or source dataset that does not follow its layout."""


class ScoresError(CellbenchError):
    """A table of scores that lacks columns, rows or numbers."""


class EntrantError(CellbenchError):
    """An entry.yaml that breaks the entrant contract."""


class CheckpointError(CellbenchError):
    """A file that is not a readable checkpoint of a cellbench model."""

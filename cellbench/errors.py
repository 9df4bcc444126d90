"""Errors that users can correct: each message names the file or option, what is wrong and what to do."""


class CellbenchError(ValueError):
    """Bad input. The command line prints the message as one line and exits with status 1."""


class UsageError(CellbenchError):
    """Wrong usage, such as an unknown value of an option. The command line exits with status 2."""


class WriteError(CellbenchError):
    """A file that cannot be written, for example because the disk is full."""


class ImageError(CellbenchError):
    """An image file that cannot be read as one two-dimensional image."""


class LabelMapError(CellbenchError):
    """A label map that cannot be read, written or compared."""


class InvalidLabelsError(LabelMapError):
    """An array that is not a label map: not (H, W), not integers, or with negative ids."""


class DatasetError(CellbenchError):
    """A dataset folder, manifest or source dataset that does not follow its layout."""


class ScoresError(CellbenchError):
    """A table of scores in which columns, rows or numbers are missing or wrong."""


class EntrantError(CellbenchError):
    """An entry.yaml that does not follow its format, or an entrant that cannot be run."""


class CheckpointError(CellbenchError):
    """A file that cannot be read as a checkpoint of a model."""

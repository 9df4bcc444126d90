"""How the verbs explain themselves: the layout of their help, and wrong usage in one line."""

import argparse
import re
from collections.abc import Iterable
from difflib import get_close_matches
from typing import Any, NoReturn

from cellbench.errors import UsageError

_CHOICE = re.compile(r"invalid choice: '([^']*)' \(choose from (.*)\)$")
_OTHER_WORDS = {"train": "fit", "score": "evaluate", "leaderboard": "rank"}
"""What verbs are called elsewhere."""


class HelpFormatter(argparse.HelpFormatter):
    """Wraps paragraphs, but keeps the lines of examples and lists, so that they can be copied."""

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        return "\n\n".join(
            paragraph.rstrip()
            if "\n  " in paragraph
            else super(HelpFormatter, self)._fill_text(paragraph, width, indent)
            for paragraph in text.split("\n\n")
        )


class OneLineArgumentParser(argparse.ArgumentParser):
    """A parser that raises wrong usage as one line, and accepts only whole names of options.

    The parsers of its verbs are of this class too.

    Args:
        *args: as for ArgumentParser.
        **kwargs: as for ArgumentParser.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        # An abbreviation can mean another option in the next version.
        super().__init__(*args, **{"allow_abbrev": False} | kwargs)

    def parse_known_args(self, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401  (overloaded)
        """Parse words, and refuse those that are not known.

        Args:
            *args: as for ArgumentParser.
            **kwargs: as for ArgumentParser.

        Raises:
            UsageError: if a word is neither an option nor expected otherwise.
        """
        found, unknown = super().parse_known_args(*args, **kwargs)
        if unknown:
            self.error(self._describe_unknown(unknown))
        return found, unknown

    def error(self, message: str) -> NoReturn:
        """Raise wrong usage as one line.

        Args:
            message: what is wrong.

        Raises:
            UsageError: always.
        """
        verb = self.prog.removeprefix("cellbench").strip()
        if found := _CHOICE.search(message):
            choices = found[2].replace("'", "").split(", ")
            message += _nearest(found[1], choices)
        begin = f"{verb}: " if verb else ""
        raise UsageError(f"{begin}{message} (help: {self.prog} --help)")

    def _describe_unknown(self, words: list[str]) -> str:
        options = [word for word in words if word.startswith("-")]
        if not options:
            return f"{words[0]!r} is not expected here; put a name that contains spaces in quotation marks"
        name = options[0].partition("=")[0]
        known = [word for action in self._actions for word in action.option_strings]
        return f"{name}: there is no such option{_nearest(name, known)}"


def _nearest(word: str, known: Iterable[str]) -> str:
    other = _OTHER_WORDS.get(word)
    found = [other] if other else get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f"; did you mean {found[0]}?" if found else ""


def example(words: str) -> str:
    """Return the end of a verb's help: one command that works.

    Args:
        words: the command without the word ``cellbench``.

    Returns:
        Two lines or more.
    """
    return f"example:\n  cellbench {words}"

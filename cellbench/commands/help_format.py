"""How the help of every verb is laid out."""

import argparse


class HelpFormatter(argparse.HelpFormatter):
    """Wraps paragraphs, but keeps the lines of examples and lists, so that they can be copied."""

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        return "\n\n".join(
            paragraph.rstrip()
            if "\n  " in paragraph
            else super(HelpFormatter, self)._fill_text(paragraph, width, indent)
            for paragraph in text.split("\n\n")
        )


def example(words: str) -> str:
    """Return the end of a verb's help: one command that works.

    Args:
        words: the command without the word ``cellbench``.

    Returns:
        Two lines or more.
    """
    return f"example:\n  cellbench {words}"

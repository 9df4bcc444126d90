"""Text of strangers in Markdown and LaTeX: shown as it is, never read as markup."""

import re
import unicodedata

_JOINERS = "\u200c\u200d"  # of emoji and of some scripts; other invisible characters are left out
_LATEX = {
    **{character: f"\\{character}" for character in "&%$#_{}"},
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    "`": r"\textasciigrave{}",
    '"': r"\char34{}",
    # Characters that pdfLaTeX does not know.
    "≥": r"$\geq$",
    "≤": r"$\leq$",
    "−": "$-$",
}
_HYPHENS = re.compile("-(?=-)")  # LaTeX makes a dash of two
_MARKDOWN = re.compile(r"([\\`*_\[\]<>|~&$]|:(?=//)|(?<=www)\.)", re.IGNORECASE)


def visible(text: str) -> str:
    """Return a text on one line, without control characters and marks that change its direction.

    Args:
        text: any text.
    """
    shown = "".join(
        character
        for character in text
        if character.isspace()
        or character in _JOINERS
        or unicodedata.category(character) not in ("Cc", "Cf", "Cs")
    )
    return " ".join(shown.split())


def escape_latex(text: str) -> str:
    r"""Return a text that LaTeX prints as it is.

    Args:
        text: any text.

    Examples:
        >>> escape_latex("50 % of a_b")
        '50 \\% of a\\_b'
    """
    escaped = "".join(_LATEX.get(character, character) for character in visible(text))
    return _HYPHENS.sub("-{}", escaped)


def escape_markdown(text: str) -> str:
    r"""Return a text that Markdown shows as it is, also within a table; web addresses are no links.

    Args:
        text: any text.

    Examples:
        >>> escape_markdown("a|b <i>")
        'a\\|b \\<i\\>'
    """
    return _MARKDOWN.sub(r"\\\1", visible(text))

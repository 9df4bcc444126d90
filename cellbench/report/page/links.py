"""Links in what strangers wrote: only addresses of the web, DOIs and arXiv numbers become links."""

import re
from typing import NamedTuple
from urllib.parse import quote, urlsplit

_ADDRESS = re.compile(
    r"(?P<web>https?://[!-~]+)"
    r"|(?:doi:\s*|\b)(?P<doi>10\.\d{4,9}/[!-~]+)"
    r"|\barxiv:\s*(?P<arxiv>\d{4}\.\d{4,5}(?:v\d+)?)",
    re.IGNORECASE,
)
_NOT_AT_THE_END = ".,;:!?'\"*_>]}"
_UNSAFE = re.compile(r"[<>\"`\\^{}|]")
_LICENCES = re.compile(
    r"0BSD|AGPL-3\.0(-only|-or-later)|Apache-2\.0|BSD-[23]-Clause|BSL-1\.0|CC0-1\.0"
    r"|CC-BY(-NC)?(-ND|-SA)?-[34]\.0|EUPL-1\.2|L?GPL-3\.0(-only|-or-later)|GPL-2\.0(-only|-or-later)"
    r"|LGPL-2\.1(-only|-or-later)|ISC|MIT|MPL-2\.0|NCSA|Unlicense|Zlib"
)
"""Identifiers of common licences in the list of SPDX."""


class Part(NamedTuple):
    """A piece of a text.

    Attributes:
        text: what is shown.
        href: the address that it links to; empty where it is not a link.
    """

    text: str
    href: str = ""


def web_address(text: str) -> str:
    """Return an address if it is one of the web without a user name in it, otherwise an empty text.

    Args:
        text: what may be an address.

    Examples:
        >>> web_address("https://example.org/a"), web_address("javascript:alert(1)")
        ('https://example.org/a', '')
    """
    try:
        parts = urlsplit(text)
        usable = parts.scheme in ("http", "https") and parts.hostname and "@" not in parts.netloc
    except ValueError:
        return ""
    return "" if not usable or _UNSAFE.search(text) or not text.isprintable() else text


def find_links(text: str) -> list[Part]:
    """Divide a text into links and the words between them.

    Args:
        text: any text.

    Returns:
        The pieces; joined, they are the text.

    Examples:
        >>> find_links("Otsu 1979 (doi:10.1109/TSMC.1979.4310076)")[1].href
        'https://doi.org/10.1109/TSMC.1979.4310076'
    """
    parts, end = [], 0
    for match in _ADDRESS.finditer(text):
        found = _without_end(match[0])
        href = _address(match, len(match[0]) - len(found))
        if href:
            parts += [Part(text[end : match.start()]), Part(found, href)]
            end = match.start() + len(found)
    return [part for part in (*parts, Part(text[end:])) if part.text]


def link_licence(text: str) -> list[Part]:
    """Divide the name of a licence into links and words; a common SPDX identifier is a link.

    Args:
        text: the licence, for example "MIT" or "CC-BY-4.0".
    """
    if _LICENCES.fullmatch(text.strip()):
        return [Part(text, f"https://spdx.org/licenses/{text.strip()}.html")]
    return find_links(text)


def _without_end(found: str) -> str:
    """Leave out the punctuation that follows an address, and a bracket that was opened before it."""
    while True:
        shorter = found.rstrip(_NOT_AT_THE_END)
        if shorter.endswith(")") and shorter.count(")") > shorter.count("("):
            shorter = shorter[:-1]
        if shorter == found:
            return found
        found = shorter


def _address(match: re.Match[str], left_out: int) -> str:
    if match["arxiv"]:
        return f"https://arxiv.org/abs/{match['arxiv']}"
    found = match["web"] or match["doi"]
    found = found[: len(found) - left_out]
    if match["doi"]:
        return f"https://doi.org/{quote(found, safe='/.()-_:;')}"
    return web_address(found)

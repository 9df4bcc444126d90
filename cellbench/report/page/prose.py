"""The organiser's text of a page: Markdown without HTML, pictures or links to anything but the web."""

import xml.etree.ElementTree as ElementTree

from markdown import Markdown
from markdown.treeprocessors import Treeprocessor
from markupsafe import Markup

from cellbench.report.page.links import web_address

_FIRST_LEVEL = 3  # the page's own sections have headings of level 2
_RAW = {
    "preprocessors": ("html_block",),
    # Pictures would have to be loaded, and addresses of e-mail are collected by robots.
    "inlinePatterns": ("html", "automail", "image_link", "image_reference", "short_image_ref"),
}


class _Safe(Treeprocessor):  # type: ignore[misc]  # the package has no types
    """Removes links that do not lead to the web, and moves headings below those of the page."""

    def run(self, root: ElementTree.Element) -> None:
        for element in root.iter():
            if element.tag in ("h1", "h2", "h3", "h4", "h5", "h6"):
                element.tag = f"h{min(int(element.tag[1]) + _FIRST_LEVEL - 1, 6)}"
            if element.tag == "a":
                address = web_address(element.get("href", ""))
                element.attrib.clear()
                if address:
                    element.attrib.update(href=address, rel="noopener noreferrer")
                else:
                    element.tag = "span"


def render_markdown(text: str) -> Markup:
    """Return a text in Markdown as HTML; HTML in the text is shown as it is written.

    Args:
        text: Markdown, with tables and fenced blocks of code.

    Returns:
        HTML that is safe to show.

    Examples:
        >>> render_markdown("*a* <b>")
        Markup('<p><em>a</em> &lt;b&gt;</p>')
    """
    renderer = Markdown(
        extensions=["fenced_code", "sane_lists", "tables"],
        # The page's security policy forbids styles.
        extension_configs={"tables": {"use_align_attribute": True}},
        output_format="html",
    )
    for registry, names in _RAW.items():
        for name in names:
            getattr(renderer, registry).deregister(name)
    # After the links are found (20), before the text is unescaped (0).
    renderer.treeprocessors.register(_Safe(renderer), "safe", 15)
    return Markup(renderer.convert(text))

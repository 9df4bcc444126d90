"""report.html: a board as one page."""

from cellbench.report.page.about import keep_about
from cellbench.report.page.gallery import Gallery, make_gallery
from cellbench.report.page.leaks import read_leaks
from cellbench.report.page.published import read_published
from cellbench.report.page.writing import write_page

__all__ = ["Gallery", "keep_about", "make_gallery", "read_leaks", "read_published", "write_page"]

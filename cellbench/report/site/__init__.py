"""Several boards as one static site: an index, a page for each algorithm, and the page of each board."""

from cellbench.report.site.writing import write_site

__all__ = ["write_site"]

"""How Sphinx builds this folder: `make docs`. Warnings are errors."""  # noqa: INP001 - no package

import re
import sys
from pathlib import Path

from sphinx.application import Sphinx

sys.path.insert(0, str(Path(__file__).parent))

import generated_pages

project = "mockchat"
copyright = "the mockchat contributors"  # noqa: A001 - Sphinx's name for it
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
html_theme = "furo"
html_title = "mockchat"
html_show_sphinx = False
html_copy_source = False
templates_path: list[str] = []
exclude_patterns: list[str] = []
default_role = "code"
myst_heading_anchors = 4
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_class_signature = "separated"
napoleon_google_docstring = True
napoleon_use_ivar = True
nitpicky = False


def setup(app: Sphinx) -> None:
    """Write the pages made from code before anything is read."""
    app.connect("builder-inited", lambda _: generated_pages.write(Path(__file__).parent))
    app.connect("source-read", _lead_to_the_manual)


def _lead_to_the_manual(_: Sphinx, __: str, source: list[str]) -> None:
    """Let links to the README lead to the page that shows it."""
    source[0] = re.sub(r"\]\(\.\./README\.md", "](generated/manual.md", source[0])

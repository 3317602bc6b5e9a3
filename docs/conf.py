"""How the documentation is built: ``sphinx-build -W -n -b html docs docs/_build/html``; no network needed."""

import sys
from importlib.metadata import version as version_of
from pathlib import Path

from sphinx.application import Sphinx

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE / "_ext"), str(HERE.parent)]


project = "unique_account"
author = "The unique_account maintainers"
copyright = f"2026, {author}"
version = release = version_of("unique_account")

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "cti_messages",
    "docstring_sections",
    "machine_picture",
    "rule_links",
    "short_names",
]
exclude_patterns = ["_build"]
language = "en-gb"
html_theme = "furo"
html_title = f"unique_account {version}"
html_static_path = ["_static"]
html_css_files = ["custom.css"]
html_copy_source = False
html_show_sourcelink = False

myst_enable_extensions = ["attrs_block", "attrs_inline", "colon_fence", "deflist"]
myst_heading_anchors = 3

add_module_names = False
autoclass_content = "class"
autodoc_member_order = "bysource"
autodoc_preserve_defaults = True
autodoc_typehints = "signature"
default_role = "any"
python_use_unqualified_type_names = True
toc_object_entries = False

nitpick_ignore = [
    ("any", "ConnectionError"),
    # Names that are said to readers of the code and have no entry of their own.
    ("any", "Contract.patience"),
    ("any", "MAX_SIZE"),
    ("any", "Page.next"),
    ("py:class", "Table"),
    # A type in a converter's signature, which is cut at its comma.
    ("py:class", "tuple[str"),
    ("py:class", "TransitionConfigDict"),
]
nitpick_ignore_regex = [
    # There is no network while the documentation is built, so names of other packages lead nowhere.
    (
        r"py:.*",
        r"(asyncio|collections|contextlib|datetime|enum|hypothesis|logging|pathlib|socket|sqlite3|st|types|typing|zoneinfo)\..*",
    ),
    (r"py:class", r"unique_account\..*\.T"),
]

ROOT_PAGES = {
    "](../CHANGELOG.md": "](changelog.md",
    "](../CONTRIBUTING.md": "](contributing.md",
    "](../SECURITY.md": "](security.md",
    "](../benchmarks/README.md": "](benchmarks.md",
}
"""Links to pages outside of this folder, which are shown within the documentation as well."""


def link_root_pages(app: Sphinx, page: str, source: list[str]) -> None:
    """Let links that lead out of this folder, for whoever reads the sources, stay within the built pages."""
    for outside, inside in ROOT_PAGES.items():
        source[0] = source[0].replace(outside, inside)


def setup(app: Sphinx) -> None:
    """Tell Sphinx when to do it."""
    app.connect("source-read", link_root_pages)

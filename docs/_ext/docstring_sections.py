"""What autodoc shows: the sections of docstrings as fields, and signatures without long defaults.

The sections are Args, Returns, Yields, Raises and Attributes.

Napoleon does the same for more styles, and takes the words before a colon for a type; here types are in the
signatures, and a colon is a colon.
"""

import re
from collections.abc import Iterable, Iterator
from enum import Enum

import attrs
from sphinx.application import Sphinx
from sphinx.util import inspect
from sphinx.util.typing import ExtensionMetadata

FIELDS = {"Args:": "param", "Raises:": "raises"}
OPENINGS = {"Attributes:": ":Attributes:", "Returns:": ":returns:", "Yields:": ":Yields:"}
ITEM = re.compile(r"    ([\w.]+): (.*)")


def as_fields(lines: Iterable[str]) -> Iterator[str]:
    """The lines of a docstring with its sections as fields."""
    section = ""
    for line in lines:
        item = ITEM.fullmatch(line)
        if line in FIELDS or line in OPENINGS:
            section = line
            yield ""
            yield OPENINGS.get(line, "")
        elif item and section in FIELDS:
            yield f":{FIELDS[section]} {item[1]}: {item[2]}"
        elif section == "Attributes:" and line:
            yield f"    - **{item[1]}**: {item[2]}" if item else f"      {line.strip()}"
        else:
            yield line


def process(app: Sphinx, what: str, name: str, obj: object, options: object, lines: list[str]) -> None:
    """Change a docstring in place, as autodoc wants it."""
    lines[:] = as_fields(lines)


class Shown:
    """A default value as a signature shows it."""

    def __init__(self, text: str) -> None:
        self.text = text

    def __repr__(self) -> str:
        return self.text


def shorten(
    app: Sphinx, what: str, name: str, obj: object, options: object, signature: str, returns: str
) -> tuple[str, str] | None:
    """The signature of a value, the defaults of its fields in one word each."""
    if what != "class" or not isinstance(obj, type) or not attrs.has(obj):
        return None
    found = inspect.signature(obj)
    defaults = {field.alias: _shown(field.default) for field in attrs.fields(obj)}
    fields = [
        field if field.default is field.empty else field.replace(default=defaults[field.name])
        for field in found.parameters.values()
    ]
    short = found.replace(parameters=fields)
    return inspect.stringify_signature(short, show_return_annotation=False, unqualified_typehints=True), ""


def _shown(default: object) -> object:
    if isinstance(default, Enum):
        return Shown(f"{type(default).__name__}.{default.name}")
    factory = getattr(default, "factory", None)
    if isinstance(factory, type):
        return Shown(f"{factory.__name__}()")
    if attrs.has(type(default)):
        return Shown(f"{type(default).__name__}(...)")
    return default


def setup(app: Sphinx) -> ExtensionMetadata:
    """Tell Sphinx when to do it."""
    app.connect("autodoc-process-docstring", process)
    app.connect("autodoc-process-signature", shorten)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}

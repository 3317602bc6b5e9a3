"""The tables of the pages on the CTI server, made from the AsyncAPI and the OpenAPI document."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from shutil import copytree
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:  # tests read the tables, and have no Sphinx
    from sphinx.application import Sphinx
    from sphinx.util.typing import ExtensionMetadata

ROOT: Final = Path(__file__).resolve().parents[2]
SCHEMA: Final = ROOT / "src/unique_account/adapters/xuc/protocol/schema"
PAGES: Final = ("xuc", "xuc-messages")

_ORIGINS: Final = {"documented": "XiVO", "observed": "XiVO's client", "ours": "**ours**"}
_ENVELOPE: Final = ("claz", "command", "ref", "msgType")
_WIDTH: Final = 100


def with_schema(page: str) -> str:
    """A page with what the documents say, in its places."""
    for place, lines in PLACES.items():
        page = page.replace(place, "\n".join(lines())) if place in page else page
    return page


def _errors() -> Iterator[str]:
    """How the requests fail."""
    document = _load(SCHEMA / "openapi.json")
    used = {
        (status, answer["$ref"].rpartition("/")[2])
        for path in document["paths"].values()
        for operation in path.values()
        for status, answer in operation["responses"].items()
        if status >= "400"
    }
    yield from ("| status | when |", "| --- | --- |")
    for status, name in sorted(used):
        answer = document["components"]["responses"][name]
        headers = "".join(
            f" ({header}: {what['description']})" for header, what in answer.get("headers", {}).items()
        )
        yield f"| {status} | {answer['description']}{headers} |"


def _messages(channel: str) -> Iterator[tuple[Mapping[str, Any], Path]]:
    """The messages of a channel, and the file of each."""
    for place in _load(SCHEMA / "asyncapi.json")["channels"][channel]["messages"].values():
        file = SCHEMA / place["$ref"]
        yield _load(file), file


def _commands() -> Iterator[str]:
    yield from ("| command | what it does | fields |", "| --- | --- | --- |")
    for message, file in _messages("commands"):
        own = (each for each in message["payload"]["properties"].items() if each[0] not in _ENVELOPE)
        fields = "<br>".join(_field(name, schema, file) for name, schema in own)
        what = " ".join((f"{message['summary']}.", message.get("description", ""))).strip()
        yield f"| `{message['name']}`{_unless_xivos(message)} | {what} | {fields} |"


def _unless_xivos(message: Mapping[str, Any]) -> str:
    return "" if message["x-origin"] == "documented" else f" ({_ORIGINS[message['x-origin']]})"


def _field(name: str, schema: Mapping[str, Any], file: Path) -> str:
    schema, _ = _resolved(schema, file)
    return f"`{name}`: {'; '.join([_kind(schema), *_remarks(schema)])}"


def _events() -> Iterator[str]:
    for message, file in _messages("events"):
        whose = f"### `{message['name']}`{_unless_xivos(message)}"
        yield from (whose, "", f"{message['summary'][0].upper()}{message['summary'][1:]}.", "")
        if "description" in message:
            yield from (message["description"], "")
        content = message["payload"]["properties"].get("ctiMessage", {})
        if rows := list(_fields(content, file)):
            yield from ("| field | value | |", "| --- | --- | --- |", *rows, "")
        for example in message["examples"]:
            yield from ("```json", _compact(example["payload"]), "```", "")


def _fields(schema: Mapping[str, Any], file: Path, prefix: str = "") -> Iterator[str]:
    """The fields of an event, with those of the objects and lists in it."""
    schema, file = _resolved(schema, file)
    if "items" in schema:
        yield from _fields(schema["items"], file, f"{prefix}[]")
    for name, each in schema.get("properties", {}).items():
        place = f"{prefix}.{name}".removeprefix(".")
        yield _row(place, each, file, name in schema["required"])
        yield from _fields(each, file, place)


def _row(name: str, schema: Mapping[str, Any], file: Path, needed: bool) -> str:
    schema, _ = _resolved(schema, file)
    return f"| `{name}` | {_kind(schema)} | {'; '.join(_remarks(schema, needed=needed))} |"


def _remarks(schema: Mapping[str, Any], *, needed: bool = True) -> Iterator[str]:
    if "description" in schema:
        yield schema["description"]
    if "x-origin" in schema:
        yield _ORIGINS[schema["x-origin"]]
    if not needed:
        yield "may be missing"


def _kind(schema: Mapping[str, Any]) -> str:
    if "const" in schema:
        return f"`{json.dumps(schema['const'])}`"
    if "enum" in schema:
        return ", ".join(f"`{json.dumps(each)}`" for each in schema["enum"])
    if "oneOf" in schema:
        return "<br>".join(f"{_kind(each)}: {each['description']}" for each in schema["oneOf"])
    if "anyOf" in schema:
        return " or ".join(map(_kind, schema["anyOf"]))
    kinds = schema.get("type", "anything")
    return " or ".join(_bounded(kind, schema) for kind in ([kinds] if isinstance(kinds, str) else kinds))


def _bounded(kind: str, schema: Mapping[str, Any]) -> str:
    match kind, schema:
        case "integer", {"minimum": least, "maximum": most}:
            return f"{least} to {most}"
        case "string", {"pattern": pattern}:
            return f"string: `{pattern}`"
        case "string", {"maxLength": most}:
            return f"string (at most {most})"
        case "array", {"maxItems": most, "items": items}:
            return f"array (at most {most}): {_kind(items)}"
    return kind


def _resolved(schema: Mapping[str, Any], file: Path) -> tuple[Mapping[str, Any], Path]:
    """A schema without references, its own words first, and the file in which those within it begin."""
    if "$ref" in schema:
        place, _, pointer = schema["$ref"].partition("#/")
        other = (file.parent / place).resolve()
        return _resolved(_load(other)[pointer], other)
    if "allOf" in schema:
        (one,) = schema["allOf"]
        whole, file = _resolved(one, file)
        return {**whole, **schema}, file
    return schema, file


def _compact(value: Any, indent: int = 0) -> str:
    """JSON on one line, or on as few as are not too long."""
    line = json.dumps(value, ensure_ascii=False)
    if len(line) + indent <= _WIDTH or not isinstance(value, (dict, list)):
        return line
    opened, closed = "{}" if isinstance(value, dict) else "[]"
    pairs = value.items() if isinstance(value, dict) else (("", part) for part in value)
    parts = ((f"{json.dumps(name)}: " if name else "") + _compact(part, indent + 2) for name, part in pairs)
    pad = " " * (indent + 2)
    return f"{opened}\n{pad}" + f",\n{pad}".join(parts) + f"\n{' ' * indent}{closed}"


def _load(path: Path) -> Any:
    return json.loads(path.read_text("utf-8"))


PLACES: Final = {
    "<!-- commands of the schema -->": _commands,
    "<!-- events of the schema -->": _events,
    "<!-- errors of the schema -->": _errors,
}
"""Where the pages leave room, and what fills it."""


def add_schema(app: Sphinx, page: str, source: list[str]) -> None:
    """Put what the documents say into the pages."""
    if page in PAGES:
        source[0] = with_schema(source[0])


def add_documents(app: Sphinx, error: Exception | None) -> None:
    """Put the documents themselves beside the pages."""
    if error is None:
        copytree(SCHEMA, Path(app.outdir) / "schema", dirs_exist_ok=True)


def setup(app: Sphinx) -> ExtensionMetadata:
    """Tell Sphinx when to do it."""
    app.connect("source-read", add_schema)
    app.connect("build-finished", add_documents)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}

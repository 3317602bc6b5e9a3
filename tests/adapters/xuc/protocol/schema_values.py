"""Hypothesis strategies for values that a schema allows, and for frames that are almost right."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from hypothesis import strategies as st

from tests.adapters.xuc.schema import COMMANDS, FOLDER, allows, load, messages

LONGEST_LIST: Final = 5

ANY_JSON: Final[st.SearchStrategy[Any]] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=300),
    lambda parts: st.lists(parts, max_size=3) | st.dictionaries(st.text(max_size=10), parts, max_size=3),
    max_leaves=5,
)


def alternatives(schema: dict[str, Any], file: Path) -> list[dict[str, Any]]:
    """The schemas of which a value has to follow one; ``file`` is where references begin."""
    if "$ref" in schema:
        place, _, pointer = schema["$ref"].partition("#/")
        other = (file.parent / place).resolve()
        return alternatives(load(other)[pointer], other)
    if "allOf" in schema:
        return alternatives(schema["allOf"][0], file)
    if "anyOf" in schema:
        return [found for each in schema["anyOf"] for found in alternatives(each, file)]
    kinds = schema.get("type")
    return [{**schema, "type": kind} for kind in kinds] if isinstance(kinds, list) else [schema]


def values(schema: dict[str, Any], file: Path) -> st.SearchStrategy[Any]:
    """Values that a schema allows, as far as strategies can say it."""
    return st.one_of([_values(each, file) for each in alternatives(schema, file)])


def _values(schema: dict[str, Any], file: Path) -> st.SearchStrategy[Any]:
    if "const" in schema:
        return st.just(schema["const"])
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    return _of_type(schema["type"], schema, file) if "type" in schema else ANY_JSON


def _of_type(kind: str, schema: dict[str, Any], file: Path) -> st.SearchStrategy[Any]:
    match kind:
        case "null":
            return st.none()
        case "boolean":
            return st.booleans()
        case "integer":
            whole = st.integers(schema.get("minimum"), schema.get("maximum"))
            return whole | whole.filter(lambda number: abs(number) < 2**53).map(float)
        case "string" if "pattern" in schema:
            return st.from_regex(schema["pattern"])
        case "string":
            return st.text(min_size=schema.get("minLength", 0), max_size=schema.get("maxLength"))
        case "array":
            return st.lists(values(schema["items"], file), max_size=LONGEST_LIST)
        case "object":
            named = {name: values(each, file) for name, each in schema["properties"].items()}
            needed = {name: named.pop(name) for name in schema["required"]}
            return st.fixed_dictionaries(needed, optional=named)
    raise ValueError(f"no strategy for {kind}")


def frames(command: str) -> st.SearchStrategy[dict[str, Any]]:
    """Frames of a command that the schema allows."""
    payload = messages("commands")[command]["payload"]
    return values(payload, FOLDER / "commands" / f"{command}.json").filter(allows)


@st.composite
def odd_frames(draw: st.DrawFn, command: str) -> dict[str, Any]:
    """Frames of a command with one field replaced, left out or added: the schema may allow them or not."""
    frame: dict[str, Any] = draw(frames(command))
    known = messages("commands")[command]["payload"]["properties"]
    name = draw(st.sampled_from(sorted(known)) | st.text(max_size=10))
    if draw(st.booleans()):
        frame.pop(name, None)
    else:
        frame[name] = draw(ANY_JSON)
    return frame


def edges(command: str) -> Iterator[dict[str, Any]]:
    """Frames of a command that have one field at, just below or just above each of its bounds, or none."""
    message = messages("commands")[command]
    frame, file = message["examples"][0]["payload"], FOLDER / "commands" / f"{command}.json"
    for name, schema in message["payload"]["properties"].items():
        yield {field: value for field, value in frame.items() if field != name}
        for each in alternatives(schema, file):
            for value in (*_near(each), None, True, 1, 1.0, 1.5, "", "1", [], {}):
                yield {**frame, name: value}


def _near(schema: dict[str, Any]) -> Iterator[Any]:
    for name in ("minimum", "maximum"):
        if name in schema:
            yield from (schema[name] + offset for offset in (-1, 0, 1))
    for name in ("maxLength", "maxItems"):
        if name in schema:
            piece: Any = "x" if name == "maxLength" else ["1002"]
            yield from (piece * (schema[name] + offset) for offset in (-1, 0, 1))
    if "pattern" in schema:
        yield from ("x", "x" * 64, "x" * 65, "é", "a b", "x\n")
    if "items" in schema:
        yield from ([value] for value in (*_near(schema["items"]), None, 1))
    yield from schema.get("enum", [])


def any_frames() -> st.SearchStrategy[dict[str, Any]]:
    """Frames of every command but ``logout``, right or almost."""
    names = [name for name in COMMANDS if name != "logout"]
    return st.sampled_from(names).flatmap(lambda name: frames(name) | odd_frames(name))

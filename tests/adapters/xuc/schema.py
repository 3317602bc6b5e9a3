"""The AsyncAPI and the OpenAPI document of the CTI server: what they allow, and what they do not."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

from httpx import Response
from jsonschema_rs import Draft7Validator, Draft202012Validator

from unique_account.adapters.xuc import protocol

FOLDER: Final = Path(protocol.__file__).resolve().parent / "schema"
ASYNCAPI: Final[dict[str, Any]] = json.loads((FOLDER / "asyncapi.json").read_text("utf-8"))
OPENAPI: Final[dict[str, Any]] = json.loads((FOLDER / "openapi.json").read_text("utf-8"))
STATEFUL: Final = (
    "contactId: is nobody whom you may see",
    "contactId: there are ",
    "cursor: ",
    "destination: is missing, and none was set before",
    "key: there are 64 preferences already",
    "phoneNumbers: more than 1000 would be watched",
)
"""How the sentences begin about commands that are refused because of what was before, or of a cursor."""


@cache
def load(path: Path) -> dict[str, Any]:
    """A document, read once."""
    document: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return document


def _retrieve(uri: str) -> dict[str, Any]:
    return load(Path(uri.removeprefix("file://")))


def messages(channel: str) -> dict[str, dict[str, Any]]:
    """The messages of a channel, ``commands`` or ``events``, by name."""
    named = ASYNCAPI["channels"][channel]["messages"]
    return {name: load(FOLDER / place["$ref"]) for name, place in named.items()}


def _validators(channel: str) -> Mapping[str, Draft7Validator]:
    named = ASYNCAPI["channels"][channel]["messages"]
    places = {name: f"{(FOLDER / place['$ref']).as_uri()}#/payload" for name, place in named.items()}
    return {name: Draft7Validator({"$ref": uri}, retriever=_retrieve) for name, uri in places.items()}


COMMANDS: Final = _validators("commands")
EVENTS: Final = _validators("events")


def check_event(frame: Any) -> None:
    """Check a frame that the server sent.

    Raises:
        AssertionError: The schema does not allow it.
    """
    name = frame.get("msgType", frame.get("claz"))
    assert name in EVENTS, f"the schema has no event {name!r}: {frame}"
    wrong = [
        f"{'.'.join(map(str, error.instance_path))}: {error.message}"
        for error in EVENTS[name].iter_errors(frame)
    ]
    assert wrong == [], f"{frame}: {wrong}"


def allows(frame: Mapping[str, Any]) -> bool:
    """Whether a client may send a frame."""
    name = frame.get("command") if frame.get("claz") == "web" else frame.get("claz")
    return isinstance(name, str) and name in COMMANDS and COMMANDS[name].is_valid(frame)


def check_answer(frame: Mapping[str, Any], answer: Mapping[str, Any]) -> None:
    """Check that a command is refused as invalid if the schema does not allow it, and only then.

    Args:
        frame: The command.
        answer: The last frame of its answer, `Done` or `Error`.

    Raises:
        AssertionError: Schema and server disagree.
    """
    content = answer["ctiMessage"]
    if content.get("message", "").startswith(STATEFUL):
        return
    refused = content.get("Error") in ("invalidMessage", "unknownCommand")
    assert refused is not allows(frame), f"{frame}: the schema says otherwise than {content}"


def check_response(method: str, path: str, response: Response) -> None:
    """Check an answer over HTTP.

    Raises:
        AssertionError: The document does not allow it.
    """
    operation = OPENAPI["paths"].get(path, {}).get(method.lower())
    if operation is None:
        return
    described = operation["responses"].get(str(response.status_code))
    assert described is not None, f"{method} {path}: {response.status_code} is not described"
    if "$ref" in described:
        described = OPENAPI["components"]["responses"][described["$ref"].rpartition("/")[2]]
    content = described.get("content")
    if content is None:
        assert response.content == b""
        return
    kind = response.headers["content-type"].partition(";")[0]
    schema = {**content[kind]["schema"], "components": OPENAPI["components"]}
    value = response.json() if kind == "application/json" else response.text
    assert Draft202012Validator(schema).is_valid(value), response.text

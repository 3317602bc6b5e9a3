"""The CTI protocol's document is one of AsyncAPI 3, by AsyncAPI's own schema."""

from __future__ import annotations

import copy
import json
from functools import cache
from pathlib import Path
from typing import Any, Final

import pytest
from jsonschema_rs import Draft7Validator

from lab.programs import asyncapi_schema
from tests.adapters.xuc.schema import ASYNCAPI, FOLDER, load

pytestmark = pytest.mark.e2e


def whole(part: Any, file: Path) -> Any:
    """A document with what it refers to in other files in its place."""
    if isinstance(part, list):
        return [whole(each, file) for each in part]
    if not isinstance(part, dict):
        return part
    place, _, pointer = part.get("$ref", "").partition("#/")
    if not place:
        return {name: whole(each, file) for name, each in part.items()}
    other = (file.parent / place).resolve()
    return whole(load(other)[pointer] if pointer else load(other), other)


DOCUMENT: Final = whole(ASYNCAPI, FOLDER / "asyncapi.json")


@cache
def asyncapi() -> Draft7Validator:
    """What AsyncAPI says of documents."""
    return Draft7Validator(json.loads(asyncapi_schema().read_text("utf-8")))


class TestDocument:
    """C1: tools that know AsyncAPI can read the document."""

    def test_it_is_valid_with_every_message(self) -> None:
        asyncapi().validate(DOCUMENT)

    @pytest.mark.parametrize(("field", "value"), [("payload", {"type": "text"}), ("sumary", "dials")])
    def test_a_wrong_message_is_noticed(self, field: str, value: object) -> None:
        spoilt = copy.deepcopy(DOCUMENT)
        spoilt["channels"]["commands"]["messages"]["dial"][field] = value
        assert not asyncapi().is_valid(spoilt)

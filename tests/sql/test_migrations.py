from __future__ import annotations

import pytest

from unique_account.sql.migrations import NewerSchema, migrate


class Steps:
    """A schema that only counts."""

    place = "the shelf"

    def __init__(self, version: int) -> None:
        self.at = version
        self.done: list[str] = []

    def version(self) -> int:
        return self.at

    def upgrade(self, version: int, script: str) -> None:
        self.at = version
        self.done.append(script)


KNOWN = ((1, "one"), (2, "two"), (3, "three"))


@pytest.mark.parametrize(("found", "done"), [(0, ["one", "two", "three"]), (2, ["three"]), (3, [])])
def test_what_is_missing_is_done_in_order(found: int, done: list[str]) -> None:
    schema = Steps(found)
    migrate(schema, KNOWN)
    assert (schema.at, schema.done) == (3, done)


def test_a_newer_database_is_left_as_it_is() -> None:
    schema = Steps(4)
    with pytest.raises(NewerSchema) as refused:
        migrate(schema, KNOWN)
    assert str(refused.value) == ("the shelf has schema version 4, this release knows 3: install a newer one")
    assert schema.done == []

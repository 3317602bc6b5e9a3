from __future__ import annotations

import pytest

from unique_account.sql.migrations import NewerSchema, migrate, usable_from


class Steps:
    """A schema that only counts."""

    place = "the shelf"

    def __init__(self, version: int, needed: int = 0) -> None:
        self.at = version
        self.needed = needed or version
        self.done: list[str] = []

    def version(self) -> int:
        return self.at

    def usable_from(self) -> int:
        return self.needed

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


@pytest.mark.parametrize(("needed", "refused"), [(3, False), (4, True)])
def test_a_newer_database_that_only_has_more_is_used(needed: int, refused: bool) -> None:
    schema = Steps(5, needed)
    if refused:
        with pytest.raises(NewerSchema):
            migrate(schema, KNOWN)
    else:
        migrate(schema, KNOWN)
    assert schema.done == []


def test_a_migration_says_which_releases_it_leaves_at_work() -> None:
    assert usable_from(5, "-- from 3\nCREATE TABLE more ();") == 3
    assert usable_from(5, "-- One row for each thing from 3 on.") == 5

"""What PostgreSQL itself notes of versions of accounts and of takeovers, in the order of commits."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any, Final

import psycopg
from attrs import frozen

from unique_account.core.account import Kept
from unique_account.json_documents import from_json

_NOTE: Final = """
    CREATE SCHEMA audit;
    CREATE TABLE audit.pace (seconds double precision NOT NULL);
    INSERT INTO audit.pace VALUES (0);
    CREATE TABLE audit.notes (
        place bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        at double precision NOT NULL, port int NOT NULL, user_id text, version bigint, kept text,
        claims text[], epoch bigint, owner text, former text
    );
    -- Deferred to the commit, and one after the other: so the notes are in the order of the commits.
    CREATE FUNCTION audit.account() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        PERFORM pg_advisory_xact_lock(hashtext('audit'));
        INSERT INTO audit.notes (at, port, user_id, version, kept, claims)
        SELECT extract(epoch FROM clock_timestamp()), inet_client_port(),
            coalesce(NEW.user_id, OLD.user_id), coalesce(NEW.version, -1), NEW.kept,
            ARRAY(SELECT kind || ' ' || name || ' ' || context
                  FROM unique_account.claims_of(coalesce(NEW.administered, '{"dids": []}'))
                  WHERE name IS NOT NULL);
        RETURN NULL;
    END $$;
    CREATE FUNCTION audit.lease() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        PERFORM pg_advisory_xact_lock(hashtext('audit'));
        INSERT INTO audit.notes (at, port, epoch, owner, former)
        VALUES (extract(epoch FROM clock_timestamp()), inet_client_port(), NEW.epoch, NEW.owner, OLD.owner);
        RETURN NULL;
    END $$;
    CREATE FUNCTION audit.slowly() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        PERFORM pg_sleep(seconds) FROM audit.pace WHERE seconds > 0;
        RETURN NEW;
    END $$;
    CREATE CONSTRAINT TRIGGER audit_added AFTER INSERT OR UPDATE OR DELETE ON unique_account.accounts
        DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION audit.account();
    CREATE CONSTRAINT TRIGGER audit_first AFTER INSERT ON unique_account.group_leases
        DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION audit.lease();
    CREATE CONSTRAINT TRIGGER audit_taken AFTER UPDATE ON unique_account.group_leases
        DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (OLD.epoch <> NEW.epoch)
        EXECUTE FUNCTION audit.lease();
    CREATE TRIGGER audit_slowly BEFORE UPDATE ON unique_account.accounts
        FOR EACH ROW EXECUTE FUNCTION audit.slowly();
"""
_READ: Final = """
    SELECT place, at, port, user_id, version, kept, claims, epoch, owner, former
    FROM audit.notes WHERE place > %s ORDER BY place
"""


@frozen
class Note:
    """One note; of an account, or of a takeover.

    Attributes:
        place: Its place in the order of the commits.
        at: When it was made, by the machine's monotonic clock.
        port: The port of the client whose statement it was.
        user: Whose account; None: it is a takeover.
        version: The account's version; -1 where it was taken away.
        kept: What the account keeps; None where it was taken away.
        claims: The numbers and devices that the user has.
        epoch: Of a takeover.
        owner: Of a takeover.
        former: Who owned the group before a takeover; empty if nobody did.
    """

    place: int
    at: float
    port: int
    user: str | None
    version: int
    kept: Kept | None
    claims: frozenset[str]
    epoch: int
    owner: str
    former: str

    @property
    def mark(self) -> str:
        """Where all calls are forwarded to."""
        forward = None if self.kept is None else self.kept.forwarding.unconditional
        return "" if forward is None else str(forward.destination)


def install(url: str) -> None:
    """Have a database make notes from now on."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(_NOTE.encode())


def slow_down(url: str, seconds: float) -> None:
    """Let each change of an account take so many seconds more."""
    with psycopg.connect(url, autocommit=True, connect_timeout=5) as connection:
        connection.execute("UPDATE audit.pace SET seconds = %s", (seconds,))


def notes(url: str, after: int) -> Iterator[Note]:
    """The notes after a place."""
    ahead = time.time() - time.monotonic()
    with psycopg.connect(url) as connection:
        for row in connection.execute(_READ, (after,)).fetchall():
            yield _note(row, ahead)


def _note(row: tuple[Any, ...], ahead: float) -> Note:
    place, at, port, user, version, kept, claims, epoch, owner, former = row
    return Note(
        place=place,
        at=float(at) - ahead,
        port=port,
        user=user,
        version=-1 if version is None else version,
        kept=None if kept is None else from_json(Kept, kept),
        claims=frozenset(claims or ()),
        epoch=epoch or 0,
        owner=owner or "",
        former=former or "",
    )


def stored(url: str) -> dict[str, tuple[dict[str, Any], str]]:
    """The administrator's part of each account as it is now, and the user's, by user."""
    query = "SELECT user_id, administered, kept FROM unique_account.accounts"
    with psycopg.connect(url) as connection:
        return {user: (json.loads(one), other) for user, one, other in connection.execute(query).fetchall()}


def lease_owner(url: str) -> tuple[str, int]:
    """Who owns the group, and in which epoch."""
    with psycopg.connect(url) as connection:
        row = connection.execute("SELECT owner, epoch FROM unique_account.group_leases").fetchone()
    return ("", 0) if row is None else (row[0], row[1])

"""A ``cel`` table in PostgreSQL, and the call log that is made of it."""

from __future__ import annotations

from collections.abc import Iterable

import psycopg
import pytest

from tests.e2e.scenes.people import USERS
from tests.service.cel_table import columns
from unique_account.adapters.asterisk.cel.rows import CelRow
from unique_account.core.history import CallRecord
from unique_account.ports.call_log import CallLog

# As Asterisk's own scripts and XiVO make it, further columns included.
CEL = """
    CREATE TABLE cel (
        id serial PRIMARY KEY, eventtype text NOT NULL, eventtime timestamptz NOT NULL,
        userdeftype text NOT NULL, cid_name text NOT NULL, cid_num text NOT NULL,
        cid_ani text NOT NULL DEFAULT '', cid_rdnis text NOT NULL, cid_dnid text NOT NULL DEFAULT '',
        exten text NOT NULL, context text NOT NULL, channame text NOT NULL, appname text NOT NULL,
        appdata text NOT NULL DEFAULT '', amaflags int NOT NULL DEFAULT 3,
        accountcode text NOT NULL DEFAULT '', uniqueid text NOT NULL, linkedid text NOT NULL,
        peer text NOT NULL, extra text
    )
"""


def written(url: str, rows: Iterable[CelRow]) -> None:
    tables = [columns(row) for row in rows]
    names = ", ".join(tables[0])
    marks = ", ".join(f"%({name})s" for name in tables[0])
    with psycopg.connect(url) as connection, connection.cursor() as cursor:
        cursor.executemany(f"INSERT INTO cel ({names}) VALUES ({marks})".encode(), tables)


@pytest.fixture
def table(url: str) -> str:
    with psycopg.connect(url) as connection:
        connection.execute(CEL)
    return url


async def whole(log: CallLog) -> list[CallRecord]:
    return [record for user in USERS for record in await log.before(user.id, None, 1000)]

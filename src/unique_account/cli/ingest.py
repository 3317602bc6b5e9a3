"""``history ingest``: call records out of what an Asterisk wrote down of its channels (CEL)."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Iterator
from contextlib import aclosing, contextmanager, suppress
from datetime import UTC, datetime, tzinfo
from functools import partial
from itertools import islice
from pathlib import Path
from select import select
from tempfile import TemporaryFile
from typing import Any, BinaryIO, Final, cast
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import click
from rich.console import Console
from rich.progress import Progress, TaskID

from unique_account.adapters.asterisk.cel.csv import NothingUnderstood, read_csv
from unique_account.adapters.asterisk.cel.order import RowOrder, UnsortedRows
from unique_account.adapters.asterisk.cel.records import CAPACITY, CallHistory
from unique_account.adapters.asterisk.cel.rows import UnreadableRow, from_table
from unique_account.adapters.rosters.users_file import read_users_file
from unique_account.adapters.system_clock import SystemClock
from unique_account.bootstrap import find_adapter
from unique_account.cli import options
from unique_account.cli.exits import Interrupted, again, say, until_stopped
from unique_account.cli.stores import is_url, opened, store_option
from unique_account.core.errors import UniqueAccountError
from unique_account.core.plural import counted
from unique_account.core.user import User
from unique_account.ports.call_log import CallLog
from unique_account.service.call_log_ingest import BATCH, CallLogIngest

_LONGEST: Final = 1 << 20
"""No line of a file is read further, in bytes; what follows makes a row that is not understood."""

_UNSORTED: Final = (
    "the ids of the table are not in the order of eventtime, so entries may lack rows that came late:"
    " write the table to a file with ORDER BY eventtime, and ingest that into a new store"
)

LOOKS_EVERY: Final = 0.2
"""After how many seconds of a silent pipe a signal ends it at the latest."""

_AT_LAST: Final = datetime.max.replace(tzinfo=UTC)


def _zone(_: click.Context, __: click.Parameter, name: str) -> tzinfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise click.BadParameter(f"there is no time zone {name}") from error


@click.command()
@click.argument("source", metavar="FILE|URL")
@store_option
@click.option(
    "--users",
    "users_file",
    required=True,
    type=options.FILE,
    help="Whose calls: a TOML file of [[users]], or XiVO's CSV.",
)
@click.option("--table", help="The table of the database.  [default: cel]")
@click.option(
    "--zone",
    default="UTC",
    show_default=True,
    callback=_zone,
    help="The time zone of instants that name none.",
)
@click.option("--follow", is_flag=True, help="Go on: ingest rows as they are written.")
@options.json("One JSON object in the end, for machines.")
def ingest(
    source: str, store: str, users_file: Path, table: str | None, zone: tzinfo, follow: bool, as_json: bool
) -> None:
    """Make call records of what an Asterisk wrote down of its channels (CEL).

    The source is a CSV file whose first line names the columns of a `cel` table, or a PostgreSQL database
    with that table, of which is read what was not read before. To take the same rows in again changes
    nothing. Rows that cannot be read are named on stderr and passed by.
    """
    users = read_users_file(users_file, say)
    errors = Console(stderr=True, highlight=False, soft_wrap=True)
    with Progress(console=errors, transient=True, disable=not sys.stderr.isatty()) as progress:
        work = _Work(users, zone, progress)
        if (follow or table) and not is_url(source):
            raise click.UsageError("--follow and --table need a database as the source")
        if follow:
            until_stopped(work.follow(source, table or "cel", store))
        else:
            _whole(work, source, table or "cel", store)
    click.echo(json.dumps(work.counts) if as_json else work.sum)
    if work.unread and not work.understood:
        raise NothingUnderstood("the table" if is_url(source) else source, work.unread)


def _whole(work: _Work, source: str, table: str, store: str) -> None:
    try:
        if is_url(source):
            asyncio.run(work.table(source, table, store))
        else:
            with seekable(source) as file:  # a pipe is waited for here, where Ctrl-C ends it
                asyncio.run(work.file(file, store))
    except KeyboardInterrupt:
        rest = "what was taken in stays, and to run it again takes in the rest"
        raise Interrupted(f"interrupted: {work.sum}; {rest}") from None


class _Work:
    """What is taken in, and how much it was."""

    def __init__(self, users: tuple[User, ...], zone: tzinfo, progress: Progress) -> None:
        self._users = users
        self._read = partial(from_table, zone=zone)
        self._progress = progress
        self.rows = self.records = self.unread = self.understood = 0

    @property
    def sum(self) -> str:
        """How much it was so far."""
        rows, entries = counted(self.rows, "row"), counted(self.records, "entry", "entries")
        return f"{rows} read, {entries} made, {counted(self.unread, 'row')} not understood"

    @property
    def counts(self) -> dict[str, int]:
        """The same, for machines."""
        return {"rows": self.rows, "entries": self.records, "not_understood": self.unread}

    async def table(self, url: str, table: str, store: str, follow: bool = False) -> None:
        """Take a table in from where it was read to before; with ``follow`` for ever."""
        cel = find_adapter("cel", "postgresql")
        async with opened(store) as log, aclosing(cel(url, table)) as rows:
            await self._all_of(rows, log, follow)

    async def follow(self, url: str, table: str, store: str) -> None:
        """Take a table in for ever, going on where it was when a database comes back."""
        await again(lambda: self.table(url, table, store, follow=True), self._say)

    async def _all_of(self, rows: Any, log: CallLog, follow: bool) -> None:
        clock = SystemClock()
        calls = CallHistory(self._users)
        for lost in self._progress.task_ids:
            self._progress.remove_task(lost)
        task = self._progress.add_task("rows")
        ingestion = CallLogIngest(rows, self._read, calls, log, clock, self._complain)
        before = self.rows, self.records, self.unread, self.understood

        def reported(done: int) -> None:
            self.rows, self.records = before[0] + done, before[1] + ingestion.made
            self.understood = before[3] + done - (self.unread - before[2])
            self._progress.update(task, completed=done)

        read = await log.position(rows.name)
        self._progress.update(task, total=await rows.left(read.row if read else 0))
        try:
            await ingestion.catch_up(reported)
            if calls.late and not follow:
                raise click.ClickException(_UNSORTED)
            if follow:
                await ingestion.follow()
        finally:
            reported(ingestion.done)

    async def file(self, file: BinaryIO, store: str) -> None:
        """Take a file in, all of it."""
        async with opened(store) as log:
            await self._file(file, log)

    async def _file(self, file: BinaryIO, log: CallLog) -> None:
        calls = CallHistory(self._users, capacity=CAPACITY)
        in_order = self._in_order(file)
        task = self._progress.add_task("bytes", total=_size(file))
        rows = read_csv(self._lines(file, task), self._complain)
        while batch := list(islice(rows, BATCH)):
            for line, columns in batch:
                try:
                    calls.feed([self._read(columns)])
                    self.understood += 1
                except UnreadableRow as error:
                    self._complain(line, error)
            self.rows += len(batch)
            if in_order:
                await self._add(log, calls)
        await self._add(log, calls, _AT_LAST)

    def _in_order(self, file: BinaryIO) -> bool:
        """Whether calls can be made as they end; else all rows must be kept until the last.

        Raises:
            UnsortedRows: There are too many rows for that; nothing is ingested.
        """
        order = RowOrder()
        for _, columns in read_csv(self._lines(file), lambda *_: None):
            with suppress(UnreadableRow):
                order.note(self._read(columns))
        file.seek(0)
        if not order.sorted and order.rows > CAPACITY:
            raise UnsortedRows(CAPACITY)
        return order.sorted

    async def _add(self, log: CallLog, calls: CallHistory, now: datetime | None = None) -> None:
        records = calls.final(now)
        await log.add(records)
        self.records += len(records)

    def _lines(self, file: BinaryIO, task: TaskID | None = None) -> Iterator[str]:
        for number, line in enumerate(iter(partial(file.readline, _LONGEST), b"")):
            if task is not None:
                self._progress.advance(task, len(line))
            yield line.decode("utf-8" if number else "utf-8-sig", "replace")

    def _complain(self, number: int, error: UniqueAccountError) -> None:
        self.unread += 1
        self._say(f"row {number}: {error}")

    def _say(self, sentence: str) -> None:
        self._progress.console.print(sentence, markup=False)


@contextmanager
def seekable(path: str) -> Iterator[BinaryIO]:
    """A file, or a copy of what a pipe gives: it is read twice."""
    try:
        file = Path(path).open("rb")  # noqa: SIM115 - closed below
    except OSError as error:
        raise click.BadParameter(f"{path}: {error.strerror}", param_hint="FILE|URL") from error
    with file:
        if file.seekable():
            yield file
            return
        with TemporaryFile() as copy:
            for some in _given(file):
                copy.write(some)
            copy.seek(0)
            yield cast(BinaryIO, copy)


def _given(pipe: BinaryIO) -> Iterator[bytes]:
    """What a pipe gives, as it comes.

    It is read only when there is something: a signal that comes in the instant before a read does not end it.
    """
    while True:
        while not select([pipe], [], [], LOOKS_EVERY)[0]:
            pass
        if not (some := os.read(pipe.fileno(), 65536)):
            return
        yield some


def _size(file: BinaryIO) -> int:
    """How many bytes a file has."""
    size = file.seek(0, 2)
    file.seek(0)
    return size

"""``history``: a user's one list of calls, out of the call log."""

from __future__ import annotations

import asyncio
import csv
import io
import json
import unicodedata
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import click
from attrs import define, frozen

from unique_account.cli import options
from unique_account.cli.exits import again, check_reader, until_stopped
from unique_account.cli.ingest import ingest
from unique_account.cli.stores import opened, store_option
from unique_account.core.cursors import Key
from unique_account.core.history import DEFAULT_SIZE, MAX_SIZE, CallRecord, days_before
from unique_account.core.plural import counted
from unique_account.json_documents import to_document
from unique_account.ports.call_log import CallLog

POLL: Final = 1.0
"""How often ``--follow`` looks for what is new, in seconds."""

_ISOLATED, _TO_HERE = "\N{FIRST STRONG ISOLATE}", "\N{POP DIRECTIONAL ISOLATE}"
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


class _History(click.Group):
    """A group of which the name of a user is a command: to list that user's calls."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        known = {*self.commands, "-h", "--help"}
        return super().parse_args(ctx, ["list", *args] if args and args[0] not in known else args)


@click.group(cls=_History)
def history() -> None:
    """A user's one list of calls, and where it comes from.

    \b
    A user's calls:           unique-account history USER --store FILE|URL
    From what a PBX wrote:    unique-account history ingest FILE|URL --users FILE --store FILE|URL
    Keep a year of calls:     unique-account history forget --days 365 --store FILE|URL

    `history USER` is short for `history list USER`.
    """  # noqa: D301 - click wants the control character itself


history.add_command(ingest)


@frozen
class _Query:
    user: str
    size: int | None
    since: datetime | None
    matching: str


def _encodable(_: click.Context, __: click.Parameter, value: str) -> str:
    """A text; what a shell hands over in another encoding is none."""
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise click.BadParameter(f"{value!r} is not UTF-8") from error
    return value


@history.command("list")
@click.argument("user", callback=_encodable)
@store_option
@click.option("--days", type=click.IntRange(1), help="All calls of so many days.")
@click.option("--size", type=click.IntRange(1), help=f"At most so many calls; {DEFAULT_SIZE} without --days.")
@click.option("--search", default="", help="Only calls with a party of whom the number or name has this.")
@click.option("--follow", is_flag=True, help="Go on: show calls as they come, and as they change.")
@options.json("One JSON object a line, for machines.")
@click.option("--csv", "as_csv", is_flag=True, help="CSV, for spreadsheets.")
def list_calls(
    user: str,
    store: str,
    days: int | None,
    size: int | None,
    search: str,
    follow: bool,
    as_json: bool,
    as_csv: bool,
) -> None:
    """List the calls of a user, newest first; with --follow, newest last."""
    if as_json and as_csv:
        raise click.UsageError("--json and --csv exclude each other")
    since = None if days is None else days_before(datetime.now(UTC), days)
    asked = _Query(user, size or (None if days else DEFAULT_SIZE), since, search)
    form = _as_json if as_json else _as_csv if as_csv else _as_text
    if as_csv:
        click.echo(_csv_line(_FIELDS))
    if follow:
        following = _Following(asked, form)
        until_stopped(again(lambda: following.show(store), lambda said: click.echo(said, err=True)))
    else:
        asyncio.run(_show(store, asked, form))


@history.command("forget")
@store_option
@click.option("--days", type=click.IntRange(1), required=True, help="Keep the calls of so many days.")
@options.json("One JSON object, for machines.")
def forget(store: str, days: int, as_json: bool) -> None:
    """Delete the calls of all users that are older, for good."""
    forgotten = asyncio.run(_forget(store, days_before(datetime.now(UTC), days)))
    if as_json:
        click.echo(json.dumps({"deleted": forgotten}))
    else:
        was = "was" if forgotten == 1 else "were"
        click.echo(f"{counted(forgotten, 'entry', 'entries')} of the history {was} deleted")


async def _forget(store: str, instant: datetime) -> int:
    async with opened(store, must_exist=True) as log:
        return await log.forget_before(instant)


async def _show(store: str, asked: _Query, form: Callable[[CallRecord], str]) -> None:
    async with opened(store, must_exist=True) as log:
        async for entry in _entries(log, asked):
            click.echo(form(entry))


@define
class _Following:
    """What ``--follow`` shows, and goes on from when its database was lost.

    Attributes:
        known: The entries that need not be shown; None before it began.
    """

    asked: _Query
    form: Callable[[CallRecord], str]
    known: dict[Key, CallRecord] | None = None

    async def show(self, store: str) -> None:
        """Show what was asked for, newest last, then what is new among the newest, or other than it was."""
        async with opened(store, must_exist=True) as log:
            if self.known is None:
                # Before those that are shown are read, so that one that comes between the two is new.
                known = await self._newest(log)
                shown = [entry async for entry in _entries(log, self.asked)]
                self._report(reversed(shown), {})
                self.known = {entry.key: entry for entry in (*known, *shown)}
            while True:
                await asyncio.sleep(POLL)
                check_reader()
                self._report(reversed(await self._newest(log)), self.known)

    async def _newest(self, log: CallLog) -> Sequence[CallRecord]:
        asked = self.asked
        return await log.before(asked.user, None, MAX_SIZE, asked.since, asked.matching)

    def _report(self, entries: Iterable[CallRecord], known: dict[Key, CallRecord]) -> None:
        for entry in entries:
            if known.get(entry.key) != entry:
                click.echo(self.form(entry))
                known[entry.key] = entry


async def _entries(log: CallLog, asked: _Query) -> AsyncIterator[CallRecord]:
    """All entries that were asked for, read in pages."""
    key, left = None, asked.size
    while left is None or left > 0:
        size = MAX_SIZE if left is None else min(left, MAX_SIZE)
        entries = await log.before(asked.user, key, size, asked.since, asked.matching)
        for entry in entries:
            yield entry
        if len(entries) < size:
            return
        key, left = entries[-1].key, None if left is None else left - len(entries)


def _as_text(entry: CallRecord) -> str:
    party = _printable(" ".join(filter(None, (entry.peer, entry.peer_name))) or "unknown")
    arrow = "->" if entry.direction == "outgoing" else "<-"
    more = [("forwarded from", entry.forwarded_from), ("transferred to", entry.transferred_to)]
    notes = "".join(f", {what} {_printable(number)}" for what, number in more if number)
    talked = f"  {_seconds(entry.duration)}" if entry.answered and entry.ended else ""
    line = f"{entry.start:%Y-%m-%d %H:%M:%S}Z  {entry.status:<8}  {entry.device or '-':<9}  {arrow} {party}"
    return f"{line}{notes}{talked}"


def _printable(text: str) -> str:
    """What others chose, as it steers no terminal; where it is written from right to left, set apart."""
    text = "".join(each if each.isprintable() else "?" for each in text)
    leftward = any(unicodedata.bidirectional(each) in ("R", "AL", "AN") for each in text)
    return f"{_ISOLATED}{text}{_TO_HERE}" if leftward else text


def _seconds(length: timedelta) -> str:
    minutes, seconds = divmod(length // timedelta(seconds=1), 60)
    return f"{minutes // 60}:{minutes % 60:02}:{seconds:02}"


def _document(entry: CallRecord) -> dict[str, Any]:
    document: dict[str, Any] = to_document(entry)
    return document | {"duration": entry.duration.total_seconds()}


_FIELDS: Final = (
    "id", "user", "start", "status", "direction", "device", "peer", "peer_name", "answered", "ended", "rang",
    "forwarded_from", "transferred_to", "settled", "waited", "duration",
)  # fmt: skip


def _as_json(entry: CallRecord) -> str:
    return json.dumps(_document(entry), ensure_ascii=False)


def _as_csv(entry: CallRecord) -> str:
    document = _document(entry)
    return _csv_line([_harmless(document[name]) for name in _FIELDS])


def _csv_line(cells: Sequence[object]) -> str:
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow(cells)
    return line.getvalue()


def _harmless(value: object) -> object:
    """A cell that no spreadsheet takes for a formula; callers choose their names. A mere number stays."""
    if not isinstance(value, str) or not value.startswith(_FORMULA) or value[1:].isdecimal():
        return value
    return f"'{value}"

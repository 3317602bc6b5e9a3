"""What we write ourselves: documents, cursors, plans in AstDB, and the files of stores."""

from __future__ import annotations

import asyncio
import os
import tempfile
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime
from functools import cache, partial
from hashlib import blake2b
from pathlib import Path
from typing import Any, Final

from fuzz.folder import in_folder
from fuzz.target import Check, Target, plain, printable, require, text_of
from fuzz.users import ALICE, BOB, check_user
from unique_account.adapters.asterisk.astdb_row import FAMILY, Entry
from unique_account.adapters.asterisk.dialplan_text import NotForDialplan
from unique_account.adapters.asterisk.plans.decode import plans
from unique_account.adapters.asterisk.plans.encode import entries
from unique_account.adapters.memory import MemoryObserver
from unique_account.adapters.sqlite import SqliteAccounts
from unique_account.adapters.xuc.storage.store import FileStore
from unique_account.core.account import Account, Kept, Session
from unique_account.core.cursors import decode_cursor, encode_cursor
from unique_account.core.errors import InvalidCursor, UniqueAccountError
from unique_account.core.events import DeviceSelected, ForwardingChanged, LoggedIn, apply
from unique_account.core.forwarding import Fallbacks, Forward, Forwarding, Mailbox, Refusal
from unique_account.core.machine import Device
from unique_account.core.routing import Plan, plan
from unique_account.core.user import User
from unique_account.json_documents import InvalidDocument, from_json, to_json
from unique_account.ports.assistant_store import Preference, TooManyPreferences

KEY_VARIABLE: Final = "FUZZED_KEY"

_FORWARDED: Final = Forwarding(unconditional=Forward("1002"), busy=Forward("0612345678", enabled=False))
_AT: Final = datetime(2026, 1, 5, 9, tzinfo=UTC)


# -- documents and cursors ---------------------------------------------------------------------------


def _account() -> Account:
    account = apply(Account(ALICE), LoggedIn("tab-1", "one"))
    return apply(apply(account, DeviceSelected(Device.DESKPHONE)), ForwardingChanged(_FORWARDED))


_KINDS: Final[dict[bytes, type[Any]]] = {b"user": User, b"kept": Kept, b"plan": Plan}


def _documents() -> tuple[bytes, ...]:
    account = _account()
    kept = Kept(7, Device.DESKPHONE, (Session("tab-1", "one"), Session("tab-2", last_seen=_AT)), _FORWARDED)
    return tuple(
        kind + b" " + to_json(value).encode()
        for kind, value in ((b"user", ALICE), (b"user", BOB), (b"kept", kept), (b"plan", plan(account)))
    )


def _check_document(data: bytes) -> None:
    name, _, text = data.partition(b" ")
    kind = _KINDS.get(name, User)
    try:
        value = from_json(kind, text_of(text))
    except InvalidDocument as error:
        require(printable(str(error)), "a sentence that cannot be written")
        return
    require(printable(to_json(value)), "a value that cannot be stored")
    require(from_json(kind, to_json(value)) == value, "a value that is another one once it was written")
    if isinstance(value, User):
        check_user(value)


_KEYS: Final = ((_AT, "pbx-1795550379.0"), (datetime(1, 1, 1, tzinfo=UTC), "é"), (_AT, ""))


def _check_cursor(data: bytes) -> None:
    cursor = text_of(data)
    try:
        key = decode_cursor("alice", cursor)
    except InvalidCursor as error:
        require(printable(str(error)), "a sentence that cannot be written")
        return
    require(encode_cursor("alice", key) == cursor, "two cursors of one place")
    with suppress(InvalidCursor):
        decode_cursor("bob", cursor)
        require(False, "a cursor that is good in another's history")


def _check_sealed(data: bytes) -> None:
    """A cursor that somebody made who knows how: any body, with the right checksum."""
    seal = blake2b(data, digest_size=8).digest()
    _check_cursor(urlsafe_b64encode(data + seal).rstrip(b"="))


def _bodies() -> tuple[bytes, ...]:
    owner = blake2b(b"alice", digest_size=8).digest()
    return tuple(
        b"\x01" + owner + start.to_bytes(8, "big", signed=True) + b"x.1" for start in (0, -(1 << 62), 1 << 50)
    )


# -- AstDB -------------------------------------------------------------------------------------------


def _entries() -> tuple[bytes, ...]:
    fallbacks = Fallbacks(busy=Mailbox("reception@default"), congestion=Refusal(17))
    users = (
        ALICE,
        BOB,
        User(id="a b%", extension="+33", deskphone="PJSIP/a.b", webrtc="PJSIP/a-b", fallbacks=fallbacks),
    )
    accounts = [_account(), *map(Account, users)]
    return tuple(
        f"{key}\t{value}".encode() for account in accounts for _, key, value in entries(plan(account))
    )


def _check_entry(data: bytes) -> None:
    key, _, value = text_of(data).partition("\t")
    entry: Entry = (FAMILY, key, value)
    try:
        ((user, read),) = plans([entry]).items()
    except ValueError as error:
        require(
            type(error) is ValueError or isinstance(error, UniqueAccountError),
            f"{type(error).__name__} comes out",
        )
        return
    require(user == read.user, "a plan of another user than it says")
    with suppress(NotForDialplan):
        again = entries(read)
        require(plans(again) == {user: read}, "a plan that is another one once it was installed")


# -- stores and secrets ------------------------------------------------------------------------------


@cache
def _stores() -> tuple[bytes, ...]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "store.sqlite"
        with closing(FileStore(path, MemoryObserver(), lambda: 0.0)) as store:
            asyncio.run(_filled(store))
        return (path.read_bytes(),)


async def _filled(store: FileStore) -> None:
    await store.begin("alice", "0123456789abcdef", 1e12, 1e12)
    await store.prefer("alice", "USER_STATUS", Preference("away", "String"))
    await store.prefer("bob", "theme", Preference("dark", "String"))


@contextmanager
def _store() -> Iterator[Check]:
    with asyncio.Runner() as runner, in_folder("store.sqlite", partial(_check_store, runner)) as check:
        yield check


def _check_store(runner: asyncio.Runner, path: Path, _: bytes) -> None:
    _forget_journals(path)
    try:
        store = FileStore(path, MemoryObserver(), lambda: 1.0)
    except OSError as error:
        require(printable(str(error)), "a sentence that cannot be written")
        return
    with closing(store):
        runner.run(store.living([("alice", "0123456789abcdef")]))
        for user in ("alice", "bob"):
            for preference in runner.run(store.preferences(user)).values():
                require(isinstance(preference.value, str), "a preference that is no text")
        with suppress(OSError, TooManyPreferences, UniqueAccountError):
            runner.run(_filled(store))


@cache
def _accounts_files() -> tuple[bytes, ...]:
    async def filled(path: Path) -> None:
        store = SqliteAccounts(path)
        await store.add([ALICE, BOB])
        await store.save(ALICE, _account().kept, 0)
        await store.aclose()

    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(filled(Path(folder) / "accounts.sqlite"))
        return ((Path(folder) / "accounts.sqlite").read_bytes(),)


@contextmanager
def _accounts() -> Iterator[Check]:
    with asyncio.Runner() as runner:

        def check(path: Path, _: bytes) -> None:
            _forget_journals(path)
            with suppress(UniqueAccountError):
                runner.run(_read_accounts(path))

        with in_folder("accounts.sqlite", check) as checked:
            yield checked


async def _read_accounts(path: Path) -> None:
    store = SqliteAccounts(path)
    try:
        async for user, kept in store.all():
            require(printable(to_json(user), to_json(kept)), "an account that cannot be written")
    finally:
        await store.aclose()


def _forget_journals(path: Path) -> None:
    for suffix in ("-wal", "-shm", "-journal"):
        with suppress(FileNotFoundError):
            os.unlink(f"{path}{suffix}")


_DOCUMENTED: Final = (
    b'"extension"',
    b'"kind"',
    b'"mailbox"',
    b"2026-01-05T09:00:00+00:00",
    b'["a", 1]',
    b"1.5",
)

TARGETS: Final = (
    Target(
        name="documents", samples=_documents, opened=plain(_check_document), words=_DOCUMENTED, rounds=1500
    ),
    Target(
        name="cursors",
        samples=lambda: tuple(encode_cursor("alice", key).encode() for key in _KEYS),
        opened=plain(_check_cursor),
        largest=4096,
        rounds=2000,
    ),
    Target(name="sealed-cursors", samples=_bodies, opened=plain(_check_sealed), largest=4096, rounds=2000),
    Target(
        name="astdb",
        samples=_entries,
        opened=plain(_check_entry),
        words=(b"extension:", b"mailbox:", b"refusal:17", b"PJSIP/", b"webrtc", b"&", b"odd"),
        rounds=1000,
    ),
    Target(name="cti-store", samples=_stores, opened=_store, rounds=100),
    Target(name="accounts-store", samples=_accounts_files, opened=_accounts, rounds=60),
)

"""What administrators write: configurations, directories of people, and files of secrets."""

from __future__ import annotations

import asyncio
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import cache, partial
from pathlib import Path
from typing import Final

from argon2 import PasswordHasher

from fuzz.folder import as_file, in_folder
from fuzz.target import Check, Target, plain, printable, require, text_of
from unique_account.adapters.asterisk.config_files.pjsip import Secrets, read_secrets, secrets_text
from unique_account.adapters.memory import MemoryObserver
from unique_account.adapters.people_file import PeopleFile
from unique_account.core.errors import UniqueAccountError
from unique_account.core.forwarding import Forward, Forwarding
from unique_account.json_documents import InvalidDocument
from unique_account.serve.config import InvalidConfig, read_config

KEY_VARIABLE: Final = "FUZZED_KEY"

_FORWARDED: Final = Forwarding(unconditional=Forward("1002"), busy=Forward("0612345678", enabled=False))
_AT: Final = datetime(2026, 1, 5, 9, tzinfo=UTC)


# -- configurations ----------------------------------------------------------------------------------

CONFIG: Final = b"""\
lease = 10
owner = "office"

[users.confd]
url = "https://xivo:9486/1.1"
every = 60
id = "username"

[accounts]
file = "accounts.sqlite"

[[nodes]]
name = "default"
secret.env = "FUZZED_KEY"
sip = "10.0.0.1:5060"
obeying = ["Snom", "Yealink"]

[[nodes]]
name = "mds1"
kind = "asterisk"
host = "10.0.0.2"
port = 5038
username = "unique_account"
secret = { env = "FUZZED_KEY" }
sip = "10.0.0.2:5060"
websocket = "ws"
proxy_path = "mds1"

[monitor]
port = 9415

[log]
level = "info"
json = true
"""
CONFIG_WITH_FILE: Final = b"""\
[users]
file = "users.toml"

[accounts.postgresql]
url = "postgresql://ua@db/accounts"
password.env = "FUZZED_KEY"

[[nodes]]
kind = "memory"
"""


def _check_config(path: Path, _: bytes) -> None:
    try:
        config = read_config(path, {KEY_VARIABLE: "x" * 32})
    except InvalidConfig as error:
        require(printable(str(error)), "a sentence that cannot be written")
        return
    repr(config).encode()
    require(timedelta(0) <= config.lease, "a lease that is over before it begins")
    require(
        len({node.name for node in config.nodes}) == len(config.nodes) > 0, "two nodes of one name, or none"
    )
    require(config.users.file is None or "\0" not in config.users.file, "a file's name with a NUL in it")
    require(datetime.now(UTC) + config.lease, "a lease without end")


# -- directories -------------------------------------------------------------------------------------


@cache
def _people() -> tuple[bytes, ...]:
    hashed = PasswordHasher(time_cost=1, memory_cost=1024, parallelism=1).hash("x")
    return (
        f"""\
[[people]]
login = "alice"
user = "alice"
name = "Alice Martin"
numbers = ["1001", "+33123450001"]
password = "{hashed}"
groups = ["sales"]

[[people]]
login = "bob"
user = "bob"
name = "Bob Durand"
numbers = ["1002"]
""".encode(),
    )


@contextmanager
def _directory() -> Iterator[Check]:
    with (
        _little_memory(),
        asyncio.Runner() as runner,
        in_folder("people.toml", partial(_check_people, runner)) as check,
    ):
        yield check


@contextmanager
def _little_memory() -> Iterator[None]:
    """A hash may say that checking it takes all the memory there is."""
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (4 << 30, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


def _check_people(runner: asyncio.Runner, path: Path, _: bytes) -> None:
    try:
        directory = PeopleFile(path, MemoryObserver())
    except InvalidDocument as error:
        require(printable(str(error)), "a sentence that cannot be written")
        return
    people = runner.run(_seen(directory))
    require(printable(*people), "somebody whose name cannot be written")


async def _seen(directory: PeopleFile) -> list[str]:
    seen = [*await directory.colleagues("alice"), *await directory.colleagues("bob", "a")]
    names = [await directory.name(colleague.number) or "" for colleague in seen]
    require(await directory.authenticate("bystander", "") is None, "a log-in without a password")
    return names + [text for colleague in seen for text in (colleague.number, colleague.name)]


# -- secrets ----------------------------------------------------------------------------------------


def _check_secrets(data: bytes) -> None:
    try:
        secrets = read_secrets(text_of(data))
    except ValueError as error:
        require(
            type(error) is ValueError or isinstance(error, UniqueAccountError),
            f"{type(error).__name__} comes out",
        )
        require(b"geheim" not in data or "geheim" not in str(error), "a sentence that quotes a secret")
        return
    require(read_secrets(secrets_text(secrets)) == secrets, "secrets that are others once they were written")


_TOML: Final = (
    b"[[nodes]]",
    b"[users]",
    b"env",
    b"file",
    b"kind",
    b"'''",
    b"1979-05-27T07:32:00Z",
    b"[[people]]",
    b'["a"]',
)

TARGETS: Final = (
    Target(
        name="config",
        samples=lambda: (CONFIG, CONFIG_WITH_FILE),
        opened=as_file("config.toml", _check_config),
        words=_TOML,
        rounds=300,
    ),
    Target(name="people", samples=_people, opened=_directory, words=_TOML, rounds=40, allowed=2.0),
    Target(
        name="secrets",
        samples=lambda: (secrets_text(Secrets({"alice": "geheim", "alice_w": "geheimer"})).encode(),),
        opened=plain(_check_secrets),
        words=(b"password = ", b"[alice-auth](+)"),
        rounds=1000,
    ),
)

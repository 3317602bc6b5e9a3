"""Where users come from: a TOML file, XiVO's CSV, and the answers of its confd."""

from __future__ import annotations

import asyncio
import json
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from pathlib import Path
from typing import Any, Final

import httpx

from fuzz.target import Check, Target, printable, require
from fuzz.users import check_users
from unique_account.adapters.rosters.confd import ConfdRoster, InvalidRoster
from unique_account.adapters.rosters.users_file import read_users_file
from unique_account.core.errors import InvalidImport
from unique_account.json_documents import InvalidDocument

TOML: Final = b"""\
[[users]]
id = "alice"
extension = "1001"
deskphone = "PJSIP/alice"
webrtc = "PJSIP/alice_w"
dids = ["+33123450001", '+33123450002']
did_ring_seconds = { "+33123450001" = 45 }
mailbox = "1001@default"
media_server = "default"
context = "default"
ring_seconds = 30
simultaneous_calls = 5
voicemail_code = "*98"
max_forwards = 10

[users.fallbacks]
no_answer = { kind = "mailbox", address = "1001@default" }
busy = { kind = "extension", number = "3000" }
congestion = { kind = "refusal", cause = 17 }

[[users]]
id = "bob"
extension = "1002"
deskphone = "PJSIP/bob"
webrtc = "PJSIP/bob_w"
"""
CSV: Final = (
    b"entity_id,firstname,lastname,username,password,exten,context,line_protocol,sip_username,incall_exten,"
    b"incall_ring_seconds,ring_seconds,simultaneous_calls,voicemail_number,voicemail_context\n"
    b'1,Alice,"Martin, A.",alice,secret,1001,default,ua,alice,+33123450001,45,30,5,1001,default\n'
    b"1,Bob,Durand,bob,secret,1002,default,ua,bob,,,,,,\n"
    b'1,Carol,"Nguyen ""C""",carol,secret,1003,default,sip,carol,,,20,,,\n',
    b"username,exten,line_protocol,sip_username\r\nalice,1001,ua,alice\r\n",
    b"sep=;\r\nfirstname;username;exten;line_protocol;sip_username\r\nZo\xe9;zoe;1001;ua;zoe\r\n",
    "username\texten\tline_protocol\tsip_username\r\nalice\t1001\tua\talice\r\n".encode("utf-16"),
)
_ITEMS: Final[dict[str, Any]] = {
    "endpoints/sip": {
        "total": 1,
        "items": [{"id": 1, "username": "alice", "options": [["qualify", "yes"], ["webrtc", "ua"]]}],
    },
    "endpoints/sip/1/lines": {"total": 1, "items": [{"line_id": 11, "endpoint_id": 1}]},
    "lines/11/users": {"total": 1, "items": [{"line_id": 11, "user_id": 21}]},
    "lines/11/extensions": {"total": 1, "items": [{"extension_id": 31}]},
    "users/21": {"id": 21, "username": "alice", "ring_seconds": 20, "simultaneous_calls": 5},
    "extensions/31": {"exten": "1001", "context": "default"},
    "users/21/voicemail": {"voicemail_id": 40},
    "voicemails/40": {"number": "1001", "context": "default"},
}
CONFD: Final = "\n".join(f"{path}\t{json.dumps(answer)}" for path, answer in _ITEMS.items()).encode()
"""What confd answers: a path and its answer in each line."""

WORDS: Final = (
    *(b"id", b"extension", b"dids", b"[[users]]", b"[users]"),
    *(b"users = 1", b"'''", b'"""', b"\\u0000", b"\\ud800"),
    *(b"2026-01-05", b"07:32:00", b"1979-05-27T07:32:00Z", b"{ kind = 1 }"),
    *(b"PJSIP/", b"Local/1001@x", b"+", b"1001", b"bob"),
)  # fmt: skip


# -- files -------------------------------------------------------------------------------------------


@contextmanager
def _file(suffix: str) -> Iterator[Check]:
    with tempfile.TemporaryDirectory() as folder:
        yield partial(_check_file, Path(folder) / f"users{suffix}")


def _check_file(path: Path, data: bytes) -> None:
    path.unlink(missing_ok=True)  # writing over a file would wait for the disk
    path.write_bytes(data)
    try:
        users = read_users_file(path)
    except (InvalidImport, InvalidDocument) as error:
        require(printable(str(error)), "a sentence that cannot be written")
        return
    check_users(users)


def _opened(suffix: str) -> Callable[[], AbstractContextManager[Check]]:
    return partial(_file, suffix)


# -- confd -------------------------------------------------------------------------------------------


class _Answered(ConfdRoster):
    """A roster whose confd is a table of answers, without sockets between."""

    def __init__(self, answers: dict[str, bytes]) -> None:
        super().__init__("http://confd/1.1")
        self._answers = answers

    def _client(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(base_url=self._url, transport=httpx.MockTransport(self._answer))

    def _answer(self, request: httpx.Request) -> httpx.Response:
        body = self._answers.get(request.url.path.removeprefix("/1.1/"))
        return httpx.Response(404) if body is None else httpx.Response(200, content=body)


@contextmanager
def _confd() -> Iterator[Check]:
    with asyncio.Runner() as runner:
        yield lambda data: runner.run(_check_confd(data))


async def _check_confd(data: bytes) -> None:
    lines = (line.partition(b"\t") for line in data.split(b"\n"))
    roster = _Answered({path.decode("utf-8", "replace"): answer for path, _, answer in lines})
    try:
        users = await roster.users()
    except (InvalidRoster, ConnectionError) as error:
        require(printable(str(error)), "a sentence that cannot be written")
        return
    check_users(users)


TARGETS: Final = (
    Target(name="users-toml", samples=lambda: (TOML,), opened=_opened(".toml"), words=WORDS, rounds=500),
    Target(
        name="users-csv",
        samples=lambda: CSV,
        opened=_opened(".csv"),
        words=(*WORDS, *(b"%s," % name for name in (b"uuid", b"exten", b"labels"))),
        largest=1 << 18,
        rounds=500,
    ),
    Target(name="confd", samples=lambda: (CONFD,), opened=_confd, words=WORDS, rounds=200),
)

"""TOML and JSON blocks of the documentation, checked: the product reads the one and writes the other.

A TOML block is a file of users, of people, a configuration, or an entry point; a configuration may leave out
the tables that others show. A JSON block is an answer or a message of the CTI server, or of ``/health`` and
``/ready``. It has the fields and the types of a real one, at every depth. A block of another kind is marked
as ``text``.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from attrs import define
from httpx import ASGITransport, AsyncClient
from sybil import Example

from tests.adapters.xuc.assistants import ALICE, Installation, installation
from tests.adapters.xuc.process_pair import pair
from unique_account.adapters.health import application
from unique_account.adapters.memory import MemoryObserver
from unique_account.adapters.people_file import PeopleFile
from unique_account.adapters.people_file.passwords import hash_password
from unique_account.adapters.rosters.users_file import read_users_file
from unique_account.bootstrap import PORTS
from unique_account.core.events import DoNotDisturbSet
from unique_account.ports.group_leases import GroupRole, GroupStanding
from unique_account.serve.config import read_config

_HASH: Final = "$argon2id$v=19$..."
_NEEDED: Final = {
    "users": '[users]\nfile = "users.toml"\n',
    "accounts": '[accounts]\nfile = "accounts.sqlite"\n',
    "nodes": '[[nodes]]\nkind = "memory"\n',
}
_STANDBY: Final = GroupStanding(
    group="paris",
    name="two",
    role=GroupRole.STANDBY,
    owner="one",
    address="https://one.example.org",
    epoch=7,
    since=datetime(2026, 1, 5, 9, tzinfo=UTC),
)
_SECRET: Final = "0123456789abcdef" * 4


class UnknownBlock(ValueError):
    """A block of which nobody knows what reads it."""


def check_toml(text: str, folder: Path) -> None:
    """Read a block as the product reads its kind.

    Raises:
        Exception: The product cannot use it.
        UnknownBlock: It is of no kind that is known.
    """
    document, file = tomllib.loads(text), folder / "block.toml"
    if "project" in document:
        groups = document["project"]["entry-points"]
        assert set(groups) <= {f"unique_account.{port}" for port in PORTS}
    elif isinstance(document.get("users"), list):
        file.write_text(text, "utf-8")
        assert read_users_file(file)
    elif "people" in document:
        file.write_text(text.replace(_HASH, hash_password("for this test alone")), "utf-8")
        PeopleFile(file, MemoryObserver())
    elif document.keys() & {"users", "accounts", "nodes", "assistant", "bus", "monitor", "log"}:
        for name in _named(document):
            place = folder / name
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(_SECRET, "utf-8")
        file.write_text(text + _missing(document), "utf-8")
        read_config(file, {})
    else:
        raise UnknownBlock(text)


def _named(document: Any) -> Iterator[str]:
    """Every file that a configuration names."""
    for key, value in document.items() if isinstance(document, dict) else ():
        if key == "file":
            yield value
        for part in value if isinstance(value, list) else [value]:
            yield from _named(part)


def _missing(document: dict[str, Any]) -> str:
    """The tables that a configuration needs and a block leaves out, as TOML."""
    return "\n" + "".join(text for table, text in _NEEDED.items() if table not in document)


def differences(shown: Any, real: Any, place: str = "") -> list[str]:
    """Where the shape of a document is another than that of a real one; null is of every type."""
    if shown is None or real is None:
        return []
    if type(shown) is not type(real):
        return [f"{place}: {type(shown).__name__} is shown, {type(real).__name__} is sent"]
    if isinstance(shown, list):
        return [found for part in shown if real for found in differences(part, real[0], f"{place}[]")]
    if isinstance(shown, dict):
        if place.endswith("nodes"):  # by name, so its keys are no fields
            shown, real = ({"": next(iter(each.values()))} for each in (shown, real))
        wrong = [f"{place}.{key}: is in one of them only" for key in shown.keys() ^ real.keys()]
        same = shown.keys() & real.keys()
        return wrong + [
            found for key in same for found in differences(shown[key], real[key], f"{place}.{key}")
        ]
    return []


@define
class Real:
    """What the product sends.

    Attributes:
        messages: The last CTI message of each kind.
        others: Answers over HTTP.
    """

    messages: dict[str, Any]
    others: list[Any]

    def check(self, example: Example) -> None:
        """Compare a JSON block with what is sent.

        Raises:
            AssertionError: It has another shape.
            UnknownBlock: Nothing of this kind is sent.
        """
        shown = json.loads(example.parsed)
        kind = shown.get("msgType")
        if kind is not None:
            if kind not in self.messages:
                raise UnknownBlock(kind)
            real = self.messages[kind]
        else:
            real = next((each for each in self.others if each.keys() == shown.keys()), None)
            if real is None:
                raise UnknownBlock(example.parsed)
        assert differences(shown, real) == [], f"{example.path}, line {example.line}"


async def sent() -> Real:
    """What the CTI server and ``/health`` answer to a user with a call, a forward and colleagues."""
    async with installation() as at:
        answer = await at.browser.request("POST", "auth/login", json={"login": "alice", "password": "sésame"})
        health = application(lambda: {"default": False}, lambda: True, lambda: b"")
        group = application(dict, lambda: True, lambda: b"", lambda: _STANDBY)
        async with AsyncClient(transport=ASGITransport(health), base_url="http://health") as client:
            others = [answer.json(), (await client.get("/health")).json()]
        async with AsyncClient(transport=ASGITransport(group), base_url="http://health") as client:
            others.append((await client.get("/ready")).json())
        return Real({**await _messages(at), **await _messages_elsewhere()}, others)


async def _messages_elsewhere() -> dict[str, Any]:
    """What a process sends that does not serve the user."""
    async with pair() as at:
        await at.one.own()
        tab = await at.two.browser.connect(await at.two.browser.log_in("alice"))
        await tab.closed()
        return {"Processes": tab.frames[-1]}


async def _messages(at: Installation) -> dict[str, Any]:
    tab = await at.browser.tab("alice")
    await tab.command("naFwd", state=True, destination="1002")
    await at.pbx.leave_messages("1001@default", 2, 0)
    over = await at.pbx.call("1001", caller="1002")
    await at.pbx.pick_up(over)
    await at.pbx.end(over)
    await at.pbx.call("1001", caller="1002")
    await at.wait_until(lambda: at.alice.calls)
    await tab.command("getHistoryPage", size=5, cursor=None, days=None)
    await tab.command("getColleagues", words="", size=5)
    await tab.command("subscribeToPhoneHints", phoneNumbers=["1002"])
    await at.service.handle("bob", DoNotDisturbSet(on=True))
    await tab.until(lambda: tab.reported("ColleagueDiversion") and tab.reported("HistoryChanged"))
    messages = {frame["msgType"]: frame for frame in tab.frames if "msgType" in frame}
    # The line comes with the log-in, before anything else is asked.
    assert messages["SipLine"]["ctiMessage"]["username"] == ALICE.webrtc.removeprefix("PJSIP/")
    return messages

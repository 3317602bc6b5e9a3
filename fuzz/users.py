"""The users of every target: two whom inputs are about, and one whom none names and nothing may happen to."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from typing import Final

from attrs import evolve

from fuzz.target import Broken, require
from unique_account.adapters.asterisk.dialplan_text import NotForDialplan
from unique_account.adapters.asterisk.plans.decode import plans
from unique_account.adapters.asterisk.plans.encode import entries
from unique_account.core.account import Account
from unique_account.core.errors import InvalidUser, Refused
from unique_account.core.events import Event, apply
from unique_account.core.routing import plan
from unique_account.core.uniqueness import claims_of
from unique_account.core.user import User
from unique_account.json_documents import from_json, to_json

ALICE: Final = User(
    id="alice",
    extension="1001",
    deskphone="PJSIP/alice",
    webrtc="PJSIP/alice_w",
    dids=("+33123450001",),
    did_ring_seconds={"+33123450001": 45},
    mailbox="1001@default",
)
BOB: Final = User(id="bob", extension="1002", deskphone="PJSIP/bob", webrtc="PJSIP/bob_w")
BYSTANDER: Final = User(
    id="bystander",
    extension="7777",
    deskphone="PJSIP/bystander",
    webrtc="PJSIP/bystander_w",
    mailbox="7777@default",
)
ENOUGH: Final = 10
"""How many users of one input are looked at one by one: that takes longer than reading them."""

USERS: Final = (ALICE, BOB, BYSTANDER)
INSIDERS: Final = tuple(
    User(id=f"insider{n}", extension=f"{2000 + n}", deskphone=f"PJSIP/i{n}", webrtc=f"PJSIP/i{n}_w")
    for n in range(32)
)
"""Further users of a server under attack: one alone may come in only so often."""


def names_bystander(data: bytes) -> bool:
    """Whether an input happens to be about the bystander."""
    return b"bystander" in data or b"7777" in data


def check_user(user: User) -> None:
    """A user that was accepted is one that can be stored, read back and installed."""
    require(user.id.strip(), "a user without an id")
    require(from_json(User, to_json(user)) == user, "a user that is another one once it was stored")
    to_json(user).encode()
    with suppress(InvalidUser):  # both devices have one name, in two technologies
        check_installable(Account(_of_asterisk(user)))


def _of_asterisk(user: User) -> User:
    """A user whose phones are of the technology that our dialplan rings; others are for other PBXs."""
    _, _, deskphone = user.deskphone.partition("/")
    _, _, webrtc = user.webrtc.partition("/")
    return evolve(user, deskphone=f"PJSIP/{deskphone}", webrtc=f"PJSIP/{webrtc}")


def check_installable(account: Account) -> None:
    """The plan of an account that was accepted can be installed, and is the same when it is read back."""
    try:
        due = entries(plan(account))
    except NotForDialplan as error:
        field = error.problems[0].partition(":")[0]
        raise Broken(f"{field} accepted and not installable: {error}") from error
    (back,) = plans(due).values()
    require(entries(back) == due, "a plan that is another one once it was installed")


def check_users(users: Iterable[User]) -> None:
    """Users that were accepted together."""
    users = tuple(users)
    for user in users[:ENOUGH]:
        check_user(user)
    claims = [claim for user in users for claim in claims_of(user)]
    require(len(claims) == len(set(claims)), "two users with one number, device or id")


def applied(account: Account, event: Event) -> Account:
    """The account after an event, which may be refused; it can be installed, whatever happened."""
    try:
        after = apply(account, event)
    except Refused:
        return account
    if after.kept.forwarding != account.kept.forwarding:
        check_installable(after)
    return after

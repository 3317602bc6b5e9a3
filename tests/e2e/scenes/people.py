"""The users of the recorded calls, and the record of what really happened."""

from __future__ import annotations

from typing import Final

from attrs import frozen

from unique_account.core.account import Direction
from unique_account.core.history import HistoryStatus
from unique_account.core.machine import Device
from unique_account.core.user import User

DID: Final = "+33123450001"
OUTSIDE: Final = "0612345678"


def _user(
    name: str,
    extension: str,
    dids: tuple[str, ...] = (),
    mailbox: str | None = None,
    media_server: str = "default",
) -> User:
    return User(
        id=name,
        extension=extension,
        deskphone=f"PJSIP/{name}",
        webrtc=f"PJSIP/{name}_w",
        dids=dids,
        mailbox=mailbox,
        media_server=media_server,
        ring_seconds=2,
        simultaneous_calls=1 if name == "dave" else 5,
    )


ALICE: Final = _user("alice", "1001", (DID,), "1001@default")
BOB: Final = _user("bob", "1002")
CAROL: Final = _user("carol", "1003")
DAVE: Final = _user("dave", "1004")
ERIN: Final = _user("erin", "1005", media_server="mds1")
USERS: Final = (ALICE, BOB, CAROL, DAVE)
"""The users whose phones are at the main node."""

EVERYBODY: Final = (*USERS, ERIN)


@frozen(weakref_slot=False, kw_only=True)
class Truth:
    """One user's part in a call, as the phones and the script know it.

    Attributes:
        rang: For how many seconds a device rang, by that phone; None: not checked.
        talked: For how many seconds the user's phone was connected, by that phone; None where it is not
            looked at.
    """

    user: str
    status: HistoryStatus
    direction: Direction
    device: Device | None = None
    peer: str = ""
    forwarded_from: str = ""
    transferred_to: str = ""
    rang: float | None = None
    talked: float | None = None

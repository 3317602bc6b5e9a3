"""User events, as another make of CTI server reports them through the manager interface."""

from __future__ import annotations

from lab.ami import Ami
from unique_account.adapters.asterisk.translation.translator import USER_EVENT
from unique_account.adapters.asterisk.wire_names import CODE_KEY


async def report(ami: Ami, user: str, action: str, **headers: str) -> None:
    """Report that a user did something, with the node's key, which the service has made."""
    key = (await ami.act("Getvar", ("Variable", CODE_KEY)))["Value"]
    reported = {"UserEvent": USER_EVENT, "Key": key, "User": user, "Do": action, **headers}
    await ami.act("UserEvent", *reported.items())

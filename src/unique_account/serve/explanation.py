"""Accounts as the command line shows them: where a call would go and why, and a line of a list."""

from __future__ import annotations

from typing import Any

from unique_account.core.account import Account, Line
from unique_account.core.device_in_use import device_in_use
from unique_account.core.errors import UniqueAccountError
from unique_account.core.forwarding import Outcome
from unique_account.core.number import Number
from unique_account.core.presence import presence
from unique_account.core.routing import facts, plan, resolve
from unique_account.json_documents import to_document


class NotOwnNumber(UniqueAccountError, ValueError):
    """A call to an account comes by a number that is not the account's."""


def explained(account: Account, dialled: str = "", forwards: int = 0) -> dict[str, Any]:
    """What a call to an account would do under the facts that it knows, and why, ready for JSON.

    Args:
        account: The account that is called.
        dialled: The number by which the call comes; empty: the extension.
        forwards: How often the call was forwarded already.

    Raises:
        NotOwnNumber: The number is not the account's.
    """
    user, installed = account.user, plan(account)
    if dialled and Number(dialled) not in user.numbers:
        raise NotOwnNumber(f"{dialled} is no number of {user.id}, who has {', '.join(user.numbers)}")
    route = resolve(installed, facts(account, dialled=dialled, forwards=forwards))
    return {
        "user": user.id,
        "number": user.extension,
        "state": account.state,
        "selection": account.selection,
        "device_in_use": device_in_use(account),
        "presence": presence(account).name.lower(),
        "route": {
            "ring": to_document(route.ring),
            "destination": None if route.destination is None else str(route.destination),
        },
        "because": to_document(route.because),
        "otherwise": {outcome: str(installed.destination(outcome)) for outcome in Outcome},
    }


def listed(account: Account) -> dict[str, Any]:
    """An account in a list of all, ready for JSON."""
    return {
        "user": account.user.id,
        "number": account.user.extension,
        "state": account.state,
        "selection": account.selection,
        "device_in_use": device_in_use(account),
        "presence": presence(account).name.lower(),
        "deskphone": _line(account.observed.deskphone),
        "webrtc": _line(account.observed.webrtc),
        "sessions": len(account.sessions),
        "calls": len(account.calls),
    }


def _line(line: Line) -> dict[str, Any]:
    return {"status": line.status.name.lower(), "reachable": line.reachable}

"""What a running service answers on its socket: one JSON object for one JSON object.

``{"ask": "explain", "user": "alice"}``, with ``dialled`` and ``forwards`` if need be, is answered by
``{"answer": ...}``. ``{"ask": "accounts", "after": 0}`` is answered by a page of accounts and the place of
the next page. What cannot be answered is ``{"error": "..."}``.
"""

from __future__ import annotations

import json
from typing import Any, Final

from attrs import field, frozen
from attrs.validators import ge

from unique_account.core.account import Account
from unique_account.core.errors import UniqueAccountError
from unique_account.core.number import Number
from unique_account.json_documents import from_document
from unique_account.ports.inbound.events import UnknownUser
from unique_account.serve.explanation import explained, listed
from unique_account.service.service import Service

PAGE: Final = 200
"""An answer lists at most so many accounts."""


@frozen(weakref_slot=False, kw_only=True)
class _Request:
    ask: str
    user: str = ""
    dialled: str = ""
    forwards: int = field(default=0, validator=ge(0))
    after: int = field(default=0, validator=ge(0))


class LiveAnswers:
    """Answers what administrators ask of a service."""

    def __init__(self, service: Service) -> None:
        self._service = service

    def answer(self, line: bytes) -> bytes:
        """The line that answers a line."""
        try:
            answer = self._answer(from_document(_Request, json.loads(line)))
        except (UniqueAccountError, ValueError, RecursionError) as error:
            answer = {"error": str(error) or "is nested too deeply"}
        return json.dumps(answer, ensure_ascii=False).encode("utf-8", "backslashreplace") + b"\n"

    def _answer(self, request: _Request) -> dict[str, Any]:
        if request.ask == "explain":
            return {"answer": explained(self._account(request.user), request.dialled, request.forwards)}
        if request.ask == "accounts":
            return self._page(request.after)
        return {"error": f"ask: is {request.ask[:40]!r}, not one of explain, accounts"}

    def _page(self, after: int) -> dict[str, Any]:
        users = self._service.users[after : after + PAGE + 1]
        page = [listed(self._service.account(user)) for user in users[:PAGE]]
        return {"answer": page, "after": after + PAGE if len(users) > PAGE else None}

    def _account(self, named: str) -> Account:
        """The account of a user, who is named by id or by a number."""
        try:
            return self._service.account(named)
        except UnknownUser:
            accounts = map(self._service.account, self._service.users)
            number = Number(named)
            for account in accounts if number else ():
                if number in account.user.numbers:
                    return account
            raise

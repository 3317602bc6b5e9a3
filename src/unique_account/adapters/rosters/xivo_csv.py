"""Users out of a file for XiVO's CSV user import (A5).

The columns are those of XiVO before its fork, and those that its own exports add; the first line names
those that the file has, in any order. A row whose ``line_protocol`` is the one of Unique Accounts makes a
`User`; any other row is a user without one, whose fields are checked all the same, because the file is
imported as a whole or not at all.

What is decided here where XiVO leaves it open:

- An unknown column is a problem, and so is an unknown ``line_protocol``: a misspelt one would lose what
  it says without a word.
- Control characters, line breaks included, are refused in every column. Names and numbers that end up in
  a dialplan or in a configuration file keep to a pattern that is safe in both.
- An empty ``context`` is ``default``, and so is an empty ``voicemail_context``. What belongs to a number
  that is not given (its context, its ring time) is checked and otherwise ignored.
- ``enabled`` and what else XiVO keeps for itself makes no difference to the `User`.

Problems quote no field of a row but ring times and limits, and those only if they are numbers: files
carry passwords, and a field that slipped into a wrong column would put one into a log.
"""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from attrs import define, field

from unique_account.adapters.rosters.xivo_columns import COLUMNS, Check
from unique_account.core.errors import InvalidImport, InvalidUser
from unique_account.core.plural import counted
from unique_account.core.uniqueness import Claim, ClaimKind, Claims, already, number_claim
from unique_account.core.user import User

_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")

_MOST_COLUMNS: Final = 2 * len(COLUMNS)
"""In a header of more columns nothing is named; a good one has each column once at most."""

_EMPTY: Final = dict.fromkeys(COLUMNS, "")

REQUIRED: Final = ("username", "exten", "line_protocol", "sip_username")
"""The columns that a file must have, and that the row of a Unique Account must fill."""

OTHER_PROTOCOLS: Final = frozenset({"", "sip", "webrtc", "sccp", "custom"})
"""The values of ``line_protocol`` that are known and make no Unique Account."""

_OF_DIDS: Final = ""
"""The context of all DIDs; no column can name it."""

_COLUMN_OF: Final = {
    "id": "username",
    "extension": "exten",
    "deskphone": "sip_username",
    "webrtc": "sip_username",
    "dids": "incall_exten",
    "did_ring_seconds": "incall_ring_seconds",
    "mailbox": "voicemail_number",
}


def read_users(
    lines: Iterable[str],
    *,
    separator: str = ",",
    ua_protocol: str = "ua",
    webrtc_suffix: str = "_w",
    media_server: str = "default",
) -> tuple[User, ...]:
    """The users with a Unique Account in a CSV file, in its order, read in one pass (A5).

    Args:
        lines: The file's lines, as a text file opened as UTF-8 with ``newline=""`` gives them; a byte
            order mark before the first is skipped.
        separator: What separates the fields.
        ua_protocol: The ``line_protocol`` of a Unique Account.
        webrtc_suffix: What the name of the WebRTC endpoint has after that of the deskphone's.
        media_server: The PBX node that carries the users.

    Raises:
        InvalidImport: With every problem of every row; then there are no users.
    """
    sheet = _Sheet(ua_protocol, webrtc_suffix, media_server)
    rows = sheet.rows(lines, separator)
    header_line, header = next(rows, (1, []))
    if not sheet.problems and sheet.begin(header_line, header):
        for line, row in rows:
            sheet.add(line, row)
    if sheet.problems:
        raise InvalidImport(sheet.problems)
    return tuple(sheet.users)


@define
class _Sheet:
    """What has been read of a file so far.

    Attributes:
        header: The names of the columns that the file has.
        checks: Those columns that are not free text, each with its check.
        complete: Whether every required column is there.
        problems: In the order of the file.
        users: In the order of the file.
        claims: What the lines so far claim for themselves alone, each with its line.
    """

    ua_protocol: str
    webrtc_suffix: str
    media_server: str
    header: Sequence[str] = ()
    checks: Sequence[tuple[str, Check]] = ()
    complete: bool = True
    problems: list[str] = field(factory=list)
    users: list[User] = field(factory=list)
    claims: Claims[int] = field(factory=Claims)

    def rows(self, lines: Iterable[str], separator: str) -> Iterator[tuple[int, list[str]]]:
        """Each row that is not blank, with the line on which it starts; what is not CSV becomes a problem."""
        reader = csv.reader(_without_bom(lines), strict=True, delimiter=separator)
        while True:
            line = reader.line_num + 1
            try:
                row = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                self.problems.append(
                    f"line {line}: is not CSV ({error}); look for a quote that is not closed"
                )
                continue
            if row:
                yield line, row

    def begin(self, line: int, header: Sequence[str]) -> bool:
        """Take the first row as the header; False if it is none, so that the rest means nothing."""
        known = Counter(name for name in header if name in COLUMNS)
        if not known or 2 * known.total() < len(header):
            # Its text is not quoted: without a header it would be the first user's, password included.
            self.problems.append(
                f"line {line}: is not a header; the first line names XiVO's columns, separated by commas, "
                f"at least {', '.join(REQUIRED)}"
            )
            return False
        if len(header) > _MOST_COLUMNS:
            self.problems.append(
                f"line {line}: has {len(header)} columns; XiVO's user import has {len(COLUMNS)}"
            )
            return False
        self.header = header
        self.checks = [(name, check) for name in known if (check := COLUMNS[name])]
        missing = [name for name in REQUIRED if name not in header]
        self.complete = not missing
        unknown = [name for name in header if name not in COLUMNS]
        twice = sorted(name for name, count in known.items() if count > 1)
        self.problems += [f"line {line}, {name}: the column is missing" for name in missing]
        self.problems += [
            f"line {line}, {name[:40]!r}: is not a column of XiVO's user import" for name in unknown
        ]
        self.problems += [f"line {line}, {name}: the column is there twice" for name in twice]
        return True

    def add(self, line: int, row: Sequence[str]) -> None:
        """Check a row, and keep its user if it makes one."""
        if len(row) != len(self.header):
            has = counted(len(row), "field")
            self.problems.append(f"line {line}: has {has}; the header has {len(self.header)}")
            return
        fields = _EMPTY | dict(zip(self.header, row, strict=True))
        found = self._malformed(fields)
        found |= self._missing(fields)
        found |= self._doubles(line, fields, found)
        if not found and self.complete and fields["line_protocol"] == self.ua_protocol:
            found = self._keep(fields)
        self.problems += [f"line {line}, {name}: {found[name]}" for name in sorted(found, key=self._place)]

    def _place(self, name: str) -> int:
        return self.header.index(name) if name in self.header else len(self.header)

    def _malformed(self, fields: Mapping[str, str]) -> dict[str, str]:
        found = {}
        for name, check in self.checks:
            text = fields[name]
            if text and (problem := check(text)):
                found[name] = problem
        if _CONTROL.search("".join(fields.values())):
            found |= {
                name: "has a control character or a line break"
                for name, text in fields.items()
                if _CONTROL.search(text)
            }
        protocol = fields["line_protocol"]
        if protocol != self.ua_protocol and protocol not in OTHER_PROTOCOLS:
            known = ", ".join(sorted(OTHER_PROTOCOLS - {""} | {self.ua_protocol}))
            found.setdefault("line_protocol", f"is not one of {known}")
        return found

    def _missing(self, fields: Mapping[str, str]) -> dict[str, str]:
        if fields["line_protocol"] != self.ua_protocol:
            return {}
        empty = [name for name in REQUIRED if name in self.header and not fields[name]]
        return dict.fromkeys(empty, "is empty; a Unique Account needs it")

    def _doubles(self, line: int, fields: Mapping[str, str], found: Mapping[str, str]) -> dict[str, str]:
        """The names that an earlier line has already, of those that are well-formed."""
        doubles = {}
        for name, claims in self._claims(fields):
            if fields[name] and name not in found:
                for taken in self.claims.take(claims, line):
                    doubles[name] = already(f"this {taken.claim.kind}", f"line {taken.owner}")
        return doubles

    def _claims(self, fields: Mapping[str, str]) -> Iterator[tuple[str, list[Claim]]]:
        """What a row claims for itself alone, by the column that says it."""
        ua = fields["line_protocol"] == self.ua_protocol
        context = fields["context"] or "default"
        endpoint, did = fields["sip_username"], fields["incall_exten"]
        endpoints = [endpoint, endpoint + self.webrtc_suffix] if ua else [endpoint]
        # XiVO keeps DIDs in a context of their own; a Unique Account's route beside its extension (R6).
        contexts = [_OF_DIDS, context] if ua else [_OF_DIDS]
        yield "username", [Claim(ClaimKind.ID, fields["username"])]
        yield "exten", [number_claim(fields["exten"], context)]
        yield "sip_username", [Claim(ClaimKind.DEVICE, each) for each in endpoints]
        yield "incall_exten", [number_claim(did, each) for each in contexts]

    def _keep(self, fields: Mapping[str, str]) -> dict[str, str]:
        try:
            self.users.append(self._user(fields))
        except InvalidUser as invalid:
            problems = (problem.split(": ", 1) for problem in invalid.problems)
            return {_COLUMN_OF.get(name, name): text for name, text in problems}
        return {}

    def _user(self, fields: Mapping[str, str]) -> User:
        did, did_seconds = fields["incall_exten"], fields["incall_ring_seconds"]
        number, context = fields["voicemail_number"], fields["voicemail_context"]
        endpoint = f"PJSIP/{fields['sip_username']}"
        return User(
            id=fields["username"],
            extension=fields["exten"],
            deskphone=endpoint,
            webrtc=endpoint + self.webrtc_suffix,
            dids=(did,) if did else (),
            mailbox=f"{number}@{context or 'default'}" if number else None,
            media_server=self.media_server,
            context=fields["context"] or "default",
            ring_seconds=int(fields["ring_seconds"] or 30),
            did_ring_seconds=((did, int(did_seconds)),) if did and did_seconds else (),
            simultaneous_calls=int(fields["simultaneous_calls"] or 5),
        )


def _without_bom(lines: Iterable[str]) -> Iterator[str]:
    lines = iter(lines)
    for first in lines:
        yield first.removeprefix("\ufeff")
        yield from lines

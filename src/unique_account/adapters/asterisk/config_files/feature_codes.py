"""Codes that users dial on their own phones, and the answers.

A code is a command: the dialplan reports it through the manager interface and waits for the answer, which the
service sets as a variable of the caller's channel. Nothing is kept in the PBX, so what is announced is what
the account came to. Without an answer the caller gets the tone of a congested network.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final
from urllib.parse import quote

from attrs import frozen

from unique_account.adapters.asterisk.wire_names import (
    CODE_ANSWER,
    CODE_EVENT,
    CODE_KEY,
    CODES_CONTEXT,
    REFUSED,
    TOGGLE,
)
from unique_account.core.forwarding_changes import Setting
from unique_account.core.machine import Device
from unique_account.core.user import User

LONGEST_DIALLED: Final = 24
"""How many digits may follow a code."""


@frozen(weakref_slot=False)
class _Code:
    """A code.

    Attributes:
        asks: What it is called by.
        announced: The sounds that come before the one that says whether something is on now.
        with_number: A number may follow it.
    """

    asks: str
    announced: str
    with_number: bool = False


CODES: Final[Mapping[str, _Code]] = {
    "*987": _Code(TOGGLE, "silence/1"),
    "*25": _Code(Setting.DO_NOT_DISTURB, "do-not-disturb"),
    "*21": _Code(Setting.UNCONDITIONAL, "call-fwd-unconditional", with_number=True),
    "*22": _Code(Setting.NO_ANSWER, "call-fwd-no-ans", with_number=True),
    "*23": _Code(Setting.BUSY, "call-fwd-on-busy", with_number=True),
    "*20": _Code(Setting.ALL, "call-forwarding"),
}
"""The codes of XiVO; that of the voicemail is each user's own."""

CODES_ROUTINE: Final = f"""\

[{CODES_CONTEXT}]
; A user dials a code on a phone of the user's own: ARG1 is what it asks for, ARG2 the number that follows it,
; ARG3 what is announced before the answer.
exten = s,1,Set(LOCAL(endpoint)=${{CHANNEL(endpoint)}})
 same = n,Set(LOCAL(owner)=of*${{STRREPLACE(endpoint,-,~)}})
 same = n,GotoIf(${{DIALPLAN_EXISTS(unique-account-owners,${{owner}},1)}}?known)
 same = n,Hangup(21)
 same = n(known),Gosub(unique-account-owners,${{owner}},1)
 same = n,Set(ARRAY(LOCAL(account),LOCAL(mailbox))=${{GOSUB_RETVAL}})
 same = n,GotoIf($["${{ARG1}}" = "voicemail"]?voicemail)
 same = n,Set({CODE_ANSWER}=)
 same = n,UserEvent({CODE_EVENT},Key: ${{{CODE_KEY}}},Account: ${{account}},Asks: ${{ARG1}},Number: ${{ARG2}})
 same = n,WaitForCondition(#,#[x#{{{CODE_ANSWER}}} != x],1.5,0.02)
 same = n,GotoIf(${{EXISTS(${{{CODE_ANSWER}}})}}?answered)
 same = n,Hangup(34)
 same = n(answered),Answer()
 same = n,GotoIf($["${{{CODE_ANSWER}}}" = "{REFUSED}"]?refused)
 same = n,Playback(${{ARG3}}&${{IF($["${{{CODE_ANSWER}}}" = "on"]?activated:de-activated)}})
 same = n,Hangup(16)
 same = n(refused),Playback(im-sorry&feature-not-avail-line)
 same = n,Hangup(16)
 same = n(voicemail),Answer()
 same = n,GotoIf(${{ISNULL(${{mailbox}})}}?refused)
 same = n,TryExec(VoiceMailMain(${{mailbox}}))
 same = n,Hangup(16)
"""
"""The fixed text."""


def dialled_codes(users: Iterable[User]) -> str:
    """The extensions of the codes in a context of these users."""
    voicemail: dict[str, _Code] = dict.fromkeys(
        sorted({user.voicemail_code for user in users}), _Code("voicemail", "")
    )
    return "".join(_extensions(code, what) for code, what in {**CODES, **voicemail}.items())


def _extensions(code: str, what: _Code) -> str:
    alone = f"exten = {code},1,Gosub({CODES_CONTEXT},s,1({what.asks},,{what.announced}))\n"
    if not what.with_number:
        return alone
    # The caller chooses the number. A pattern without an end would let any text in, line breaks among it.
    numbers = [f"_{code}{'[+*#0-9]' * length}" for length in range(1, LONGEST_DIALLED + 1)]
    passed = f"{what.asks},${{EXTEN:{len(code)}}},{what.announced}"
    return alone + "".join(f"exten = {one},1,Gosub({CODES_CONTEXT},s,1({passed}))\n" for one in numbers)


def owners(users: Iterable[User]) -> str:
    """The extensions that say whose an endpoint is; a dash in its name would not count in an extension."""
    lines = [
        f"exten = of*{user.interface(device).removeprefix('PJSIP/').replace('-', '~')},1,"
        f"Return({quote(user.id, safe='')},{user.mailbox or ''})\n"
        for user in users
        for device in Device
    ]
    return "\n[unique-account-owners]\n" + "".join(sorted(lines))

"""Codes that users dial on their own phones, and what they are told.

A code is a command: the dialplan tells it through the manager interface and waits for the answer, which
whoever decides sets as a variable of the caller's channel. Nothing is kept in the PBX, so what is announced
is what the account came to; without an answer the caller hears that the network is congested.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Final
from urllib.parse import quote, unquote

from attrs import frozen

from unique_account.adapters.asterisk.manager.ami import Message
from unique_account.adapters.asterisk.manager.headers import one_of, required
from unique_account.core.account import Account
from unique_account.core.choices import Setting
from unique_account.core.events import DeviceToggled, Event, ForwardingDialled
from unique_account.core.forwarding import digits
from unique_account.core.machine import Device
from unique_account.core.user import User

ANSWER: Final = "UNIQUE_ACCOUNT_ANSWER"
"""The variable of the caller's channel that is set to the answer."""

CODE_EVENT: Final = "UniqueAccountCode"
"""The ``UserEvent`` header of the user events that tell of a dialled code."""

KEY: Final = "UNIQUE_ACCOUNT_KEY"
"""The global variable that proves a user event to be the dialplan's: a secret that a restart makes void."""

TOGGLE: Final = "toggle"
"""What the code is called by that switches the device selection over."""

LONGEST_DIALLED: Final = 24
"""How many digits may follow a code."""

REFUSED: Final = "refused"
"""The answer to a code that the account refuses."""


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

[unique-account-codes]
; A user dials a code on a phone of the user's own: ARG1 is what it asks for, ARG2 the number that follows it,
; ARG3 what is announced before the answer.
exten = s,1,Set(LOCAL(endpoint)=${{CHANNEL(endpoint)}})
 same = n,Set(LOCAL(owner)=of*${{STRREPLACE(endpoint,-,~)}})
 same = n,GotoIf(${{DIALPLAN_EXISTS(unique-account-owners,${{owner}},1)}}?known)
 same = n,Hangup(21)
 same = n(known),Gosub(unique-account-owners,${{owner}},1)
 same = n,Set(ARRAY(LOCAL(account),LOCAL(mailbox))=${{GOSUB_RETVAL}})
 same = n,GotoIf($["${{ARG1}}" = "voicemail"]?voicemail)
 same = n,Set({ANSWER}=)
 same = n,UserEvent({CODE_EVENT},Key: ${{{KEY}}},Account: ${{account}},Asks: ${{ARG1}},Number: ${{ARG2}})
 same = n,WaitForCondition(#,#[x#{{{ANSWER}}} != x],1.5,0.02)
 same = n,GotoIf(${{EXISTS(${{{ANSWER}}})}}?answered)
 same = n,Hangup(34)
 same = n(answered),Answer()
 same = n,GotoIf($["${{{ANSWER}}}" = "{REFUSED}"]?refused)
 same = n,Playback(${{ARG3}}&${{IF($["${{{ANSWER}}}" = "on"]?activated:de-activated)}})
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
    voicemail = dict.fromkeys(sorted({digits(user.voicemail_code) for user in users}), _Code("voicemail", ""))
    return "".join(_extensions(code, what) for code, what in {**CODES, **voicemail}.items())


def _extensions(code: str, what: _Code) -> str:
    alone = f"exten = {code},1,Gosub(unique-account-codes,s,1({what.asks},,{what.announced}))\n"
    if not what.with_number:
        return alone
    # The caller chooses the number. A pattern without an end would let any text in, line breaks among it.
    numbers = [f"_{code}{'[+*#0-9]' * length}" for length in range(1, LONGEST_DIALLED + 1)]
    passed = f"{what.asks},${{EXTEN:{len(code)}}},{what.announced}"
    return alone + "".join(f"exten = {one},1,Gosub(unique-account-codes,s,1({passed}))\n" for one in numbers)


def owners(users: Iterable[User]) -> str:
    """The extensions that tell whose an endpoint is; a dash in its name would not count in an extension."""
    lines = [
        f"exten = of*{user.interface(device).removeprefix('PJSIP/').replace('-', '~')},1,"
        f"Return({quote(user.id, safe='')},{user.mailbox or ''})\n"
        for user in users
        for device in Device
    ]
    return "\n[unique-account-owners]\n" + "".join(sorted(lines))


def dialled_code(message: Message) -> tuple[str, Event]:
    """Who dialled a code, by the user's id, and what happened by that.

    Raises:
        UnusableHeader: The message is not one of the dialplan's.
    """
    event = one_of(message, "Asks", _EVENTS)(message.get("Number", ""))
    return unquote(required(message, "Account")), event


def _toggled(_: str) -> Event:
    return DeviceToggled()


_EVENTS: Final[Mapping[str, Callable[[str], Event]]] = {
    TOGGLE: _toggled,
    **{str(setting): partial(ForwardingDialled, setting) for setting in Setting},
}


def answer(event: Event, after: object) -> str:
    """What a caller is told who dialled a code that was not refused, by the account after it."""
    match event, after:
        case DeviceToggled(), Account() as account:
            on = account.selection is Device.WEBRTC
        case ForwardingDialled(setting=Setting.DO_NOT_DISTURB), Account() as account:
            on = account.forwarding.do_not_disturb
        case ForwardingDialled(number=number), _:
            on = number != ""
        case _:
            on = False
    return "on" if on else "off"

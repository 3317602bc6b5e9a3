"""A plan that Asterisk carries out by itself (R16): a dialplan of fixed text, and plans as entries of AstDB.

`render` gives the text, which an administrator includes. It knows the users' numbers and phones, so it is
rendered again when those change, and not when a user chooses anything. `entries` gives what is written
into AstDB to install a plan: one entry for each number, with all that a call by this number needs, so a
call costs one look-up. `unique_account.adapters.asterisk.installed` reads them back.

An entry is a row of fields between commas. Of a plan, only characters that mean nothing to a dialplan get
into a field; names of free text are written as in a URL.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Final
from urllib.parse import quote

from unique_account.core.errors import UniqueAccountError
from unique_account.core.forwarding import Destination, Extension, Mailbox, Outcome, Refusal, digits
from unique_account.core.routing import Plan
from unique_account.core.user import User

FAMILY: Final = "unique_account"
"""The family of every entry in AstDB."""

FORWARDS: Final = "UNIQUE_ACCOUNT_FORWARDS"
"""The channel variable that holds how often a call was forwarded (R13)."""

LONGEST: Final = 900
"""A value of AstDB is at most so long; the manager interface takes lines of 1024 bytes."""

Entry = tuple[str, str, str]
"""An entry of AstDB: its family, its key and its value."""


class NotForDialplan(UniqueAccountError, ValueError):
    """A user or a plan holds what a dialplan cannot be given, or not without harm.

    Attributes:
        problems: One ``field: what is wrong with it`` for each problem.
    """

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = tuple(problems)
        super().__init__(self.problems)

    def __str__(self) -> str:
        return "\n  ".join(("not for a dialplan:", *self.problems))


# -- the text ----------------------------------------------------------------------------------------


def render(users: Iterable[User]) -> str:
    """The dialplan of a node, to be included in ``extensions.conf``; the same for the same users.

    For each context of the users there is one, ``unique-account-numbers-`` and its name, that the
    administrator includes there. It holds every number with its deskphone, which rings while the number
    has no plan (R16).

    Args:
        users: Those whose devices the node carries.

    Raises:
        NotForDialplan: Two users have one number, or a device is not one of PJSIP.
    """
    contexts: defaultdict[str, dict[str, str]] = defaultdict(dict)
    problems: list[str] = []
    for user in users:
        lines = {"deskphone": _phone(user.deskphone), "webrtc": _phone(user.webrtc)}
        problems += _problems({name: (line, _ENDPOINT) for name, line in lines.items()})
        problems += _problems_of_place(user.context, user.numbers)
        for number in map(digits, user.numbers):
            if number in contexts[user.context]:
                problems.append(f"numbers: {number} is there twice in the context {user.context}")
            contexts[user.context][number] = _door(user, number)
    if problems:
        raise NotForDialplan(problems)
    return _ROUTINE + "".join(_numbers(context, contexts[context]) for context in sorted(contexts))


def _door(user: User, number: str) -> str:
    arguments = f"{user.context},{_phone(user.deskphone)}:{user.ring_seconds}"
    return f"exten = {number},1,Gosub(unique-account,{number},1({arguments}))\n"


def _numbers(context: str, doors: dict[str, str]) -> str:
    head = f"\n; To be included in the context {context}.\n[unique-account-numbers-{context}]\n"
    return head + "".join(doors[number] for number in sorted(doors))


_NAME: Final = r"[0-9A-Za-z_.+-]{1,60}"
# A dialplan enters some extensions by itself, e.g. ``h`` when a call is hung up; all of them begin with a
# letter. The routine would be entered at any that its pattern matches, so users' numbers begin with none.
_NUMBER: Final = "[+*#0-9][0-9A-Za-z*#]{0,40}"
_DIALLED: Final = r"(?!(?:[aehiostT]|fax)$)\+?[0-9A-Za-z*#]{1,40}"
_ENDPOINT: Final = f"PJSIP:{_NAME}"
_MATCHED: Final = r"PJSIP/(?:[0-9A-Za-z_-]|\[[.+]\]){1,60}"
_SECONDS: Final = "[1-9][0-9]{0,4}"
_COUNT: Final = "[0-9]{1,18}"
_TEXT: Final = "[0-9A-Za-z_.~%-]*"
_RULE: Final = (
    f"extension:{_DIALLED}|mailbox:{_NAME}(?:@{_NAME})?|refusal:(?:[1-9]|[1-9][0-9]|1[01][0-9]|12[0-7])"
)
_CANDIDATE: Final = f"(?:webrtc|deskphone):{_ENDPOINT}:{_SECONDS}"
_ROUTED: Final[Mapping[str, str]] = {
    "do_not_disturb": f"(?:{_RULE})?",
    "forward": f"(?:{_RULE})?",
    "limit": _COUNT,
    "interfaces": rf"{_MATCHED}(?:\|{_MATCHED})*",
    "candidates": f"(?:{_CANDIDATE}(?:&{_CANDIDATE})*)?",
    "number_seconds": f"(?:{_SECONDS})?",
    **{outcome.value: _RULE for outcome in Outcome},
    "max_forwards": _COUNT,
}
"""The fields by which a call is routed, each with the form that it must have to be harmless there."""

_KEPT: Final[Mapping[str, str]] = {
    "version": _COUNT,
    "owner": _TEXT,
    "user": _TEXT,
    "media_server": _TEXT,
    "position": _COUNT,
    "because": "[0-9A-Za-z_.~%:&-]*",
}
"""The fields that only `unique_account.adapters.asterisk.installed` reads."""

FORMS: Final[Mapping[str, str]] = {**_ROUTED, **_KEPT}
"""Every field of a row, in order, with its form."""

# Whoever registers chooses the address of a contact, and a comma in it would begin the options of Dial.
_ADDRESS: Final = r"0-9A-Za-z&/:=@._~%+!*?\x2d\x3b\x5b\x5d"

_UNPLANNED: Final = ",,,,deskphone:${ARG2},,refusal:19,refusal:17,refusal:34,refusal:20,0"

_ROUTINE: Final = f"""\
; Unique Account: calls to users, as their installed plans say. Made by a program; changes get lost.
;
; In extensions.conf, outside of any context:     #include <this file>
; and in each context that holds users' numbers:  include = unique-account-numbers-<its name>
;
; Modules: app_dial app_exec app_stack func_channel func_cut func_db func_logic func_pjsip_contact
; func_strings pbx_config, and app_voicemail where users have mailboxes.

[unique-account]
; A call to a number of the context ARG1. ARG2 is the deskphone, which rings for a number without a plan.
exten = _[+*#0-9]!,1,GotoIf(${{DB_EXISTS({FAMILY}/${{EXTEN}}@${{ARG1}})}}?planned)
 same = n,Set(DB_RESULT={_UNPLANNED})
 same = n(planned),Set(ARRAY({",".join(f"LOCAL({name})" for name in _ROUTED)})=${{DB_RESULT}})

; What a call passes before anything rings.
 same = n,Set(ARRAY(LOCAL(cause),LOCAL(destination))=20,${{do_not_disturb}})
 same = n,GotoIf(${{EXISTS(${{destination}})}}?send)
 same = n,Set(LOCAL(destination)=${{forward}})
 same = n,GotoIf(${{EXISTS(${{destination}})}}?send)
 same = n,GotoIf(${{ISNULL(${{limit}})}}?ring)
 same = n,Gosub(unique-account-calls,s,1(${{interfaces}}))
 same = n,GotoIf($[${{GOSUB_RETVAL}} >= ${{limit}}]?busy)

; The first device that has a contact rings, with all its contacts, and no other one after it.
 same = n(ring),Set(LOCAL(candidate)=${{SHIFT(candidates,&)}})
 same = n,GotoIf(${{ISNULL(${{candidate}})}}?unavailable)
 same = n,Set(LOCAL(contacts)=${{PJSIP_DIAL_CONTACTS(${{CUT(candidate,:,3)}})}})
 same = n,GotoIf(${{ISNULL(${{contacts}})}}?ring)
 same = n,Set(LOCAL(contacts)=${{FILTER({_ADDRESS},${{contacts}})}})
 same = n,Set(LOCAL(seconds)=${{CUT(candidate,:,4)}})
 same = n,Set(LOCAL(seconds)=${{IF(${{EXISTS(${{number_seconds}})}}?${{number_seconds}}:${{seconds}})}})
 same = n,Set(LOCAL(rings_until)=$[${{STRFTIME(,,%s%3q)}} + ${{seconds}} * 1000])
 same = n,Dial(${{contacts}},${{seconds}})

; How the ringing ended. To Dial, a phone whose user refuses the call is no channel (21), while we call it
; busy; and a leg that was cleared before its time for want of a phone (20, 27, 38) was not answered, while
; we call it unavailable. After the whole ring time, the cause is that of an earlier leg.
 same = n,GotoIf($["${{DIALSTATUS}}" = "BUSY"]?busy)
 same = n,GotoIf($["${{DIALSTATUS}}" = "CONGESTION"]?congestion)
 same = n,GotoIf($["${{DIALSTATUS}}${{HANGUPCAUSE}}" = "CHANUNAVAIL21"]?busy)
 same = n,GotoIf($["${{DIALSTATUS}}" != "NOANSWER"]?unavailable)
 same = n,GotoIf($[${{STRFTIME(,,%s%3q)}} + 100 >= ${{rings_until}}]?no_answer)
 same = n,GotoIf($["${{HANGUPCAUSE}}" =~ "^(20|27|38)$"]?unavailable)
 same = n(no_answer),Set(ARRAY(LOCAL(cause),LOCAL(destination))=19,${{no_answer}})
 same = n,Goto(send)
 same = n(busy),Set(ARRAY(LOCAL(cause),LOCAL(destination))=17,${{busy}})
 same = n,Goto(send)
 same = n(congestion),Set(ARRAY(LOCAL(cause),LOCAL(destination))=34,${{congestion}})
 same = n,Goto(send)
 same = n(unavailable),Set(ARRAY(LOCAL(cause),LOCAL(destination))=20,${{unavailable}})

; Where it goes: to an extension, a mailbox or a refusal.
 same = n(send),Goto(${{CUT(destination,:,1)}})
 same = n(extension),Set(LOCAL(forwards)=$[0${{{FORWARDS}}} + 1])
 same = n,GotoIf($[${{forwards}} > ${{max_forwards}}]?refused)
 same = n,Set(__{FORWARDS}=${{forwards}})
 same = n,Set(UNIQUE_ACCOUNT_NEXT=${{ARG1}},${{CUT(destination,:,2)}},1)
 same = n,StackPop()
 same = n,Goto(${{UNIQUE_ACCOUNT_NEXT}})
 same = n(mailbox),TryExec(VoiceMail(${{CUT(destination,:,2)}},${{IF($[${{cause}} = 17]?b:u)}}))
 same = n,GotoIf($["${{TRYSTATUS}}" = "NOAPP" | "${{VMSTATUS}}" = "FAILED"]?refused)
 same = n,Hangup(16)
 same = n(refusal),Set(LOCAL(cause)=${{CUT(destination,:,2)}})
 same = n(refused),Hangup(${{cause}})

[unique-account-calls]
; How many calls the phones have that ARG1 matches. Legs of one call, as of two tabs that ring, count once.
exten = s,1,Set(LOCAL(legs)=${{CHANNELS(^(${{ARG1}})-[0-9a-f]+$)}})
 same = n,Set(ARRAY(LOCAL(count),LOCAL(counted))=0,/)
 same = n(next),Set(LOCAL(leg)=${{SHIFT(legs, )}})
 same = n,GotoIf(${{ISNULL(${{leg}})}}?all)
 same = n,Set(LOCAL(call)=${{IMPORT(${{leg}},CHANNEL(linkedid))}})
 same = n,GotoIf($["${{counted}}" =~ "/${{call}}/"]?next)
 same = n,Set(LOCAL(count)=$[${{count}} + 1])
 same = n,Set(LOCAL(counted)=${{counted}}${{call}}/)
 same = n,Goto(next)
 same = n(all),Return(${{count}})
"""


# -- plans as entries --------------------------------------------------------------------------------


def entries(plan: Plan) -> tuple[Entry, ...]:
    """The entries of AstDB that install a plan: one for each of its numbers, in their order.

    Each is complete, so a call meets either the old plan or the new one while they are written. What a
    number that the plan no longer has left behind is for the caller to take away.

    Raises:
        NotForDialplan: The plan holds what a dialplan cannot be given.
    """
    numbers = [digits(number) for number in plan.numbers]
    seconds = {digits(number): str(own) for number, own in plan.did_seconds}
    rows = [_row(plan, seconds.get(number, ""), position) for position, number in enumerate(numbers)]
    problems = _problems_of_place(plan.context, plan.numbers)
    if not numbers or len(set(numbers)) < len(numbers) or not seconds.keys() <= set(numbers):
        problems.append("numbers: are none, or name one twice, or lack one of did_seconds")
    for row in rows:
        problems += _problems({name: (text, FORMS[name]) for name, text in row.items()})
    values = [",".join(row.values()) for row in rows]
    if any(len(value) > LONGEST for value in values):
        problems.append(f"plan: takes more than {LONGEST} bytes; its names are too long")
    if problems:
        raise NotForDialplan(dict.fromkeys(problems))
    keys = [f"{number}@{plan.context}" for number in numbers]
    return tuple((FAMILY, key, value) for key, value in zip(keys, values, strict=True))


def _row(plan: Plan, seconds: str, position: int) -> dict[str, str]:
    because = (":".join(map(_text, (one.rule, one.text, *one.facts))) for one in plan.because)
    row = {
        "do_not_disturb": _destination(plan.gate.do_not_disturb),
        "forward": _destination(plan.gate.forward),
        "limit": str(plan.gate.limit),
        # As they stand in a regular expression, in which a dot or a plus by itself has a meaning.
        "interfaces": re.sub(r"[.+]", r"[\g<0>]", "|".join(plan.interfaces)),
        "candidates": "&".join(
            f"{one.device}:{_phone(one.interface)}:{one.seconds}" for one in plan.candidates
        ),
        "number_seconds": seconds,
        **{outcome.value: _destination(plan.destination(outcome)) for outcome in Outcome},
        "max_forwards": str(plan.max_forwards),
        "version": str(plan.version),
        "owner": _text(plan.owner),
        "user": _text(plan.user),
        "media_server": _text(plan.media_server),
        "position": str(position),
        "because": "&".join(because),
    }
    return {name: row[name] for name in FORMS}


def _problems(given: Mapping[str, tuple[str, str]]) -> list[str]:
    return [
        f"{name}: {text!r} is nothing that a dialplan can be given"
        for name, (text, form) in given.items()
        if not re.fullmatch(form, text)
    ]


def _problems_of_place(context: str, numbers: Sequence[str]) -> list[str]:
    place = {"context": (context, _NAME)}
    return _problems(place) + [
        problem for number in numbers for problem in _problems({"numbers": (digits(number), _NUMBER)})
    ]


def _destination(destination: Destination | None) -> str:
    match destination:
        case Extension(number):
            return f"extension:{digits(number)}"
        case Mailbox(address):
            return f"mailbox:{address}"
        case Refusal(cause):
            return f"refusal:{cause}"
        case None:
            return ""


def _text(text: str) -> str:
    return quote(text, safe="", errors="surrogatepass")


def _phone(interface: str) -> str:
    return interface.replace("/", ":")

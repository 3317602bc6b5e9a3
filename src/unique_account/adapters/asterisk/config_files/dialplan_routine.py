"""The fixed text of the dialplan: how a call to a user is carried out, the same for all users.

A call costs one look-up, and every priority and every function of it costs a little, so what a call to a
phone that answers does not need stands behind it. The look-up is an argument of the call to the routine,
which costs no priority; a deskphone with one contact or none is left to `Dial` to find.

A browser that vanishes while it rings is noticed by a Local channel beside the call (R15). It has nothing
to do with the dialling, which ends as it would without it; only calls that ring a browser have one.
"""

from __future__ import annotations

from typing import Final

from unique_account.adapters.asterisk.astdb_row import BETWEEN, FAMILY, ODD, ROUTED
from unique_account.adapters.asterisk.dialplan_text import ADDRESS
from unique_account.adapters.asterisk.wire_names import (
    DIVERSION_EVENT,
    FORWARD_COUNT,
    HOLD_CONTEXT,
    JOIN_CONTEXT,
    JOINED_PARTY,
    NUMBERS_CONTEXT,
)
from unique_account.core.forwarding import Outcome

_FIELDS: Final = {name: f"${{CUT(ARG3,{BETWEEN},{place})}}" for place, name in enumerate(ROUTED, 1)}
"""How a field of the row is read: a variable of its own would be reported to each listener at each call."""

_LINE: Final = _FIELDS["line"]
_NOW: Final = "${STRFTIME(,,%s%3q)}"
_LEFT: Final = f"$[(${{ARG4}} + {_FIELDS['seconds']} * 1000 - {_NOW}) / 1000]"
"""What is left of the ring time, in seconds."""

_LEGS: Final = f"${{CHANNELS(^({_FIELDS['interfaces']})-[0-9a-f]+$)}}"
_CONTACTS: Final = f"${{FILTER({ADDRESS},${{PJSIP_DIAL_CONTACTS({_LINE})}})}}"
_SEVERAL: Final = "${LEN(${CUT(ARG5,&,2)})}"
"""More than nothing if the deskphone has several contacts, or one whose address looks like several."""

_HOW: Final = f"${{IF($[${{FIELDQTY(contacts,&)}} > 1]?several:dial-{_FIELDS['device']})}}"
"""The label at which the contacts of a device are dialled."""

_GONE: Final = f"$[${{ISNULL(${{PJSIP_DIAL_CONTACTS({_LINE})}})}} = 1]"
_PREFIX: Final = f"PJSIP/{_LINE}/"


def arguments(context: str, deskphone: str, seconds: int) -> str:
    """What the routine is called with, for a number of a context.

    Args:
        context: That of the number's user.
        deskphone: The endpoint that rings while the number has no plan.
        seconds: And how long.
    """
    row = f"${{DB({FAMILY}/${{EXTEN}}@{context})}}"
    return f"{context},{deskphone}:{seconds},{row},{_NOW},${{PJSIP_DIAL_CONTACTS({deskphone})}}"


def _row(**changed: str) -> str:
    return BETWEEN.join({**_FIELDS, **changed}.values())


_NEXT: Final = _row(
    device=_FIELDS["next_device"],
    line=_FIELDS["next_line"],
    seconds=_LEFT.replace(_FIELDS["seconds"], _FIELDS["next_seconds"]),
    **dict.fromkeys(("next_device", "next_line", "next_seconds"), ""),
)
"""The row without its first candidate; the second rings for what is left of its time, from now on."""

_REFUSALS: Final = {outcome.value: f"refusal:{outcome.cause}" for outcome in Outcome}
_UNPLANNED: Final = BETWEEN.join(
    {
        **dict.fromkeys(ROUTED, ""),
        "limit": "99",
        "device": "deskphone",
        "line": "${CUT(ARG2,:,1)}",
        "seconds": "${CUT(ARG2,:,2)}",
        **_REFUSALS,
        "max_forwards": "0",
    }.values()
)
_MEMBER: Final = _row(**dict.fromkeys(("seconds", "next_seconds"), "3600"), **_REFUSALS)
"""The row for a call by way of a group, which itself knows how long to ring and where to go on."""

_RINGS: Final = "x${IMPORT(${call},ARG4)}${IMPORT(${call},DIALSTATUS)}"
"""What is ``x${since}`` as long as the watched call is still ringing the browser."""

_SEEN: Final = f"${{MD5(${{PJSIP_DIAL_CONTACTS({_LINE})}})}}"
# The other side is worked out when the waiting begins.
_NEWS: Final = f"$[{_RINGS}{_SEEN} != ".replace("$", "#") + "x${since}${seen}]"
_SOON: Final = f"(${{silent_at}} - {_NOW})"
_PATIENCE: Final = f"${{IF(${{EXISTS(${{silent_at}})}}?$[({_SOON} > 0) * {_SOON} / 1000 + 0.01])}}"

ROUTINE: Final = f"""\
; Unique Account: calls to users, as their installed plans say. Made by a program; changes get lost.
;
; In extensions.conf, outside of any context:     #include <this file>
; and in each context that holds users' numbers:  include = {NUMBERS_CONTEXT}-<its name>
;
; Modules: app_channelredirect app_dial app_exec app_originate app_stack app_waitforcond func_channel func_cut
; func_db func_logic func_md5 func_pjsip_contact func_strings pbx_config, app_voicemail where users have
; mailboxes, and app_celgenuserevent for the history of calls.

[unique-account]
; A call to a number of the context ARG1. ARG2 is the deskphone, which rings for a number without a plan; ARG3
; the row of the number's plan; ARG4 when the call came, in milliseconds; ARG5 the deskphone's contacts.
exten = _[+*#0-9]!,1,GotoIf({_FIELDS["gate"]}{_LEGS}{_SEVERAL}?look:{_FIELDS["device"]})
 same = n(unplanned),Set(LOCAL(ARG3)={_UNPLANNED})
 same = n(webrtc),Goto(ring)
 same = n(dial-webrtc),Originate(Local/*${{UNIQUEID}}@unique-account-watch,app,Hangup,,,$[{_LEFT} + 2],a)
 same = n(dial-deskphone),Dial(${{contacts}},{_LEFT})
 same = n,Goto(ended)
 same = n(deskphone),Dial({_PREFIX[:-1]},{_FIELDS["seconds"]})

; How the ringing ended. To Dial, a phone whose user refuses the call is no channel (21), while we call it
; busy; and a leg that was cleared before its time for want of a phone (20, 27, 38) was not answered, while
; we call it unavailable. What cannot be sent to a browser, since it dies in that instant, is congestion to
; Dial, and its contact goes a moment later. After the whole ring time, the cause is that of an earlier leg. A
; browser that stops its line ends what rings before it unregisters.
 same = n(ended),GotoIf($["${{DIALSTATUS}}" = "BUSY"]?busy)
 same = n,GotoIf($["${{DIALSTATUS}}" = "CONGESTION"]?congestion)
 same = n,GotoIf($["${{DIALSTATUS}}${{HANGUPCAUSE}}" = "CHANUNAVAIL21"]?busy)
 same = n,GotoIf($["${{DIALSTATUS}}" != "NOANSWER"]?vanished)
 same = n,GotoIf($[x${{HANGUPCAUSE}} = x20 | x${{HANGUPCAUSE}} = x27 | x${{HANGUPCAUSE}} = x38]?vanished)
 same = n,GotoIf($["{_FIELDS["device"]}" != "webrtc" | {_LEFT} < 0.1]?no_answer)
 same = n,WaitForCondition(#,{_GONE.replace("$", "#")},0.25,0.05)
 same = n,GotoIf({_GONE}?vanished)
 same = n(no_answer),Set(ARRAY(LOCAL(cause),LOCAL(destination))=19,{_FIELDS["no_answer"]})
 same = n,Goto(send)
 same = n(busy),Set(ARRAY(LOCAL(cause),LOCAL(destination))=17,{_FIELDS["busy"]})
 same = n,Goto(send)
 same = n(congestion),GotoIf($["{_FIELDS["device"]}" != "webrtc"]?congested)
 same = n,WaitForCondition(#,{_GONE.replace("$", "#")},0.25,0.05)
 same = n,GotoIf({_GONE}?vanished)
 same = n(congested),Set(ARRAY(LOCAL(cause),LOCAL(destination))=34,{_FIELDS["congestion"]})
 same = n,Goto(send)
 same = n(gated),Set(ARRAY(LOCAL(cause),LOCAL(destination))=20,{_FIELDS["gate"]})
 same = n,Goto(send)

; The device rings if it has a contact, with all its contacts.
 same = n(ring),Set(LOCAL(contacts)={_CONTACTS})
 same = n,GotoIf(${{ISNULL(${{contacts}})}}?next:{_HOW})

; The device is gone, or could not be rung: the next one rings, for what is left of the ring time. A watcher
; that comes too late finds the next one ringing, which then rings on.
 same = n(given_up),GotoIf($["{_FIELDS["device"]}" != "webrtc"]?ring)
 same = n(vanished),GotoIf($[{_LEFT} <= 0.1]?no_answer)
 same = n(next),Set(ARRAY(LOCAL(ARG3),LOCAL(ARG4))={_NEXT},{_NOW})
 same = n,GotoIf(${{EXISTS({_LINE})}}?ring)
 same = n(unavailable),Set(ARRAY(LOCAL(cause),LOCAL(destination))=20,{_FIELDS["unavailable"]})

; Where it goes: to an extension, a mailbox or a refusal. Reported for the history, since nothing may ring.
 same = n(send),TryExec(CELGenUserEvent({DIVERSION_EVENT},${{EXTEN}}@${{ARG1}}:${{destination}}))
 same = n,Goto(${{CUT(destination,:,1)}})
 same = n(extension),Set(LOCAL(forwards)=$[0${{{FORWARD_COUNT}}} + 1])
 same = n,GotoIf($[${{forwards}} > {_FIELDS["max_forwards"]}]?refused)
 same = n,Set(__{FORWARD_COUNT}=${{forwards}})
 same = n,Set(UNIQUE_ACCOUNT_NEXT=${{ARG1}},${{CUT(destination,:,2)}},1)
 same = n,StackPop()
 same = n,Goto(${{UNIQUE_ACCOUNT_NEXT}})
 same = n(mailbox),TryExec(VoiceMail(${{CUT(destination,:,2)}},${{IF($[${{cause}} = 17]?b:u)}}))
 same = n,GotoIf($["${{TRYSTATUS}}" = "NOAPP" | "${{VMSTATUS}}" = "FAILED"]?refused)
 same = n,Hangup(16)
 same = n(refusal),Set(LOCAL(cause)=${{CUT(destination,:,2)}})
 same = n(refused),Hangup(${{cause}})

; What a call passes before anything rings: do-not-disturb or a forward, and then the limit. Legs of one call,
; as of two tabs that ring, count once; they are only counted where there are legs enough for the limit.
 same = n(look),GotoIf(${{ISNULL(${{ARG3}})}}?unplanned)
 same = n,GotoIf($[${{LEN({_FIELDS["gate"]})}} > {len(ODD)}]?gated)
 same = n,Set(ARRAY(LOCAL(legs),LOCAL(calls),LOCAL(counted))={_LEGS},0,/)
 same = n,GotoIf($[${{FIELDQTY(legs, )}} < {_FIELDS["limit"]}]?within)
 same = n(leg),Set(LOCAL(leg)=${{SHIFT(legs, )}})
 same = n,GotoIf(${{ISNULL(${{leg}})}}?counted)
 same = n,Set(LOCAL(call)=${{IMPORT(${{leg}},CHANNEL(linkedid))}})
 same = n,GotoIf(${{FIELDNUM(counted,/,${{call}})}}?leg)
 same = n,Set(ARRAY(LOCAL(calls),LOCAL(counted))=$[${{calls}} + 1],${{counted}}${{call}}/)
 same = n,Goto(leg)
 same = n(counted),GotoIf($[${{calls}} >= {_FIELDS["limit"]}]?busy)
 same = n(within),GotoIf(${{EXISTS({_LINE})}}?ring:unavailable)

; A call to a member of a group: the device in use rings, and all else is the group's affair.
 same = n(member),GotoIf(${{ISNULL(${{ARG3}})}}?unplanned)
 same = n,Set(LOCAL(ARG3)={_MEMBER})
 same = n,Goto(within)

; Several contacts, or one whose address looks like several: only those of the device itself are dialled.
 same = n(several),Set(ARRAY(LOCAL(found),LOCAL(contacts))=${{contacts}},)
 same = n(contact),Set(LOCAL(contact)=${{SHIFT(found,&)}})
 same = n,GotoIf(${{ISNULL(${{contact}})}}?dial-{_FIELDS["device"]})
 same = n,GotoIf($["${{contact:0:${{LEN({_PREFIX})}}}}" != "{_PREFIX}"]?contact)
 same = n,Set(LOCAL(contacts)=${{contacts}}${{IF(${{EXISTS(${{contacts}})}}?&)}}${{contact}})
 same = n,Goto(contact)

[unique-account-watch]
; Beside the call that the extension names, while it rings a browser. When no contact that was dialled is
; left, or none says within 1.5 s that it rings, the call goes on to the next device (R15).
exten = _*.,1,Set(ARRAY(call,silent_at)=${{EXTEN:1}},$[{_NOW} + 1500])
 same = n,Set(ARRAY(since,ARG3)=${{IMPORT(${{call}},ARG4)}},${{IMPORT(${{call}},ARG3)}})
 same = n,Set(dialled=${{IMPORT(${{call}},contacts)}})
 same = n(look),Set(seen={_SEEN})
 same = n,Set(ARRAY(here,left,patience)={_CONTACTS},${{dialled}},{_PATIENCE})
 same = n(next),Set(contact=${{SHIFT(left,&)}})
 same = n,GotoIf(${{ISNULL(${{contact}})}}?vanished)
 same = n,GotoIf($[${{FIELDNUM(here,&,${{contact}})}} = 0]?next)
 same = n,WaitForCondition(#,{_NEWS},${{patience}},0.05)
 same = n,GotoIf($[{_RINGS} != x${{since}}]?over)
 same = n,GotoIf($["${{WAITFORCONDITIONSTATUS}}" = "TRUE"]?look)
 same = n,GotoIf(${{ISNULL(${{IMPORT(${{call}},RINGTIME)}}${{IMPORT(${{call}},PROGRESSTIME)}})}}?vanished)
 same = n,Set(silent_at=)
 same = n,Goto(look)
 same = n(vanished),GotoIf($[{_RINGS} != x${{since}}]?over)
 same = n,ChannelRedirect(${{call}},unique-account,${{IMPORT(${{call}},EXTEN)}},given_up)
 same = n(over),Hangup()

[{HOLD_CONTEXT}]
; Who was on hold waits here for a moment, which ends the hold, and is then joined to another call (C1).
exten = s,1,Wait(5)

[{JOIN_CONTEXT}]
; The party of one call joins that of another one (C1). If either hangs up, the other ends, and neither call's
; dialplan goes on.
exten = s,1,Bridge(${{{JOINED_PARTY}}},F({JOIN_CONTEXT}^over^1))
 same = n,Hangup(16)
exten = over,1,Hangup(16)
"""

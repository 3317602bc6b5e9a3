"""The fixed text of the dialplan: how a call to a user is carried out, whoever the users are.

A call costs one look-up, and every priority of it costs a little (each is told to whoever listens to the
manager interface), so what a call to a phone that answers does not need stands behind it.

A browser that vanishes while it rings is noticed by a Local channel beside the call (R15). It has nothing
to do with the dialling, which ends as it would without it; only calls that ring a browser have one.
"""

from __future__ import annotations

from typing import Final

from unique_account.adapters.asterisk.installing.plan_entries import BETWEEN, FAMILY, ODD, ROUTED
from unique_account.adapters.asterisk.rendered.harmless import ADDRESS
from unique_account.core.forwarding import Outcome

FORWARDS: Final = "UNIQUE_ACCOUNT_FORWARDS"
"""The channel variable that holds how often a call was forwarded (R13)."""

SENT: Final = "unique_account"
"""The channel event that says at whose number a call did not stay, and where it went instead (H4)."""

_FIELDS: Final = {name: f"${{CUT(row,{BETWEEN},{place})}}" for place, name in enumerate(ROUTED, 1)}
"""How a field of the row is read: a variable of its own would be told to whoever listens, of every call."""

_LINE: Final = _FIELDS["line"]
_NOW: Final = "${STRFTIME(,,%s%3q)}"
_LEFT: Final = f"$[(${{since}} + {_FIELDS['seconds']} * 1000 - {_NOW}) / 1000]"
"""What is left of the ring time, in seconds."""

_LEGS: Final = f"${{CHANNELS(^({_FIELDS['interfaces']})-[0-9a-f]+$)}}"
_CONTACTS: Final = f"${{FILTER({ADDRESS},${{PJSIP_DIAL_CONTACTS({_LINE})}})}}"
_FIRST_LINE: Final = f"${{IF(${{ISNULL(${{row}})}}?${{CUT(ARG2,:,1)}}:{_LINE})}}"
_IN_THE_WAY: Final = f"$[${{LEN({_FIELDS['gate']}{_LEGS})}} > 0 | ${{ISNULL(${{row}})}}]"
_AT_ONCE: Final = f"${{IF({_IN_THE_WAY}?:{_CONTACTS.replace(_LINE, _FIRST_LINE)})}}"
"""The contacts of the first candidate, if nothing has to be looked at before it rings."""

_HOW: Final = f"${{IF($[${{FIELDQTY(contacts,&)}} > 1]?several:{_FIELDS['device']})}}"
"""The label at which a device is rung."""

_GONE: Final = f"$[${{ISNULL(${{PJSIP_DIAL_CONTACTS({_LINE})}})}} = 1]"
_PREFIX: Final = f"PJSIP/{_LINE}/"


def _row(**changed: str) -> str:
    return BETWEEN.join({**_FIELDS, **changed}.values())


_NEXT: Final = _row(
    **{name: _FIELDS[f"next_{name}"] for name in ("device", "line", "seconds")},
    **dict.fromkeys(("next_device", "next_line", "next_seconds"), ""),
)
"""The row without its first candidate, and without what no call needs."""

_UNPLANNED: Final = BETWEEN.join(
    {
        **dict.fromkeys(ROUTED, ""),
        "limit": "99",
        "device": "deskphone",
        "line": "${CUT(ARG2,:,1)}",
        "seconds": "${CUT(ARG2,:,2)}",
        **{outcome.value: f"refusal:{outcome.cause}" for outcome in Outcome},
        "max_forwards": "0",
    }.values()
)

_RINGS: Final = "x${IMPORT(${call},since)}${IMPORT(${call},DIALSTATUS)}"
"""What is ``x${since}`` as long as the watched call is still ringing the device."""

_SEEN: Final = f"${{MD5(${{PJSIP_DIAL_CONTACTS({_LINE})}})}}"
# The other side is worked out when the waiting begins.
_NEWS: Final = f"$[{_RINGS}{_SEEN} != ".replace("$", "#") + "x${since}${seen}]"
_SOON: Final = f"(${{silent_at}} - {_NOW})"
_PATIENCE: Final = f"${{IF(${{EXISTS(${{silent_at}})}}?$[({_SOON} > 0) * {_SOON} / 1000 + 0.01])}}"

ROUTINE: Final = f"""\
; Unique Account: calls to users, as their installed plans say. Made by a program; changes get lost.
;
; In extensions.conf, outside of any context:     #include <this file>
; and in each context that holds users' numbers:  include = unique-account-numbers-<its name>
;
; Modules: app_channelredirect app_dial app_exec app_originate app_stack app_waitforcond func_channel func_cut
; func_db func_logic func_md5 func_pjsip_contact func_strings pbx_config, app_voicemail where users have
; mailboxes, and app_celgenuserevent for the history of calls.

[unique-account]
; A call to a number of the context ARG1. ARG2 is the deskphone, which rings for a number without a plan.
exten = _[+*#0-9]!,1,Set(ARRAY(LOCAL(row),LOCAL(since))=${{DB({FAMILY}/${{EXTEN}}@${{ARG1}})}},{_NOW})
 same = n,Set(LOCAL(contacts)={_AT_ONCE})
 same = n,GotoIf(${{ISNULL(${{contacts}})}}?look:{_HOW})
 same = n(webrtc),Originate(Local/*${{UNIQUEID}}@unique-account-watch,app,Hangup,,,$[{_LEFT} + 2],a)
 same = n(deskphone),Dial(${{contacts}},{_LEFT})

; How the ringing ended. To Dial, a phone whose user refuses the call is no channel (21), while we call it
; busy; and a leg that was cleared before its time for want of a phone (20, 27, 38) was not answered, while
; we call it unavailable. After the whole ring time, the cause is that of an earlier leg. A browser that stops
; its line ends what rings before it unregisters.
 same = n,GotoIf($["${{DIALSTATUS}}" = "BUSY"]?busy)
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
 same = n(congestion),Set(ARRAY(LOCAL(cause),LOCAL(destination))=34,{_FIELDS["congestion"]})
 same = n,Goto(send)
 same = n(gated),Set(ARRAY(LOCAL(cause),LOCAL(destination))=20,{_FIELDS["gate"]})
 same = n,Goto(send)

; The device rings if it has a contact, with all its contacts.
 same = n(ring),Set(LOCAL(contacts)={_CONTACTS})
 same = n,GotoIf(${{ISNULL(${{contacts}})}}?next:{_HOW})

; The device is gone, or could not be rung: the next one rings, for what is left of the ring time.
 same = n(vanished),GotoIf($[{_LEFT} <= 0.1]?no_answer)
 same = n(next),Set(LOCAL(row)={_NEXT})
 same = n,GotoIf(${{EXISTS({_LINE})}}?ring)
 same = n(unavailable),Set(ARRAY(LOCAL(cause),LOCAL(destination))=20,{_FIELDS["unavailable"]})

; Where it goes: to an extension, a mailbox or a refusal. The history is told, since nothing may ring.
 same = n(send),TryExec(CELGenUserEvent({SENT},${{EXTEN}}@${{ARG1}}:${{destination}}))
 same = n,Goto(${{CUT(destination,:,1)}})
 same = n(extension),Set(LOCAL(forwards)=$[0${{{FORWARDS}}} + 1])
 same = n,GotoIf($[${{forwards}} > {_FIELDS["max_forwards"]}]?refused)
 same = n,Set(__{FORWARDS}=${{forwards}})
 same = n,Set(UNIQUE_ACCOUNT_NEXT=${{ARG1}},${{CUT(destination,:,2)}},1)
 same = n,StackPop()
 same = n,Goto(${{UNIQUE_ACCOUNT_NEXT}})
 same = n(mailbox),TryExec(VoiceMail(${{CUT(destination,:,2)}},${{IF($[${{cause}} = 17]?b:u)}}))
 same = n,GotoIf($["${{TRYSTATUS}}" = "NOAPP" | "${{VMSTATUS}}" = "FAILED"]?refused)
 same = n,Hangup(16)
 same = n(refusal),Set(LOCAL(cause)=${{CUT(destination,:,2)}})
 same = n(refused),Hangup(${{cause}})

; What a call passes before anything rings: do-not-disturb or a forward, and then the limit. Legs of one call,
; as of two tabs that ring, count once.
 same = n(look),GotoIf(${{ISNULL(${{row}})}}?unplanned)
 same = n,GotoIf($[${{LEN({_FIELDS["gate"]})}} > {len(ODD)}]?gated)
 same = n,Set(ARRAY(LOCAL(legs),LOCAL(calls),LOCAL(counted))={_LEGS},0,/)
 same = n(leg),Set(LOCAL(leg)=${{SHIFT(legs, )}})
 same = n,GotoIf(${{ISNULL(${{leg}})}}?counted)
 same = n,Set(LOCAL(call)=${{IMPORT(${{leg}},CHANNEL(linkedid))}})
 same = n,GotoIf(${{FIELDNUM(counted,/,${{call}})}}?leg)
 same = n,Set(ARRAY(LOCAL(calls),LOCAL(counted))=$[${{calls}} + 1],${{counted}}${{call}}/)
 same = n,Goto(leg)
 same = n(counted),GotoIf($[${{calls}} >= {_FIELDS["limit"]}]?busy)
 same = n,GotoIf(${{EXISTS({_LINE})}}?ring:unavailable)
 same = n(unplanned),Set(LOCAL(row)={_UNPLANNED})
 same = n,Goto(ring)

; Several contacts, or one whose address looks like several: only those of the device itself are dialled.
 same = n(several),Set(ARRAY(LOCAL(found),LOCAL(contacts))=${{contacts}},)
 same = n(contact),Set(LOCAL(contact)=${{SHIFT(found,&)}})
 same = n,GotoIf(${{ISNULL(${{contact}})}}?{_FIELDS["device"]})
 same = n,GotoIf($["${{contact:0:${{LEN({_PREFIX})}}}}" != "{_PREFIX}"]?contact)
 same = n,Set(LOCAL(contacts)=${{contacts}}${{IF(${{EXISTS(${{contacts}})}}?&)}}${{contact}})
 same = n,Goto(contact)

[unique-account-watch]
; Beside the call that the extension names, while it rings a browser. When no contact that was dialled is
; left, or none says within 1.5 s that it rings, the call goes on to the next device (R15).
exten = _*.,1,Set(ARRAY(call,silent_at)=${{EXTEN:1}},$[{_NOW} + 1500])
 same = n,Set(ARRAY(since,row)=${{IMPORT(${{call}},since)}},${{IMPORT(${{call}},row)}})
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
 same = n,ChannelRedirect(${{call}},unique-account,${{IMPORT(${{call}},EXTEN)}},vanished)
 same = n(over),Hangup()

[unique-account-held]
; Who was on hold waits here for a moment, which ends the hold, and is then joined to another call (C1).
exten = s,1,Wait(5)
"""

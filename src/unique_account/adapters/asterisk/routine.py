"""The fixed text of the dialplan: how a call to a user is carried out, whoever the users are.

A call costs one look-up, and every priority of it costs a little (each is told to whoever listens to the
manager interface), so what a call to a phone that answers does not need stands behind it.

A browser that vanishes while it rings is noticed by a Local channel beside the call (R15). It has nothing
to do with the dialling, which ends as it would without it; only calls that ring a browser have one.
"""

from __future__ import annotations

from typing import Final

from unique_account.adapters.asterisk.harmless import ADDRESS
from unique_account.adapters.asterisk.plan_entries import FAMILY, ROUTED

FORWARDS: Final = "UNIQUE_ACCOUNT_FORWARDS"
"""The channel variable that holds how often a call was forwarded (R13)."""

SENT: Final = "unique_account"
"""The channel event that says at whose number a call did not stay, and where it went instead (H4)."""

_FIELDS: Final = ",".join(f"LOCAL({name})" for name in ("since", *ROUTED))

_NOW: Final = "${STRFTIME(,,%s%3q)}"
_LEFT: Final = f"$[(${{since}} + ${{CUT(candidate,:,3)}} * 1000 - {_NOW}) / 1000]"
"""What is left of the ring time, in seconds."""

_CONTACTS: Final = f"${{FILTER({ADDRESS},${{PJSIP_DIAL_CONTACTS(${{CUT(candidate,:,2)}})}})}}"
_GONE: Final = "$[${ISNULL(${PJSIP_DIAL_CONTACTS(${CUT(candidate,:,2)})})} = 1]"
_SINCE: Final = f"${{IF(${{EXISTS(${{since}})}}?${{since}}:{_NOW})}}"
_PREFIX: Final = "PJSIP/${CUT(candidate,:,2)}/"

_HOW: Final = "${IF($[${FIELDQTY(contacts,&)} > 1]?several:${CUT(candidate,:,1)})}"
"""The label at which a device is rung."""

_LEGS: Final = "^(${interfaces})-[0-9a-f]+$"
_ODD: Final = "x${limit} = x0 | ${ISNULL(${candidate})}"
"""No call is allowed, no device is named, or there is no plan."""

_UNPLANNED: Final = "refusal:19&refusal:17&refusal:34&refusal:20&0"

_RINGS: Final = "x${IMPORT(${call},since)}${IMPORT(${call},DIALSTATUS)}"
"""What is ``x${since}`` as long as the watched call is still ringing the device."""

_SEEN: Final = "${MD5(${PJSIP_DIAL_CONTACTS(${CUT(candidate,:,2)})})}"
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
exten = _[+*#0-9]!,1,Set(ARRAY({_FIELDS})=,${{DB({FAMILY}/${{EXTEN}}@${{ARG1}})}})
 same = n,GotoIf($[${{LEN(${{gate}}${{CHANNELS({_LEGS})}})}} > 0 | {_ODD}]?look)

; The device rings if it has a contact, with all its contacts.
 same = n(ring),Set(ARRAY(LOCAL(contacts),LOCAL(since))={_CONTACTS},{_SINCE})
 same = n,GotoIf(${{ISNULL(${{contacts}})}}?next:{_HOW})
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
 same = n,GotoIf($["${{CUT(candidate,:,1)}}" != "webrtc" | {_LEFT} < 0.1]?no_answer)
 same = n,WaitForCondition(#,{_GONE.replace("$", "#")},0.25,0.05)
 same = n,GotoIf({_GONE}?vanished)
 same = n(no_answer),Set(ARRAY(LOCAL(cause),LOCAL(destination))=19,${{CUT(rules,&,1)}})
 same = n,Goto(send)
 same = n(busy),Set(ARRAY(LOCAL(cause),LOCAL(destination))=17,${{CUT(rules,&,2)}})
 same = n,Goto(send)
 same = n(congestion),Set(ARRAY(LOCAL(cause),LOCAL(destination))=34,${{CUT(rules,&,3)}})
 same = n,Goto(send)
 same = n(gated),Set(ARRAY(LOCAL(cause),LOCAL(destination))=20,${{gate}})
 same = n,Goto(send)

; The device is gone, or could not be rung: the next one rings, for what is left of the ring time.
 same = n(vanished),GotoIf($[{_LEFT} <= 0.1]?no_answer)
 same = n(next),Set(LOCAL(candidate)=${{SHIFT(candidates,&)}})
 same = n,GotoIf(${{EXISTS(${{candidate}})}}?ring)
 same = n(unavailable),Set(ARRAY(LOCAL(cause),LOCAL(destination))=20,${{CUT(rules,&,4)}})

; Where it goes: to an extension, a mailbox or a refusal. The history is told, since nothing may ring.
 same = n(send),TryExec(CELGenUserEvent({SENT},${{EXTEN}}@${{ARG1}}:${{destination}}))
 same = n,Goto(${{CUT(destination,:,1)}})
 same = n(extension),Set(LOCAL(forwards)=$[0${{{FORWARDS}}} + 1])
 same = n,GotoIf($[${{forwards}} > ${{CUT(rules,&,5)}}]?refused)
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
 same = n(look),GotoIf(${{EXISTS(${{gate}})}}?gated)
 same = n,GotoIf(${{ISNULL(${{limit}})}}?unplanned)
 same = n,Set(ARRAY(LOCAL(legs),LOCAL(calls),LOCAL(counted))=${{CHANNELS({_LEGS})}},0,/)
 same = n(leg),Set(LOCAL(leg)=${{SHIFT(legs, )}})
 same = n,GotoIf(${{ISNULL(${{leg}})}}?counted)
 same = n,Set(LOCAL(call)=${{IMPORT(${{leg}},CHANNEL(linkedid))}})
 same = n,GotoIf(${{FIELDNUM(counted,/,${{call}})}}?leg)
 same = n,Set(ARRAY(LOCAL(calls),LOCAL(counted))=$[${{calls}} + 1],${{counted}}${{call}}/)
 same = n,Goto(leg)
 same = n(counted),GotoIf($[${{calls}} >= ${{limit}}]?busy)
 same = n,GotoIf(${{ISNULL(${{candidate}})}}?unavailable:ring)
 same = n(unplanned),Set(ARRAY(LOCAL(candidate),LOCAL(rules))=deskphone:${{ARG2}},{_UNPLANNED})
 same = n,Goto(ring)

; Several contacts, or one whose address looks like several: only those of the device itself are dialled.
 same = n(several),Set(ARRAY(LOCAL(found),LOCAL(contacts))=${{contacts}},)
 same = n(contact),Set(LOCAL(contact)=${{SHIFT(found,&)}})
 same = n,GotoIf(${{ISNULL(${{contact}})}}?${{CUT(candidate,:,1)}})
 same = n,GotoIf($["${{contact:0:${{LEN({_PREFIX})}}}}" != "{_PREFIX}"]?contact)
 same = n,Set(LOCAL(contacts)=${{contacts}}${{IF(${{EXISTS(${{contacts}})}}?&)}}${{contact}})
 same = n,Goto(contact)

[unique-account-watch]
; Beside the call that the extension names, while it rings a browser. When no contact that was dialled is
; left, or none says within 1.5 s that it rings, the call goes on to the next device (R15).
exten = _*.,1,Set(ARRAY(call,silent_at)=${{EXTEN:1}},$[{_NOW} + 1500])
 same = n,Set(ARRAY(since,candidate)=${{IMPORT(${{call}},since)}},${{IMPORT(${{call}},candidate)}})
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

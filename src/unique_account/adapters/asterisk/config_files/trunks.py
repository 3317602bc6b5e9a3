"""Calls between nodes (XDS): a user of another node is dialled through the trunk to it.

With the call goes a header, by which the other node knows which call it is (H6), how often it was forwarded
(R13), and in which context its number is. It is read in one context only, in which nothing but the trunks
of other nodes may enter the dialplan: what a phone sends there is not believed, and not passed on.
"""

from __future__ import annotations

from typing import Final

from unique_account.adapters.asterisk.wire_names import (
    CALL_ID,
    CALL_ID_EVENT,
    FORWARD_COUNT,
    NUMBERS_CONTEXT,
    TRUNK_CONTEXT,
)
from unique_account.core.user import User

HEADER: Final = "X-Unique-Account"
"""The SIP header between nodes: the first node's linkedid, the count of forwards and the context."""

_PASSED: Final = r"0-9A-Za-z_.+/\x2d"
_CALL: Final = f"${{IF(${{EXISTS(${{{CALL_ID}}})}}?${{{CALL_ID}}}:${{CHANNEL(linkedid)}})}}"
_STILL: Final = "x${IMPORT(${call},RINGTIME)}${IMPORT(${call},PROGRESSTIME)}${IMPORT(${call},DIALSTATUS)}"
_CONTEXT: Final = "${IF(${EXISTS(${CUT(passed,/,3)})}?${CUT(passed,/,3)}:default)}"

_NOTE_CALL_ID: Final = f"TryExec(CELGenUserEvent({CALL_ID_EVENT},${{{CALL_ID}}}))"

TRUNKS_ROUTINE: Final = f"""\

[unique-account-away]
; A call to the number ARG1 of the context ARG2, whose user's phones are at the node behind the trunk ARG3.
; A node that is down is congestion: at once where that is known, after 3 s where it says nothing.
exten = s,1,GotoIf(${{ISNULL(${{PJSIP_DIAL_CONTACTS(${{ARG3}})}})}}?down)
 same = n,Set(LOCAL(passed)={_CALL}/0${{{FORWARD_COUNT}}}/${{ARG2}})
 same = n,Originate(Local/*${{UNIQUEID}}@unique-account-away-watch,app,Hangup,,,5,a)
 same = n,Dial(PJSIP/${{ARG1}}@${{ARG3}},,b(unique-account-away^header^1(${{passed}})))
 same = n,Hangup(${{HANGUPCAUSE}})
 same = n(down),Hangup(34)
exten = header,1,Set(PJSIP_HEADER(add,{HEADER})=${{ARG1}})
 same = n,Return()

[unique-account-away-watch]
; Beside the call that the extension names, until the other node says anything.
exten = _*.,1,Set(call=${{EXTEN:1}})
 same = n,WaitForCondition(#,#[{_STILL.replace("$", "#")} != x],3,0.1)
 same = n,GotoIf($[{_STILL} != x | ${{CHANNEL_EXISTS(${{call}})}} = 0]?over)
 same = n,ChannelRedirect(${{call}},unique-account-away,s,down)
 same = n(over),Hangup()

[{TRUNK_CONTEXT}]
; A call from another node. Its trunk, and nothing else, enters here.
exten = _[+*#0-9]!,1,Set(passed=${{FILTER({_PASSED},${{PJSIP_HEADER(read,{HEADER})}})}})
 same = n,Set(ARRAY(__{CALL_ID},__{FORWARD_COUNT})=${{CUT(passed,/,1)}},${{FILTER(0-9,${{CUT(passed,/,2)}})}})
 same = n,Set(numbers={NUMBERS_CONTEXT}-{_CONTEXT})
 same = n,ExecIf(${{EXISTS(${{{CALL_ID}}})}}?{_NOTE_CALL_ID})
 same = n,GotoIf(${{DIALPLAN_EXISTS(${{numbers}},${{EXTEN}},1)}}?known)
 same = n,Hangup(1)
 same = n(known),Ringing()
 same = n,Goto(${{numbers}},${{EXTEN}},1)
"""
"""The fixed text."""


def away_door(number: str, user: User, trunk: str) -> str:
    """The extension of a number whose user's phones are at another node."""
    arguments = f"{number},{user.context},{trunk.removeprefix('PJSIP/')}"
    return f"exten = {number},1,Gosub(unique-account-away,s,1({arguments}))\n"

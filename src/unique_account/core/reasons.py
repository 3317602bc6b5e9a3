"""Why a decision came out as it did (R17)."""

from __future__ import annotations

from enum import StrEnum

from attrs import field, frozen


class Because(StrEnum):
    """What a step of a decision decides; in lower case, its name is the id of words in a user's language.

    Where a call goes instead of a device (R10) is no fixed text.
    """

    NOBODY_LOGGED_IN = "nobody is logged in, so the deskphone rings"
    DESKPHONE_SELECTED = "the deskphone is selected"
    WEBRTC_SELECTED = "WebRTC is selected"
    DO_NOT_DISTURB = "do-not-disturb is on"
    FORWARDED = "an unconditional forward is on"
    NO_CALL_LEFT = "the user has no call left"
    WEBRTC_RINGS = "the WebRTC line is registered, so the browser rings"
    DESKPHONE_RINGS = "so the deskphone rings"
    WEBRTC_NOT_REGISTERED = "the WebRTC line is not registered"
    DESKPHONE_NOT_REGISTERED = "the deskphone is not registered"
    WEBRTC_UNKNOWN = "nothing is known of the WebRTC line"
    DESKPHONE_UNKNOWN = "nothing is known of the deskphone, so it is tried"
    NOTHING_RINGS = "no device can be rung"
    NO_ANSWER_RULE = "the no answer rule applies"
    BUSY_RULE = "the busy rule applies"
    CONGESTION_RULE = "the congestion rule applies"
    UNAVAILABLE_RULE = "the unavailable rule applies"
    FORWARDED_TOO_OFTEN = "the call was forwarded too often"


@frozen(weakref_slot=False)
class Reason:
    """One step of a decision.

    Attributes:
        rule: The id of the rule that decided, e.g. ``R4``.
        text: What it decided, as a clause that a user understands.
        facts: What it rests on, as ``name=value``.
    """

    rule: str
    text: str = field(converter=str)  # as plain text, not as a member of `Because`
    facts: tuple[str, ...] = ()

    def __str__(self) -> str:
        rests_on = f" ({', '.join(self.facts)})" if self.facts else ""
        return f"{self.rule}: {self.text}{rests_on}"

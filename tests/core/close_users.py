"""Users who often have a number, a device or an id in common."""

from __future__ import annotations

from hypothesis import strategies as st

from unique_account.core.user import User

NAMES = st.sampled_from(["a", "b", "c"])


@st.composite
def close_users(draw: st.DrawFn) -> User:
    """Users who often have something in common."""
    name = draw(NAMES)
    numbers = draw(st.lists(st.sampled_from(["1", "2", "3 0", "30"]), min_size=1, max_size=2, unique=True))
    if numbers in (["3 0", "30"], ["30", "3 0"]):
        numbers = numbers[:1]
    return User(
        id=draw(NAMES),
        extension=numbers[0],
        dids=numbers[1:],
        deskphone=f"PJSIP/{name}",
        webrtc=f"PJSIP/{draw(NAMES)}_w",
        context=draw(st.sampled_from(["default", "other"])),
    )

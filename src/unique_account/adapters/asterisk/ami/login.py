"""Where an Asterisk's manager interface is, and as whom to log in there."""

from __future__ import annotations

from typing import Final

from attrs import field, frozen
from attrs.validators import ge, le

MANAGER_PORT: Final = 5038
"""The port on which Asterisk's manager interface listens unless it is told otherwise."""


@frozen(weakref_slot=False, kw_only=True)
class ManagerLogin:
    """An account of ``manager.conf``, on one Asterisk.

    It needs ``read = call,system,user`` and ``write = call,system,command,reporting,originate``.

    Attributes:
        username: The name of the account's section.
        secret: Its secret; in no repr, log or error.
        host: The name or address of the Asterisk.
        port: The port of its manager interface.
    """

    username: str
    secret: str = field(repr=False)
    host: str = "127.0.0.1"
    port: int = field(default=MANAGER_PORT, validator=[ge(1), le(65535)])

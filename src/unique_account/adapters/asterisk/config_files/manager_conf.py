"""What ``manager.conf`` needs, so that the service may log in, receive events and act."""

from __future__ import annotations

from typing import Final

MANAGER_FILE: Final = "unique_account_manager.conf"
"""The rendered file, to be included at the end of ``manager.conf``."""

MANAGER_SECRET_FILE: Final = "unique_account_manager_secret.conf"
"""The file that holds the secret, and that the rendered file includes."""

READ: Final = ("call", "system", "user")
"""The classes of events that are received."""

WRITE: Final = ("call", "system", "command", "reporting", "originate")
"""The classes of actions that are given."""

_LOOPBACK: Final = ("127.0.0.1", "localhost", "::1")


def render_manager(username: str, host: str) -> str:
    """The account of the manager interface, without its secret.

    Args:
        username: Its name.
        host: Where the service reaches the node: by loopback, nobody else may log in.
    """
    if host in _LOOPBACK:
        who = ["deny = 0.0.0.0/0.0.0.0", "permit = 127.0.0.1/255.255.255.255"]
    else:
        who = ["; Let in the service's machine alone:", "; deny = 0.0.0.0/0.0.0.0", "; permit = ITS ADDRESS"]
    lines = [
        "; Unique Account: as whom the service logs in. Made by a program; changes get lost.",
        ";",
        f"; At the end of manager.conf:  #include {MANAGER_FILE}",
        "; In its section general:      enabled = yes",
        ";                              timestampevents = yes",
        "",
        f"[{username}]",
        f"read = {','.join(READ)}",
        f"write = {','.join(WRITE)}",
        "writetimeout = 5000",
        "allowmultiplelogin = yes",
        *who,
        "",
        f"#include {MANAGER_SECRET_FILE}",
    ]
    return "\n".join([*lines, ""])


def manager_secret(username: str, secret: str) -> str:
    """The file that holds the secret of an account of the manager interface."""
    written = secret.replace(";", "\\;")  # which would begin a comment
    return f"; Keep this file to yourself.\n[{username}](+)\nsecret = {written}\n"

"""The roster that a configuration names."""

from __future__ import annotations

from pathlib import Path

from unique_account.adapters.rosters.users_file import FileRoster
from unique_account.ports.roster import Roster
from unique_account.serve.config import UsersSettings
from unique_account.serve.config.tables import ConfdSettings
from unique_account.serve.extras import extra


def roster(users: UsersSettings) -> Roster:
    """The roster that a configuration names.

    Raises:
        MissingExtra: A package that it needs is not installed.
        ValueError: The configured token is gone.
    """
    return FileRoster(Path(users.file or "")) if users.confd is None else _confd(users.confd)


def _confd(settings: ConfdSettings) -> Roster:
    with extra():
        from unique_account.adapters.rosters.confd import ConfdOptions, ConfdRoster
    options = ConfdOptions(
        webrtc_option=settings.webrtc_option,
        webrtc_suffix=settings.webrtc_suffix,
        technology=settings.technology,
        id=settings.id,
        media_server=settings.media_server,
        page=settings.page,
    )
    return ConfdRoster(settings.url, settings.token.look_up() if settings.token else "", options)

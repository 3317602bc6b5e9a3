"""Log-ins: their tokens, the sessions in the store, and the passwords of the directory, seen together."""

from __future__ import annotations

from unique_account.adapters.xuc.auth.tokens import Token, TokenExpired, Tokens
from unique_account.ports.assistant_store import AssistantStore
from unique_account.ports.directory import Directory


class LogIns:
    """Makes tokens and checks them.

    Args:
        tokens: Signs and reads tokens.
        directory: Knows the passwords.
        store: Knows the sessions.
    """

    def __init__(self, tokens: Tokens, directory: Directory, store: AssistantStore) -> None:
        self._tokens = tokens
        self._directory = directory
        self._store = store

    async def log_in(self, user: str, login: str, credential: str, *, dials: bool = False) -> str:
        """The first token of a new session; see `Tokens.issue`.

        Raises:
            StoreFailed: The session could not be stored.
        """
        issued = self._tokens.issue(user, login, credential, dials=dials)
        await self._store.begin(user, issued.session, issued.expires, issued.until)
        return issued.text

    async def renew(self, token: Token) -> str:
        """Another token of a session.

        Raises:
            TokenExpired: The session is too old, or has ended.
            StoreFailed: It is not known whether it has.
        """
        issued = self._tokens.renew(token)
        if not await self._store.prolong(token.user, token.session, issued.expires):
            raise TokenExpired
        return issued.text

    async def token(self, text: str) -> Token:
        """The content of a valid token whose login still has the password that it was given for.

        Raises:
            TokenExpired: It was valid once.
            BadToken: It never was.
            StoreFailed: It is not known whether its session has ended.
        """
        token = self._tokens.read(text)
        if not await self.has_current_password(token):
            raise TokenExpired
        if not await self._store.living([(token.user, token.session)]):
            raise TokenExpired
        return token

    async def has_current_password(self, token: Token) -> bool:
        """Whether a token was given for the password that its login has now."""
        return self._tokens.is_sealed(token, await self._directory.credential(token.login))

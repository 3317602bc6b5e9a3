"""Tokens: what a signature of ours does not make good."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from hmac import digest
from typing import Final

import pytest
from jwt.utils import base64url_encode

from unique_account.adapters.xuc.auth.tokens import BadToken, TokenExpired, Tokens

KEY: Final = "k" * 32
NOW: Final = datetime(2026, 1, 5, 9, tzinfo=UTC)
SAYS: Final = {
    "sub": '"alice"',
    "login": '"alice"',
    "sid": '"x"',
    "seal": '"y"',
    "began": "0.0",
    "exp": "9e9",
}


@pytest.fixture
def tokens() -> Tokens:
    return Tokens(KEY, timedelta(hours=1), lambda: NOW)


def signed(claims: str, header: str = '{"alg":"HS256","typ":"JWT"}') -> str:
    """A token with a signature of ours."""
    text = b".".join(base64url_encode(part.encode()) for part in (header, claims))
    return (text + b"." + base64url_encode(digest(KEY.encode(), text, "sha256"))).decode()


def token_with_claims(**changes: str) -> str:
    says = {**SAYS, **changes}
    return signed("{" + ",".join(f'"{name}":{value}' for name, value in says.items()) + "}")


class TestClaims:
    """A claim that we would never make makes a bad token, even if signed by us."""

    def test_ours_are_good(self, tokens: Tokens) -> None:
        assert tokens.read(token_with_claims()).expires == 9e9

    @pytest.mark.parametrize("claim", ["began", "exp"])
    @pytest.mark.parametrize(
        "odd",
        [
            "9" * 400,
            "-" + "9" * 400,
            "NaN",
            "Infinity",
            "-Infinity",
            "1e999",
            '"nan"',
            '"9e9"',
            "true",
            "null",
        ],
    )
    def test_an_instant_that_is_none(self, tokens: Tokens, claim: str, odd: str) -> None:
        with pytest.raises(BadToken) as bad:
            tokens.read(token_with_claims(**{claim: odd}))
        assert not isinstance(bad.value, TokenExpired)

    @pytest.mark.parametrize("claim", ["sub", "login", "sid", "seal"])
    @pytest.mark.parametrize("odd", ['"\\ud800"', "5", "null", '["alice"]', "{}"])
    def test_a_text_that_is_none(self, tokens: Tokens, claim: str, odd: str) -> None:
        with pytest.raises(BadToken) as bad:
            tokens.read(token_with_claims(**{claim: odd}))
        assert not isinstance(bad.value, TokenExpired)

    @pytest.mark.parametrize("more", [{"iat": "1e999"}, {"nbf": "1e999"}, {"iat": "NaN"}, {"aud": '"x"'}])
    def test_a_claim_that_we_do_not_make(self, tokens: Tokens, more: dict[str, str]) -> None:
        with pytest.raises(BadToken):
            tokens.read(token_with_claims(**more))

    @pytest.mark.parametrize("claims", ["[]", "5", "null", '"x"', "[" * 600, "{", "\ufeff{}"])
    def test_claims_that_are_none(self, tokens: Tokens, claims: str) -> None:
        with pytest.raises(BadToken):
            tokens.read(signed(claims))

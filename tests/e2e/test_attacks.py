"""Fifty clients that mean harm, each in every way that we know: nobody else is harmed."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.e2e.drivers.cti_attackers import ATTACKS
from tests.e2e.fixtures.attacked_service import Impact, attacked_service

pytestmark = [pytest.mark.e2e, pytest.mark.alone]

COMMAND_WITHIN = 0.25
HEALTH_WITHIN = 1.0
MOST_GROWN = 64 * 2**20
MOST_LOGGED = 64 * 2**10


class TestBystanders:
    """S5: another user's command takes a quarter of a second, health a second, and memory does not grow."""

    @pytest.mark.parametrize("attack", ATTACKS)
    def test_are_not_harmed(self, attack: str, tmp_path: Path) -> None:
        async def scenario() -> Impact:
            async with attacked_service(tmp_path) as at:
                return await at.impact_of(attack)

        harm = asyncio.run(scenario())
        assert harm.command <= COMMAND_WITHIN + harm.late, harm
        assert harm.health <= HEALTH_WITHIN + harm.late, harm
        assert harm.grown <= MOST_GROWN, harm
        assert harm.logged <= MOST_LOGGED, harm

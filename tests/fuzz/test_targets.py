"""The short run of every fuzzer: the same few inputs each time, and none finds anything."""

from __future__ import annotations

from typing import Final

import pytest

from fuzz.run import run
from fuzz.target import Target
from fuzz.targets import TARGETS

SEED: Final = 10


class TestEveryReader:
    """M4: nobody's text steers; what is wrong is refused in words of ours, and harms nobody else."""

    @pytest.mark.parametrize("target", TARGETS.values(), ids=TARGETS)
    def test_stands_its_short_run(self, target: Target) -> None:
        ran = run(target, SEED, rounds=target.rounds)
        assert ran.rounds >= target.rounds
        assert [*map(str, ran.found)] == []

"""XiVO's own client, by a model of it, through a user's day on a real Asterisk, with real SIP and sound."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.adapters.xuc.xivo_scenes import SCENES, Scene
from tests.e2e.fixtures.xivo_office import Played, xivo_office

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def play(network: None) -> Iterator[Played]:
    """One office for all scenes."""
    with xivo_office() as played:
        yield played


class TestScenes:
    """C1, C2, S6: a user's day; the same scenes as on the double."""

    @pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.__name__)
    def test_on_real_sip(self, play: Played, scene: Scene) -> None:
        play(scene)

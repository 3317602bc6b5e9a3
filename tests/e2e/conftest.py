"""End-to-end tests: a real Asterisk, real phones and a real browser, in a network of their own.

They run in a session of their own, ``nox -s e2e``, as root, and fail where the lab is not installed.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from lab.network import own_network
from lab.place import NotInstalled, require


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known wherever these tests are."""
    config.addinivalue_line("markers", "e2e: needs the lab, which `python -m lab install` installs")


@pytest.fixture(scope="session", autouse=True)
def _lab() -> Iterator[None]:
    try:
        require()
    except NotInstalled as error:
        pytest.fail(str(error), pytrace=False)
    with own_network():
        yield

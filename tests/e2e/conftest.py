"""End-to-end tests: a real Asterisk, real phones and a real browser, in a network of their own.

They run in a session of their own, ``nox -s e2e``, as root, and fail where the lab is not installed.
"""

from __future__ import annotations

import pytest

from lab.programs import NotInstalled, require


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known wherever these tests are."""
    config.addinivalue_line("markers", "alone: measures a time, so nothing else may run beside it")
    config.addinivalue_line("markers", "e2e: needs the lab, which `python -m lab install` installs")


@pytest.fixture(scope="session")
def _installed() -> None:
    try:
        require()
    except NotInstalled as error:
        pytest.fail(str(error), pytrace=False)


@pytest.fixture(scope="session", autouse=True)
def _lab(_installed: None, network: None) -> None:
    """Whatever is missing is named before the network is made with some of it."""

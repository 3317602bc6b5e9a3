"""How tests run here: how Hypothesis does, what is inherited, what is left open, and that CI leaves none out.

No deadlines: machines are noisy, and a slow one is no bug. For mutants the examples are the same each
time and not shrunk: what counts is whether one fails.
"""

import gc
import os
import signal
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, Phase, settings

settings.register_profile("default", deadline=None)
settings.register_profile(
    "mutation",
    deadline=None,
    derandomize=True,
    max_examples=60,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=list(HealthCheck),
)
settings.load_profile("default")

# A shell lets what it runs in the background ignore SIGINT, and that is inherited by whom a test interrupts.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def network() -> Iterator[None]:
    """A network of its own for this worker: what the one starts, the others do not see."""
    # Only here, as the core's tests run without the lab, too.
    from lab.network import own_network

    with own_network():
        yield


def pytest_runtest_teardown(nextitem: pytest.Item | None) -> None:
    """What a worker's tests left open is found with its last one: at the worker's own end nobody looks."""
    if nextitem is None:
        gc.collect()


def pytest_sessionfinish(session: pytest.Session) -> None:
    """In continuous integration a skipped test is a failure: there is nothing that it may lack."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if os.environ.get("CI") and reporter is not None and reporter.stats.get("skipped"):
        reporter.write_line("ERROR: tests were skipped, and here none may be", red=True)
        session.exitstatus = pytest.ExitCode.TESTS_FAILED

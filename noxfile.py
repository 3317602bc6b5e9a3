"""The project's checks, one session each. ``nox`` runs the fast ones; the slow ones are run by name."""

from __future__ import annotations

import json
import os
from pathlib import Path

import nox

nox.needs_version = ">=2026.10"
nox.options.default_venv_backend = "venv"
nox.options.reuse_existing_virtualenvs = True
nox.options.error_on_missing_interpreters = True
nox.options.sessions = ["lint", "types", "architecture", "bare", "lab", "tests", "docs", "e2e"]

PYPROJECT = nox.project.load_toml("pyproject.toml")
NEWER_PYTHONS = ["3.12", "3.13"]
EXTRAS = "assistant,cli,json,postgresql,rabbitmq,serve,testing"
CORES = len(os.sched_getaffinity(0))


def install(session: nox.Session, *groups: str) -> None:
    """Install the project as its users do, editable, with dependency groups."""
    session.install("-e", f".[{EXTRAS}]", *nox.project.dependency_groups(PYPROJECT, *groups))


def by_workers(number: int) -> tuple[str, ...]:
    """How pytest runs tests by so many workers; one that has none left takes some of another's.

    There are more workers than cores, for much of what tests do is to wait for other processes.
    """
    return (f"--numprocesses={number}", "--dist=worksteal")


@nox.session(allow_parallel=True)
def lint(session: nox.Session) -> None:
    """Style and format (ruff)."""
    session.install(*nox.project.dependency_groups(PYPROJECT, "lint"))
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")


@nox.session(allow_parallel=True)
def types(session: nox.Session) -> None:
    """Types of source, tests, benchmarks and fuzzers (mypy, strict)."""
    install(session, "types", "tests", "docs", "benchmarks", "lab")
    session.run("mypy")


@nox.session(allow_parallel=True)
def architecture(session: nox.Session) -> None:
    """Imports run downward only, and the core stays pure (import-linter)."""
    install(session, "architecture")
    session.run("lint-imports")


@nox.session(allow_parallel=True)
def bare(session: nox.Session) -> None:
    """The bare install: attrs and transitions suffice for a service in memory, and a wheel has all files."""
    session.install(".")
    session.run("python", "-I", "-W", "error", "tests/installed/bare_install.py")


@nox.session
def lab(session: nox.Session) -> None:
    """Get what the tests need of a machine: programs, servers, Asterisk; as root, on Debian 12."""
    session.install("attrs", *nox.project.dependency_groups(PYPROJECT, "lab"))
    session.run("python", "-m", "lab", "install")


@nox.session(allow_parallel=True)
def tests(session: nox.Session) -> None:
    """All tests; those of the core must cover its every branch.

    Only these are measured, for measuring doubles the time that tests take.
    """
    install(session, "tests")
    pytest = ("python", "-m", "pytest", *by_workers(CORES + 1))
    session.run(*pytest, "--cov", "--cov-report=term", "--cov-fail-under=100", "tests/core")
    session.run(*pytest, "--ignore=tests/core", *session.posargs)


@nox.session
def coverage(session: nox.Session) -> None:
    """All tests with the branches of the whole package that none of them reaches, by name."""
    install(session, "tests")
    session.run(
        *("python", "-m", "pytest", *by_workers(CORES + 1)),
        *("--cov=unique_account", "--cov-report=term:skip-covered", *session.posargs),
    )


@nox.session(python=NEWER_PYTHONS)
def newer(session: nox.Session) -> None:
    """All tests on newer Pythons, by name: those that pass here are declared in pyproject.toml."""
    install(session, "tests")
    session.run("python", "-m", "pytest", *by_workers(CORES + 1), *session.posargs)


@nox.session
def lowest(session: nox.Session) -> None:
    """All tests on the oldest versions allowed of all that the project needs, by name."""
    session.install(*nox.project.dependency_groups(PYPROJECT, "lowest"))
    groups = nox.project.dependency_groups(PYPROJECT, "tests")
    session.run("uv", "pip", "install", "--resolution", "lowest-direct", "-e", f".[{EXTRAS}]", *groups)
    session.run("python", "-m", "pytest", *by_workers(CORES + 1), *session.posargs)


@nox.session(allow_parallel=True)
def docs(session: nox.Session) -> None:
    """The documentation, warnings being errors; its examples run with the tests."""
    install(session, "docs")
    session.run("sphinx-build", "-W", "-n", "--keep-going", "-b", "html", "docs", "docs/_build/html")


@nox.session
def e2e(session: nox.Session) -> None:
    """All tests on a real Asterisk, real phones, a real browser, a real PostgreSQL and a real RabbitMQ."""
    install(session, "tests", "lab")
    session.run("python", "-m", "lab", "install")
    chosen = session.posargs or ("tests/e2e", "tests/postgresql", "tests/rabbitmq")
    session.run("python", "-m", "pytest", "-m", "not alone", *by_workers(2 * CORES + 1), *chosen)
    session.run("python", "-m", "pytest", "-m", "alone", *chosen, success_codes=[0, 5])


@nox.session
def schedules(session: nox.Session) -> None:
    """Run random faults of several processes, by name: ``nox -s schedules -- --seeds 500 --first 1``."""
    install(session, "tests", "lab")
    session.run("python", "-m", "tests.cluster.schedules", *session.posargs)


@nox.session
def benchmarks(session: nox.Session) -> None:
    """Compare with the peers, interleaved, by name; figures go to benchmarks/results.json."""
    install(session, "benchmarks", "lab")
    session.run("python", "-m", "benchmarks", *session.posargs)


@nox.session
def mutation(session: nox.Session) -> None:
    """Mutate the core's transition table and its functions, by name; at least 95 % must be killed."""
    install(session, "tests", "mutation")
    session.run("pytest", "-q", "tests/core/test_machine_mutants.py")
    session.run("mutmut", "run", *session.posargs, success_codes=[0, 1])
    session.run("mutmut", "export-cicd-stats")
    found = json.loads(Path("mutants/mutmut-cicd-stats.json").read_text("utf-8"))
    killed = found["killed"] + found["timeout"]
    ran = killed + found["survived"] + found["suspicious"] + found["no_tests"]
    session.log(f"{killed} of {ran} mutants of the core's functions killed: {killed / ran:.1%}")
    if killed < 0.95 * ran:
        session.error("fewer than 95 % of the mutants were killed; `mutmut results` names the survivors")


@nox.session
def fuzz(session: nox.Session) -> None:
    """Fuzz every parser and the CTI frames, by name: ``nox -s fuzz -- --seconds 600``."""
    install(session, "tests")
    session.run("python", "-m", "fuzz", *session.posargs)


@nox.session
def attacks(session: nox.Session) -> None:
    """Make the attacks again that were made in vain, by name; the one in the browser needs the lab."""
    install(session, "tests", "lab")
    session.run("python", "-m", "fuzz", "attacks", *session.posargs)


@nox.session
def changelog(session: nox.Session) -> None:
    """Draft the changelog of the next release from the fragments."""
    install(session, "changelog")
    session.run("towncrier", "build", "--draft", *session.posargs)

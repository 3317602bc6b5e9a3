"""How much memory an account takes: a million of them in a dict, and what a ``transitions`` model takes.

Every measurement has a process of its own, and is the growth of that process's resident memory: what the
machine has to have, with the allocator's rounding, the garbage collector's headers and the dict included,
which a sum of object sizes leaves out. Read from ``/proc``, so on Linux only.

``python -m benchmarks.memory WHAT NUMBER`` makes one measurement.
"""

from __future__ import annotations

import gc
import json
import resource
import subprocess
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Final

from benchmarks.machines import Model, transitions_machine
from benchmarks.report import Aim, Comparison, Row, Table
from benchmarks.samples import known_lines
from unique_account.core.account import Account, Session
from unique_account.core.events import LoggedIn, apply
from unique_account.core.user import User

ACCOUNTS: Final = 1_000_000
MODELS: Final = 10_000

Strings = tuple[list[str], ...]


def logged_in(strings: Strings) -> dict[str, object]:
    """Accounts with one session each and both lines known."""
    return {
        names[0]: apply(known_lines(Account(_user(*names[:4]))), LoggedIn(names[4], names[5]))
        for names in zip(*strings, strict=True)
    }


def idle(strings: Strings) -> dict[str, object]:
    """New accounts: nobody logged in, nothing known of the lines."""
    return {names[0]: Account(_user(*names)) for names in zip(*strings, strict=True)}


def models(strings: Strings) -> dict[str, object]:
    """Models of one ``transitions`` machine, with what a logged-in account has beside its state."""
    machine = transitions_machine()
    made: dict[str, object] = {}
    for names in zip(*strings, strict=True):
        model = _FullModel(_user(*names[:4]), Session(names[4], names[5]))
        machine.add_model(model)
        made[names[0]] = model
    made[""] = machine
    return made


class _FullModel(Model):
    def __init__(self, user: User, session: Session) -> None:
        super().__init__()
        lines = known_lines(Account(user)).observed
        self.user = user
        self.sessions = (session,)
        self.deskphone, self.webrtc = lines.deskphone, lines.webrtc


_USER: Final = ("user{:07}", "{:07}", "PJSIP/user{:07}", "PJSIP/user{:07}_w")
_SESSION: Final = ("tab-{:07}", "connection-{:07}")

KINDS: Final[dict[str, tuple[Callable[[Strings], dict[str, object]], tuple[str, ...]]]] = {
    "logged_in": (logged_in, _USER + _SESSION),
    "idle": (idle, _USER),
    "models": (models, _USER + _SESSION),
}
"""How each kind is made, and the forms of the strings that its users bring."""


def _user(name: str, extension: str, deskphone: str, webrtc: str) -> User:
    return User(id=name, extension=extension, deskphone=deskphone, webrtc=webrtc)


def _strings(forms: Sequence[str], number: int) -> Strings:
    return tuple([form.format(each) for each in range(number)] for form in forms)


def _resident() -> int:
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
    return pages * resource.getpagesize()


def measure(what: str, number: int) -> dict[str, float]:
    """Bytes for each account, and for the strings that its user brings; in this process."""
    make, forms = KINDS[what]
    make(_strings(forms, 10))  # what is set up once is not the accounts'
    before = _resident()
    strings = _strings(forms, number)
    lists = sum(map(sys.getsizeof, strings))
    between = _resident()
    gc.disable()
    made = make(strings)
    after = _resident()
    del made
    return {"alone": (after - between) / number, "strings": (between - before - lists) / number}


def _in_a_process(what: str, number: int) -> dict[str, float]:
    command = [sys.executable, "-m", "benchmarks.memory", what, str(number)]
    root = Path(__file__).parents[1]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True)
    measured: dict[str, float] = json.loads(done.stdout)
    return measured


def compare() -> Comparison:
    """Measure a million accounts of either kind, and ten thousand models."""
    found = {
        ("account, logged in", ACCOUNTS): _in_a_process("logged_in", ACCOUNTS),
        ("account, idle", ACCOUNTS): _in_a_process("idle", ACCOUNTS),
        ("transitions model, logged in", MODELS): _in_a_process("models", MODELS),
    }
    account = found["account, logged in", ACCOUNTS]
    rows: list[Row] = [
        {
            "in a dict by user": name,
            "how many": number,
            "bytes each": each["alone"],
            "with the users' own strings": each["alone"] + each["strings"],
            "times an account": each["alone"] / account["alone"],
        }
        for (name, number), each in found.items()
    ]
    megabytes = account["alone"] * ACCOUNTS / 1e6
    aims = [Aim("MB for 10^6 logged-in accounts, users' own strings apart", megabytes, at_most=600.0)]
    return Comparison([Table("Resident memory", rows)], aims)


def main(arguments: Iterable[str]) -> None:
    what, number = arguments
    print(json.dumps(measure(what, int(number))))


if __name__ == "__main__":
    main(sys.argv[1:])

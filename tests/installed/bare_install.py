"""Run in an environment with the bare install only (``nox -s bare``): no pytest here."""

import subprocess
import sys
from importlib.resources import files

ALLOWED = {"attr", "attrs", "transitions", "six", "unique_account"}


def main() -> None:
    """Check that the bare install is whole, and that it brings no more than it says."""
    before = set(sys.modules)
    import unique_account as ua

    imported = {name.partition(".")[0] for name in set(sys.modules) - before}
    strangers = imported - ALLOWED - sys.stdlib_module_names
    if strangers:
        sys.exit(f"importing unique_account imports {sorted(strangers)}")
    alice = ua.Account(ua.User(id="alice", extension="1001", deskphone="PJSIP/alice", webrtc="PJSIP/alice_w"))
    alice = ua.apply(alice, ua.LoggedIn(session="tab-1"))
    alice = ua.apply(alice, ua.ContactsChanged(ua.Device.WEBRTC, reachable=True))
    if ua.device_in_use(alice) is not ua.Device.WEBRTC:
        sys.exit("the bare install does not route")
    tables = (f"adapters/{store}/migrations/0002_call_log.sql" for store in ("postgresql", "sqlite"))
    for needed in ("py.typed", "assistant/page/index.html", *tables):
        if not files("unique_account").joinpath(needed).is_file():
            sys.exit(f"the wheel lacks {needed}")
    tried = subprocess.run(
        [sys.executable, "-m", "unique_account"], capture_output=True, text=True, check=False
    )
    if tried.returncode != 1 or "pip install 'unique_account[cli]'" not in tried.stderr:
        sys.exit(f"the command line does not say which extra brings it, but: {tried.stderr}")
    sys.stdout.write(f"bare install: {len(ua.__all__)} public names, nothing else imported\n")


if __name__ == "__main__":
    main()

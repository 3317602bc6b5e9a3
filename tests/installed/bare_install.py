"""Run in an environment with the bare install only (``nox -s bare``): no pytest here."""

import asyncio
import subprocess
import sys
from importlib.resources import files
from types import ModuleType

ALLOWED = {"attr", "attrs", "transitions", "six", "unique_account"}


async def serve(ua: ModuleType) -> None:
    """Run a service on ports in memory: an event reaches the account, the PBX and the CTI."""
    from unique_account.adapters.memory import MemoryAccounts, MemoryCti, MemoryPbx
    from unique_account.adapters.system_clock import SystemClock
    from unique_account.bootstrap import bootstrap

    accounts, cti, pbx = MemoryAccounts(), MemoryCti(), MemoryPbx(SystemClock())
    alice = ua.User(id="alice", extension="1001", deskphone="PJSIP/alice", webrtc="PJSIP/alice_w")
    async with bootstrap(accounts=accounts, pbxs=(pbx,), cti=cti) as service:
        await service.add(alice)
        await pbx.register("PJSIP/alice")
        await cti.act("alice", ua.LoggedIn(session="tab-1"))
        await cti.act("alice", ua.DeviceSelected(ua.Device.DESKPHONE))
        if service.account("alice").selection is not ua.Device.DESKPHONE:
            sys.exit("the service of the bare install does not apply events")
        if (await pbx.call("1001")).rings is not ua.Device.DESKPHONE:
            sys.exit("the PBX of the bare install does not follow its plans")
    async with bootstrap() as service:
        await service.add(alice)
        await service.handle("alice", ua.LoggedIn(session="tab-1"))


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
    asyncio.run(serve(ua))
    strangers = {name.partition(".")[0] for name in set(sys.modules) - before} - ALLOWED
    if strangers - sys.stdlib_module_names:
        sys.exit(f"the service imports {sorted(strangers - sys.stdlib_module_names)}")
    tables = (f"adapters/{store}/migrations/0002_call_log.sql" for store in ("postgresql", "sqlite"))
    names = ("asyncapi", "openapi", "types", "commands/dial", "events/Error")
    documents = (f"adapters/xuc/protocol/schema/{name}.json" for name in names)
    bus = "adapters/rabbitmq/schema/group_presences.json"
    for needed in ("py.typed", "assistant/page/index.html", bus, *tables, *documents):
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

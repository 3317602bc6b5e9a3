"""Who may be connected, and who has to go for a newcomer."""

from __future__ import annotations

import socket

import pytest

from unique_account.http_server import connection_limit
from unique_account.http_server.connection_limit import ClientConnection, ConnectionLimit, Limits, Proxies
from unique_account.http_server.file_descriptors import RESERVED, room


class Raw(socket.socket):
    """A socket that only knows whether it was closed."""

    def __init__(self) -> None:
        super().__init__()
        super().close()
        self.ended = False

    def close(self) -> None:
        self.ended = True


def connection(address: str = "192.0.2.1", *, idle: bool = False) -> ClientConnection:
    return ClientConnection(address, Raw(), idle=idle)


def crowded(most: int = 3, of_address: int = 3, proxies: tuple[str, ...] = ()) -> ConnectionLimit:
    return ConnectionLimit(Limits(most, of_address, Proxies(proxies)))


def ended(one: ClientConnection) -> bool:
    assert isinstance(one.raw, Raw)
    return one.raw.ended


class TestRoom:
    """S5: there is room for so many; who waits for its client goes for a newcomer, the longest first."""

    def test_the_longest_idle_one_goes(self) -> None:
        at = crowded()
        busy, first, second = connection(), connection(idle=True), connection(idle=True)
        assert all(map(at.admits, (busy, first, second)))
        assert at.admits(connection("192.0.2.2"))
        assert [ended(one) for one in (busy, first, second)] == [False, True, False]

    def test_one_that_was_answered_has_not_waited_long(self) -> None:
        at = crowded(most=2)
        first, second = connection(idle=True), connection(idle=True)
        assert all(map(at.admits, (first, second)))
        at.again(first)
        assert at.admits(connection())
        assert (ended(first), ended(second)) == (False, True)

    def test_websockets_stay(self) -> None:
        at = crowded(most=1)
        one = connection(idle=True)
        assert at.admits(one)
        at.settles(one)
        assert not at.admits(connection())
        assert not ended(one)
        assert not at.patient  # nobody's place will be free soon

    def test_while_all_are_at_work_newcomers_wait(self) -> None:
        at = crowded(most=1)
        one = connection()
        assert at.admits(one)
        assert at.patient
        one.idle = True
        assert not at.patient

    def test_strangers_are_fewer(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(connection_limit, "MOST_STRANGERS", 1)
        at = crowded()
        first, second = connection(idle=True), connection(idle=True)
        assert at.admits(first)
        assert at.admits(second)
        assert ended(first)
        at.settles(second)
        assert at.admits(connection())
        assert not ended(second)

    def test_who_leaves_makes_room_once(self) -> None:
        at = crowded(most=1)
        one = connection()
        assert at.admits(one)
        at.leaves(one)
        at.leaves(one)
        assert at.admits(connection())
        assert not at.admits(connection())


class TestAddresses:
    """S5: one address has so many, but for proxies, behind which everybody is."""

    def test_one_more_of_an_address_costs_that_address(self) -> None:
        at = crowded(most=9, of_address=1)
        other, one = connection("192.0.2.2", idle=True), connection(idle=True)
        assert at.admits(other)
        assert at.admits(one)
        assert at.admits(connection())
        assert (ended(other), ended(one)) == (False, True)
        assert not at.admits(connection())

    @pytest.mark.parametrize("named", ["192.0.2.1", "192.0.2.0/24", "*"])
    def test_proxies_are_not_counted(self, named: str) -> None:
        at = crowded(most=9, of_address=1, proxies=("proxy.example.org", named))
        assert all(at.admits(connection()) for _ in range(5))

    def test_a_network_of_ipv6_is_one_address(self) -> None:
        at = crowded(most=9, of_address=1)
        assert at.admits(connection("2001:db8::1"))
        assert not at.admits(connection("2001:db8::2"))
        assert at.admits(connection("2001:db8:0:1::2"))

    def test_what_is_no_address_is_no_proxy(self) -> None:
        assert "somewhere" not in Proxies(("192.0.2.1",))


class TestDescriptors:
    """S5: there are no more connections than the process may have open."""

    def test_some_are_left_for_all_else(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("resource.getrlimit", lambda _: (1024, 1024))
        assert room(20_000) == 1024 - RESERVED
        assert room(100) == 100
        monkeypatch.setattr("resource.getrlimit", lambda _: (-1, -1))
        assert room(20_000) == 20_000

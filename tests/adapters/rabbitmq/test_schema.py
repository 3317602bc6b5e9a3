"""Each message is as its schema says, and each example of a schema is understood."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any, Final

import jsonschema_rs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from unique_account.adapters.rabbitmq.announcements import Kind
from unique_account.adapters.rabbitmq.errors import InvalidMessage
from unique_account.adapters.rabbitmq.presence_frames import (
    PresenceFrame,
    Stamp,
    decode_frame,
    decode_request,
    encode_request,
    snapshot,
)
from unique_account.adapters.rabbitmq.xivo_messages import UsersChanged, UserSetting, XivoMessages
from unique_account.core.events import DoNotDisturbSet, ForwardSet
from unique_account.core.forwarding import Forward, Forwarding
from unique_account.core.machine import Device
from unique_account.core.presence import Presence

FOLDER: Final = files("unique_account.adapters.rabbitmq") / "schema"
SCHEMAS: Final[dict[str, Any]] = {
    file.name.removesuffix(".json"): json.loads(file.read_text("utf-8"))
    for file in sorted(FOLDER.iterdir(), key=lambda file: file.name)
}
GROUPS: Final = ("group_presences", "snapshot_request")
XIVO: Final = tuple(name for name in SCHEMAS if name not in GROUPS)
MESSAGES: Final = XivoMessages("xivo", "our-own")
UUID: Final = "6f1c2a0e-3c58-4d62-9d0b-1f2f3b5e7a11"


def valid(name: str, document: object) -> bool:
    return jsonschema_rs.is_valid(SCHEMAS[name], document)


@pytest.mark.parametrize("name", SCHEMAS)
def test_a_schema_says_where_it_is_from_and_has_valid_examples(name: str) -> None:
    schema = SCHEMAS[name]
    assert schema["title"] == name
    assert schema["x-origin"] in ("xivo", "ours")
    assert schema["x-direction"] in ("both", "consumed", "published")
    assert schema["examples"]
    assert all(valid(name, example) for example in schema["examples"])


class TestXivo:
    """What is published and consumed on XiVO's bus."""

    @given(st.builds(Forward, st.from_regex(r"\+?[0-9*#]{1,40}", fullmatch=True), st.booleans()) | st.none())
    def test_what_is_published_is_as_its_schema_says(self, forward: Forward | None) -> None:
        forwarding = Forwarding(do_not_disturb=True, unconditional=forward, busy=forward)
        published = [
            *MESSAGES.encode(((Kind.PRESENCE, "1001"), Presence.RINGING)),
            *MESSAGES.encode(((Kind.FORWARDING, UUID), forwarding), 7),
            *MESSAGES.encode(((Kind.SELECTION, UUID), Device.WEBRTC), 7),
        ]
        for message in published:
            envelope = json.loads(message.body)
            schema = SCHEMAS[envelope["name"]]
            assert valid(envelope["name"], envelope)
            key = schema["x-routing-key"].replace("USER", UUID).replace("NUMBER", "1001")
            assert (message.exchange, message.key) == ("xivo", key)
            assert schema["x-direction"] in ("both", "published")
        names = {json.loads(message.body)["name"] for message in published}
        assert names == {name for name in XIVO if SCHEMAS[name]["x-direction"] != "consumed"}

    @pytest.mark.parametrize("name", [name for name in XIVO if SCHEMAS[name]["x-direction"] != "published"])
    def test_each_example_is_understood(self, name: str) -> None:
        for example in SCHEMAS[name]["examples"]:
            assert MESSAGES.decode(json.dumps(example).encode()) is not None

    def test_a_forward_becomes_an_event(self) -> None:
        [example] = SCHEMAS["users_forwards_noanswer_updated"]["examples"]
        said = MESSAGES.decode(json.dumps(example).encode())
        assert isinstance(said, UserSetting)
        assert said.user == UUID
        assert isinstance(said.event, ForwardSet)
        assert (said.event.setting, said.event.enabled, said.event.destination) == ("no_answer", True, "3000")

    def test_do_not_disturb_becomes_an_event(self) -> None:
        [example] = SCHEMAS["users_services_dnd_updated"]["examples"]
        assert MESSAGES.decode(json.dumps(example).encode()) == UserSetting(UUID, DoNotDisturbSet(on=False))

    def test_a_user_that_is_edited_makes_users_be_read_again(self) -> None:
        [example] = SCHEMAS["user_edited"]["examples"]
        assert MESSAGES.decode(json.dumps(example).encode()) == UsersChanged()

    def test_ones_own_messages_are_left_out(self) -> None:
        for message in MESSAGES.encode(((Kind.FORWARDING, UUID), Forwarding())):
            assert MESSAGES.decode(message.body) is None

    @given(st.text(min_size=1, max_size=600))
    def test_any_id_makes_a_routing_key(self, user: str) -> None:
        for message in MESSAGES.encode(((Kind.FORWARDING, user), Forwarding())):
            assert len(message.key.encode(errors="replace")) <= 255
            assert message.key.count(".") <= 5

    @given(
        st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists, max_leaves=5), st.data()
    )
    def test_a_field_of_another_kind_is_refused(self, value: object, data: st.DataObject) -> None:
        name = data.draw(st.sampled_from(XIVO))
        [example] = SCHEMAS[name]["examples"]
        field = data.draw(st.sampled_from(["user_uuid", "enabled", "destination"]))
        broken = {**example, "data": {**example["data"], field: value}}
        body = json.dumps(broken).encode()
        if name.startswith("unique_account"):
            with pytest.raises(InvalidMessage):
                MESSAGES.decode(body)
        elif valid(name, broken):
            assert MESSAGES.decode(body) is not None
        else:
            with pytest.raises(InvalidMessage):
                MESSAGES.decode(body)


class TestGroups:
    """What groups exchange."""

    @given(
        st.dictionaries(
            st.from_regex(r"\+?[0-9*#]{1,40}", fullmatch=True), st.sampled_from(Presence), max_size=20
        ),
        st.integers(0, 10**17),
        st.integers(0, 10**17),
    )
    def test_frames_are_as_their_schema_says_and_come_back_the_same(
        self, presences: dict[str, Presence], epoch: int, sequence: int
    ) -> None:
        stamp = Stamp(epoch, sequence)
        change = PresenceFrame(group="lyon", instance="a", stamp=stamp, presences=presences)
        for frame in (change, *snapshot("lyon", "a", stamp, presences)):
            assert valid("group_presences", json.loads(frame.encode()))
            assert decode_frame(frame.encode()) == frame

    def test_a_request_is_as_its_schema_says(self) -> None:
        assert valid("snapshot_request", json.loads(encode_request("lyon")))
        assert decode_request(encode_request("lyon")) == "lyon"

    @given(st.binary(max_size=200) | st.text().map(lambda text: json.dumps({"group": text}).encode()))
    def test_arbitrary_bytes_are_refused(self, body: bytes) -> None:
        with pytest.raises(InvalidMessage):
            decode_frame(body)

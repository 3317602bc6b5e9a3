"""A configuration is read as a whole, and all that is wrong in it is told at once."""

from __future__ import annotations

import socket
from datetime import timedelta
from pathlib import Path

import pytest

from unique_account.serve.config import Config, InvalidConfig, NodeKind, read_config

WHOLE = """
owner = "office"
lease = 2.5

[users]
file = "users.toml"

[accounts]
file = "accounts.sqlite"

[monitor]
port = 0

[log]
level = "debug"
json = true

[[nodes]]
secret.env = "AMI_SECRET"
sip = "10.0.0.1:5060"

[[nodes]]
name = "mds1"
host = "10.0.0.2"
port = 5039
username = "ua"
secret.file = "mds1.secret"
sip = "10.0.0.2:5060"
proxy_path = "/wssip-mds1"
controllable = ["Gigaset"]
"""
LEAST = '[users]\nfile = "u.toml"\n[accounts]\nfile = "a.sqlite"\n[[nodes]]\nkind = "memory"\n'


def read(folder: Path, text: str, **environ: str) -> Config:
    path = folder / "unique_account.toml"
    path.write_text(text, "utf-8")
    return read_config(path, environ)


def problems(folder: Path, text: str, **environ: str) -> tuple[str, ...]:
    with pytest.raises(InvalidConfig) as invalid:
        read(folder, text, **environ)
    return invalid.value.problems


class TestConfig:
    """What a configuration says is what is served."""

    def test_a_whole_one_is_read(self, tmp_path: Path) -> None:
        (tmp_path / "mds1.secret").write_text("two words\nand a second line\n", "utf-8")
        config = read(tmp_path, WHOLE, AMI_SECRET="one")
        main, mds1 = config.nodes
        assert (config.owner, config.lease, config.log.json) == ("office", timedelta(seconds=2.5), True)
        assert config.users.file == str(tmp_path / "users.toml")
        assert config.accounts.file == str(tmp_path / "accounts.sqlite")
        assert (main.name, main.kind, main.host, main.port) == (
            "default",
            NodeKind.ASTERISK,
            "127.0.0.1",
            5038,
        )
        assert main.secret is not None
        assert main.secret.look_up({"AMI_SECRET": "one"}) == "one"
        assert (main.controllable[0], mds1.controllable) == ("snom", ("Gigaset",))
        assert mds1.secret is not None
        assert mds1.secret.look_up({}) == "two words"

    def test_little_is_enough(self, tmp_path: Path) -> None:
        config = read(tmp_path, LEAST)
        assert config.monitor.host == "127.0.0.1"
        assert config.lease == timedelta(seconds=10)

    def test_no_secret_is_in_a_repr(self, tmp_path: Path) -> None:
        (tmp_path / "mds1.secret").write_text("geheim", "utf-8")
        assert "geheim" not in repr(read(tmp_path, WHOLE, AMI_SECRET="geheim"))


class TestProblems:
    """Each problem names its place, and all that are found are told at once."""

    def test_all_at_once(self, tmp_path: Path) -> None:
        text = """
        ownr = "x"
        lease = -1
        [users]
        file = "u.toml"
        [users.confd]
        url = "ftp://x"
        every = 1
        pge = 3
        [monitor]
        port = 99999
        host = 3
        [[nodes]]
        prt = 3
        kind = "asterix"
        port = 0
        [[nodes]]
        sip = "a b"
        """
        assert set(problems(tmp_path, text)) == {
            "has no field named ownr; did you mean owner?",
            "lease: is -1; 0 seconds or more",
            "accounts: is missing",
            "users.confd.url: is not an address that begins with http:// or https://",
            "users.confd.every: is 1; from 5 to 86400",
            "users.confd: has no field named pge; did you mean page?",
            "monitor.port: is 99999; from 0 to 65535",
            "monitor.host: is a whole number, not text",
            "nodes[0].kind: is 'asterix', not one of asterisk, memory",
            "nodes[0].port: is 0; from 1 to 65535",
            "nodes[0]: has no field named prt; did you mean port?",
            'nodes[0].sip: is missing; the other nodes need it, such as sip = "10.0.0.2:5060"',
            'nodes[1].secret: is missing; for example secret.file = "ami.secret"',
            "nodes[1].sip: is not a SIP address, such as 10.0.0.2:5060",
        }

    def test_secrets_that_are_not_there(self, tmp_path: Path) -> None:
        where = tmp_path / "mds1.secret"
        assert problems(tmp_path, WHOLE) == (
            "nodes[0].secret: the environment variable AMI_SECRET holds no secret",
            f"nodes[1].secret: {where} cannot be read: No such file or directory",
        )

    def test_what_is_wrong_with_a_database(self, tmp_path: Path) -> None:
        table = '[accounts.postgresql]\nurl = "{}"\npassword.env = "DB"\n'
        least = LEAST.replace('[accounts]\nfile = "a.sqlite"\n', table)
        (problem,) = problems(tmp_path, least.format("postgresql://ua@db.example/ua"))
        assert problem == "accounts.postgresql.password: the environment variable DB holds no secret"
        for url in ("postgresql://ua:geheim@db/ua", "postgresql://ua@db/ua?password=geheim", "sqlite:x"):
            (problem,) = problems(tmp_path, least.format(url))
            assert problem.startswith("accounts.postgresql.url: is not an address such as postgresql://")
            assert "geheim" not in problem

    def test_what_is_wrong_with_a_bus(self, tmp_path: Path) -> None:
        table = '[bus]\nurl = "{}"\npassword.env = "BUS"\n'
        (problem,) = problems(tmp_path, LEAST + table.format("amqp://ua@broker.example/"))
        assert problem == "bus.password: the environment variable BUS holds no secret"
        for url in ("amqp://ua:geheim@broker/", "amqp://ua@b/?password=geheim", "http://ua@broker/", "amqp:"):
            (problem,) = problems(tmp_path, LEAST + table.format(url))
            assert problem.startswith("bus.url: is not an address such as amqp://")
            assert "geheim" not in problem
        named = table.format("amqps://ua@broker.example:5671/vhost") + 'group = "a b"\n'
        assert problems(tmp_path, LEAST + named) == ("bus.group: is not a name of a group",)

    def test_an_assistant_whose_accounts_are_in_a_database(self, tmp_path: Path) -> None:
        for name in ("key", "p", "s"):
            (tmp_path / name).write_text("k" * 32, "utf-8")
        database = '[accounts.postgresql]\nurl = "postgresql://ua@db.example/ua"\n'
        least = LEAST.replace('[accounts]\nfile = "a.sqlite"\n', database)
        files = 'people.file = "p"\npasswords.file = "s"\nkey.file = "key"\n'
        assistant = f'[assistant]\nsip = "ws://localhost/ws"\n{files}'
        node = 'passwords.file = "mds1.conf"\n'
        assert problems(tmp_path, least + node + assistant + 'store.file = "kept"\n') == (
            f"nodes[0].passwords.file: {tmp_path / 'mds1.conf'} is not there",
        )
        for kept in ("", 'store.file = "kept"\n'):
            (tmp_path / "kept.toml").write_text(f"{least}{assistant}{kept}", "utf-8")
            assert read_config(tmp_path / "kept.toml").assistant is not None

    @pytest.mark.parametrize("name", ["u\\u0000sers.toml", "\\u0000"])
    def test_files_whose_names_are_none(self, tmp_path: Path, name: str) -> None:
        text = LEAST.replace("u.toml", name).replace("a.sqlite", name)
        text += f'passwords.file = "{name}"\nsecret.file = "{name}"\n'
        text += f'[assistant]\nsip = "ws://localhost/ws"\npeople.file = "{name}"\nkey.file = "{name}"\n'
        text += f'passwords.file = "{name}"\nstore.file = "{name}"\n'
        files = [f"assistant.{one}" for one in ("people", "key", "passwords", "store")]
        places = ["users", "accounts", "nodes[0].passwords", "nodes[0].secret", *files]
        assert set(problems(tmp_path, text)) == {
            f"{place}.file: is not the name of a file" for place in places
        }

    def test_users_from_two_places_or_none(self, tmp_path: Path) -> None:
        confd = '[users.confd]\nurl = "http://localhost/1.1"\n'
        one_of_them = "users.file: needs to be there, or else the table confd; one of them"
        assert problems(tmp_path, LEAST + confd) == (one_of_them,)
        assert problems(tmp_path, LEAST.replace('file = "u.toml"', "")) == (one_of_them,)

    def test_nodes_of_one_name_or_none(self, tmp_path: Path) -> None:
        twice = LEAST + '[[nodes]]\nkind = "memory"\n'
        assert problems(tmp_path, twice) == ("nodes: two are named default",)
        none = LEAST.replace('[[nodes]]\nkind = "memory"\n', "")
        assert problems(tmp_path, "nodes = []\n" + none) == (
            "nodes: are none; a table [[nodes]] for each PBX",
        )

    def test_several_asterisks_that_cannot_reach_each_other(self, tmp_path: Path) -> None:
        """XDS: no trunk is left out in silence."""
        nodes = [f'[[nodes]]\nname = "mds{number}"\nsecret.env = "AMI_SECRET"\n' for number in range(2)]
        least = LEAST.replace('"memory"\n', '"memory"\n' + nodes[0])
        assert len(read(tmp_path, least, AMI_SECRET="x").nodes) == 2
        assert problems(tmp_path, least + nodes[1], AMI_SECRET="x") == (
            'nodes[1].sip: is missing; the other nodes need it, such as sip = "10.0.0.2:5060"',
            'nodes[2].sip: is missing; the other nodes need it, such as sip = "10.0.0.2:5060"',
        )

    def test_a_group_without_a_database(self, tmp_path: Path) -> None:
        assert problems(tmp_path, LEAST + "[cluster]\n") == (
            "cluster: needs the table accounts.postgresql; in that database processes agree who serves",
        )

    def test_a_group_of_odd_names_and_times(self, tmp_path: Path) -> None:
        database = '[accounts.postgresql]\nurl = "postgresql://ua@db.example/ua"\n'
        least = LEAST.replace('[accounts]\nfile = "a.sqlite"\n', database)
        odd = '[cluster]\ngroup = "a b"\nname = ""\naddress = "one"\n[cluster.times]\nlook = 0.0\n'
        assert set(problems(tmp_path, least + odd)) == {
            "cluster.group: is not a name of letters, digits and _ . + -",
            "cluster.name: is not a name of letters, digits and _ . + -",
            "cluster.address: is not an address that begins with https://",
            "cluster.times.look: is 0; more than 0",
        }
        late = "[cluster.times]\nstop = 6.0\n"
        assert problems(tmp_path, least + late) == (
            "cluster.times.takeover: is 5; needs to be more than stop",
        )

    def test_nodes_of_other_groups(self, tmp_path: Path) -> None:
        """They are known for trunks and moves; this process needs no log-in there."""
        database = '[accounts.postgresql]\nurl = "postgresql://ua@db.example/ua"\n'
        least = LEAST.replace('[accounts]\nfile = "a.sqlite"\n', database) + '[cluster]\ngroup = "paris"\n'
        lyon = '[[nodes]]\nname = "mds1"\ngroup = "lyon"\n'
        config = read(tmp_path, least + lyon)
        assert [node.name for node in config.own_nodes] == ["default"]
        assert [node.name for node in config.other_nodes] == ["mds1"]
        named = least.replace('kind = "memory"', 'kind = "memory"\ngroup = "paris"')
        assert [node.name for node in read(tmp_path, named + lyon).own_nodes] == ["default"]
        assert problems(tmp_path, least + lyon.replace("lyon", "paris")) == (
            'nodes: the secret of mds1 is missing; for example secret.file = "ami.secret"',
        )

    def test_groups_that_cannot_be(self, tmp_path: Path) -> None:
        lyon = LEAST.replace('kind = "memory"', 'kind = "memory"\ngroup = "lyon"')
        assert problems(tmp_path, lyon) == (
            "nodes: none is of the group default",
            "nodes: default is of another group, which needs the table cluster",
        )

    def test_a_process_of_a_group_is_named_after_its_host(self, tmp_path: Path) -> None:
        database = '[accounts.postgresql]\nurl = "postgresql://ua@db.example/ua"\n'
        least = LEAST.replace('[accounts]\nfile = "a.sqlite"\n', database)
        cluster = read(tmp_path, least + "[cluster]\n").cluster
        assert cluster is not None
        assert (cluster.group, cluster.name) == ("default", socket.gethostname())

    def test_a_bus_and_a_group_of_two_names(self, tmp_path: Path) -> None:
        database = '[accounts.postgresql]\nurl = "postgresql://ua@db.example/ua"\n'
        least = LEAST.replace('[accounts]\nfile = "a.sqlite"\n', database) + '[cluster]\ngroup = "lyon"\n'
        bus = '[bus]\nurl = "amqp://ua@broker.example/"\npassword.env = "BUS"\n'
        assert read(tmp_path, least + bus, BUS="x").cluster is not None
        assert problems(tmp_path, least + bus + 'group = "paris"\n', BUS="x") == (
            "bus.group: is not that of the table cluster; leave it out, and that one counts",
        )

    def test_confd_for_a_node_that_is_not_there(self, tmp_path: Path) -> None:
        confd = '[users.confd]\nurl = "http://localhost/1.1"\nmedia_server = "mds9"\n'
        text = LEAST.replace('[users]\nfile = "u.toml"\n', confd)
        assert problems(tmp_path, text) == ("users.confd.media_server: is mds9, which is none of the nodes",)

    @pytest.mark.parametrize(("text", "problem"), [(b"[users", "is not TOML: "), (b"\xff", "is not UTF-8: ")])
    def test_what_is_no_toml(self, tmp_path: Path, text: bytes, problem: str) -> None:
        path = tmp_path / "bad.toml"
        path.write_bytes(text)
        with pytest.raises(InvalidConfig, match=rf"bad\.toml cannot be used:\n  {problem}"):
            read_config(path)

"""The clients of the fuzzers: they read frames however they are cut, and answer the server's pings."""

from __future__ import annotations

import asyncio

from fuzz.cti_server import Client, frame, frames_in, messages

HEAD = b"HTTP/1.1 101 Switching Protocols\r\n\r\n"


def sent(opcode: int, payload: bytes) -> bytes:
    """A frame as a server sends it, without a mask."""
    size = len(payload)
    length = bytes((size,)) if size < 126 else b"\x7e" + size.to_bytes(2, "big")
    return bytes((0x80 | opcode,)) + length + payload


class TestClient:
    """S5: a client that is there answers."""

    def test_it_answers_each_ping_once(self) -> None:
        said = HEAD + sent(0x1, b"{}") + sent(0x9, b"one") + sent(0x9, b"two")

        async def answers(cut: int) -> bytes:
            async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
                for piece in (said[:cut], said[cut:]):
                    writer.write(piece)
                    await asyncio.sleep(0)
                answered.set_result(await reader.readexactly(len(due)))
                writer.close()

            due, answered = (
                frame(b"one", 0xA) + frame(b"two", 0xA),
                asyncio.get_running_loop().create_future(),
            )
            async with asyncio.timeout(10), await asyncio.start_server(serve, "127.0.0.1", 0) as server:
                port = server.sockets[0].getsockname()[1]
                _, client = await asyncio.get_running_loop().create_connection(Client, "127.0.0.1", port)
                await client.until(lambda came: b"\r\n\r\n" in came)
                client.answer_pings()
                got: bytes = await answered
                client.abort()
            return got

        due = frame(b"one", 0xA) + frame(b"two", 0xA)
        assert all(asyncio.run(answers(cut)) == due for cut in (0, len(HEAD), len(said) - 7, len(said) - 2))


class TestFrames:
    """C1: frames are read whole."""

    def test_those_that_are_whole(self) -> None:
        said = HEAD + sent(0x1, b'{"a": 1}') + sent(0x1, b"x" * 300) + sent(0x8, b"\x03\xe8")
        assert [(opcode, len(payload)) for opcode, payload, _ in frames_in(said)] == [
            (1, 8),
            (1, 300),
            (8, 2),
        ]
        assert messages(said) == [{"a": 1}]
        assert [opcode for opcode, _, _ in frames_in(said[:-1])] == [1, 1]

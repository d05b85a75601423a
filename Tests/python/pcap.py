"""Captures of TCP conversations: written from bytes, or recorded by a relay between a client
and a server, which needs no privileges.

    pcap.py relay SERVER_PORT FILE       prints its own port, then relays until it is killed
"""

import asyncio
import struct
import sys
import time

#: Magic of nanosecond captures, version, zone, accuracy, longest packet, link type Ethernet.
FILE_HEADER = struct.pack("<IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, 65_535, 1)


class Conversation:
    """One TCP connection of a capture: adds Ethernet, IPv4 and TCP headers to the payload."""

    def __init__(self, file, client_port: int, server_port: int) -> None:
        self._file, self._ports = file, (client_port, server_port)
        self._sequence = [1, 1]
        for flags, sender in ((0x02, 0), (0x12, 1), (0x10, 0)):
            self._packet(sender, flags, b"")
            if flags & 0x02:
                self._sequence[sender] += 1

    def say(self, sender: int, data: bytes) -> None:
        """Adds a packet; sender 0 is the client, 1 the server."""
        for start in range(0, len(data), 1_400):
            part = data[start:start + 1_400]
            self._packet(sender, 0x18, part)
            self._sequence[sender] += len(part)

    def _packet(self, sender: int, flags: int, data: bytes) -> None:
        tcp = struct.pack(">HHIIBBHHH", self._ports[sender], self._ports[1 - sender],
                          self._sequence[sender], self._sequence[1 - sender] if flags != 2 else 0,
                          5 << 4, flags, 65_535, 0, 0) + data
        hosts = (b"\x0a\0\0\1", b"\x0a\0\0\2")
        ip = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(tcp), 0, 0, 64, 6, 0, hosts[sender],
                         hosts[1 - sender]) + tcp
        frame = b"\2\0\0\0\0\1\2\0\0\0\0\2\x08\0" + ip
        seconds, rest = divmod(time.time_ns(), 10**9)
        self._file.write(struct.pack("<IIII", seconds, rest, len(frame), len(frame)) + frame)
        self._file.flush()


async def relay(server_port: int, path: str) -> None:
    """Relays connections to a server on this machine and captures them."""
    file = open(path, "wb")
    file.write(FILE_HEADER)
    file.flush()

    async def serve(reader, writer):
        server_reader, server_writer = await asyncio.open_connection("127.0.0.1", server_port)
        conversation = Conversation(file, writer.get_extra_info("peername")[1], server_port)

        async def pump(source, target, sender):
            try:
                while data := await source.read(65_536):
                    conversation.say(sender, data)
                    target.write(data)
                    await target.drain()
            except ConnectionError:
                pass
            target.close()

        await asyncio.gather(pump(reader, server_writer, 0), pump(server_reader, writer, 1))

    listener = await asyncio.start_server(serve, "127.0.0.1", 0)
    print(listener.sockets[0].getsockname()[1], flush=True)
    await listener.serve_forever()


if __name__ == "__main__":
    asyncio.run(relay(int(sys.argv[2]), sys.argv[3]))

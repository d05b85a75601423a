"""Power cuts at any call that changes the disk. A library that is loaded before the C library (powercut.c) logs
what the server does to its files and kills it. From the log, the folder is rebuilt as a disk would have kept it:
everything that was synced, and a random part of the rest: nothing, everything, or some sectors, with creations,
renames and removals undone from some time on. The server then starts from that folder, trades, and loses power
again. At the end everything acknowledged must be there.

As a check of the test, the same is done with a disk that ignores syncs: the loss must be detected."""

import asyncio
import pathlib
import random
import shutil
import struct

from library import environment, rows_with
from market import LOST, Server, await_exit
from pruning import settle_something

ENTRY = struct.Struct("<IIQQQ")
SECTOR = 512
CUTS_OF_FOLDER = 10


def run(market, quick):
    return rows_with(market, "powercut", "power cut", lambda library: rows(market, library, quick))


def rows(market, library, quick):
    chance = random.Random(17)
    cuts = 5 if quick else 300
    done, total, problem = 0, Tally(), None
    while done < cuts and not problem:
        count = min(CUTS_OF_FOLDER, cuts - done)
        made, problem = folder(market, library, count, chance, total)
        done += made
    yield "power cut at any change of the disk", done, str(total), problem
    lies, noticed = 1 if quick else 10, 0
    for _ in range(lies):
        _, problem = folder(market, library, 1, chance, Tally(), lies=True)
        noticed += problem is not None
    yield ("power cut, disk that ignores syncs", lies, f"detected {noticed} times",
           None if noticed == lies else f"detected only {noticed} times")


class Tally:
    """Counts for the table."""

    def __init__(self):
        self.acknowledged = self.lost = self.unsynced = self.names = 0

    def __str__(self):
        return (f"{self.acknowledged} acknowledgements, all kept; of {self.unsynced} unsynced sectors "
                f"{self.lost} lost, {self.names} names undone")


def folder(market, library, count, chance, tally, lies=False):
    """Cuts the power `count` times on one folder. Returns the number of cuts, and the problem or None."""
    data, acknowledged = market.copy("power"), set()
    number = 0
    # A start makes about 20 entries and an order about 3, so the first cuts of a folder affect its start.
    while number < count:
        number += 1
        disk = Disk(data)
        log = data.parent / "power.entries"
        log.unlink(missing_ok=True)
        at = 10**6 if lies else chance.randrange(1, chance.choice([40, 200, 500]))
        server = Server(market.program, data, prefix=environment(
            library, POWER_FOLDER=data.resolve(), POWER_LOG=log, POWER_AT=at,
            POWER_LIES=1 if lies else 0))
        if server.port is not None:
            asyncio.run(trade(market, server, data, acknowledged, tally))
        status = await_exit(server.process, 0.2 if lies else 20)
        if status is None:
            server.kill()
        else:
            server.errors.close()
        if status not in (None, -9):
            return number, f"cut {number}: it ended with status {status}"
        if not log.exists():
            return number, "the log is empty"
        disk.follow(log.read_bytes())
        disk.cut(chance, tally, nothing=lies)
    return number, market.verify(data, acknowledged)


async def trade(market, server, data, acknowledged, tally):
    """Causes settlement and enters orders until the power is cut or the time is over."""
    try:
        await settle_something(server, data)
    except LOST:
        return
    orders, _ = await market.trade(server, 150)
    acknowledged |= orders
    tally.acknowledged += len(orders)


class File:
    """A file: the bytes on the medium, and the later changes in order: (offset, bytes) or (length, None)."""

    def __init__(self, content=b""):
        self.durable = bytearray(content)
        self.pending = []

    def apply(self, place, content):
        if content is None:
            del self.durable[place:]
            self.durable.extend(bytes(place - len(self.durable)))
            return
        self.durable.extend(bytes(max(0, place + len(content) - len(self.durable))))
        self.durable[place:place + len(content)] = content


class Disk:
    """The files of a folder with their durable state."""

    def __init__(self, root):
        self.root = pathlib.Path(root).resolve()
        self.names, self.inodes = {}, {}
        for path in self.root.rglob("*"):
            if path.is_file():
                file = File(path.read_bytes())
                self.names[str(path)] = file
                self.inodes[path.stat().st_ino] = file
        self.durable_names = dict(self.names)
        self.pending_names = []
        self.syncs = {}

    def follow(self, log):
        """Applies the log. Its last entry may be incomplete."""
        place = 0
        while place + ENTRY.size <= len(log):
            what, length, inode, where, count = ENTRY.unpack_from(log, place)
            place += ENTRY.size
            path = log[place:place + length].decode()
            place += length
            what = chr(what)
            size = count if what in "WR" else 0
            content = log[place:place + size]
            place += size
            if place > len(log):
                return
            self.entry(what, path, inode, where, count, content)

    def entry(self, what, path, inode, where, count, content):
        if what == "O":
            if count & 1 or path not in self.names:
                self.inodes[inode] = File()
                self.rename(path, self.inodes[inode])
            if count & 2:
                self.inodes[inode].pending.append((0, None))
        elif what == "W":
            self.inodes[inode].pending.append((where, content))
        elif what == "T":
            self.inodes[inode].pending.append((where, None))
        elif what == "R":
            self.rename(content.decode(), self.names[path], path)
        elif what == "U":
            self.rename(None, None, path)
        elif what == "S":
            known = self.inodes.get(inode)
            self.syncs[where] = (known, list(known.pending) if known else list(self.pending_names))
        elif what == "E":
            self.synced(path, *self.syncs.pop(where))

    def rename(self, name, file, old=None):
        change = (old, name, file)
        self.pending_names.append(change)
        self.renamed(self.names, change)

    @staticmethod
    def renamed(names, change):
        old, name, file = change
        if old:
            names.pop(old, None)
        if name:
            names[name] = file

    def synced(self, path, file, covered):
        """Moves the changes before the begin of a sync to the medium."""
        if file is not None:
            for change in covered:
                if any(change is one for one in file.pending):
                    file.pending = [one for one in file.pending if one is not change]
                    file.apply(*change)
            return
        for change in covered:
            if str(pathlib.Path(change[1] or change[0]).parent) == path and any(
                    change is one for one in self.pending_names):
                self.pending_names = [one for one in self.pending_names if one is not change]
                self.renamed(self.durable_names, change)

    def cut(self, chance, tally, nothing=False):
        """Rebuilds the folder from the medium; with `nothing`, without anything that was not synced."""
        kept = chance.choice([0, len(self.pending_names), chance.randint(0, len(self.pending_names))])
        if nothing:
            kept = 0
        tally.names += len(self.pending_names) - kept
        for change in self.pending_names[:kept]:
            self.renamed(self.durable_names, change)
        for file in {id(file): file for file in self.durable_names.values()}.values():
            share = 0 if nothing else chance.choice([0, 0.1, 0.5, 0.9, 1])
            for change in file.pending:
                for place, content in sectors(*change):
                    tally.unsynced += 1
                    if chance.random() < share:
                        file.apply(place, content)
                    else:
                        tally.lost += 1
        folders = [path for path in self.root.rglob("*") if path.is_dir()]
        # A file has its mode from the call that makes it.
        modes = {str(path): path.stat().st_mode & 0o777 for path in self.root.rglob("*") if path.is_file()}
        shutil.rmtree(self.root)
        for path in [self.root, *sorted(folders)]:
            path.mkdir()
        for name, file in self.durable_names.items():
            pathlib.Path(name).write_bytes(file.durable)
            pathlib.Path(name).chmod(modes.get(name, 0o600))


def sectors(place, content):
    """The parts (sectors) of a write that a disk keeps or loses independently."""
    if content is None:
        yield place, None
        return
    start = 0
    while start < len(content):
        end = min(len(content), start + SECTOR - (place + start) % SECTOR)
        yield place + start, content[start:end]
        start = end

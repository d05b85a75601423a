"""What the walks share: a folder, the program as a person types it, a server, and checks that are counted."""

import csv
import io
import os
import pathlib
import signal
import subprocess
import sys
from dataclasses import dataclass

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "clients" / "python"))
from joulebook import Client, read_key_file  # noqa: E402

# Longest wait for a command or for the end of a server, in seconds.
PATIENCE = 60


@dataclass(frozen=True)
class Said:
    """How a command ended."""

    status: int
    out: str
    errors: str

    @property
    def both(self):
        return self.out + self.errors

    @property
    def table(self):
        """The rows of CSV output."""
        return list(csv.DictReader(io.StringIO(self.out)))


class Walk:
    """The state of one walk: its folder, its server if one runs, and the count of its checks."""

    def __init__(self, program, folder):
        self.program, self.folder = os.path.abspath(program), pathlib.Path(folder)
        self.data = self.folder / "data"
        self.passed = self.failed = 0
        self.server = self.port = None
        self.starts = 0

    # MARK: Checks

    def check(self, what, expected, found):
        """Counts a step, and prints its line. It passed when `found` is `expected`, which the walk has computed."""
        good = found == expected
        self.passed, self.failed = self.passed + good, self.failed + (not good)
        print(f"  {'ok  ' if good else 'FAIL'} {what}", flush=True)
        if not good:
            print(f"       expected {clipped(expected)}\n       found    {clipped(found)}", flush=True)
        return good

    def says(self, what, result, status, *words):
        """A step that passed when the command ended with `status` and all of `words` are in what it said."""
        missing = [word for word in words if word not in result.both]
        return self.check(what, (status, []), (result.status, missing)) or print(
            "       said     " + clipped(result.both, 1_500), flush=True)

    # MARK: The program

    def run(self, *words, text=None):
        """The program with these arguments."""
        result = subprocess.run([self.program, *map(str, words)], input=text, capture_output=True, text=True,
                                timeout=PATIENCE, cwd=self.folder)
        return Said(result.returncode, result.stdout, result.stderr)

    def typed(self, line, *more):
        """The program with the words of `line`, on the walk's data folder."""
        return self.run(*line.split(), *more, "--data", self.data)

    def admin(self, line, *more):
        """`joulebook admin` with the words of `line`, on the walk's server."""
        return self.typed("admin " + line, *more, "--connect", f"127.0.0.1:{self.port}")

    # MARK: The server

    @property
    def log(self):
        """What the present or last server has logged."""
        return (self.folder / f"server-{self.starts}.log").read_text()

    def read(self, name):
        """The text of a file of the walk."""
        return (self.folder / name).read_text()

    def start(self, *options, environment=None):
        """Starts a server on a free port. Returns None, or the exit status of one that does not start."""
        self.starts += 1
        log = open(self.folder / f"server-{self.starts}.log", "wb")
        self.server = subprocess.Popen(
            [self.program, "serve", "--data", str(self.data), "--listen", "127.0.0.1:0", *map(str, options)],
            stdout=subprocess.PIPE, stderr=log, cwd=self.folder, env={**os.environ, **(environment or {})})
        log.close()
        for line in self.server.stdout:
            if line.startswith(b"listening on "):
                self.port = int(line.rsplit(b":", 1)[1])
                return None
        status, self.server = self.server.wait(PATIENCE), None
        return status

    async def connect(self, session, key):
        """A session whose orders outlive its connection, which outlives the commands that are typed meanwhile."""
        return await Client.connect("127.0.0.1", self.port, session, read_key_file(key), cancel_after_ms=None,
                                    keep_alive_ms=60_000)

    def stop(self):
        """Stops the server with SIGTERM. Returns its exit status."""
        server, self.server = self.server, None
        server.send_signal(signal.SIGTERM)
        try:
            return server.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            server.kill()
            return "none: it does not stop"

    def end(self):
        """Ends what is left of the walk."""
        if self.server:
            self.server.kill()
            self.server.wait()


def clipped(value, most=2_000):
    """A value as text of bounded length."""
    text = value if isinstance(value, str) else repr(value)
    return text if len(text) <= most else f"{text[:most]} ... ({len(text)} characters)"

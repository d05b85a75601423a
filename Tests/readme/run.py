"""Runs the commands of the pages as a reader would paste them: in an empty folder, with joulebook on the PATH.

    run.py PROGRAM [--port PORT]

Every block of shell commands that starts a server is taken from its page and run by bash, which ends at the first
command that fails. The block must end with 0, print what is expected, and leave no process behind. The pages use the
default port 9100. Where that is taken (or with --port), a small script named joulebook adds another port to the
commands; the text is otherwise the page's.
"""

import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
DEFAULT_PORT = 9100

# Page; what its folder has (folders under their path, files by their name); what the commands print.
PAGES = [
    ("README.md", ["Examples/village.yaml"], ["ledger      equals the engine", "everything that village.yaml defines", "instrument 1 SPOT  open", "report: market.html"]),
    ("docs/IMPORT.md", [], ["gaps         1 in 1 meter, 1 interval", "This was a dry run: nothing was sent. --apply sends 3 readings.", "booked       3\n", "booked       0\nunchanged    3: the exchange has them, or later versions of them (7003)\nNothing has changed.\n"]),
    ("docs/TARIFFS.md", [], ["2026-10-23 22:00 +02:00  2026-10-23T20:00:00Z  low      0.08    0.22     0.06\n2026-10-26 06:00 +01:00  2026-10-26T05:00:00Z  high     0.08    0.32     0.10\n", "\n0 changes announced, ", "prices are announced up to 2"]),
    ("clients/python/README.md", ["clients/python"], ["charged ", "traded "]),
]

SHIM = """#!/bin/sh
case "$1 $2" in
serve*) exec {program} "$@" --listen 127.0.0.1:{port} ;;
"admin keygen") exec {program} "$@" ;;
admin* | load* | explain* | import* | tariff* | top*) exec {program} "$@" --connect 127.0.0.1:{port} ;;
*) exec {program} "$@" ;;
esac
"""


def blocks(page):
    """The page's blocks of shell commands that start a server."""
    text = (ROOT / page).read_text()
    return [block for block in re.findall(r"^```sh\n(.*?)^```", text, re.M | re.S) if "joulebook serve" in block]


def is_free(port):
    """Whether a server could listen there."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def any_port():
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def processes(session):
    """Processes of a session that have not ended: number and command."""
    found = []
    for folder in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            head, _, rest = (folder / "stat").read_text().rpartition(")")
        except OSError:
            continue
        state, _, _, group = rest.split()[:4]
        if int(group) == session and state != "Z":
            found.append((int(folder.name), head.partition("(")[2]))
    return found


def run(block, contents, program, port):
    """Runs a block in a new folder. Returns its status, what it printed, and what it left running."""
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        (path := folder / "path").mkdir()
        (work := folder / "empty").mkdir()
        if port == DEFAULT_PORT:
            (path / "joulebook").symlink_to(program)
        else:
            (path / "joulebook").write_text(SHIM.format(program=program, port=port))
            (path / "joulebook").chmod(0o755)
            block = re.sub(rf"\b{DEFAULT_PORT}\b", str(port), block)
        for name in contents:
            if (ROOT / name).is_file():
                shutil.copy(ROOT / name, work)
                continue
            shutil.copytree(ROOT / name, work / name, ignore=shutil.ignore_patterns("__pycache__", "build", "*.egg-info"))
        environment = dict(os.environ, PATH=f"{path}:{os.environ['PATH']}")
        with open(folder / "output", "w+") as output:
            shell = subprocess.Popen(
                ["bash", "-e", "-o", "pipefail", "-c", block], cwd=work, env=environment, stdin=subprocess.DEVNULL,
                stdout=output, stderr=subprocess.STDOUT, start_new_session=True)
            try:
                status = shell.wait(timeout=300)
            except subprocess.TimeoutExpired:
                status = "no end within 300 s"
            left = processes(shell.pid)
            for number, _ in left:
                os.kill(number, signal.SIGKILL)
            while processes(shell.pid):
                time.sleep(0.05)
            output.seek(0)
            return status, output.read(), left


def main():
    program = pathlib.Path(sys.argv[1]).resolve()
    forced = int(sys.argv[3]) if sys.argv[2:3] == ["--port"] else 0
    faults = 0
    for page, contents, expected in PAGES:
        found = blocks(page)
        if not found:
            faults += 1
            print(f"{page}: no block of commands starts a server")
        for block in found:
            port = forced or (DEFAULT_PORT if is_free(DEFAULT_PORT) else any_port())
            status, output, left = run(block, contents, program, port)
            if status != 0 and port == DEFAULT_PORT and "address already in use" in output:
                # Somebody else took the port since it was looked at.
                port = any_port()
                status, output, left = run(block, contents, program, port)
            missing = [words for words in expected if words not in output]
            if status != 0 or left or missing:
                faults += 1
                print(output)
                print(f"{page}: status {status}, left running {left}, not printed {missing}")
            else:
                print(f"{page}: as pasted, port {port}: done")
    sys.exit(1 if faults else 0)


main()

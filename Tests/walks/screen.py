"""A program in a pseudo-terminal, and what its screen shows."""

import fcntl
import os
import pty
import re
import signal
import struct
import subprocess
import termios
import time
import select

PATIENCE = 60


class Screen:
    """Understands what `joulebook top` writes: the cursor home, line ends, erasing, and attributes."""

    def __init__(self, words, folder, columns, rows):
        self.master, self.slave = pty.openpty()
        self.size(columns, rows)
        self.before = termios.tcgetattr(self.slave)
        self.process = subprocess.Popen(words, stdin=self.slave, stdout=self.slave, stderr=subprocess.PIPE, cwd=folder,
                                        start_new_session=True)
        self.text = ""

    def size(self, columns, rows):
        fcntl.ioctl(self.slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def resize(self, columns, rows):
        """Changes the size. What was drawn for the old one is forgotten."""
        self.size(columns, rows)
        time.sleep(0.5)
        self.read()
        self.text = ""
        self.process.send_signal(signal.SIGWINCH)

    def read(self):
        while select.select([self.master], [], [], 0.1)[0]:
            self.text += os.read(self.master, 65_536).decode()

    def page(self):
        """The lines of the last page that was drawn completely."""
        pages = self.text.split("\x1b[H")[1:]
        whole = [page for page in pages if page.endswith("\x1b[J") or "\x1b[J" in page]
        text = whole[-1].split("\x1b[J")[0] if whole else ""
        return [re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", line).rstrip("\r") for line in text.split("\n")]

    def waits(self, condition):
        """Whether a page fulfils the condition, which it may do later."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end and self.process.poll() is None:
            self.read()
            if condition(self.page()):
                return True
        return False

    def shows(self, *words):
        """Whether all words come on one page."""
        return self.waits(lambda page: all(word in "\n".join(page) for word in words))

    def type(self, keys):
        """Types, and waits for the end: the exit status, and whether the terminal is as before."""
        os.write(self.master, keys.encode())
        return self.end()

    def terminate(self):
        self.process.send_signal(signal.SIGTERM)
        return self.end()

    def end(self):
        end = time.monotonic() + PATIENCE
        while self.process.poll() is None and time.monotonic() < end:
            self.read()
        self.read()
        status = self.process.poll()
        if status is None:
            self.process.kill()
        is_restored = (termios.tcgetattr(self.slave) == self.before and self.text.endswith("\x1b[?25h\x1b[?1049l"))
        os.close(self.master)
        os.close(self.slave)
        return status, is_restored

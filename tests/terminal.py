# SPDX-License-Identifier: MIT
"""Drives `./aril run` through a pseudo-terminal, as a person at the keyboard would."""
import fcntl
import os
import pty
import re
import select
import signal
import struct
import sys
import termios
import time


class Session:
    """One ./aril run on a terminal of 40 rows, 120 columns."""

    def __init__(self, *arguments):
        self.seen = b""
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.environ["TERM"] = "xterm"
            os.execvp("./aril", ["./aril", "run", "--timeout", "180", *arguments])
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))

    def read(self, seconds):
        """More output, or b'' when none comes in time or at the end."""
        if not select.select([self.fd], [], [], seconds)[0]:
            return b""
        try:
            return os.read(self.fd, 65536)
        except OSError:
            return b""

    def expect(self, pattern, seconds=60):
        """Waits for a pattern in what has come since the last match."""
        limit = time.time() + seconds
        while True:
            match = re.search(pattern, self.seen, re.S)
            if match:
                self.seen = self.seen[match.end():]
                return match
            more = self.read(max(0.0, limit - time.time()))
            if not more:
                print(f"failed: no {pattern!r} in {self.seen[-600:]!r}")
                os.kill(self.pid, signal.SIGTERM)
                sys.exit(1)
            self.seen += more

    def send(self, text):
        os.write(self.fd, text)

    def end(self):
        """Reads to the end; the exit status."""
        while self.read(30):
            pass
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


def check(what, got, expected):
    if got != expected:
        print(f"failed: {what}: {got!r}, expected {expected!r}")
        sys.exit(1)


def shell():
    s = Session()
    s.expect(rb"[#$] ")
    s.send(b"echo $((6 * 7)) x\x7fy\r")  # rubout takes the x away
    s.expect(rb"42 y\r\n")
    s.expect(rb"[#$] ")
    s.send(b"stty size; tty\r")
    s.expect(rb"40 120\r\n")
    s.expect(rb"/dev/\w+")
    s.expect(rb"[#$] ")
    s.send(b"echo at $((1 + 1)); sleep 100\r")  # what is typed is echoed: the sum only comes when it runs
    s.expect(rb"at 2\r\n")
    s.send(b"\x03")  # Ctrl-C ends the sleep, not the shell
    s.expect(rb"[#$] ")
    s.send(b"echo status $?\r")
    s.expect(rb"status 130\r\n")
    s.expect(rb"[#$] ")
    s.send(b"echo at $((1 + 2)); while :; do :; done\r")  # a loop that makes no system call
    s.expect(rb"at 3\r\n")
    s.send(b"\x03")
    s.expect(rb"[#$] ")
    s.send(b"echo at $((1 + 3)); cat\r")
    s.expect(rb"at 4\r\n")
    s.send(b"line\r")
    s.expect(rb"line\r\nline\r\n")  # echo, and cat's own
    s.send(b"\x04")  # end of input for cat
    s.expect(rb"[#$] ")
    s.send(b"echo wrong\x01\x0becho right\r")  # Ctrl-A Ctrl-K in the shell's own editor
    s.expect(rb"\nright\r\n")
    s.expect(rb"[#$] ")
    s.send(b"vi /tmp/f\r")
    s.expect(rb"- /tmp/f")  # its line of state: commands
    s.send(b"i")
    s.expect(rb"I /tmp/f")
    s.send(b"hello from vi")
    s.expect(rb"hello from vi")
    s.send(b"\x1b")  # what follows at once would be taken for the rest of a key's sequence
    s.expect(rb"- /tmp/f")
    s.send(b":wq\r")
    s.expect(rb"[#$] ")
    s.send(b"cat /tmp/f | tr a-z A-Z\r")
    s.expect(rb"HELLO FROM VI\r\n")
    s.expect(rb"[#$] ")
    s.send(b"(exit 5)\r")
    s.expect(rb"[#$] ")
    s.send(b"\x04")  # Ctrl-D on an empty line leaves the shell with the last status
    check("status of the shell", s.end(), 5)


def one_program():
    s = Session("--", "busybox", "cat")
    s.send(b"typed\r")
    s.expect(rb"typed\r\ntyped\r\n")
    s.send(b"\x03")
    check("status after Ctrl-C", s.end(), 130)


def window():
    s = Session("--", "busybox", "sh", "-c", "trap 'stty size' WINCH; echo ready; while :; do sleep 0.1; done")
    s.expect(rb"ready")
    fcntl.ioctl(s.fd, termios.TIOCSWINSZ, struct.pack("HHHH", 33, 77, 0, 0))
    s.expect(rb"33 77")
    s.send(b"\x03")
    s.end()


if __name__ == "__main__":
    shell()
    one_program()
    window()

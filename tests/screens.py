#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Debian's nano and top on a terminal, and `script`, which makes a terminal of its own inside."""
import time

from terminal import Session, check

PROMPT = rb"bash-5\.\d[#$] "


def main():
    s = Session("--timeout", "200", "--deb", "bash,coreutils,nano,procps,grep,ncurses-base,bsdutils", "--env", "LANG=C.UTF-8",
                "--env", "TERM=xterm", "--", "bash", "--norc", "-i")
    s.expect(PROMPT, 200)
    s.send(b"nano /tmp/text\r")
    s.expect(rb"GNU nano")
    s.expect(rb"\^X.*Exit")
    time.sleep(0.3)
    for line in (b"first line", b"second lineX\x7f", b"third"):
        s.send(line + b"\r")
        time.sleep(0.1)
    s.send(b"\x10\x10\x01up \x05 end")  # up twice, to its beginning, to its end
    time.sleep(0.2)
    s.send(b"\x17third\r")  # searches
    time.sleep(0.2)
    s.send(b"\x0b")  # cuts the line
    time.sleep(0.2)
    s.send(b"\x0f\r")  # writes out, under the same name
    s.expect(rb"Wrote 3 lines")
    s.send(b"\x18")
    s.expect(PROMPT)
    s.send(b"cat -A /tmp/text; wc -l </tmp/text\r")
    s.expect(rb"first line\$\r\nup second line end\$\r\n\$?")
    s.expect(PROMPT)
    # redrawn for another size; left without saving
    s.send(b"nano /tmp/text\r")
    s.expect(rb"\^X.*Exit")
    s.send(b"changed")
    time.sleep(0.2)
    s.send(b"\x18")
    s.expect(rb"Save modified buffer")
    s.send(b"n")
    s.expect(PROMPT)
    s.send(b"grep -c changed /tmp/text; echo st$((1 + 1))\r")
    s.expect(rb"0\r\nst2\r\n")
    s.expect(PROMPT)
    s.send(b"top -d 1\r")
    s.expect(rb"Tasks:.*total")
    s.expect(rb"bash")
    s.expect(rb"top - ")  # a second time
    s.send(b"q")
    s.expect(PROMPT)
    # a terminal inside: /dev/ptmx
    s.send(b"script -q -c 'tty; stty size; echo in''side; exit 3' /tmp/record; echo status $?\r")
    s.expect(rb"/dev/pts/0\r\n40 120\r\ninside\r\n")
    s.expect(rb"status [03]\r\n")
    s.expect(PROMPT)
    s.send(b"grep -c inside /tmp/record; script -q /tmp/record2\r")
    s.expect(rb"[12]\r\n")
    s.expect(rb"[#$] ")
    s.send(b"echo a$((40 + 2)); sleep 100\r")
    s.expect(rb"a42\r\n")
    time.sleep(0.5)
    s.send(b"\x03")  # Ctrl-C goes through both terminals
    s.expect(rb"[#$] ")
    s.send(b"exit\r")
    s.expect(PROMPT)
    s.send(b"exit 4\r")
    check("status of the shell", s.end(), 4)


main()

#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Debian's bash, dash and vim on a terminal: job control, line editing, a full-screen editor."""
import sys
import time

from terminal import Session, check

PROMPT = rb"bash-5\.\d[#$] "


def bash():
    s = Session("--timeout", "200", "--deb", "bash,coreutils,vim-tiny,grep", "--env", "LANG=C.UTF-8", "--", "bash", "--norc", "-i")
    s.expect(PROMPT, 200)
    s.send(b"echo at $((1 + 1)); cat\r")
    s.expect(rb"at 2\r\n")
    s.send(b"here\r")
    s.expect(rb"here\r\nhere\r\n")  # its own: bash would not mind a Ctrl-Z that comes before it has made the job
    s.send(b"\x1a")  # Ctrl-Z stops the foreground job
    s.expect(rb"\[1\]\+ +Stopped +cat\r\n")
    s.expect(PROMPT)
    s.send(b"sleep 1000 &\r")
    s.expect(rb"\[2\] (\d+)\r\n")
    s.expect(PROMPT)
    s.send(b"jobs\r")
    s.expect(rb"\[1\]\+ +Stopped +cat\r\n\[2\]- +Running +sleep 1000 &\r\n")
    s.expect(PROMPT)
    s.send(b"fg %1\r")
    s.expect(rb"cat\r\n")
    s.send(b"again\r")
    s.expect(rb"again\r\nagain\r\n")
    s.send(b"\x04")
    s.expect(PROMPT)
    s.send(b"kill %2; wait %2; echo status $?\r")
    s.expect(rb"status 143\r\n")
    s.expect(PROMPT)
    s.send(b"(echo u''p; exec sleep 2000)\r")
    s.expect(rb"up\r\n")
    s.send(b"\x1a")
    s.expect(rb"Stopped +.*sleep 2000 \)\r\n")
    s.expect(PROMPT)
    s.send(b"bg; jobs -r | wc -l\r")
    s.expect(rb"sleep 2000 \) &\r\n")
    s.expect(rb"1\r\n")
    s.expect(PROMPT)
    # a background job that reads the terminal is stopped: bash says so before this prompt, or when it is asked
    s.send(b"cat &\r")
    s.send(b"until jobs -s | grep -q c''at; do sleep 0.05; done; jobs -s; echo as''ked\r")
    s.expect(rb"Stopped +cat\r\n")
    s.expect(rb"asked\r\n")
    s.expect(PROMPT)
    s.send(b"kill %1 %cat; fg %cat\r")
    s.expect(PROMPT)
    s.send(b"yes | head -n 3 | tail -n 1 | tr y z; echo ${PIPESTATUS[@]}\r")
    s.expect(rb"z\r\n141 0 0 0\r\n")
    s.expect(PROMPT)
    s.send(b"(echo u''p; sleep 100; echo never) | cat\r")
    s.expect(rb"up\r\n")
    s.send(b"\x03")  # the whole pipeline is one job
    s.expect(PROMPT)
    s.send(b"echo status $?\r")
    s.expect(rb"status 130\r\n")
    s.expect(PROMPT)
    s.send(b"while :; do sleep 0.05; done\r")
    time.sleep(0.5)
    s.send(b"\x03")  # who waits for a job that Ctrl-C ended stops, too
    s.expect(PROMPT)
    s.send(b"trap 'echo got $((1 + 1)) int' INT; kill -INT $$\r")
    s.expect(rb"got 2 int\r\n")
    s.expect(PROMPT)
    s.send(b"trap - INT; ech\x01# \x05 x\r")  # Ctrl-A, Ctrl-E
    s.expect(PROMPT)
    s.send(b"history | grep -c sleep\r")
    s.expect(rb"\d+\r\n")
    s.expect(PROMPT)
    s.send(b"vim.tiny -u NONE /tmp/f\r")
    s.expect(rb"\x1b\[")
    time.sleep(1)
    s.send(b"ihello from vim\x1b")
    time.sleep(0.3)
    s.send(b"yyp:%s/hello/bye/\r:wq\r")
    s.expect(PROMPT)
    s.send(b"sort /tmp/f | tr a-z A-Z; dash -ic 'echo $((6 * 7))'\r")
    s.expect(rb"BYE FROM VIM\r\nBYE FROM VIM\r\n42\r\n")
    s.expect(PROMPT)
    s.send(b"exit 6\r")
    check("status of bash", s.end(), 6)


bash()
sys.exit(0)

# SPDX-License-Identifier: MIT
# timeout: 240
# The interactive shell on a terminal: line editing, Ctrl-C, Ctrl-D, vi.
. tests/lib.sh
exec python3 tests/terminal.py

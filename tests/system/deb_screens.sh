# SPDX-License-Identifier: MIT
# full
# timeout: 300
# Debian's nano and top on a terminal, and terminals inside (script: /dev/ptmx).
. tests/lib.sh
exec python3 tests/screens.py

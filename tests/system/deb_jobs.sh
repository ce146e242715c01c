# SPDX-License-Identifier: MIT
# timeout: 300
# Debian's bash on a terminal: Ctrl-Z, fg, bg, jobs, pipelines as jobs, traps; vim-tiny; dash.
. tests/lib.sh
exec python3 tests/jobs.py

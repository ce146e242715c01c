# SPDX-License-Identifier: MIT
# timeout: 120
# The debugger: halted at the first instruction, kernel and ExOS symbols, printers for the kernel's objects.
. tests/lib.sh
status "gdb session" 0 ./aril gdb --batch 'hbreak call_env_create' 'continue' 'info symbol $pc' 'aril-envs' 'aril-frame 1' \
	'info address exos_trap' 'print/x ((struct aril_cap *)0)->mac' 'backtrace 3'
has "$work/out" 'call_env_create'
has "$work/out" 'exos_trap'
has "$work/out" 'alive|ALIVE'
status "before the kernel's first instruction" 0 ./aril gdb --batch aril-envs
has "$work/err" '^the kernel has not built its books yet'

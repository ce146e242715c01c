# SPDX-License-Identifier: MIT
# timeout: 120
# ./aril gdb --program: stops in an unmodified program's main, static and dynamic, with its symbols and its libraries'.
. tests/lib.sh
core_programs

seen() {
	has "$work/out" '^#0  main \(argc=2'
	has "$work/out" '^Breakpoint 1, deep \(level=2, at=0x[0-9a-f]+\)'
	has "$work/out" '^#1  0x[0-9a-f]+ in main \(argc=2'
	has "$work/out" '= \{x = 3, y = 4\}'
	has "$work/out" 'text = "seen from outside"'
	has "$work/out" '^Value returned is .* = 7$'
	has "$work/out" '^word: 7 115 1$'
}
commands=('backtrace' 'break deep' 'continue' 'backtrace' 'print *at' 'delete' 'up' 'info locals' 'down' 'finish')
status 'static' 0 ./aril gdb --program --batch "${commands[@]}" 'continue' -- "$work/fixed" word
seen
status 'dynamic, with its libraries' 0 ./aril gdb --program --root "$work/root" --batch "${commands[@]}" 'info symbol printf' 'break printf' \
	'continue' 'backtrace' 'delete' 'continue' -- /moved word
seen
has "$work/out" '^printf in section \.text of .*libc\.so\.6'
has "$work/out" '^#1  0x[0-9a-f]+ in main \(argc=2'
status 'a program without main' 0 ./aril gdb --program --batch -- busybox true
has "$work/err" 'has no symbol main: is it stripped'

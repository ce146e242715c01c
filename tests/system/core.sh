# SPDX-License-Identifier: MIT
# timeout: 120
# Core files: written where RLIMIT_CORE lets them be, and gdb of the host finds in them threads, frames and variables, of a
# static program and of a dynamic one; what ./aril run --crash says.
. tests/lib.sh
core_programs

# seen PROGRAM CORE WORD...: what gdb finds there
seen() {
	gdb -q -nx -batch -iex 'set auto-load no' -iex 'set debuginfod enabled off' "${@:3}" \
		-ex 'thread apply all backtrace' -ex 'thread 1' -ex 'frame function main' -ex 'info locals' -ex 'print here' \
		-ex 'print $_siginfo.si_signo' -ex 'print/x $mxcsr' -ex 'info auxv' "$1" "$2" >"$work/seen" 2>&1
	has "$work/seen" 'terminated with signal SIGSEGV'
	has "$work/seen" '^#0 .* deep \(level=0, at=0x0\)'
	has "$work/seen" '^#3 .* deep \(level=3, at=0x0\)'
	has "$work/seen" '^#4 .* main \(argc=1'
	has "$work/seen" ' sleeper \(number=0x29\)'
	has "$work/seen" ' counter \(number=0x2a\)'
	has "$work/seen" 'text = "seen from outside"'
	has "$work/seen" 'half = 0.5'
	has "$work/seen" '= \{x = 3, y = 4\}'
	has "$work/seen" '^\$2 = 11$'
	has "$work/seen" '^\$3 = (0x1f80|\[.* IM .*\])'
	has "$work/seen" 'AT_EXECFN'
	[ "$(grep -c '^Thread [123] ' "$work/seen")" = 3 ] || fail "not three threads: $(grep '^Thread' "$work/seen")"
}

status 'static, its core to the host' 139 ./aril run --core "$work/core1" -- "$work/fixed"
has "$work/err" '^aril: fixed\[1\]: segmentation fault at 4, rip [0-9a-f]+, rsp [0-9a-f]+, .*fixed\+[0-9a-f]+$'
seen "$work/fixed" "$work/core1"
grep -q "nobody's business" "$work/core1" && fail 'what is not to be dumped was'
status 'the same page, dumped' 139 ./aril run --env DUMPED=1 --core "$work/core3" -- "$work/fixed"
grep -q "nobody's business" "$work/core3" || fail 'a page is not in the core file'
status 'dynamic, on two CPUs, and what is said' 139 ./aril run --smp 2 --root "$work/root" --crash --core "$work/core2" -- /moved
cp "$work/err" "$work/said"
seen "$work/root/moved" "$work/core2" -iex "set sysroot $work/root"
has "$work/seen" 'pause \('
[ "$(du -k "$work/core2" | cut -f1)" -lt 4096 ] || fail "the core file has no holes: $(du -k "$work/core2")"
has "$work/said" '^aril: #0 .* deep \(level=0, at=0x0\)'
has "$work/said" '^aril: #4 .* main \(argc=1'
has "$work/said" '^aril: Thread 3 '

# RLIMIT_CORE, and the status: as with Linux
cat >"$work/script" <<'END'
cd /tmp
/fixed; echo "none $? $(ls)"
ulimit -c unlimited
/fixed; echo "written $? $(ls) $(head -c 4 core | od -An -c | tr -d ' ')"
rm core
ulimit -c 32
/fixed; echo "cut $? $(stat -c %s core)"
rm core; mkdir core
/fixed; echo "no place $? $(ls -d core)"
rmdir core
END
status 'limits' 0 ./aril run --add "$work/fixed:/fixed" --add "$work/script:/script" -- busybox sh /script
same 'what a shell sees' "none 139 
written 139 core 177ELF
cut 139 16384
no place 139 core" "$(cat "$work/out")"
has "$work/err" 'core dumped'
status 'a name that cannot be' 2 ./aril run --core /nowhere/core -- busybox true

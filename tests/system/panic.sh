# SPDX-License-Identifier: MIT
# timeout: 300
# A kernel that panics says where, with registers and a backtrace of names, and the run's status is 125.
. tests/lib.sh
export WERROR=0 # what is patched may leave something unused
cp -a . "$work/tree" && cd "$work/tree" || exit 1

# panics WHAT STATEMENT PATTERN: the kernel with that statement in call_wait, which only a sleeping machine reaches
panics() {
	local option
	python3 - "$2" <<'X' || fail "$1: the patch does not apply"
import pathlib, re, sys
path = pathlib.Path("kernel/wait.c")
text, n = re.subn(r"^(s64 call_wait\(.*\)\n\{\n)", lambda m: m[1] + "\t" + sys.argv[1] + "\n", path.read_text(), flags=re.M)
assert n == 1
path.write_text(text)
X
	make -s -j2 all >"$work/log" 2>&1 || fail "$1: $(tail -n 3 "$work/log")"
	for option in --smp=2 -v; do
		status "$1" 125 ./aril run --timeout 60 $option -- busybox sleep 2
		has "$work/err" "$3"
		has "$work/err" '^  rsp|^  rip .* rsp '
		has "$work/err" '^  [0-9a-f]{16} call_wait\+'
		has "$work/err" '^aril: the kernel panicked'
		same "$1: times it is shown with $option" 1 "$(grep -c PANIC "$work/err")"
	done
	cp "$OLDPWD/kernel/wait.c" kernel/wait.c
}
panics 'a check that fails' 'panic("made up %d", 42);' '^aril: PANIC at kernel/wait\.c:[0-9]+: made up 42'
panics 'a bad access' '*(volatile int *)0xffff900000000000 = 1;' \
	'^aril: PANIC: exception 14, error 2 in the kernel, address ffff900000000000'

# ExOS that gives up: where, by names
python3 - <<'X' || fail 'ExOS: the patch does not apply'
import pathlib, re
path = pathlib.Path("libos/exos/misc.c")
text, n = re.subn(r"^(s64 sys_uname\(.*\)\n\{\n)", lambda m: m[1] + "\t*(volatile u64 *)0x7e7000000000 = 1;\n", path.read_text(), flags=re.M)
assert n == 1
path.write_text(text)
X
make -s -j2 all >"$work/log" 2>&1 || fail "ExOS: $(tail -n 3 "$work/log")"
status 'ExOS that faults' 125 ./aril run --timeout 60 -- busybox uname
has "$work/err" '^aril: ExOS: 7f[0-9a-f]+ sys_uname\+'

# SPDX-License-Identifier: MIT
# --trace prints each system call with arguments and result, children's too.
. tests/lib.sh
echo hello >"$work/file"
status "a traced program" 0 ./aril run --timeout 60 --trace --add "$work/file:/file" -- busybox sh -c 'cat /file; cat /none; true'
has "$work/err" 'openat?\(.*"/file", O_RDONLY.*\) = [0-9]+'
has "$work/err" '"/none".*\) = -1 ENOENT'
has "$work/err" 'write\(1, "hello\\n", 6\) += 6|sendfile\(1,.*\) += 6'
has "$work/err" 'wait4\('
has "$work/err" 'exit_group\(0\)'
has "$work/err" "system calls: [1-9][0-9]* by a jump, [1-9][0-9]* by the kernel; sites rewritten: [1-9]"
[ "$(grep -oE '^\[pid +[0-9]+\]' "$work/err" | sort -u | wc -l)" -ge 2 ] || fail "no child in the trace"
same "the program's own output" hello "$(cat "$work/out")"

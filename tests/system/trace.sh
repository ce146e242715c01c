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

# The summary counts the same calls, children's too, errors and by which way each came.
script='for i in 1 2 3; do cat /none; echo $i | cat; done; (cd /; ls >/dev/null); exec true'
status "a trace to count by" 0 ./aril run --timeout 60 --trace -- busybox sh -c "$script"
mv "$work/err" "$work/lines"
status "a summary" 0 ./aril run --timeout 60 --trace=summary -- busybox sh -c "$script"
! grep -q '^\[pid' "$work/err" || fail "a summary shows single calls"
for call in openat execve clone exit_group pipe2 sendfile getdents64; do
	lines=$(grep -cE "^\[pid +[0-9]+\] $call\(" "$work/lines")
	failed=$(grep -cE "^\[pid +[0-9]+\] $call\(.*\) = -1 E" "$work/lines")
	[ "$lines" -gt 0 ] || fail "no $call in the trace"
	same "$call: calls and errors" "$lines $failed" "$(awk -v "call=$call" '$5 == call { print $1, $2 }' "$work/err")"
done
awk 'NF == 5 && $1 ~ /^[0-9]+$/ {
	if ($1 != $3 + $4 || $2 > $1) wrong = $0
	if ($5 == "total") { total = $1; jumps = $3 } else { sum += $1; came += $3 }
} END { exit wrong != "" || sum != total || came != jumps || jumps == 0 || jumps == total }' "$work/err" ||
	fail "the sums are wrong: $(cat "$work/err")"
has "$work/err" "system calls: $(awk '$5 == "total" { print $3 " by a jump, " $4 }' "$work/err") by the kernel"
status "another kind of trace" 2 ./aril run --trace=colour -- true
has "$work/err" '^aril: --trace colour: there is --trace and --trace=summary$'

# Threads, and programs started by programs started by programs.
status "children of children" 0 ./aril run --timeout 60 --trace -- busybox sh -c 'busybox sh -c "busybox sh -c \"busybox true; :\"; :"; :'
[ "$(grep -cE '^\[pid +[0-9]+\] execve\(' "$work/err")" -ge 3 ] || fail "not all programs are in the trace"
[ "$(grep -oE '^\[pid +[0-9]+\]' "$work/err" | sort -u | wc -l)" -ge 4 ] || fail "not all processes are in the trace"

# SPDX-License-Identifier: MIT
# The program's exit status is ours.
. tests/lib.sh
for n in 0 1 7 125 255; do
	status "exit $n" $n ./aril run --timeout 60 -- busybox sh -c "exit $n"
done
status "ended by SIGKILL" 137 ./aril run --timeout 60 -- busybox sh -c 'kill -9 $$'
status "ended by SIGTERM" 143 ./aril run --timeout 60 -- busybox sh -c 'kill $$'
status "a program that is not there" 2 ./aril run -- /no/such/program
has "$work/err" "/no/such/program"
[ "$(wc -l <"$work/err")" = 1 ] || fail "more than one line: $(cat "$work/err")"
status "time limit" 124 ./aril run --timeout 3 -- busybox sleep 100
./aril run --timeout 60 -- busybox sleep 100 </dev/null >"$work/out" 2>"$work/err" &
aril=$!
qemu=
until [ -n "$qemu" ]; do
	sleep 0.2
	for child in $(cat "/proc/$aril/task/$aril/children"); do
		grep -q qemu "/proc/$child/comm" && qemu=$child
	done
done
sleep 1
kill -KILL "$qemu"
wait $aril
same "Aril ends without a word" 125 $?
[ "$(wc -l <"$work/err")" = 1 ] || fail "not one line: $(cat "$work/err")"

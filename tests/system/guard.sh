# SPDX-License-Identifier: MIT
# timeout: 120
# The guard (./aril run --guard): tests/families/stray.c writes to memory of threads, processes, contexts and of ExOS, behind every way
# back to a program, and each write faults; without it each goes through. The family lives on, and its books are right.
. tests/lib.sh
gcc -static -O2 -pthread -Wall -Wextra -Werror -o "$work/stray" tests/families/stray.c || fail 'tests/families/stray.c'
# ExOS's data, its scheduler's stack and context on the first processor (libos/core/include/core/domain.h)
data=$(nm build/exos | awk '$3 ~ /^(family|run_queue|lock_state|vector_initial|free_lists)$/ { print $1 }')
[ "$(wc -w <<<"$data")" = 5 ] || fail "symbols of ExOS: $data"
data="$data 7e8000101000 7e800010e0c8"

# counted WHAT FILE PATTERN: in each situation as many writes were stopped as the pattern says
counted() {
	[ "$(grep -c ' of ' "$2")" = 28 ] || fail "$1: $(cat "$2")"
	grep ' of ' "$2" | grep -vE "$3" && fail "$1: the lines above are otherwise"
}
all=': ([0-9]+) of \1$' none=': 0 of [0-9]+$'

# on two processors with a memory device to swap to, too, which lies in the segment (libos/exos/memory.c: device_map)
for cpus in 1 2; do
	swap=() more=
	[ $cpus = 2 ] && swap=(--swap 4M) more=7e4000000100
	# shellcheck disable=SC2086 # words
	status "guarded, $cpus CPUs" 0 ./aril run --guard "${swap[@]}" --smp $cpus --timeout 50 -- "$work/stray" $data $more
	has "$work/out" "^the signal's code 4, key 1$"
	has "$work/out" '^without a handler: signal 11$'
	has "$work/out" '^keys: 28 22 22 22 22 22 0 0, read-only$'
	counted "guarded, $cpus CPUs" "$work/out" "$all"
done
# shellcheck disable=SC2086
status 'not guarded' 0 ./aril run --smp 2 --timeout 50 -- "$work/stray" $data
has "$work/out" '^without a handler: status 5$'
counted 'not guarded' "$work/out" "$none"
status 'a crash' 139 ./aril run --guard --timeout 30 -- "$work/stray" die
has "$work/err" "^aril: stray\[1\]: segmentation fault at 7e[0-9a-f]*, .*, a write into ExOS's memory, which the guard stopped"

# a stash, which the guard has to leave open: who is hit there goes wrong by itself
status 'scribbled' 0 ./aril run --guard --smp 2 --timeout 40 -- "$work/stray" scribble
has "$work/out" '^scribbled: some hit$'

# one family with it, one without
# shellcheck disable=SC2086
printf '%s\n' "program = /stray $(echo $data)" "add = $work/stray:/stray" 'guard = yes' 'wait = yes' >"$work/kept.conf"
status 'two families' 5 ./aril run --smp 2 --timeout 50 --with "$work/kept.conf" -- "$work/stray" die
sed 's/^kept: //' "$work/out" >"$work/kept"
counted 'a family of the two' "$work/kept" "$all"
printf '%s\n' 'program = busybox true' 'guard = yes' >"$work/keys.conf"
status 'a call with all closed, without the guard' 6 ./aril run --timeout 30 --with "$work/keys.conf" -- "$work/stray" shut
printf '%s\n' 'program = busybox true' 'guard = perhaps' >"$work/bad.conf"
status 'guard = perhaps' 2 ./aril run --with "$work/bad.conf" -- busybox true
has "$work/err" 'bad.conf:2: guard = perhaps: give yes or no'

# a processor without keys says so, and runs what does not ask for them
ARIL_QEMU_ARGS='-cpu max,-pku' status 'no keys' 2 ./aril run --guard --timeout 30 -- busybox echo started
has "$work/err" "^aril: --guard: this machine's processor has no protection keys"
same 'no keys' '' "$(cat "$work/out")"
ARIL_QEMU_ARGS='-cpu max,-pku' status 'no keys wanted' 0 ./aril run --timeout 30 -- busybox true

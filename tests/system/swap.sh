# SPDX-License-Identifier: MIT
# timeout: 120
# A Linux family with swap space: more memory than there is, with forks, threads and signals (tests/families/swapped.c); one that
# is asked for most of its memory (tests/beside/lender.c) writes it out, and nobody ends; what it has in swap space outlasts that.
. tests/lib.sh
gcc -static -O2 -pthread -Wall -Wextra -Werror -o "$work/swapped" tests/families/swapped.c || fail 'tests/families/swapped.c'
for how in '--smp 1 --guard' '--smp 2'; do
	# shellcheck disable=SC2086 # words
	status "swapped, $how" 0 ./aril run -v $how --mem 64M --swap 32M --timeout 40 --audit -- "$work/swapped"
	printf 'swapped: %s: yes\n' 'there is swap space' 'some of it is used' 'half as much again as there is' 'two processes' 'parent and child' \
		'threads and signals' 'moved and dropped' 'locked pages come in' '... and stay' '... though a child has them' 'the largest ends' 'locked memory stayed' 'all is free again' |
		cmp -s - "$work/out" || fail "swapped: $(cat "$work/out") $(tail -n 5 "$work/err")"
	has "$work/err" 'exos: out of memory: process [0-9]+ \(swapped\), the largest'
done
# The other family, with swap space of its own, computes the same forty times meanwhile.
printf 'program = busybox sh -c\nargument = grep SwapTotal /proc/meminfo; for i in $(seq 40); do seq 100 | md5sum; done\nmemory = 32M\nswap = 8M\nwait = yes\n' >"$work/deaf.conf"
ARIL_ICOUNT=1 ARIL_ROOT=lender status pressed 0 ./aril run -v --smp 2 --mem 160M --swap 32M --timeout 40 --audit --native lender --with "$work/deaf.conf" -- "$work/swapped" pressed 7000
has "$work/err" 'lender: much: all was given, [0-9]{5} given, 0 taken'
has "$work/out" '^swapped: whole with less memory: yes'
has "$work/out" '^deaf: SwapTotal: +8192 kB'
[[ $(grep -v -e SwapTotal -e '^swapped' "$work/out" | sort | uniq -c) =~ ^\ *([0-9]+)\ deaf:\ $(seq 100 | md5sum)$ ]] && ((BASH_REMATCH[1] == 40)) || fail "the other family: $(cat "$work/out")"
! grep -q 'the largest' "$work/err" || fail "somebody ended: $(cat "$work/err")"
# Where nothing can go, a page that is wanted costs no look at all that there is.
ARIL_ICOUNT=1 status 'nothing can go' 0 ./aril run --mem 64M --swap 32M --timeout 40 -- "$work/swapped" locked
has "$work/out" '^swapped: nothing can go: [0-9]{1,5} ns for each page$'
# df, free and swapon say what there is.
status 'what there is' 0 ./aril run --swap 4M -- busybox sh -c 'free; cat /proc/swaps'
has "$work/out" '^Swap: +4096 +0 +4096$'
has "$work/out" '^swap +partition	4096		0		-2$'

# SPDX-License-Identifier: MIT
# timeout: 60
# Positions of slice vectors, a grant and a gate are asked back from a Linux family (tests/beside/taker.c), and nothing is taken by force: it
# gives a processor back whole, keeps the last position of the first, says so, and goes on (tests/families/fewer.c).
. tests/lib.sh
gcc -static -O2 -pthread -Wall -Wextra -Werror -o "$work/fewer" tests/families/fewer.c || fail 'tests/families/fewer.c'
ARIL_ROOT=taker status 'fewer' 0 ./aril run -v --smp 2 --mem 160M --timeout 40 --audit --swap 1M --native taker,authority -- "$work/fewer"
printf 'fewer: %s\n' '2 processors, online 0-1' '1 processor, online 0' 'the thread goes on, the process goes on' \
	'a processor that is gone: Invalid argument' 'predicate used' | cmp -s - "$work/out" || fail "fewer: $(cat "$work/out") $(tail -n 5 "$work/err")"
has "$work/err" 'taker: the second processor but one: all was given, 1 left'
has "$work/err" 'taker: its last: all was given, 0 left'
has "$work/err" 'exos: 1 asked back: the first processor.s last position stays'
has "$work/err" 'taker: the first processor: all but one was given, 1 left'
has "$work/err" "taker: the swap space's grant: given"
has "$work/err" 'taker: the gate: closed'

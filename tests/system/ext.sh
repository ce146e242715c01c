# SPDX-License-Identifier: MIT
# `./aril ext`: load, use, list, rm, and refusals in one line.
. "$(dirname "$0")/../lib.sh"

ext=${ARIL_BUILD:-build}/ext
cat >"$work/bad.c" <<'END'
#include <aril/extension.h>
u32 table[8];
SEC("predicate")
u64 outside(const void *a, const void *b, const void *c, u64 at, u64 other)
{
	return table[at & 15];
}
END
clang -target bpf -O2 -g -Iabi/include -c -o "$work/bad.o" "$work/bad.c" || fail "it does not compile"
status 'all is well' 0 ./aril ext load "$ext/pager.o" use pager load "$ext/clock.o" use clock load "$ext/at_least.o" \
	use at_least list rm pager list rm clock rm at_least list
has "$work/out" '^pager: fault, [0-9]+ instructions, [0-9]+ bytes, 3 frames, worst case [0-9]+$'
has "$work/out" '^pager +fault +[0-9]+ +3 +1 +3 +[1-9][0-9]* +0 +0$'
has "$work/out" '^at_least +predicate +[0-9]+ +2 +0 +1 +[1-9][0-9]* +0 +0$'
has "$work/out" '^clock +victim +[0-9]+ +3 +1 +0 +0 +0 +0$'
same 'lines of all lists: 3, 2, none' '2 3 3' "$(for name in pager clock at_least; do
	grep -cE "^$name( |:)" "$work/out"; done | tr '\n' ' ' | sed 's/ $//')"
status 'behind a guard' 0 ./aril ext load "$ext/pager.o" load "$ext/missing.o" use pager:3:missing list rm missing list
has "$work/out" '^missing: guard, [0-9]+ instructions, [0-9]+ bytes, 2 frames, worst case [0-9]+$'
has "$work/out" '^missing +guard +[0-9]+ +2 +1 +3 +[0-9]+ +0 +3$'
has "$work/out" '^pager +fault +[0-9]+ +3 +1 +0 +0 +0 +0$'
has "$work/out" '^pager +fault +[0-9]+ +3 +0 +0 +0 +0 +0$'
status 'no order' 2 ./aril ext load "$ext/pager.o" use pager:x
status 'too high an order' 1 ./aril ext load "$ext/pager.o" use pager:8
status 'refused' 1 ./aril ext load "$work/bad.o" list
same 'lines' 2 "$(wc -l <"$work/out")"
has "$work/out" '^aril-ext: /ext/bad.o: .*bad.c:6: outside: bounds: R[0-9].*'
status 'unknown' 2 ./aril ext rm nothing
has "$work/out" 'nothing of that name is loaded'
status 'no file' 2 ./aril ext load /nonexistent.o
status 'help' 0 ./aril ext --help

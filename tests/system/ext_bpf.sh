# SPDX-License-Identifier: MIT
# aril-bpf as a user calls it: statuses, raw programs, objects interpreted and compiled, maps, budgets, refusals.
. "$(dirname "$0")/../lib.sh"
bpf=build/aril-bpf
export LC_ALL=C

# raw EXPECTED HEX [WORD...]: what a raw program prints
raw() {
	local expected=$1 hex=$2
	shift 2
	same "raw $hex $*" "$expected" "$(echo "$hex" | $bpf run --raw "$@" 2>&1)"
}
raw 5 b7000000050000009500000000000000
raw 5 b7000000050000009500000000000000 --jit
raw bb 71100100000000009500000000000000 --interp aabb
raw bb 71100100000000009500000000000000 --jit aabb
raw 2 bf200000000000009500000000000000 --jit aabb
raw fffffffffffffffd 'b7000000f9ffffff 3700010002000000 9500000000000000' --jit # -7 s/ 2

# codes WANTED COMMAND...: and one line that says why
codes() {
	local wanted=$1
	shift
	status "$*" "$wanted" "$@"
	[ "$wanted" = 0 ] || same "lines of $*" 1 "$(wc -l <"$work/err")"
}
codes 0 $bpf --help
codes 2 $bpf nonsense
codes 2 $bpf verify
codes 2 $bpf verify "$work/none.o"
codes 2 $bpf run --steps x file.o
codes 2 $bpf run --class kind file.o
codes 1 $bpf verify README.md

cat >"$work/program.c" <<'END'
#include <aril/extension.h>
#include <aril/points.h>
ARIL_EXT_MAP(counts, ARIL_MAP_HASH, u64, u64, 64);
static u64 table[4] = {1, 2, 3, 4};
SEC("count") u64 count_bytes(const u8 *memory, u64 size)
{
	for (u64 i = 0; i < size; i++) {
		u64 key = memory[i], one = 1, *n = aril_map_lookup(&counts, &key);

		if (n)
			*n += table[i & 3];
		else
			aril_map_update(&counts, &key, &one, 0);
	}
	u64 key = 7, *n = aril_map_lookup(&counts, &key);
	return n ? *n : 0;
}
SEC("wild") u64 wild_read(const u8 *memory, u64 size)
{
	return memory[size];
}
END
clang -target bpf -mcpu=v3 -O2 -g -Iabi/include -c -o "$work/program.o" "$work/program.c" || fail 'clang for BPF'
codes 0 $bpf verify --section count "$work/program.o"
codes 1 $bpf verify --section wild "$work/program.o"
has "$work/err" 'program.c:[0-9]+: wild_read: bounds: R1: '
codes 1 $bpf verify --class pure --section count "$work/program.o"
# 7 three times: put in with 1, then 3 and 1 more
for how in --interp --jit; do
	same "run $how" 5 "$($bpf run $how --section count --memory 0709070107 "$work/program.o")"
	codes 3 $bpf run $how --budget 1000 --section count --memory 0709070107 "$work/program.o"
	has "$work/err" 'stopped: the budget of 1000 instructions is spent'
	codes 3 $bpf run $how --unverified --section wild "$work/program.o"
done
$bpf stats --section count "$work/program.o" >"$work/out" || fail stats
has "$work/out" '^compiled +[1-9][0-9]+ bytes'
$bpf disasm --section count "$work/program.o" >"$work/out" || fail disasm
has "$work/out" 'call aril_map_update'
$bpf disasm --jit --section count "$work/program.o" >"$work/out" || fail 'disasm --jit'
has "$work/out" 'ret'

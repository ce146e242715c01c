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

# what a point promises of its arguments holds for a run here
cat >"$work/point.h" <<'END'
#include <aril/extension.h>
struct held {
	u64 number;
	struct held *next;
};
ARIL_EXT_POINT(u64, ranged, (u64 n ARIL_EXT_RANGE(3, 9), s64 m ARIL_EXT_RANGE(-4, 4)),
	       ARIL_EXT_CLASS(pure) ARIL_EXT_WORST(1000))
ARIL_EXT_POINT(u64, sized, (const u8 *data ARIL_EXT_SIZE(2), u64 size ARIL_EXT_RANGE(0, 2)),
	       ARIL_EXT_CLASS(pure) ARIL_EXT_WORST(1000))
ARIL_EXT_POINT(u64, holding, (const struct held *o), ARIL_EXT_CLASS(pure) ARIL_EXT_WORST(1000))
END
cat >"$work/points.c" <<'END'
#include "point.h"
SEC("ranged") u64 of_range(u64 n, s64 m)
{
	return n;
}
SEC("sized") u64 of_size(const u8 *data, u64 size)
{
	return size;
}
SEC("holding") u64 of_object(const struct held *o)
{
	return o->number;
}
END
clang -target bpf -O2 -g -Iabi/include -DARIL_EXT_INTERFACE -c -x c -o "$work/point.o" "$work/point.h" || fail 'clang for BPF'
clang -target bpf -mcpu=v3 -O2 -g -Iabi/include -c -o "$work/points.o" "$work/points.c" || fail 'clang for BPF'
with="--interface $work/point.o"
for how in --interp --jit; do
	# shellcheck disable=SC2086
	{
		codes 0 $bpf run $how $with --section ranged --args 3,4 "$work/points.o"
		codes 2 $bpf run $how $with --section ranged --args 2,4 "$work/points.o"
		has "$work/err" 'argument 1: not within its range'
		codes 2 $bpf run $how $with --section ranged --args 9,5 "$work/points.o"
		has "$work/err" 'argument 2: not within its range'
		codes 0 $bpf run $how $with --section sized --memory 0102 "$work/points.o"
		codes 2 $bpf run $how $with --section sized --memory 010203 "$work/points.o"
		codes 2 $bpf run $how $with --section holding --memory 0102 "$work/points.o"
		has "$work/err" 'argument 1: an object with pointers in it'
	}
done
truncate -s 1073741825 "$work/large"
codes 2 $bpf run --section count --memory-file "$work/large" "$work/program.o"
has "$work/err" 'more than 1 GiB'
same 'memory of other than constant size that the kernel gives' 0 "$(grep -c ARIL_EXT_SIZE abi/include/aril/points.h)"

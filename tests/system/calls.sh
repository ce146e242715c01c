# SPDX-License-Identifier: MIT
# timeout: 150
# Linux's calls at random: ExOS goes on, every process ends, nothing is left (tests/fuzz/calls.c).
. tests/lib.sh
for cpus in 1 2; do
	status "calls at random, $cpus CPUs" 0 ./aril fuzz --linux --seconds 4 --seed $cpus --smp $cpus
	read -r _ calls _ <<<"$(sed -n 's/.*calls: \([0-9]*\) made.*/x \1/p' "$work/out")"
	((${calls:-0} > 500)) || fail "only ${calls:-no} calls: $(cat "$work/out")"
done

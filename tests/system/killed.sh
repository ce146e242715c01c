# SPDX-License-Identifier: MIT
# timeout: 200
# Members of a family are ended by the kernel at random instants (tests/beside/assassin.c), mostly while they run on another
# processor, in the middle of ExOS: the others go on, and nothing is left half done, held or lost (tests/families/mill.c).
. tests/lib.sh
gcc -static -O2 -Wall -Wextra -Werror -pthread -o "$work/mill" tests/families/mill.c || fail "tests/families/mill.c"
for cpus in 2 3; do
	ARIL_ROOT=assassin status "mill on $cpus CPUs" 0 ./aril run -v --smp $cpus --timeout 95 --audit --native assassin -- "$work/mill" 200
	has "$work/err" 'assassin: [0-9]{3,} ended, [1-9][0-9]* of them while they ran'
	printf 'mill: many deaths, 0 of them not by SIGKILL\nmill: processes: all gone\nmill: memory: back\n' | cmp -s - "$work/out" ||
		fail "mill: $(cat "$work/out") $(grep -a -E 'mill|exos: [^p]|assassin' "$work/err" | tail -n 5)"
done

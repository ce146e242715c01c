# SPDX-License-Identifier: MIT
# full
# timeout: 300
# ExOS built so that what is given back is overwritten at once: threads that close what others sleep in, and processes that
# end at any moment, go on all the same. Who uses what was given back faults, and the machine ends.
. tests/lib.sh

make -s -j2 BUILD="$work/build" UCFLAGS=-DKFREE_POISON all >"$work/made" 2>&1 || fail "build: $(tail -n 3 "$work/made")"
for name in closing storm thread_ends blocked talk_random; do
	gcc -O1 -static -Itests/linux -o "$work/$name" tests/linux/$name.c -lpthread -lrt 2>/dev/null || fail "no $name"
	ARIL_BUILD=$work/build ./aril run --timeout 120 --smp 2 --add "$work/$name" -- /$name >"$work/out" 2>"$work/err" </dev/null
	got=$?
	((got == 0)) || fail "$name: status $got: $(tail -n 5 "$work/err")"
done

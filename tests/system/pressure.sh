# SPDX-License-Identifier: MIT
# timeout: 120
# Memory is asked back from a Linux family (tests/beside/lender.c): it gives what is free, then ends its largest process; the
# others' data stays whole (tests/families/pressed.c), and later it has memory again. Another family is asked for all at
# once: that is taken by force, and nobody else notices. Without a request: who fills memory ends the largest; a call whose buffer
# finds none is done all the same (tests/families/copies.c).
. tests/lib.sh
for program in pressed attack copies; do
	gcc -static -O2 -Wall -Wextra -Werror -I abi/include -I build/gen -I libos/core/include -o "$work/$program" "tests/families/$program.c" || fail "tests/families/$program.c"
done
printf 'program = busybox sleep 100\nmemory = 32M\n' >"$work/deaf.conf"
for cpus in 1 2; do
	ARIL_ROOT=lender status "pressed on $cpus CPUs" 0 ./aril run -v --smp $cpus --mem 160M --timeout 40 --audit --native lender --with "$work/deaf.conf" -- "$work/pressed"
	has "$work/err" 'lender: a little: all was given, 2000 given, 0 taken'
	has "$work/err" 'exos: memory is asked back: process [0-9]+ \(pressed\), the largest, [0-9]{5} kB, ends'
	has "$work/err" 'lender: much: all was given, [0-9]{5} given, 0 taken'
	has "$work/err" 'lender: everything: not all was given, [0-9]+ given, [1-9][0-9]* taken'
	printf 'pressed: the largest ended by signal 9\npressed: the other ended with 7\npressed: memory again: 7\n' | cmp -s - "$work/out" ||
		fail "pressed: $(cat "$work/out") $(tail -n 5 "$work/err")"
done
# A writer of files gets ENOSPC; the program that fills memory is the largest; the shell goes on.
status 'the largest' 3 ./aril run -v --mem 128M --timeout 40 --add "$work/attack" -- busybox sh -c '/attack hog; echo status $?; rm /tmp/hog; seq 100000 | tail -n 1; exit 3'
printf 'attack: a file until No space left on device\nstatus 137\n100000\n' | cmp -s - <(grep -v Killed "$work/out") || fail "hog: $(cat "$work/out")"
has "$work/err" 'exos: out of memory: process [0-9]+ \(attack\), the largest, [0-9]+ kB, ends'
for cpus in 1 2; do
	status "copies on $cpus CPUs" 0 ./aril run -v --smp $cpus --mem 128M --timeout 40 --audit --add "$work/copies" -- "$work/copies"
	{
		printf 'copies: %s: 8388608 of 8388608 bytes, 0 wrong; the other: 1009\n' read pread readv write
		printf 'copies: read: 8388608 of 8388608 bytes; the other: 1009, a third: 1015\n'
		printf "copies: threads' memory: given back\n"
		printf 'copies: more than there is: 1009\ncopies: memory again\n'
	} | cmp -s - "$work/out" || fail "copies: $(cat "$work/out")"
done

#!/bin/sh
# SPDX-License-Identifier: MIT
# timeout: 150
# ./aril run --profile: a function in which a program spends 80 % is shown at 80 +- 10 %; what a system call takes in ExOS and in the kernel
# is shown above the function that made it.
. tests/lib.sh
cat >"$work/busy.c" <<'END'
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
static volatile unsigned long sink;
__attribute__((noinline)) static void turn(unsigned long n)
{
	for (unsigned long i = 0; i < n; i++)
		sink += i * i;
}
__attribute__((noinline)) static void busy_hot(unsigned long n)
{
	turn(8 * n);
	sink++;
}
__attribute__((noinline)) static void busy_cold(unsigned long n)
{
	turn(2 * n);
	sink--;
}
__attribute__((noinline)) static void busy_calls(unsigned long n)
{
	for (unsigned long i = 0; i < n; i++) {
		char *at = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		*at = 1;
		munmap(at, 4096);
		sink++;
	}
}
int main(int argc, char **argv)
{
	unsigned long n = strtoul(argv[2], 0, 0);

	if (!strcmp(argv[1], "calls"))
		busy_calls(n);
	else
		for (int i = 0; i < 100; i++)
			busy_hot(n), busy_cold(n);
	return 7;
}
END
# Long enough that the start of the machine is a small part.
gcc -O2 -static -o "$work/busy" "$work/busy.c" || fail "the program does not compile"
# share NAME: in percent of all samples, of all places where it is.
share() {
	python3 - "$work/out.svg" "$1" <<'END'
import re, sys, xml.dom.minidom
text = open(sys.argv[1]).read()
xml.dom.minidom.parseString(text)
rows = re.findall(r"<g><title>(\S+): (\d+) samples", text)
of = dict(rows)["everything"]
print(round(100 * sum(int(n) for name, n in rows if name == sys.argv[2]) / int(of)))
END
}
status "with its status" 7 ./aril run --profile "$work/out.svg" -- "$work/busy" turn 2000000
hot=$(share busy_hot) cold=$(share busy_cold)
[ "$hot" -ge 70 ] && [ "$hot" -le 90 ] || fail "busy_hot is shown at $hot %"
[ "$cold" -ge 10 ] && [ "$cold" -le 30 ] || fail "busy_cold is shown at $cold %"
status "of system calls" 7 ./aril run --profile "$work/out.svg" -- "$work/busy" calls 400000
calls=$(share busy_calls) exos=$(share sys_mmap)
[ "$calls" -ge 65 ] || fail "busy_calls is shown at $calls %"
[ "$exos" -ge 5 ] || fail "sys_mmap is shown at $exos %"
grep -q '<g><title>.* class="kernel"' "$work/out.svg" || fail "nothing of the kernel is shown"
status "where it cannot be written" 2 ./aril run --profile /nonexistent/out.svg -- busybox true
[ "$(wc -l <"$work/err")" = 1 ] || fail "more than one line: $(cat "$work/err")"

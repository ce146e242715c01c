# SPDX-License-Identifier: MIT
# timeout: 120
# Two families on one machine. One attacks what is the other's (tests/families/attack.c): its memory, by every frame
# number; guards and indices that it guesses; envs, slices, accounts, devices; processes and files; time and the console. It
# gets nowhere, and the other (victim.c) does its work as if it were alone.
. tests/lib.sh
for program in attack victim; do
	gcc -static -O2 -Wall -Wextra -Werror -I abi/include -I build/gen -I libos/core/include -o "$work/$program" "tests/families/$program.c" ||
		fail "tests/families/$program.c"
done
: >"$work/victim.only"

# family NAME LINE...: $work/NAME.conf
family() {
	local name=$1
	shift
	printf '%s\n' "$@" >"$work/$name.conf"
}
# beside NAME MILLISECONDS OPTION...: the victim, while that family runs; what both said in $work/out
beside() {
	local name=$1 ms=$2
	shift 2
	status "victim beside $name" 0 ./aril run --timeout 100 --add "$work/victim.only" --with "$work/$name.conf" "$@" -- "$work/victim" "$ms"
	has "$work/out" '^victim: 0 wrong'
}
never() {
	! grep -qE -- "$2" "$1" || fail "/$2/ in: $(grep -E -- "$2" "$1" | head -n 3)"
}

family plain 'program = busybox sh -c' 'argument = echo "$0 is $NAME" $(cat /etc/x); ls /tmp; echo error >&2; exit 3' 'env = NAME=plain' \
	"add = $work/plain.conf:/etc/x" 'memory = 32M' 'slices = 2' 'wait = yes' '# comment' ''
beside plain 10 --smp 2 --audit
has "$work/out" '^plain: sh is plain program = busybox sh -c'
has "$work/err" '^plain: error'
has "$work/err" '^aril: plain: status 3'

family attacker 'program = /bin/busybox sh -c' 'argument = for way in memory guards objects unix; do /attack $way; done' \
	"add = $work/attack" 'memory = 48M' 'wait = yes' "console = $work/said"
beside attacker 2000 --smp 2 --audit --audit-every 300
for way in memory guards objects unix; do
	has "$work/said" "^attack: $way: [0-9]{2,} tried, 0 got through"
done
never "$work/said" 'THROUGH'
[ "$(sed -nE 's/^attack: memory: ([0-9]+) tried.*/\1/p' "$work/said")" -gt 50000 ] || fail "few frames: $(cat "$work/said")"

# Time, counted in instructions on one processor: beside a family that only computes, the victim has half of it. Beside
# hostile ones it has no less.
turns() {
	family "$1" "program = /attack $1 0.4" "add = $work/attack" 'memory = 48M' "console = $work/said"
	ARIL_ICOUNT=1 beside "$1" 250 --slice-us 1000 --mem 256M
	turns=$(sed -nE 's/^victim: turns ([0-9]+)/\1/p' "$work/out")
}
turns burn
alone=$turns
for way in masked fork flood hog; do
	turns $way
	((turns * 100 >= alone * 90)) || fail "beside $way: $turns turns, beside one that computes $alone"
	echo "beside $way: $turns turns, beside one that computes: $alone"
done

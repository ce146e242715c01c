# SPDX-License-Identifier: MIT
# Options, and what is said about wrong ones: one line that names it, status 2.
. tests/lib.sh
refused() {
	local pattern=$1
	shift
	status "$*" 2 "$@"
	[ "$(wc -l <"$work/err")" = 1 ] || fail "$*: not one line: $(cat "$work/err")"
	has "$work/err" "$pattern"
}
refused "--frobnicate" ./aril run --frobnicate
refused "frobnicate" ./aril frobnicate
refused "/no/such/file" ./aril run --add /no/such/file -- busybox true
refused "/no/such/dir" ./aril run --root /no/such/dir -- busybox true
refused "riscv" ./aril run --machine riscv -- busybox true
refused "smp" ./aril run --smp many -- busybox true
refused "mem" ./aril run --mem lots -- busybox true
refused "accel" ./aril run --accel warp -- busybox true
refused "timeout" ./aril run --timeout soon -- busybox true
refused "there is --trace and --trace=summary" ./aril run --trace=1 -- busybox true
printf 'program = busybox true\nswap = 300M\n' >"$work/swap.conf"
refused "swap = 300M: give a size" ./aril run --with "$work/swap.conf" -- busybox true
printf 'program = busybox true\nswap = 3M\n' >"$work/swap.conf"
refused "swap needs --machine pc or q35" ./aril run --machine microvm --with "$work/swap.conf" -- busybox true
./aril run --show --swap 2M --with "$work/swap.conf" -- busybox true | grep -q 'id=swap.*size=8M' || fail 'the memory device of both'
refused "swap 2M needs --machine" ./aril run --swap 2M --machine microvm -- busybox true
refused "swap 3M" ./aril run --swap 3M -- busybox true
refused "slice-us 999" ./aril run --slice-us 999 -- busybox true
refused "device hello=rtc: start hello" ./aril run --device hello=rtc -- busybox true
refused "device hello=hpet needs --machine" ./aril run --device hello=hpet --machine microvm --primary hello
refused "native program frobnicate" ./aril run --native frobnicate -- busybox true
conf() {
	printf '%s\n' "${@:2}" >"$work/bad.conf"
	refused "bad.conf$1" ./aril run --with "$work/bad.conf" -- busybox true
}
refused "/no/such.conf: no such file" ./aril run --with /no/such.conf -- busybox true
conf ":1: 'frobnicate' is not KEY = VALUE" frobnicate
conf ":2: no key 'frobnicate': program" '# a comment' 'frobnicate = 1'
conf ":1: memory = lots: give a size" 'memory = lots'
conf ":1: memory = 8M: give at least" 'memory = 8M'
conf ":1: cpus = 3: the machine has 1: use --smp 4" 'cpus = 3'
conf ":1: cpus = some: give all, or numbers" 'cpus = some'
conf ":1: slices = 33: give a weight" 'slices = 33'
conf ":2: program is given twice" 'program = a' 'program = b'
conf ":1: no line names its program" 'wait = yes'
conf ":1: wait = perhaps: give yes or no" 'wait = perhaps'
conf ":1: root = /no/such/dir: no such directory" 'root = /no/such/dir'
conf ":3: deb and root are two file systems" 'program = x' 'deb = bash' 'root = /'
conf ":1: deb = A_B: give names" 'deb = A_B'
conf ":1: env = X: give NAME=VALUE" 'env = X'
conf ":1: name = a b: give 1 to 31" 'name = a b'
conf ":1: console = here: give lines" 'console = here'
conf ":1: console = /no/such/dir/x: it cannot be written" 'console = /no/such/dir/x'
conf ": frobnicate: no such program" 'program = frobnicate'
refused "there is a family bad already" ./aril run --with "$work/bad.conf" --with "$work/bad.conf" -- busybox true
printf 'program = busybox true\nmemory = 400M\n' >"$work/bad.conf"
refused "the families take 4[0-9]* of 256M of memory: use --mem" ./aril run --mem 256M --with "$work/bad.conf" -- busybox true
refused "name is empty" ./aril run -- ''
refused "/etc: a directory" ./aril run -- /etc
refused "/no/such/dir/x cannot be written" ./aril iso -o /no/such/dir/x
refused "smp 99" ./aril fuzz --smp 99
refused "frobnicate" ./aril fuzz frobnicate
refused "frobnicate" ./aril coverage frobnicate
refused "--frobnicate" ./aril build --frobnicate
refused "aril prove: .*--frobnicate" ./aril prove --frobnicate
refused "no command 'frobnicate'" ./aril ext frobnicate
refused "no command 'x'" ./aril ext list x
refused "use needs a name" ./aril ext list use
refused "load /no/such: no such file" ./aril ext load /no/such
refused "core needs a value" ./aril run --core -- busybox true
refused "deb takes names" ./aril run --deb '' -- busybox true
refused "frobnicate" ./aril bench --frobnicate
printf '\177ELF\001\001\001' >"$work/elf32" && head -c 100 /dev/zero >>"$work/elf32" && chmod +x "$work/elf32"
refused "elf32.*(class|32)" ./aril run -- "$work/elf32"
truncate -s 300M "$work/large"
refused "large|mem" ./aril run --mem 256M --add "$work/large" -- busybox true
for command in "" run test build gdb iso bench fuzz coverage; do
	for help in --help -h; do
		# shellcheck disable=SC2086
		status "$help of '$command'" 0 ./aril $command $help
		has "$work/out" "usage: ./aril $command|^Aril.*Usage:"
	done
done
status "--show" 0 ./aril run --show -- busybox true
has "$work/out" "qemu-system-x86_64.*microvm"
echo content >"$work/file"
same "--add" content "$(./aril run --timeout 60 --add "$work/file:/etc/added" -- busybox cat /etc/added </dev/null)"
same "--env" "a b" "$(./aril run --timeout 60 --env "K=a b" -- busybox sh -c 'echo "$K"' </dev/null)"
mkdir -p "$work/root/sub" && echo inside >"$work/root/sub/file"
same "--root" inside "$(./aril run --timeout 60 --root "$work/root" -- busybox sh -c \
	'cat /sub/file; echo changed >/sub/file' </dev/null)"
same "--root is a snapshot" inside "$(cat "$work/root/sub/file")"

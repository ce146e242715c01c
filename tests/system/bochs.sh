# SPDX-License-Identifier: MIT
# full
# timeout: 400
# A second opinion on what the CPU does: Bochs boots the GRUB image on two CPUs of a model with PCID, SMAP and RDSEED, and
# runs there what depends most on the processor. What each program must say, and must not, is at its head.
. tests/lib.sh
programs="hello cached flags kernel_address noncanonical privileged residue smap stale_translation wild_save"
machine() {
	cat >"$work/bochsrc" <<END
display_library: term
config_interface: textconfig
romimage: file=/usr/share/bochs/BIOS-bochs-latest
vgaromimage: file=/usr/share/vgabios/vgabios.bin
memory: guest=256, host=256
cpu: model=corei7_skylake_x, count=2, ips=50000000, reset_on_triple_fault=0
clock: sync=none, time0=utc
boot: cdrom
ata0: enabled=1, ioaddr1=0x1f0, ioaddr2=0x3f0, irq=14
ata0-master: type=cdrom, path=$work/aril.iso, status=inserted
port_e9_hack: enabled=1
log: $work/bochs.log
panic: action=fatal
error: action=report
info: action=report
debug: action=ignore
speaker: enabled=0
sound: waveoutdrv=dummy
END
	echo c >"$work/commands" # where it was built with its debugger: go on
}

# shellcheck disable=SC2086
./aril iso -o "$work/aril.iso" --mem 256M --primary neighbour --native "${programs// /,}" >"$work/out" 2>"$work/err" ||
	fail "aril iso: $(tail -n 3 "$work/err")"
machine
# Its display is a terminal; the kernel's log, from port 0xe9, goes to its standard output.
TERM=xterm timeout 300 script -qfec "bochs -q -f $work/bochsrc -rc $work/commands" "$work/typescript" \
	>/dev/null 2>&1 </dev/null
status=$?
tr -d '\r' <"$work/typescript" >"$work/log"
[ $status = 124 ] && fail "Bochs did not end: $(tail -n 12 "$work/log")"
grep -q "shutdown requested" "$work/log" "$work/bochs.log" || fail "the machine did not end in order: $(tail -n 12 "$work/log")"
grep -q "^neighbour: ok" "$work/log" || fail "the neighbour did not finish: $(tail -n 12 "$work/log")"
grep -E "PANIC|WRONG" "$work/log" && fail "the kernel on Bochs: $(grep -E -A12 'PANIC|WRONG' "$work/log")"
for program in $programs; do
	source=$(ls programs/"$program".c tests/native/"$program".c tests/adversary/"$program".c 2>/dev/null)
	sed -n 's|^// expect: ||p' "$source" >"$work/expected"
	while read -r pattern; do
		grep -qE -- "$pattern" "$work/log" || fail "$program: expected /$pattern/: $(grep "^$program" "$work/log" | tail -n 12)"
	done <"$work/expected"
	sed -n 's|^// forbid: ||p' "$source" >"$work/forbidden"
	while read -r pattern; do
		grep -qE -- "$pattern" "$work/log" && fail "$program: forbidden /$pattern/: $(grep -E "$pattern" "$work/log")"
	done <"$work/forbidden"
done
true

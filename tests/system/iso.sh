# SPDX-License-Identifier: MIT
# timeout: 300
# The GRUB image boots the same system on BIOS and on UEFI machines; the terminal is the serial line.
. tests/lib.sh
./aril iso -o "$work/aril.iso" >"$work/out" 2>"$work/err" || fail "aril iso: $(tail -n 3 "$work/err")"

# boot NAME QEMU-OPTION...: types a command until its answer comes, then leaves the shell
boot() {
	local name=$1 qemu
	shift
	mkfifo "$work/in.$name"
	exec 4<>"$work/in.$name"
	timeout 120 qemu-system-x86_64 -M q35 -cpu max -m 512 -smp 2 -display none -nodefaults -no-reboot \
		-chardev stdio,id=s,signal=off -serial chardev:s -cdrom "$work/aril.iso" "$@" \
		<"$work/in.$name" >"$work/log.$name" 2>&1 &
	qemu=$!
	for _ in $(seq 100); do
		sleep 1
		printf 'echo iso $((40+2)) on the line\r' >&4
		grep -qa "iso 42 on the line" "$work/log.$name" && break
		kill -0 $qemu 2>/dev/null || break
	done
	printf 'exit\r' >&4
	for _ in $(seq 20); do
		kill -0 $qemu 2>/dev/null || break
		sleep 1
	done
	kill $qemu 2>/dev/null
	grep -qa "iso 42 on the line" "$work/log.$name" || fail "$name: $(tail -c 1500 "$work/log.$name" | cat -v)"
}
boot bios
ovmf=/usr/share/OVMF/OVMF_CODE.fd
[ -e $ovmf ] || ovmf=/usr/share/OVMF/OVMF_CODE_4M.fd
boot uefi -drive if=pflash,format=raw,readonly=on,file=$ovmf

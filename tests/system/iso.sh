# SPDX-License-Identifier: MIT
# timeout: 300
# The GRUB image boots the same system on BIOS and on UEFI machines.
. tests/lib.sh
./aril iso -o "$work/aril.iso" >"$work/out" 2>"$work/err" || fail "aril iso: $(tail -n 3 "$work/err")"
boot() {
	local what=$1
	shift
	mkfifo "$work/in.$what"
	{ sleep 20; for _ in 1 2 3 4 5; do printf 'echo iso $((40+2)) on the line\r'; sleep 4; done; printf 'exit\r'; sleep 20; } >"$work/in.$what" &
	timeout 100 qemu-system-x86_64 -M q35 -cpu max -m 512 -smp 2 -display none -nodefaults -no-reboot \
		-chardev stdio,id=s,signal=off -serial chardev:s -cdrom "$work/aril.iso" "$@" <"$work/in.$what" >"$work/log.$what" 2>&1
	grep -q "iso 42 on the line" "$work/log.$what" || fail "$what: $(tail -c 1500 "$work/log.$what")"
}
boot bios
ovmf=/usr/share/OVMF/OVMF_CODE.fd
[ -e $ovmf ] || ovmf=/usr/share/OVMF/OVMF_CODE_4M.fd
boot uefi -drive if=pflash,format=raw,readonly=on,file=$ovmf

# SPDX-License-Identifier: MIT
# timeout: 900
# The tests of rewriting's hazards fail without the care that they test: ExOS is built without it, each in turn.
. tests/lib.sh
export WERROR=0 # what is patched may leave something unused
cp -a . "$work/tree" && cd "$work/tree" || exit 1

# variant NAME TEST passes|fails PYTHON: patches libos/exos (s is a dict of the files' texts), builds, runs the test
variant() {
	local name=$1 test=$2 expected=$3 got=passes
	python3 - "$4" <<'X' || fail "$name: the patch does not apply"
import pathlib, sys
files = {p.name: p for p in pathlib.Path("libos/exos").glob("*.[cS]")}
def replace(name, old, new):
    text = files[name].read_text()
    assert text.count(old) == 1, (name, old, text.count(old))
    files[name].write_text(text.replace(old, new))
exec(sys.argv[1])
X
	make -s -j2 build/exos >"$work/log" 2>&1 || fail "$name: $(tail -n 3 "$work/log")"
	# what is to be seen is a matter of moments, on a host that has something else to do as well
	for _ in 1 2 3; do
		timeout 200 tests/run "linux/$test" >"$work/log" 2>&1 || got=fails
		[ $got$expected = passesfails ] || break
	done
	[ $got = "$expected" ] || fail "$name: linux/$test $got: $(tail -n 5 "$work/log")"
	rm -rf libos/exos && cp -r "$OLDPWD/libos/exos" libos/exos
	printf '%s: linux/%s %s, as it must\n' "$name" "$test" "$got"
}
delay='for (volatile u32 spin = 0; spin < 20000; spin++) ;'
for way in exos_quick_entry exos_leaf_clock; do
	variant "$way uses the program's stack" redzone fails \
		'replace("entry.S", "function '$way'\n", "function '$way'\n\tpushq %rax\n\tpopq %rax\n")'
done
variant "a leaf goes on behind what interrupts it" leaf fails \
	'replace("entry.S", "	jae leaf_undo\n", "	jae 3f\n")'
variant "a jump may be entered in its middle" middle fails \
	'replace("rewrite_shape.c", "return none[byte / 64] >> byte % 64 & 1;", "return byte == byte + 0 * none[0];")'
variant "unwinders are not thought of" unwind fails \
	'replace("rewrite.c", "number != RT_SIGRETURN || unwind_described(mm, at)", "1")'
variant "system call instruction overwritten" middle fails \
	'replace("rewrite.c", "	__atomic_store_n(byte[0], 0xe9, __ATOMIC_SEQ_CST);\n", "	__atomic_store_n(byte[0], 0xe9, __ATOMIC_SEQ_CST);\n	byte[0][5] = byte[0][6] = 0x90;\n")'
variant "what stands before is not looked at" middle fails \
	'replace("rewrite_shape.c", "(before & 0xf0) == 0x40 || ", "")'
variant "an instruction's end is taken for a mov" middle fails \
	'replace("rewrite_shape.c", "if (immediate_ends(code[at - 7]) || immediate_ends(code[at - 8]))", "if (immediate_ends(code[at - 7]) && 0)")'
variant "a slow writer, breakpoint first" race passes \
	'replace("rewrite.c", "	for (u32 i = 1; i < REWRITE_SITE; i++)\n", "	'"$delay"'\n	for (u32 i = 1; i < REWRITE_SITE; i++)\n")'
variant "a slow writer, jump first" race fails \
	'replace("rewrite.c", "byte[0], 0xcc,", "byte[0], 0xe9,"); replace("rewrite.c", "	for (u32 i = 1; i < REWRITE_SITE; i++)\n", "	'"$delay"'\n	for (u32 i = 1; i < REWRITE_SITE; i++)\n")'

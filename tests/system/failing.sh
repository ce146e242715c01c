# SPDX-License-Identifier: MIT
# full
# timeout: 600
# Each allocation of each of many calls fails in turn (tests/fuzz/failing.c), in an ExOS that is built so: the call says that there is
# no memory, or its process ends, and nothing else is wrong.
. tests/lib.sh
export WERROR=0
cp -a . "$work/tree" && cd "$work/tree" || exit 1
python3 - <<'END_PATCH' || fail "the patch does not apply"
import pathlib
def replace(name, old, new):
    file = pathlib.Path("libos/exos") / name
    text = file.read_text()
    assert text.count(old) == 1, (name, old, text.count(old))
    file.write_text(text.replace(old, new))
# the thread's allocation that fails; negative: from there on all do
replace("exos.h", "\tu64 affinity;", "\ts64 fail;\n\tu64 affinity;")
replace("exos.h", "/* ---- memory.c: family frames ---- */", "int fails(void);\n/* ---- memory.c: family frames ---- */")
replace("thread.c", "\tt->proc = p;\n", "\tt->proc = p;\n\tt->fail = 0;\n")
replace("kmalloc.c", "void *kmalloc_raw(usize bytes)\n{\n", """int fails(void)
{
	struct thread *t = current();
	if (!t->fail || t->fail == -1)
		return t->fail != 0;
	t->fail += t->fail > 0 ? -1 : 1;
	return !t->fail || t->fail == -1;
}

void *kmalloc_raw(usize bytes)
{
	if (fails())
		return NULL;
""")
replace("memory.c", "void *page_alloc(u32 order)\n{\n	u32 frame;\n", "void *page_alloc(u32 order)\n{\n	u32 frame;\n\n	if (fails())\n		return NULL;\n")
replace("memory.c", "u32 frame_take(void)\n{\n", "u32 frame_take(void)\n{\n	if (fails())\n		return 0;\n")
replace("misc.c", "	case PR_SET_NAME:\n", """	case 0x6661696c: {
		s64 was = current()->fail;
		current()->fail = (s64)a < 0 ? (s64)a - 1 : (s64)a;
		return was < -1 ? was + 1 : was == -1 ? 0 : was;
	}
	case PR_SET_NAME:
""")
END_PATCH
make -s -j2 build/exos >"$work/log" 2>&1 || fail "$(tail -n 3 "$work/log")"
gcc -static -O2 -Wall -Wextra -Wno-unused-result -pthread -o "$work/failing" tests/fuzz/failing.c || fail "tests/fuzz/failing.c"
status "each allocation fails in turn" 0 ./aril run -v --audit --mem 256M --smp 1 --timeout 540 -- "$work/failing"
has "$work/out" '^failing: well, to its end$'
! grep -a WRONG "$work/out" || fail "see above"

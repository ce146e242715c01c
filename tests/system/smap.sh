# SPDX-License-Identifier: MIT
# timeout: 200
# AC, by which a program could open its memory to the kernel under SMAP, is clear in all kernel code: the debugger looks at
# each way in, and right after, while tests/adversary/smap.c goes all of them with AC set.
. tests/lib.sh
status "gdb session" 0 ./aril gdb --primary smap --mem 128M --timeout 150 --batch 'source tests/system/entries.py'
has "$work/err" '^smap: done'
for way in entry_exception entry_page_fault entry_common entry_debug; do
	has "$work/out" "^entered $way.*: [1-9][0-9]* times, [1-9][0-9]* with AC"
done
for function in syscall_entry trap_dispatch call_gate_frame call_null call_cap_derive call_log gate_short yield_short \
	protect_short syscall_other user_copy arch_save_forced; do
	has "$work/out" "^inside $function: [1-9][0-9]* times, 0 with AC"
done
grep -E '^inside .* [1-9][0-9]* with AC' "$work/out" && fail "AC in the kernel"
true

/* SPDX-License-Identifier: MIT
 * Exceptions and foreign calls where the short way must not go: out of a handler (the stack is in the context's page, and
 * what lies there stays), and with all masked, be the stack where it may. */
// expect: nested: survived a foreign call in a handler
// expect: nested: survived an exception in a handler
// expect: nested: refused a foreign call with all masked, on another stack
// expect: nested: refused an exception with all masked, on another stack
// expect: nested: refused a page fault with all masked, on another stack
// expect: nested: done
// forbid: nested: WRONG
#include "adversary.h"

#define TEXT2(x) #x
#define TEXT(x) TEXT2(x)

/* At START: rbx is 0, the mask ALL, rsp at START's save area. Unmasks and does `code` there: the next save area must lie
 * just below, and START's be as it was. */
#define NESTED(code)                                                                          \
	"testq %rbx, %rbx\n\tjnz 1f\n\tmovq %rsp, %rbx\n\tmovq %rsp, %rdi\n\t"                \
	"andq $-4096, %rdi\n\tmovl $0, (%rdi)\n\t" code "ud2\n"                               \
	"1:\tleaq " TEXT(ARIL_SAVE_BYTES) "(%rsp), %rax\n\tcmpq %rbx, %rax\n\tjne 2f\n\t"     \
					  "cmpq $257, (%rbx)\n\tjne 2f\n\t" EXIT(7) "2:\tud2" \
										    "\n\t"
CHILD(in_call, NESTED("movl $1, %eax\n\tsyscall\n\t"));
CHILD(in_exception, NESTED(""));

extern u8 other_stack[256];
u8 other_stack[256] __attribute__((aligned(16)));
#define ELSEWHERE "leaq other_stack+256(%rip), %rsp\n\t"
CHILD(masked_call, ELSEWHERE "movl $1, %eax\n\tsyscall\n\t" EXIT(9));
CHILD(masked_exception, ELSEWHERE "ud2");
CHILD(masked_fault, ELSEWHERE "movq 8, %rax");

int main(int argc, char **argv, char **envp)
{
	(void)argc, (void)argv, (void)envp;
	exits("a foreign call in a handler", in_call, 7);
	exits("an exception in a handler", in_exception, 7);
	dies("a foreign call with all masked, on another stack", masked_call, ARIL_VECTOR_SYSCALL);
	dies("an exception with all masked, on another stack", masked_exception, 6);
	dies("a page fault with all masked, on another stack", masked_fault, 14);
	return done();
}

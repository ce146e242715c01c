/* SPDX-License-Identifier: MIT
 * Every instruction that only a kernel may use, each in a child that must die of it. */
// expect: privileged: refused cli
// expect: privileged: refused swapgs
// expect: privileged: done
// forbid: privileged: WRONG
// timeout: 120
#include "adversary.h"

CHILD(p_cli, "cli");
CHILD(p_sti, "sti");
CHILD(p_hlt, "hlt");
CHILD(p_in, "inb $0x60, %al");
CHILD(p_out, "movw $0xcf8, %dx\n\toutl %eax, %dx");
CHILD(p_ins, "movw $0x60, %dx\n\tmovq %rsp, %rdi\n\tinsb");
CHILD(p_outs, "movw $0xf4, %dx\n\tmovq %rsp, %rsi\n\toutsl");
CHILD(p_exit, "movw $0xf4, %dx\n\toutl %eax, %dx");
CHILD(p_reset, "movb $6, %al\n\tmovw $0xcf9, %dx\n\toutb %al, %dx");
CHILD(p_rcr0, "movq %cr0, %rax");
CHILD(p_rcr3, "movq %cr3, %rax");
CHILD(p_cr0, "movq %rax, %cr0");
CHILD(p_cr3, "movq %rax, %cr3");
CHILD(p_cr4, "movq %rax, %cr4");
CHILD(p_cr8, "movq %rax, %cr8");
CHILD(p_rdr7, "movq %dr7, %rax");
CHILD(p_dr0, "movq %rax, %dr0");
CHILD(p_dr7, "movq %rax, %dr7");
CHILD(p_wrmsr, "movl $0xc0000082, %ecx\n\twrmsr");
CHILD(p_rdmsr, "movl $0xc0000101, %ecx\n\trdmsr");
CHILD(p_lgdt, "lgdt (%rsp)");
CHILD(p_lidt, "lidt (%rsp)");
CHILD(p_lldt, "lldt %ax");
CHILD(p_ltr, "ltr %ax");
CHILD(p_lmsw, "lmsw %ax");
CHILD(p_clts, "clts");
CHILD(p_invlpg, "invlpg (%rsp)");
CHILD(p_invd, "invd");
CHILD(p_wbinvd, "wbinvd");
CHILD(p_swapgs, "swapgs");
CHILD(p_sysret, "sysretq");
CHILD(p_sysexit, "sysexitl");
/* Protection keys are off: WRPKRU is no instruction, so nothing leaks by it and nothing of the kernel's is stopped. */
CHILD(p_wrpkru, "xorl %ecx, %ecx\n\txorl %edx, %edx\n\tmovl $-1, %eax\n\twrpkru");
CHILD(p_rdpkru, "xorl %ecx, %ecx\n\trdpkru");
CHILD(p_xsetbv, "xorl %ecx, %ecx\n\txsetbv");
CHILD(p_clac, "clac");
CHILD(p_stac, "stac");
CHILD(p_sysenter, "sysenter");
CHILD(p_rdpmc, "xorl %ecx, %ecx\n\trdpmc");
CHILD(p_invpcid, "xorl %eax, %eax\n\tpushq $0\n\tpushq $0\n\tinvpcid (%rsp), %rax");
CHILD(p_xsaves, "xsaves64 (%rsp)");
CHILD(p_xrstors, "xrstors64 (%rsp)");
CHILD(p_rsm, "rsm");
CHILD(p_getsec, "xorl %eax, %eax\n\tgetsec");
CHILD(p_monitor, "monitor");
CHILD(p_mwait, "mwait");
CHILD(p_vmcall, "vmcall");
CHILD(p_vmrun, "vmrun");
CHILD(p_vmsave, "vmsave");
CHILD(p_vmload, "vmload");
CHILD(p_vmmcall, "vmmcall");
CHILD(p_vmxon, "vmxon (%rsp)");
CHILD(p_stgi, "stgi");
CHILD(p_clgi, "clgi");
CHILD(p_skinit, "skinit");
CHILD(p_invlpga, "invlpga");
CHILD(p_int0, "int $0");
CHILD(p_int2, "int $2");
CHILD(p_int8, "int $8");
CHILD(p_int13, "int $13");
CHILD(p_int14, "int $14");
CHILD(p_int32, "int $0x20");
CHILD(p_int128, "int $0x80");
CHILD(p_int255, "int $255");
CHILD(p_iret0, "movq %rsp, %rax\n\tpushq $0\n\tpushq %rax\n\tpushq $2\n\tpushq $8\n\tpushq "
	       "$0x400000\n\tiretq");
CHILD(p_lret0, "pushq $8\n\tpushq $0x400000\n\tlretq");
CHILD(p_ds0, "movl $16, %eax\n\tmovw %ax, %ss");
CHILD(p_ljmp, "pushq $0\n\tljmpl *(%rsp)");

static const struct {
	const char *what;
	void (*entry)(void);
} child[] = {
	{"cli", p_cli},
	{"sti", p_sti},
	{"hlt", p_hlt},
	{"in", p_in},
	{"out to PCI", p_out},
	{"ins", p_ins},
	{"outs", p_outs},
	{"out to the debug exit", p_exit},
	{"out to the reset port", p_reset},
	{"reading cr0", p_rcr0},
	{"reading cr3", p_rcr3},
	{"cr0", p_cr0},
	{"cr3", p_cr3},
	{"cr4", p_cr4},
	{"cr8", p_cr8},
	{"reading dr7", p_rdr7},
	{"dr0", p_dr0},
	{"wrpkru", p_wrpkru},
	{"rdpkru", p_rdpkru},
	{"dr7", p_dr7},
	{"wrmsr", p_wrmsr},
	{"rdmsr", p_rdmsr},
	{"lgdt", p_lgdt},
	{"lidt", p_lidt},
	{"lldt", p_lldt},
	{"ltr", p_ltr},
	{"lmsw", p_lmsw},
	{"clts", p_clts},
	{"invlpg", p_invlpg},
	{"invd", p_invd},
	{"wbinvd", p_wbinvd},
	{"swapgs", p_swapgs},
	{"sysret", p_sysret},
	{"sysexit", p_sysexit},
	{"xsetbv", p_xsetbv},
	{"clac", p_clac},
	{"stac", p_stac},
	{"sysenter", p_sysenter},
	{"rdpmc", p_rdpmc},
	{"invpcid", p_invpcid},
	{"xsaves", p_xsaves},
	{"xrstors", p_xrstors},
	{"rsm", p_rsm},
	{"getsec", p_getsec},
	{"monitor", p_monitor},
	{"mwait", p_mwait},
	{"vmcall", p_vmcall},
	{"vmrun", p_vmrun},
	{"vmsave", p_vmsave},
	{"vmload", p_vmload},
	{"vmmcall", p_vmmcall},
	{"vmxon", p_vmxon},
	{"stgi", p_stgi},
	{"clgi", p_clgi},
	{"skinit", p_skinit},
	{"invlpga", p_invlpga},
	{"int 0", p_int0},
	{"int 2", p_int2},
	{"int 8", p_int8},
	{"int 13", p_int13},
	{"int 14", p_int14},
	{"int 32", p_int32},
	{"int 128", p_int128},
	{"int 255", p_int255},
	{"iret to ring 0", p_iret0},
	{"lret to ring 0", p_lret0},
	{"the kernel's stack segment", p_ds0},
	{"a far jump to nothing", p_ljmp},
};

/* Where the kernel's tables lie; refused where the CPU can (UMIP), as the kernel then has it on. */
CHILD(p_sgdt, "subq $16, %rsp\n\tsgdt (%rsp)");
CHILD(p_sidt, "subq $16, %rsp\n\tsidt (%rsp)");
CHILD(p_sldt, "sldt %eax");
CHILD(p_str, "str %eax");
CHILD(p_smsw, "smsw %eax");

static void tables(void)
{
	u32 eax = 7, ebx, ecx = 0, edx;

	__asm__ volatile("cpuid" : "+a"(eax), "=b"(ebx), "+c"(ecx), "=d"(edx));
	if (!(ecx >> 2 & 1)) {
		core_log("%s: this CPU tells where its tables are", NAME);
		return;
	}
	dies("sgdt", p_sgdt, 13);
	dies("sidt", p_sidt, 13);
	dies("sldt", p_sldt, 13);
	dies("str", p_str, 13);
	dies("smsw", p_smsw, 13);
}

int main(int argc, char **argv, char **envp)
{
	(void)argc;
	(void)argv;
	(void)envp;
	for (u32 i = 0; i < sizeof(child) / sizeof(child[0]); i++)
		dies(child[i].what, child[i].entry, -1);
	tables();
	return done();
}

/* SPDX-License-Identifier: MIT
 * What follows a program's data in the data's last page is zero, however little of the page the file has: a program made here
 * looks at each byte. The file goes on behind the data with other bytes. */
#include <elf.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define AT 0x400000
#define PAGE 4096

static const unsigned char code[] = {
	0x48, 0x8d, 0x3d, 0x00, 0x00, 0x00, 0x00, /* lea 0(%rip),%rdi: its displacement is set */
	0xb9, 0x00, 0x00, 0x00, 0x00,		  /* mov $0,%ecx: so many bytes */
	0x31, 0xc0,				  /* xor %eax,%eax */
	0xf3, 0xae,				  /* repe scasb */
	0x40, 0x0f, 0x95, 0xc7,			  /* setne %dil */
	0x40, 0x0f, 0xb6, 0xff,			  /* movzbl %dil,%edi */
	0xb8, 0x3c, 0x00, 0x00, 0x00,		  /* mov $60,%eax: exit */
	0x0f, 0x05,
};

/* A program whose one segment has so many bytes in the file, and pages in memory. How it ended. */
static int run(unsigned bytes, unsigned pages)
{
	static unsigned char file[2 * PAGE];
	Elf64_Ehdr h = {.e_ident = {0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT},
			.e_type = ET_EXEC,
			.e_machine = EM_X86_64,
			.e_version = EV_CURRENT,
			.e_entry = AT + sizeof(Elf64_Ehdr) + sizeof(Elf64_Phdr),
			.e_phoff = sizeof(Elf64_Ehdr),
			.e_ehsize = sizeof(Elf64_Ehdr),
			.e_phentsize = sizeof(Elf64_Phdr),
			.e_phnum = 1};
	Elf64_Phdr p = {.p_type = PT_LOAD,
			.p_flags = PF_R | PF_W | PF_X,
			.p_vaddr = AT,
			.p_filesz = bytes,
			.p_memsz = pages * PAGE,
			.p_align = PAGE};
	unsigned char *c = file + sizeof(h) + sizeof(p);
	int distance = (int)(bytes - sizeof(h) - sizeof(p) - 7),
	    length = (int)(pages * PAGE - bytes);
	int status, fd;

	memset(file, 0xa5, sizeof(file));
	memcpy(file, &h, sizeof(h));
	memcpy(file + sizeof(h), &p, sizeof(p));
	memcpy(c, code, sizeof(code));
	memcpy(c + 3, &distance, 4);
	memcpy(c + 8, &length, 4);
	unlink("/tmp/tails");
	fd = open("/tmp/tails", O_WRONLY | O_CREAT, 0700);
	if (write(fd, file, sizeof(file)) != sizeof(file) || close(fd))
		return -1;
	if (!fork()) {
		execl("/tmp/tails", "tails", NULL);
		_exit(126);
	}
	wait(&status);
	unlink("/tmp/tails");
	return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

int main(void)
{
	static const unsigned sizes[] = {200, 400, 511, 513, 2048, 4095, 4096, 4097, 4100};

	for (unsigned i = 0; i < sizeof(sizes) / sizeof(*sizes); i++)
		printf("%u bytes: %d %d\n", sizes[i], run(sizes[i], 2), run(sizes[i], 5));
	return 0;
}

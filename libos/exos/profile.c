/* SPDX-License-Identifier: MIT
 * What a profiler outside must know to name what it sees (tools/profile): said in the log where .aril/boot asks for it, and
 * nothing otherwise. Lines: `profile: layout THREAD-TO-PROC PROC-TO-MM` (places in the structs), and of a memory, by its address:
 * `space`, a new one; `clone NEW OLD`; `map MM START END OFFSET PATH`, of files that can run; `program MM PATH`. */
#include "profile.h"
#include "inode.h"
#include "mm.h"
#include "linux_mm.h"
#include "proc.h"
#include <stddef.h>

void profile_start(void)
{
	if (family.profile)
		exos_log("profile: layout %lu %lu", offsetof(struct thread, proc),
			 offsetof(struct proc, mm));
}

void profile_space(const struct mm *mm)
{
	if (family.profile)
		exos_log("profile: space %lx", (u64)mm);
}

void profile_clone(const struct mm *mm, const struct mm *from)
{
	if (family.profile)
		exos_log("profile: clone %lx %lx", (u64)mm, (u64)from);
}

void profile_map(const struct mm *mm, u64 start, u64 end, u32 prot, struct inode *inode, u64 offset)
{
	if (!family.profile || !inode || !(prot & PROT_EXEC))
		return;
	char *path = inode->nlink ? tree_name_of(inode) : NULL;

	exos_log("profile: map %lx %lx %lx %lx %s", (u64)mm, start, end, offset, path ? path : "?");
	kfree(path);
}

void profile_program(const struct mm *mm, const char *path)
{
	if (family.profile)
		exos_log("profile: program %lx %s", (u64)mm, path);
}

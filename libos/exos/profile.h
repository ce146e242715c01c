/* SPDX-License-Identifier: MIT
 * For a profiler outside: profile.c. Each says nothing but where the family was started with profile=yes. */
#ifndef EXOS_PROFILE_H
#define EXOS_PROFILE_H

#include "exos.h"

struct mm;
struct inode;

void profile_start(void);
void profile_space(const struct mm *mm);
void profile_clone(const struct mm *mm, const struct mm *from);
void profile_map(const struct mm *mm, u64 start, u64 end, u32 prot, struct inode *inode,
		 u64 offset);
void profile_program(const struct mm *mm, const char *path);

#endif

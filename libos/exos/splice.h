/* SPDX-License-Identifier: MIT
 * Calls that move bytes between files, and into other processes' memory. */
#ifndef EXOS_SPLICE_H
#define EXOS_SPLICE_H

#include "exos.h"

s64 sys_splice(u64 in_fd, u64 in_offset, u64 out_fd, u64 out_offset, u64 bytes, u64 flags);
s64 sys_tee(u64 in_fd, u64 out_fd, u64 bytes, u64 flags);
s64 sys_vmsplice(u64 fd, u64 from, u64 count, u64 flags);
/* vmcopy.c */
s64 sys_process_vm_readv(u64 pid, u64 own, u64 own_count, u64 other, u64 other_count, u64 flags);
s64 sys_process_vm_writev(u64 pid, u64 own, u64 own_count, u64 other, u64 other_count, u64 flags);

#endif

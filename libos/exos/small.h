/* SPDX-License-Identifier: MIT
 * Small calls: each is Linux's call of that name, the result or -errno. Family lock. */
#ifndef EXOS_SMALL_H
#define EXOS_SMALL_H

#include "exos.h"

s64 sys_readahead(u64 fd, u64 offset, u64 bytes);
s64 sys_sync_file_range(u64 fd, u64 offset, u64 bytes, u64 flags);
s64 sys_name_to_handle_at(u64 dir, u64 path, u64 handle, u64 mount, u64 flags);
s64 sys_clock_settime(u64 clock, u64 from);
s64 sys_settimeofday(u64 from, u64 zone);
s64 sys_set_mempolicy(u64 mode, u64 nodes, u64 most);
s64 sys_mbind(u64 addr, u64 bytes, u64 mode, u64 nodes, u64 most, u64 flags);
s64 sys_get_mempolicy(u64 mode, u64 nodes, u64 most, u64 addr, u64 flags);

#endif

/* SPDX-License-Identifier: MIT
 * A core file that comes from the guest, piece by piece. */
#include "front.h"

#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

static int file = -1;

/* One piece: its offset, and bytes from there; without bytes, the file's end. 0, or -1 with errno. A piece whose offset no
 * file has is refused by the system. */
int core_take(const char *path, const char *bytes, size_t n)
{
	uint64_t offset;

	if (n < sizeof offset)
		return 0;
	memcpy(&offset, bytes, sizeof offset);
	if (file < 0)
		file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (file < 0)
		return -1;
	if (n == sizeof offset)
		return ftruncate(file, (off_t)offset);
	return pwrite(file, bytes + sizeof offset, n - sizeof offset, (off_t)offset) ==
			       (ssize_t)(n - sizeof offset)
		       ? 0
		       : -1;
}

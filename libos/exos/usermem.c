/* SPDX-License-Identifier: MIT
 * Access to the program's memory. Faults there nest and are resolved; what cannot be is EFAULT. */
#include "linux.h"
#include "sched.h"
#include "usermem.h"

s64 user_string(char *to, const char *from, u64 room);

/* A place that may fault, and where to go on. */
struct fixup {
	u64 at, to;
};
extern const struct fixup exos_extable[], exos_extable_end[];

u64 fixup_find(u64 rip)
{
	for (const struct fixup *f = exos_extable; f < exos_extable_end; f++)
		if (f->at == rip)
			return f->to;
	return 0;
}

static int in_program(u64 at, usize bytes)
{
	return bytes <= PROGRAM_TOP && at <= PROGRAM_TOP - bytes;
}

#define PIECE 65536ul /* copied in one go */

static int copy_pieces(u8 *to, const u8 *from, usize bytes)
{
	if (bytes >= PAGE)
		sched_breathe();
	while (bytes > PIECE) {
		if (user_copy(to, from, PIECE))
			return -EFAULT;
		to += PIECE;
		from += PIECE;
		bytes -= PIECE;
		sched_breathe();
	}
	return user_copy(to, from, bytes) ? -EFAULT : 0;
}

int copy_in(void *to, u64 from, usize bytes)
{
	return in_program(from, bytes) ? copy_pieces(to, (const u8 *)from, bytes) : -EFAULT;
}

int copy_out(u64 to, const void *from, usize bytes)
{
	return in_program(to, bytes) ? copy_pieces((u8 *)to, from, bytes) : -EFAULT;
}

s64 string_in(char *to, u64 from, usize bytes)
{
	if (from >= PROGRAM_TOP)
		return -EFAULT;
	usize room = min(bytes, PROGRAM_TOP - from);
	s64 length = user_string(to, (const char *)from, room);
	if (length < 0)
		return -EFAULT;
	if ((usize)length == room)
		return room < bytes ? -EFAULT : -ENAMETOOLONG;
	return length;
}

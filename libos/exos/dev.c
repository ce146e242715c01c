/* SPDX-License-Identifier: MIT
 * Character devices: null, zero, full, random, and the names of the terminal. */
#include "inode.h"
#include "pty.h"
#include "tty.h"

enum { DEV_NULL = 3, DEV_ZERO = 5, DEV_FULL = 7, DEV_RANDOM = 8, DEV_URANDOM = 9 };

static s64 null_read(struct file *f, u64 to, usize bytes, u64 *offset)
{
	(void)f, (void)to, (void)bytes, (void)offset;
	return 0;
}

static s64 sink_write(struct file *f, u64 from, usize bytes, u64 *offset)
{
	(void)f, (void)from, (void)offset;
	return (s64)bytes;
}

static s64 full_write(struct file *f, u64 from, usize bytes, u64 *offset)
{
	(void)f, (void)from, (void)bytes, (void)offset;
	return -ENOSPC;
}

static s64 zero_read(struct file *f, u64 to, usize bytes, u64 *offset)
{
	static const u8 zeros[PAGE];
	u64 done = 0;
	(void)f, (void)offset;
	while (done < bytes) {
		u64 n = min(PAGE, bytes - done);
		if (io_out(to + done, zeros, n))
			return done ? (s64)done : -EFAULT;
		done += n;
	}
	return (s64)done;
}

/* Random bytes by the CPU's generator, or, where it lacks one, stirred from the time stamp counter. */
u64 device_random(void)
{
	static u64 state = 0x9e3779b97f4a7c15ul;
	u32 low, high, a = 1, b, c = 0, d;
	u64 word;
	u8 ok = 0;
	__asm__("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
	for (u32 i = 0; (c >> 30 & 1) && i < 10 && !ok; i++)
		__asm__ volatile("rdrand %0; setc %1" : "=r"(word), "=qm"(ok) : : "cc");
	__asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
	state = (state ^ ((u64)high << 32 | low)) * 0xbf58476d1ce4e5b9ul;
	state ^= state >> 29;
	return ok ? word ^ state : state;
}

static s64 random_read(struct file *f, u64 to, usize bytes, u64 *offset)
{
	u64 words[32], done = 0;
	(void)f, (void)offset;
	while (done < bytes) {
		u64 n = min(sizeof(words), bytes - done);
		for (u32 i = 0; i < (n + 7) / 8; i++)
			words[i] = device_random();
		if (io_out(to + done, words, n))
			return done ? (s64)done : -EFAULT;
		done += n;
	}
	return (s64)done;
}

static s64 any_seek(struct file *f, s64 offset, u32 whence)
{
	(void)offset;
	if (whence > SEEK_END)
		return -EINVAL;
	f->offset = 0;
	return 0;
}

static const struct file_ops null_ops = {.read = null_read, .write = sink_write, .seek = any_seek};
static const struct file_ops zero_ops = {.read = zero_read, .write = sink_write, .seek = any_seek};
static const struct file_ops full_ops = {.read = zero_read, .write = full_write, .seek = any_seek};
static const struct file_ops random_ops = {
	.read = random_read, .write = sink_write, .seek = any_seek};

/* Opens a character device by its number. 0 or -ENXIO. */
s64 device_open(struct inode *i, struct file *f)
{
	struct tty *tty;
	if (i->rdev >> 8 >= PTS_MAJOR && i->rdev >> 8 < PTS_MAJOR + PTS_MAJORS)
		return pts_open_device(i, f);
	switch (i->rdev) {
	case RDEV(1, DEV_NULL):
		f->ops = &null_ops;
		return 0;
	case RDEV(1, DEV_ZERO):
		f->ops = &zero_ops;
		return 0;
	case RDEV(1, DEV_FULL):
		f->ops = &full_ops;
		return 0;
	case RDEV(1, DEV_RANDOM):
	case RDEV(1, DEV_URANDOM):
		f->ops = &random_ops;
		return 0;
	case RDEV(5, 0): /* the caller's own */
		tty = current()->proc->tty;
		return !tty ? -ENXIO : tty_is_pty(tty) ? pts_open(i, f, tty) : tty_open(i, f, tty);
	case RDEV(5, 2):
		return ptmx_open(f);
	case RDEV(5, 1):
		return console_open(i, f);
	default:
		return -ENXIO;
	}
}

static void make_link(struct inode *dir, const char *name, const char *target)
{
	u32 length = (u32)__builtin_strlen(target);
	struct inode *i = tree_make(dir, name, S_IFLNK | 0777, 0);
	kfree(i->link.target);
	i->link.target = string_copy(target, length);
	i->link.length = i->link.target ? length : 0;
	i->size = i->link.length;
}

/* Makes /dev as programs expect it, whatever the archive has there. */
void dev_boot(struct inode *root)
{
	struct inode *dev = tree_make(root, "dev", S_IFDIR | 0755, 0);
	tree_make(dev, "shm", S_IFDIR | 01777, 0);
	tree_make(dev, "null", S_IFCHR | 0666, RDEV(1, DEV_NULL))->rdev = RDEV(1, DEV_NULL);
	tree_make(dev, "zero", S_IFCHR | 0666, RDEV(1, DEV_ZERO))->rdev = RDEV(1, DEV_ZERO);
	tree_make(dev, "full", S_IFCHR | 0666, RDEV(1, DEV_FULL))->rdev = RDEV(1, DEV_FULL);
	tree_make(dev, "random", S_IFCHR | 0666, RDEV(1, DEV_RANDOM))->rdev = RDEV(1, DEV_RANDOM);
	tree_make(dev, "urandom", S_IFCHR | 0666, RDEV(1, DEV_URANDOM))->rdev =
		RDEV(1, DEV_URANDOM);
	tree_make(dev, "tty", S_IFCHR | 0666, RDEV(5, 0))->rdev = RDEV(5, 0);
	tree_make(dev, "console", S_IFCHR | 0600, RDEV(5, 1))->rdev = RDEV(5, 1);
	pty_boot(dev);
	make_link(dev, "fd", "/proc/self/fd");
	make_link(dev, "stdin", "/proc/self/fd/0");
	make_link(dev, "stdout", "/proc/self/fd/1");
	make_link(dev, "stderr", "/proc/self/fd/2");
	struct inode *tmp = tree_make(root, "tmp", S_IFDIR | 01777, 0);
	tmp->mode |= 01777;
}

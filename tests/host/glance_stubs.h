/* SPDX-License-Identifier: MIT
 * The machine's side for glance_test.c: memory that is ruined when it is given back, and what the files have no use for there. */
#ifndef HOST_GLANCE_STUBS_H
#define HOST_GLANCE_STUBS_H

struct family family;
u32 inotify_marks;
struct list all_procs = {&all_procs, &all_procs};
struct lock_state lock_state;
const struct file_ops pipe_ops, file_regular_ops, file_path_ops;

static u8 arena[ARENA_BYTES] __attribute__((aligned(4096)));
static u64 arena_used, junk[2048] __attribute__((aligned(4096)));
static u64 poison; /* what is given back is full of it */
static void *pages_given[512];
static u32 npages;
static struct thread thread;
static struct proc proc;
static struct fsinfo fs;

/* Pages are used again at once, the last one first; the other pieces never. Each has its size before it. */
void *page_alloc(u32 order)
{
	if (!order && npages)
		return pages_given[--npages];
	u64 at = (arena_used + PAGE - 1) / PAGE * PAGE;
	arena_used = at + (PAGE << order);
	if (arena_used > ARENA_BYTES)
		abort();
	return arena + at;
}
void *page_zalloc(u32 order)
{
	return memset(page_alloc(order), 0, PAGE << order);
}
static void ruin(u64 *at, u64 bytes)
{
	for (u64 i = 0; i < bytes / 8; i++)
		at[i] = poison;
}
static u32 page_users[ARENA_BYTES / PAGE];
void page_get(void *page)
{
	page_users[((u8 *)page - arena) / PAGE]++;
}
void page_put(void *page)
{
	u32 *more = &page_users[((u8 *)page - arena) / PAGE];
	if (*more) {
		--*more;
		return;
	}
	ruin(page, PAGE);
	pages_given[npages++] = page;
}
static void (*at_kmalloc)(void);
void *kmalloc(usize bytes)
{
	if (at_kmalloc)
		at_kmalloc();
	bytes = (bytes + 15) / 16 * 16;
	u64 *at = (u64 *)(arena + (arena_used + 15) / 16 * 16);
	arena_used = (u64)((u8 *)at - arena) + 16 + bytes;
	if (arena_used > ARENA_BYTES)
		abort();
	at[0] = bytes;
	return memset(at + 2, 0, bytes);
}
void *kmalloc_raw(usize bytes)
{
	return kmalloc(bytes);
}
void kfree(void *p)
{
	if (p)
		ruin(p, ((u64 *)p)[-2]);
}
u64 pages_free(void)
{
	return 1 << 20;
}
u64 pages_total(void)
{
	return 1 << 20;
}
u64 now_ns(void)
{
	return 1000;
}
void sched_breathe(void)
{
}
void lock_told(void)
{
}
void exos_panic(const char *format, ...)
{
	printf("%s\n", format);
	abort();
}
s64 sleep_on(struct waitq *q, u64 deadline, int interruptible)
{
	(void)q, (void)deadline, (void)interruptible;
	abort();
}
void wake_all(struct waitq *q)
{
	(void)q;
}
s64 string_in(char *to, u64 from, usize bytes)
{
	usize n = strnlen((const char *)from, bytes);
	memcpy(to, (const char *)from, n < bytes ? n + 1 : n);
	return n < bytes ? (s64)n : -ENAMETOOLONG;
}
int copy_in(void *to, u64 from, usize bytes)
{
	memcpy(to, (const void *)from, bytes);
	return 0;
}
int copy_out(u64 to, const void *from, usize bytes)
{
	memcpy((void *)to, from, bytes);
	return 0;
}
int io_in(void *to, u64 from, usize bytes)
{
	return copy_in(to, from, bytes);
}
int io_out(u64 to, const void *from, usize bytes)
{
	return copy_out(to, from, bytes);
}
u64 caps_real(const struct proc *p)
{
	return p->uid ? 0 : p->caps.effective;
}
s64 iovec_in(u64 from, u64 count, struct linux_iovec *vec)
{
	u64 sum = 0;
	copy_in(vec, from, count * sizeof(*vec));
	for (u64 i = 0; i < count; i++)
		sum += vec[i].len;
	return (s64)sum;
}

u32 swap_out(u32 first, u32 last, u32 most, u32 looks)
{
	(void)first, (void)last, (void)most, (void)looks;
	return 0;
}

/* What these files have no use for here. */
#define NOTHING(head) \
	head          \
	{             \
	}
#define NO(head)           \
	head               \
	{                  \
		return -1; \
	}
NOTHING(void inotify_file(struct file *f __attribute__((unused)), u32 m __attribute__((unused))))
NOTHING(void inotify_walk(const struct walk *w __attribute__((unused)),
			  u32 m __attribute__((unused))))
NOTHING(void inotify_gone(struct inode *i __attribute__((unused))))
NOTHING(void inotify_name(struct inode *d __attribute__((unused)),
			  const char *n __attribute__((unused)), u32 l __attribute__((unused)),
			  const struct inode *c __attribute__((unused)),
			  u32 m __attribute__((unused)), u32 k __attribute__((unused))))
NOTHING(void inotify_inode(struct inode *i __attribute__((unused)),
			   struct inode *d __attribute__((unused)),
			   const char *n __attribute__((unused)), u32 l __attribute__((unused)),
			   u32 m __attribute__((unused))))
NOTHING(void epoll_forget(struct file *f __attribute__((unused))))
NOTHING(void record_release(struct inode *i __attribute__((unused)),
			    const void *o __attribute__((unused))))
NOTHING(void xattr_release(struct inode *i __attribute__((unused))))
NOTHING(void pipe_free(struct pipe *p __attribute__((unused))))
NOTHING(void mm_inode_truncated(const struct inode *i __attribute__((unused)),
				u64 s __attribute__((unused))))
NOTHING(void mm_inode_replaced(const struct inode *i __attribute__((unused)),
			       u64 n __attribute__((unused)), const void *f __attribute__((unused)),
			       void *t __attribute__((unused))))
NOTHING(void mm_inode_unmapped(struct inode *i __attribute__((unused)),
			       u64 f __attribute__((unused)), u64 t __attribute__((unused))))
NOTHING(void mm_inode_gone(const struct inode *i __attribute__((unused))))
NO(s64 write_too_big(void))
NO(u32 inotify_cookie(void))
NO(s64 record_fcntl(struct file *f __attribute__((unused)), u32 c __attribute__((unused)),
		    u64 a __attribute__((unused))))
NO(s64 seals_add(struct file *f __attribute__((unused)), u64 s __attribute__((unused))))
NO(s64 seals_get(const struct file *f __attribute__((unused))))
NO(s64 pipe_set_size(struct pipe *p __attribute__((unused)), u64 b __attribute__((unused))))
NO(s64 fifo_open(struct inode *i __attribute__((unused)), struct file *f __attribute__((unused))))
NO(s64 device_open(struct inode *i __attribute__((unused)), struct file *f __attribute__((unused))))
s64 seals_resize(const struct inode *i, u64 size)
{
	(void)i, (void)size;
	return 0;
}
s64 seals_write(const struct inode *i, u64 end)
{
	(void)i, (void)end;
	return 0;
}

#endif

/* SPDX-License-Identifier: MIT
 * /proc/net: sockets that somebody has open. */
#include "proc.h"
#include "procfs.h"
#include "sched.h"
#include "socket.h"

/* A process's descriptor, in the order in which they are looked at. */
struct place {
	const struct proc *proc;
	u32 fd;
};

static const struct socket *socket_at(const struct place *at)
{
	const struct file *f = at->proc->files ? files_file(at->proc->files, at->fd) : NULL;
	return f && S_ISSOCK(f->inode->mode) ? f->data : NULL;
}

/* The next place; 0: that was the last. */
static int place_next(struct place *at)
{
	if (at->proc->files && at->fd + 1 < at->proc->files->capacity) {
		at->fd++;
		return 1;
	}
	at->fd = 0;
	const struct list *next = at->proc->all.next;
	at->proc = container_of(next, struct proc, all);
	return next != &all_procs;
}

static int seen_before(const struct place *here, const struct socket *s)
{
	struct place at = {container_of(all_procs.next, struct proc, all), 0};
	while (at.proc != here->proc || at.fd != here->fd) {
		if (socket_at(&at) == s)
			return 1;
		if (!place_next(&at))
			break;
	}
	return 0;
}

/* Each socket once, however many share it. */
void proc_text_unix(struct proc_text *t, struct proc *p)
{
	struct place at = {container_of(all_procs.next, struct proc, all), 0};
	(void)p;
	text_add(t, "Num       RefCount Protocol Flags    Type St Inode Path\n");
	do {
		const struct socket *s = socket_at(&at);
		if (!s || !s->inode || seen_before(&at, s))
			continue;
		text_add(t, "%016lx: %08X 00000000 %08X %04X %02X %5lu", s->inode->ino, s->refs,
			 s->state == SOCKET_LISTENING ? 0x10000 : 0, s->type,
			 s->state == SOCKET_CONNECTED ? 3 : 1, s->inode->ino);
		if (s->name && s->name->length)
			text_add(t, " %s%s", s->name->text[0] ? "" : "@",
				 s->name->text + !s->name->text[0]);
		text_add(t, "\n");
		sched_breathe();
	} while (place_next(&at));
}

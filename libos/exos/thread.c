/* SPDX-License-Identifier: MIT
 * Threads: making, finding, ending them. Family lock throughout.
 *
 * Invariants. (1) p->threads holds exactly the threads of p that have not ended, p->nthreads of them; each is in the
 * table of numbers. A process with none is a zombie, or was never started. (2) Who ended is buried: it still stands on
 * its stack then, but holds the family lock until it has left it for good, so whoever has the lock next may use
 * both again. (3) thread_kill only says that a thread is
 * to end; each thread ends itself, so that it lets go of what it has on its way out of ExOS. */
#include "dump.h"
#include "guard.h"
#include "linux.h"
#include "mm.h"
#include "nice.h"
#include "proc.h"
#include "proc_internal.h"
#include "switch.h"
#include "time.h"
#include <core/string.h>

#define XSAVE_AT 1024ul /* struct thread and its vector state share a page */
_Static_assert(sizeof(struct thread) <= THREAD_STASH && THREAD_STASH < XSAVE_AT, "struct thread");
#define BURIED_MOST 32u
#define TIDS 256u

/* Ended threads with their stacks, oldest first, for the next ones. */
static struct list buried = {&buried, &buried};
static u32 buried_count;
static struct list tids[TIDS];

struct thread *thread_find(u32 tid)
{
	struct list *head = &tids[tid % TIDS];

	for (struct list *at = head->next; at && at != head; at = at->next) {
		struct thread *t = container_of(at, struct thread, hash);
		if (t->tid == tid)
			return t;
	}
	return NULL;
}

struct thread *proc_leader(const struct proc *p)
{
	if (list_empty(&p->threads))
		return NULL;
	return container_of(p->threads.next, struct thread, sibling);
}

/* What a switch would have left: rbp, and where to return. */
struct first_frame {
	u64 rbp;
	void (*go)(void);
};

void thread_set(struct thread *t, void (*go)(void))
{
	struct first_frame *first =
		(struct first_frame *)(t->stack_top - sizeof(struct user_regs)) - 1;

	first->rbp = 0;
	first->go = go;
	t->switch_rsp = (u64)first;
}

/* Memory for a thread that stands on no list: what its struct says but self, stack_top, regs and xsave is zero. */
static struct thread *thread_memory_new(void)
{
	struct thread *t = page_zalloc(0);
	u8 *stack = page_alloc(2);

	if (!t || !stack || guard_stash(t)) {
		if (t)
			page_put(t);
		if (stack)
			page_put(stack);
		return NULL;
	}
	t->self = t;
	t->stack_top = (u64)stack + EXOS_STACK - 8; /* user_regs end on a multiple of 16 */
	t->regs = (struct user_regs *)(t->stack_top - sizeof(*t->regs));
	t->xsave = (u8 *)t + XSAVE_AT;
	list_init(&t->run);
	list_init(&t->timer);
	sigqueue_init(&t->pending);
	return t;
}

/* The same of one that has ended: nothing is pending for it any more, its time is its process's, and thread_exit has left each list.
 * What is of a sleep alone (wake_result, interruptible) is set by each, and when it began to run by who picks it. */
static struct thread *thread_memory_again(void)
{
	struct thread *t = container_of(buried.prev, struct thread, sibling);

	list_unlink(&t->sibling);
	buried_count--;
	t->sig_mask = 0;
	t->pending.set = 0;
	t->sig_restore_mask = 0;
	t->altstack_sp = t->altstack_size = 0;
	t->altstack_flags = 0;
	t->fault_addr = t->fault_error = t->fault_vector = 0;
	t->killed = 0;
	t->clear_tid = 0;
	t->restart[2] = 0;
	t->sig_waiting = 0;
	t->robust_list = 0;
	t->time_system = 0;
	t->comm[0] = 0;
	return t;
}

static void memory_free(struct thread *t)
{
	guard_unstash(t);
	page_put((void *)(t->stack_top + 8 - EXOS_STACK));
	page_put(t);
}

static inline void words_copy(void *to, const void *from, u64 words)
{
	__asm__ volatile("rep movsq" : "+D"(to), "+S"(from), "+c"(words) : : "memory");
}

/* What each thread has at first. */
static inline __attribute__((always_inline)) void thread_begins(struct thread *t, struct proc *p,
								u32 tid)
{
	t->proc = p;
	t->tid = tid;
	t->state = THREAD_NEW;
	t->affinity = ~0ul;
	nice_begin(t);
	t->regs = (struct user_regs *)(t->stack_top - sizeof(*t->regs));
	thread_set(t, ways->first);
}

/* It goes on where the current one is, with the call's result 0. */
static inline __attribute__((always_inline)) void thread_like(struct thread *t,
							      const struct user_regs *regs)
{
	struct user_regs *own = t->regs;

	words_copy(own, regs, sizeof(*own) / 8);
	own->rax = 0;
	own->orig_rax = ~0ul;
	__asm__ volatile("xsave64 (%0)" ::"r"(t->xsave), "a"(~0u), "d"(~0u) : "memory");
	__asm__ volatile("rdfsbase %0" : "=r"(t->fs_base));
}

static __attribute__((noinline)) struct thread *thread_create_new(struct proc *p, u32 tid,
								  const struct user_regs *regs)
{
	struct thread *t = buried_count ? thread_memory_again() : thread_memory_new();

	if (!t)
		return NULL;
	thread_begins(t, p, tid);
	if (regs) {
		thread_like(t, regs);
	} else {
		memset(t->regs, 0, sizeof(*t->regs));
		memcpy(t->xsave, vector_initial, PAGE - XSAVE_AT);
	}
	return t;
}

struct thread *thread_create(struct proc *p, u32 tid, const struct user_regs *regs)
{
	if (RARE(!regs) || RARE(!buried_count))
		return thread_create_new(p, tid, regs);
	struct thread *t = thread_memory_again();

	thread_begins(t, p, tid);
	thread_like(t, regs);
	return t;
}

void thread_discard(struct thread *t)
{
	nice_end(t);
	memory_free(t);
}

void thread_add(struct thread *t)
{
	struct list *head = &tids[t->tid % TIDS];

	if (!head->next)
		list_init(head);
	list_add_tail(head, &t->hash);
	list_add_tail(&t->proc->threads, &t->sibling);
	t->proc->nthreads++;
}

/* Its memory is used again when its last instruction on it is done: when the lock is let go. */
static void thread_bury(struct thread *t)
{
	if (buried_count == BURIED_MOST) {
		struct thread *oldest = container_of(buried.next, struct thread, sibling);

		list_del(&oldest->sibling);
		buried_count--;
		memory_free(oldest);
	}
	list_add_tail(&buried, &t->sibling);
	buried_count++;
}

int threads_reclaim(void)
{
	int some = 0;

	for (struct list *at = buried.next, *next; at != &buried; at = next) {
		struct thread *t = container_of(at, struct thread, sibling);

		next = at->next;
		if (t == current()) /* it still stands there */
			continue;
		list_del(&t->sibling);
		buried_count--;
		memory_free(t);
		some = 1;
	}
	return some;
}

void thread_kill(struct thread *t)
{
	t->killed = 1;
	t->pending.set |= SIG_BIT(SIGKILL);
	if (t->state == THREAD_SLEEPING && t->interruptible) {
		t->interruptible = 1;
		thread_wake(t, -EINTR);
	} else {
		sched_kick(t);
	}
}

void proc_kill(struct proc *p, s32 status)
{
	if (p->group_exit)
		return;
	p->group_exit = 1;
	p->exit_status = status;
	for (struct list *at = p->threads.next; at != &p->threads; at = at->next)
		thread_kill(container_of(at, struct thread, sibling));
}

_Noreturn void thread_exit(s32 status)
{
	struct thread *t = current();
	struct proc *p = t->proc;

	t->killed = 1;
	thread_leave_memory();
	if (charge_timed(p))
		time_account(t);
	else
		charge_plain(t, __builtin_ia32_rdtsc());
	p->user_ticks += t->user_ticks;
	p->system_ticks += t->system_ticks;
	t->user_ticks = t->system_ticks = 0;
	if (!p->group_exit && t->tid == p->pid)
		p->exit_status = status;
	list_unlink(&t->sibling);
	list_unlink(&t->hash);
	p->nthreads--;
	if (t->pending.set || !list_empty(&t->pending.queued))
		sigqueue_empty(&t->pending, p);
	nice_end(t);
	if (RARE(p->dump))
		dump_thread_ended(p);
	if (!p->nthreads)
		proc_end(p, p->exit_status);
	else if (p->pending.set)
		signal_retarget(p, t, p->pending.set & ~t->sig_mask);
	if (p->nthreads == 1 && p->exec_by)
		wake_all(&p->exec_wait);
	thread_bury(t);
	sched_exit();
}

_Noreturn void proc_exit(s32 status)
{
	proc_kill(current()->proc, status);
	thread_exit(status);
}

void thread_renumber(struct thread *t)
{
	struct list *head = &tids[t->proc->pid % TIDS];

	if (t->tid == t->proc->pid)
		return;
	list_del(&t->hash);
	t->tid = t->proc->pid;
	if (!head->next)
		list_init(head);
	list_add_tail(head, &t->hash);
}

s64 threads_end_others(void)
{
	struct thread *t = current();
	struct proc *p = t->proc;

	if (p->nthreads == 1 && !t->killed)
		return 0;
	if (p->exec_by || p->group_exit)
		return -EINTR;
	p->exec_by = t;
	for (struct list *at = p->threads.next; at != &p->threads; at = at->next) {
		struct thread *other = container_of(at, struct thread, sibling);

		if (other != t)
			thread_kill(other);
	}
	while (p->nthreads > 1 && !t->killed)
		sleep_on(&p->exec_wait, 0, 2);
	p->exec_by = NULL;
	return t->killed ? -EINTR : 0;
}

/* In place of a thread whose env the kernel ended. */
void thread_killed(void)
{
	family_lock();
	proc_exit(SIGKILL);
}

/* SPDX-License-Identifier: MIT
 * What every part of ExOS shares: threads, processes, the family lock, sleeping, and who provides what.
 *
 * ExOS is one image, mapped with its data in every process of a family through shared sub-trees: a global
 * here is the family's. Family memory is direct-mapped at FAMILY_VA. Code here runs with upcalls masked
 * ASYNC on the thread's own stack; only faults on the program's memory nest.
 *
 * The family lock guards all of ExOS's data unless a field says otherwise. It is taken on the way in
 * (exos_enter), dropped while a thread sleeps and on the way out. Programs run in parallel; ExOS itself does
 * not, except for calls marked free of the lock in the table. */
#ifndef EXOS_H
#define EXOS_H

#include <aril/layout.h>
#include <aril/ops.h>
#include <aril/types.h>
#include <aril/upcall.h>

/* One image: no address needs a table. */
#pragma GCC visibility push(hidden)

#define EXOS_VA 0x7f0000000000ul
#define FAMILY_VA 0x7e0000000000ul
#define PROGRAM_TOP 0x7d0000000000ul /* exclusive: programs' half ends here (stack below it) */
#define PAGE 4096ul
#define EXOS_STACK 16384ul

#define NULL ((void *)0)
#define array_count(a) (sizeof(a) / sizeof((a)[0]))
#define min(a, b) ((a) < (b) ? (a) : (b))
#define max(a, b) ((a) > (b) ? (a) : (b))
#define container_of(p, type, field) ((type *)((char *)(p) - __builtin_offsetof(type, field)))

/* Linux's numbers: errors, signals, structures, flags. linux.h */

/* The program's registers at its entry to ExOS, at the top of the thread's ExOS stack. entry.S knows the order. */
struct user_regs {
	u64 r15, r14, r13, r12, rbp, rbx, r11, r10, r9, r8, rax, rcx, rdx, rsi, rdi;
	u64 orig_rax; /* system call number, or -1 when entered otherwise */
	u64 rip, cs, rflags, rsp, ss;
};

struct list {
	struct list *next, *prev;
};
/* A word that hardly ever is set: one instruction and its jump, where the compiler would load it first. */
static inline __attribute__((always_inline)) int word_marked(const u32 *word)
{
	__asm__ goto("cmpl $0, %0\n\tjne %l[marked]" ::"m"(*word) : "cc" : marked);
	return 0;
marked:
	return 1;
}
/* A condition that hardly ever holds: what it leads to may cost whatever it likes. */
#define RARE(condition) __builtin_expect_with_probability(!!(condition), 0, 0.9999)

static inline void list_init(struct list *l)
{
	l->next = l->prev = l;
}
static inline int list_empty(const struct list *l)
{
	return l->next == l;
}
static inline void list_add_tail(struct list *head, struct list *n)
{
	struct list *last =
		head->prev; /* read once: the stores might be to it, for all that C knows */

	n->next = head;
	n->prev = last;
	last->next = n;
	head->prev = n;
}
/* n is put into a list next, or never used as one again. */
static inline void list_unlink(struct list *n)
{
	n->prev->next = n->next;
	n->next->prev = n->prev;
}
static inline void list_del(struct list *n)
{
	n->prev->next = n->next;
	n->next->prev = n->prev;
	n->next = n->prev = n;
}

/* What sleeps: threads queue here (sched.c). Guarded by the family lock. */
struct waitq {
	struct list sleepers;
};

enum thread_state {
	THREAD_NEW,
	THREAD_RUNNABLE,
	THREAD_RUNNING,
	THREAD_SLEEPING,
	THREAD_STOPPED,
	THREAD_DEAD
};

#define NSIG 64

/* Pending signals of a thread, or of its whole process: a bit each, and what is known of them, oldest first. */
struct sigqueue {
	u64 set;
	struct list queued; /* struct sig_queued; not all have one */
};

struct dump; /* dump.c */

/* A thread. One that begins may have the memory of one that ended: thread_memory_again says what of it is set to zero. */
struct thread {
	struct thread *self;	/* gs:0 */
	u64 stack_top;		/* gs:8, ExOS stack */
	u64 scratch[2];		/* gs:16, entry.S */
	struct user_regs *regs; /* gs:32, the program's registers while it is inside */
	struct proc *proc;
	u32 tid;
	u32 state;
	u64 switch_rsp; /* saved by sched while not running */
	u64 fs_base;	/* the program's */
	u8 *xsave; /* the program's vector state while not running, XSAVE layout, 64-byte aligned */
	u32 xsave_valid;
	u32 in_exos;	 /* nesting: 0 in the program */
	struct list run; /* in the run queue or a waitq */
	struct waitq *sleeping_on;
	u64 wake_deadline; /* ns; 0: none */
	struct list timer;
	s64 wake_result;   /* 0 woken, -ETIMEDOUT, -EINTR */
	u32 interruptible; /* 1: by a signal, 2: by its thread's end alone */
	/* signals (signal.c) */
	u64 sig_mask, sig_saved_mask;
	struct sigqueue pending; /* its own; those of its process come after */
	u32 sig_restore_mask;	 /* sigsuspend, ppoll: restore sig_saved_mask after delivery */
	u64 altstack_sp, altstack_size;
	u32 altstack_flags;
	u64 fault_addr;				  /* of the last fault, for siginfo */
	u32 killed;				  /* it ends before it sees the program again */
	u64 clear_tid;				  /* set_tid_address */
	u64 user_ticks, system_ticks, last_stamp; /* of the TSC */
	u64 restart[4];				  /* restart_syscall */
	/* entry.S knows nothing of what follows, but for robust_list */
	u64 sig_waiting;	       /* rt_sigtimedwait: wakes although blocked */
	u64 fault_error, fault_vector; /* of the last exception, for the signal frame */
	u64 robust_list;	       /* set_robust_list; 0: none */
	struct list sibling;	       /* of its process; of those that ended */
	struct list hash;	       /* by tid */
	u64 affinity;		       /* processors it may run on, a bit each */
	u32 time_system;	       /* a slice's end last found it in ExOS: timer.c */
	/* its share of the processor: nice.h */
	u8 policy,
		policy_own; /* own: not its children's, where it is better than the ordinary one */
	s8 nice;
	u32 weight;
	u64 turn;
	char comm[16];
};

static inline struct thread *current(void)
{
	struct thread *t;
	__asm__("movq %%gs:0, %0" : "=r"(t)); /* the same as long as a stack is */
	return t;
}

struct mm;	/* mm.h */
struct files;	/* file.h: descriptor table */
struct fsinfo;	/* file.h: cwd, root, umask */
struct sighand; /* signal.h */
struct tty;	/* tty.h */

/* What a process may beyond its identity, a bit each: caps.h. */
struct capabilities {
	u64 effective, permitted, inheritable, bounding, ambient;
	u32 secure; /* which of user 0's privileges it gave up */
};

struct proc {
	u32 pid, ppid, pgid, sid;
	u32 env; /* kernel env id */
	u32 env_frame;
	struct aril_context *ctx[ARIL_MAX_CPUS]; /* direct-map address; NULL: none there yet */
	struct mm *mm;
	struct files *files;
	struct fsinfo *fs;
	struct sighand *sig;
	struct tty *tty;		  /* controlling terminal */
	struct list threads;		  /* those that have not ended */
	struct posix_timer *posix_timers; /* ptimer.c */
	u32 nthreads;
	u32 group_exit;		/* all end, with exit_status */
	struct thread *exec_by; /* it alone lives on, into another program */
	struct waitq exec_wait; /* it sleeps here until the others have ended */
	struct sigqueue pending;
	u32 sig_queued;		      /* infos in its queues and its threads' */
	u64 user_ticks, system_ticks; /* of threads that ended */
	u32 barriers;		      /* membarrier: registered for the expedited one */
	struct proc *parent;
	struct list children, sibling, all;
	struct waitq child_wait; /* wait4 of the parent sleeps on its own */
	struct waitq vfork_wait;
	u32 state;	 /* PROC_* of proc.h */
	s32 exit_status; /* wait4's encoding */
	u32 exit_signal;
	u32 vforked; /* the parent waits until exec or exit */
	char comm[16];
	char *exe; /* absolute path */
	u32 uid, euid, gid, egid;
	u64 start_ns;
	u64 cutime_ns, cstime_ns, maxrss_pages, cmaxrss_pages, minflt, majflt;
	u64 limit_cur[16], limit_max[16];
	u64 itimer_value[3], itimer_interval[3]; /* ns; value[ITIMER_REAL] is its deadline */
	struct timer *itimer_real;
	u32 suid, sgid, ngroups, groups[32];
	u32 did_exec;				  /* its parent may no longer change its group */
	u32 stop_signal;			  /* what stopped it */
	u32 stop_unreported, continue_unreported; /* to the parent's wait */
	u32 no_new_privs, death_signal, dumpable, exiting;
	struct waitq stop_wait; /* sleeps here while stopped */
	u32 auth_open;		/* its env has opened the family's capability */
	u32 sem_undo;		/* sem_exit has something to do for it */
	u32 personality;
	u32 subreaper, ioprio; /* caps.c */
	u64 timer_slack;
	struct capabilities caps; /* of all its threads */
	struct dump *dump;	  /* its core file is being written */
};

/* ---- main.c: start of the family; boots the first process ---- */
extern struct family {
	const struct core_domain *domain;
	u32 auth; /* opened capability of the family */
	u32 ncpus;
	u32 trace; /* 0, 1: each call, or */
#define TRACE_SUMMARY 2u
	u32 profile;	     /* profile.c speaks */
	s64 realtime_offset; /* ns to add to the exposed clock for UTC */
	struct proc *init;
	u32 console_is_tty; /* CHANNEL_TTY_* */
	u64 online;	    /* processors that it has positions of, a bit each */
	u32 unguarded;	    /* the guard is wanted, and cannot be: no program starts */
} family;

/* ---- lock.c / sched.c ---- */
void family_lock(void); /* recursive by thread: a nested fault does not lock twice */
void family_unlock(void);
/* For quick calls: takes the lock if it is free now, and the caller does not have it. Whether it did. */
int family_try(void);
void waitq_init(struct waitq *q);
/* Sleeps on q until woken, the deadline (ns of the exposed clock, 0: none), or, where interruptible, a
 * deliverable signal. The family lock is held before and after, and dropped between. 0, -ETIMEDOUT, -EINTR.
 * Callers re-check their condition in a loop. q NULL: who wakes knows the thread. */
s64 sleep_on(struct waitq *q, u64 deadline, int interruptible);
/* interruptible 2: by nothing but the thread's end (thread_kill), which is -EINTR, too. */
void wake_one(struct waitq *q);
void wake_all(struct waitq *q);
void thread_wake(struct thread *t, s64 result); /* if it sleeps interruptibly or result is 0 */
void thread_start(struct thread *t);		/* NEW -> RUNNABLE */
/* Something else is runnable that should not wait for this processor, where another is idle. */
void sched_spread(void);
void sched_yield_now(void);	 /* others first */
_Noreturn void sched_exit(void); /* the current thread never runs again */
/* Makes t look for what is pending soon, if it runs on another processor now. Family lock. */
void sched_kick(const struct thread *t);
u64 now_ns(void); /* exposed clock */
/* The TSC, and a span of it in ns: what is measured often is converted when it is asked for. */
u64 ticks_now(void);
u64 ticks_ns(u64 ticks);
/* console and timers are pumped by the scheduler on EVENT and before it idles: */
void console_pump_all(void);
/* The frames of the ring pages, input and output, and the processor that hears of them. 0: it has none. */
int console_ring_frames(u32 frame[2], u32 *cpu);
/* Library timers (time.c): the earliest deadline (0: none), and running what is due. */
u64 timers_next(void);
void timers_run(u64 now);

/* ---- memory.c: family frames ---- */
void *page_alloc(u32 order); /* 4096 << order bytes, zeroed only by page_zalloc; NULL: none left */
void *page_zalloc(u32 order);
void page_get(void *page); /* reference counts of single pages (order 0) */
void page_put(void *page); /* frees at zero */
u32 page_refs(const void *page);
static inline u32 page_frame(const void *p)
{
	return (u32)(((u64)p - FAMILY_VA) >> 12);
}
static inline void *frame_page(u32 frame)
{
	return (void *)(FAMILY_VA + ((u64)frame << 12));
}
void *kmalloc(usize bytes);	/* zeroed; NULL: none left */
void *kmalloc_raw(usize bytes); /* not zeroed */
void kfree(void *p);
u64 pages_free(void), pages_total(void);

/* ---- usermem: the program's memory, checked. 0 or -EFAULT ---- */
int copy_in(void *to, u64 from, usize bytes);
int copy_out(u64 to, const void *from, usize bytes);
s64 string_in(char *to, u64 from, usize bytes); /* length, -EFAULT, -ENAMETOOLONG */

/* ---- console log ---- */
void exos_log(const char *format, ...)
	__attribute__((format(printf, 1, 2))); /* one line, to TRACE or kernel log */
void exos_log_once(const char *format, ...)
	__attribute__((format(printf, 1, 2))); /* once per format+number */
void exos_trace_from(u64 rip, u64 rbp); /* for a panic whose cause is elsewhere than its call */
_Noreturn void exos_panic(const char *format, ...) __attribute__((format(printf, 1, 2)));
#define exos_assert(x)                                                   \
	do {                                                             \
		if (!(x))                                                \
			exos_panic("%s:%d: %s", __FILE__, __LINE__, #x); \
	} while (0)

#endif

/* SPDX-License-Identifier: MIT
 * ExOS's signals, job control, waiting and timers, with the machine's side made up.
 * links: libos/exos/signal.c libos/exos/job.c libos/exos/wait.c libos/exos/timer.c libos/exos/sigcalls.c */
#include <sys/syscall.h>
#include <unistd.h>

#include "test.h"

#undef NULL
#undef FD_SETSIZE
#include "dump.h"
#include "file.h"
#include "linux.h"
#include "pidfd.h"
#include "proc_calls.h"
#include "proc_internal.h"
#include "time.h"
#include "tty.h"

struct list all_procs = {&all_procs, &all_procs};
struct family family;
static u64 clock_now = 1000;
static int woken, freed, exited, frames_pushed;
static void (*while_asleep)(void);

struct proc *proc_find(u32 pid)
{
	for (struct list *at = all_procs.next; at != &all_procs; at = at->next)
		if (container_of(at, struct proc, all)->pid == pid)
			return container_of(at, struct proc, all);
	return 0;
}
u64 now_ns(void)
{
	return clock_now;
}
u64 ticks_now(void)
{
	return clock_now;
}
u64 ticks_ns(u64 ticks)
{
	return ticks;
}
void *kmalloc(usize bytes)
{
	return calloc(1, bytes);
}
void *kmalloc_raw(usize bytes)
{
	return malloc(bytes);
}
void kfree(void *p)
{
	free(p);
}
void waitq_init(struct waitq *q)
{
	list_init(&q->sleepers);
}
void wake_all(struct waitq *q)
{
	(void)q;
}
void thread_wake(struct thread *t, s64 result)
{
	(void)t, (void)result, woken++;
}
void family_lock(void)
{
}
void family_unlock(void)
{
}
int copy_in(void *to, u64 from, usize bytes)
{
	return from ? (memcpy(to, (void *)from, bytes), 0) : -EFAULT;
}
int copy_out(u64 to, const void *from, usize bytes)
{
	return to ? (memcpy((void *)to, from, bytes), 0) : -EFAULT;
}
void proc_reap_unwaited(void)
{
}
void signal_file_notify(void)
{
}
void sched_kick(const struct thread *t)
{
	(void)t;
}
void thread_exit(s32 status)
{
	proc_exit(status);
}
struct thread *thread_find(u32 tid)
{
	for (struct list *at = all_procs.next; at != &all_procs; at = at->next) {
		struct proc *p = container_of(at, struct proc, all);
		for (struct list *t = p->threads.next; t != &p->threads; t = t->next)
			if (container_of(t, struct thread, sibling)->tid == tid)
				return container_of(t, struct thread, sibling);
	}
	return 0;
}
struct thread *proc_leader(const struct proc *p)
{
	return list_empty(&p->threads) ? 0 : container_of(p->threads.next, struct thread, sibling);
}
void proc_exit(s32 status)
{
	exited = status;
	current()->sig_mask = ~0ul;
	__builtin_longjmp((void **)family.domain, 1);
}
void trace_signal(const struct siginfo_k *info)
{
	(void)info;
}
void tty_session_end(struct tty *tty)
{
	tty->foreground = 0;
}
s64 timespec_in(u64 from, u64 *ns)
{
	*ns = *(u64 *)from;
	return 0;
}
void siginfo_to_linux(const struct siginfo_k *from, struct linux_siginfo *to)
{
	to->signo = from->signo;
}

s64 sleep_on(struct waitq *q, u64 deadline, int interruptible)
{
	(void)q, (void)interruptible;
	if (while_asleep)
		while_asleep();
	if (interruptible && signal_pending(current()))
		return -EINTR;
	if (deadline)
		clock_now = deadline;
	return deadline ? -ETIMEDOUT : 0;
}

/* What a handler finds, and its masks: tests/linux/frames, signals. */
void sigframe_enter(struct user_regs *regs, const struct siginfo_k *info)
{
	regs->rip = current()->proc->sig->action[info->signo - 1].handler;
	frames_pushed++;
}
int signal_enter(struct user_regs *regs, const struct siginfo_k *info, int locked)
{
	(void)regs, (void)info, (void)locked;
	return 0;
}
int dump_crash(struct user_regs *regs, const struct siginfo_k *info)
{
	(void)regs, (void)info;
	return 0;
}
void dump_stop(struct thread *t, struct user_regs *regs)
{
	(void)t, (void)regs;
}
s64 pidfd_pid(u64 fd, u32 *nonblock)
{
	*nonblock = 0;
	return fd == 7 ? 11 : -EBADF;
}

void proc_free(struct proc *p, int charge)
{
	(void)charge;
	list_del(&p->sibling);
	list_del(&p->all);
	freed = (int)p->pid;
}

struct fixture {
	struct proc proc;
	struct thread thread;
	struct user_regs regs;
};
static struct fixture me, child, other;

static void thread_join(struct thread *t, struct proc *p, u32 tid)
{
	t->proc = p;
	t->tid = tid;
	sigqueue_init(&t->pending);
	list_add_tail(&p->threads, &t->sibling);
	p->nthreads++;
}

static void fixture_add(struct fixture *f, u32 pid, struct fixture *parent)
{
	memset(f, 0, sizeof(*f));
	f->proc.pid = f->proc.pgid = f->proc.sid = f->thread.tid = pid;
	f->proc.state = PROC_ALIVE;
	f->proc.exit_signal = SIGCHLD;
	f->proc.sig = sighand_create();
	f->thread.self = &f->thread;
	f->thread.regs = &f->regs;
	f->thread.state = THREAD_SLEEPING;
	f->thread.interruptible = 1;
	list_init(&f->proc.threads);
	sigqueue_init(&f->proc.pending);
	thread_join(&f->thread, &f->proc, pid);
	list_init(&f->proc.children);
	list_init(&f->proc.sibling);
	list_add_tail(&all_procs, &f->proc.all);
	if (parent) {
		f->proc.parent = &parent->proc;
		f->proc.sid = parent->proc.sid;
		list_add_tail(&parent->proc.children, &f->proc.sibling);
	}
}

static void become(struct fixture *f)
{
	syscall(SYS_arch_prctl, ARCH_SET_GS, &f->thread);
}

static void start(void)
{
	list_init(&all_procs);
	fixture_add(&me, 10, 0);
	fixture_add(&child, 11, &me);
	fixture_add(&other, 12, &me);
	become(&me);
	woken = freed = exited = frames_pushed = 0;
	while_asleep = 0;
}

static void end(void)
{
	sigqueue_empty(&me.proc.pending, &me.proc);
	sigqueue_empty(&me.thread.pending, &me.proc);
	sigqueue_empty(&other.proc.pending, &other.proc);
	sighand_put(me.proc.sig);
	sighand_put(child.proc.sig);
	sighand_put(other.proc.sig);
}

static void handle(int sig, u64 flags)
{
	me.proc.sig->action[sig - 1] = (struct linux_sigaction){.handler = 0x4000, .flags = flags};
}

static void pending_once(void)
{
	struct siginfo_k info;
	start();
	me.thread.sig_mask = SIG_BIT(SIGUSR1) | SIG_BIT(SIGRTMIN);
	handle(SIGUSR1, 0);
	handle(SIGRTMIN, 0);
	for (int i = 0; i < 3; i++) {
		signal_send(&me.proc, SIGUSR1, &(struct siginfo_k){.pid = i});
		signal_send(&me.proc, SIGRTMIN, &(struct siginfo_k){.pid = i});
	}
	SAME(woken, 0);
	CHECK(!signal_pending(&me.thread));
	SAME(signal_take(&me.thread, 0, &info), SIGUSR1);
	SAME(info.pid, 0);
	for (int i = 0; i < 3; i++) {
		SAME(signal_take(&me.thread, 0, &info), SIGRTMIN);
		SAME(info.pid, i);
	}
	SAME(signal_take(&me.thread, 0, &info), 0);
	end();
}

static void ignored_not_kept(void)
{
	start();
	signal_send(&me.proc, SIGCHLD, 0);
	signal_send(&me.proc, SIGWINCH, 0);
	SAME(me.proc.pending.set, 0);
	me.thread.sig_mask = SIG_BIT(SIGCHLD);
	signal_send(&me.proc, SIGCHLD, 0);
	SAME(me.proc.pending.set, SIG_BIT(SIGCHLD));
	end();
}

static void restart_rules(void)
{
	static const struct {
		s64 result;
		u64 flags;
		int handled;
		u64 rax, rip;
	} row[] = {
		{-ERESTARTSYS, 0, 1, (u64)-EINTR, 0},
		{-ERESTARTSYS, SA_RESTART, 1, 7, 0},
		{-ERESTARTNOHAND, SA_RESTART, 1, (u64)-EINTR, 0},
		{-ERESTARTNOHAND, 0, 0, 7, 98},
		{-ERESTART_RESTARTBLOCK, 0, 0, 219, 98},
		{-ERESTARTSYS, 0, 0, 7, 98},
		{-ENOENT, 0, 0, (u64)-ENOENT, 100},
	};
	for (u32 i = 0; i < array_count(row); i++) {
		start();
		me.regs = (struct user_regs){.rax = (u64)row[i].result, .orig_rax = 7, .rip = 100};
		if (row[i].handled) {
			handle(SIGUSR1, row[i].flags);
			signal_send(&me.proc, SIGUSR1, 0);
		}
		signal_deliver(&me.regs);
		SAME(me.regs.rax, row[i].rax);
		SAME(me.regs.rip, row[i].handled ? 0x4000 : row[i].rip);
		SAME(frames_pushed, row[i].handled);
		end();
	}
}

static void forced_through_mask(void)
{
	void *back[5];
	start();
	me.regs.orig_rax = ~0ul;
	handle(SIGSEGV, 0);
	me.thread.sig_mask = SIG_BIT(SIGSEGV);
	signal_force(SIGSEGV, &(struct siginfo_k){.code = SEGV_MAPERR, .addr = 8});
	family.domain = (void *)back;
	if (!__builtin_setjmp(back))
		signal_deliver(&me.regs);
	SAME(exited, SIGSEGV);
	SAME(frames_pushed, 0);
	end();
}

static void end_child(void)
{
	child.proc.state = PROC_ZOMBIE;
	child.proc.exit_status = 3 << 8;
	proc_notify_parent(&child.proc, CLD_EXITED, 3);
}

static void waits(void)
{
	s32 status = 0;
	start();
	SAME(sys_wait4((u64)-1, (u64)&status, WNOHANG, 0), 0);
	SAME(sys_wait4(99, 0, 0, 0), -ECHILD);
	SAME(sys_wait4((u64)-1, 0, 0x100, 0), -EINVAL);
	while_asleep = end_child;
	SAME(sys_wait4((u64)-1, (u64)&status, 0, 0), 11);
	SAME(status, 3 << 8);
	SAME(freed, 11);
	other.proc.state = PROC_STOPPED;
	other.proc.stop_signal = SIGTSTP;
	other.proc.stop_unreported = 1;
	SAME(sys_wait4((u64)-1, (u64)&status, WNOHANG, 0), 0);
	SAME(sys_wait4((u64)-1, (u64)&status, WUNTRACED, 0), 12);
	SAME(status, SIGTSTP << 8 | 0x7f);
	SAME(sys_wait4((u64)-1, (u64)&status, WUNTRACED | WNOHANG, 0), 0);
	signal_send(&other.proc, SIGCONT, 0);
	SAME(other.proc.state, PROC_ALIVE);
	SAME(sys_wait4((u64)-1, (u64)&status, WCONTINUED, 0), 12);
	SAME(status, 0xffff);
	end();
}

static void wait_interrupted(void)
{
	start();
	handle(SIGUSR1, 0);
	signal_send(&me.proc, SIGUSR1, 0);
	SAME(sys_wait4((u64)-1, 0, 0, 0), -ERESTARTSYS);
	while_asleep = end_child;
	SAME(sys_wait4((u64)-1, 0, 0, 0), 11); /* news win over a signal */
	end();
}

static void groups(void)
{
	start();
	child.proc.pgid = child.proc.pid;
	CHECK(!group_orphaned(11, 0));
	child.proc.parent = 0;
	CHECK(group_orphaned(11, 0));
	SAME(sys_setpgid(12, 0), 0);
	SAME(other.proc.pgid, 12);
	SAME(sys_setpgid(12, 77), -EPERM);
	SAME(sys_setpgid(55, 0), -ESRCH);
	other.proc.did_exec = 1;
	SAME(sys_setpgid(12, 11), -EACCES);
	SAME(sys_setpgid(0, 0), -EPERM); /* leads a session */
	become(&child);
	SAME(sys_setsid(), -EPERM);
	child.proc.pgid = 12;
	SAME(sys_setsid(), 11);
	end();
}

static int fires;
static void count_fire(struct timer *t)
{
	(void)t, fires++;
}

static void timer_order(void)
{
	struct timer t[4] = {{.fire = count_fire},
			     {.fire = count_fire},
			     {.fire = count_fire},
			     {.fire = count_fire}};
	SAME(timers_next(), 0);
	timer_set(&t[0], 300);
	timer_set(&t[1], 100);
	timer_set(&t[2], 200);
	timer_set(&t[3], 250);
	timer_set(&t[3], 50);
	SAME(timers_next(), 50);
	timer_cancel(&t[3]);
	SAME(timers_next(), 100);
	timers_run(200);
	SAME(fires, 2);
	SAME(timers_next(), 300);
	timers_run(300);
	SAME(timers_next(), 0);
}

static void interval(void)
{
	struct linux_itimerval set = {{0, 500}, {0, 100}}, got;
	start();
	handle(SIGALRM, 0);
	SAME(sys_setitimer(ITIMER_REAL, (u64)&set, 0), 0);
	clock_now = timers_next();
	timers_run(clock_now);
	CHECK(signal_pending(&me.thread));
	SAME(timers_next(), clock_now + 500000);
	SAME(sys_getitimer(ITIMER_REAL, (u64)&got), 0);
	SAME(got.value.usec, 500);
	SAME(sys_alarm(0), 1);
	SAME(timers_next(), 0);
	SAME(sys_alarm(20), 0);
	SAME(sys_alarm(0), 20);
	end();
}

static void timed_wait(void)
{
	u64 set = SIG_BIT(SIGUSR1), ns = 5000;
	start();
	me.thread.sig_mask = set;
	SAME(sys_rt_sigtimedwait((u64)&set, 0, (u64)&ns, 8), -EAGAIN);
	handle(SIGUSR1, 0);
	signal_send(&me.proc, SIGUSR1, 0);
	SAME(sys_rt_sigtimedwait((u64)&set, 0, (u64)&ns, 8), SIGUSR1);
	SAME(me.proc.pending.set, 0);
	end();
}

static struct thread second;

static void start_two(void)
{
	start();
	memset(&second, 0, sizeof(second));
	second.self = &second;
	second.state = THREAD_SLEEPING;
	second.interruptible = 1;
	thread_join(&second, &me.proc, 20);
	handle(SIGUSR1, 0);
	handle(SIGUSR2, 0);
}

static void thread_own(void)
{
	struct siginfo_k info;
	start_two();
	SAME(sys_tgkill(10, 20, SIGUSR1), 0);
	CHECK(signal_pending(&second));
	CHECK(!signal_pending(&me.thread));
	SAME(woken, 1);
	SAME(sys_tgkill(11, 20, SIGUSR1), -ESRCH);
	SAME(sys_tgkill(10, 0, SIGUSR1), -EINVAL);
	SAME(sys_tkill(21, SIGUSR1), -ESRCH);
	SAME(signal_take(&me.thread, 0, &info), 0);
	SAME(signal_take(&second, 0, &info), SIGUSR1);
	SAME(info.code, SI_TKILL);
	end();
}

/* Whoever does not block it gets it; own ones come first. */
static void process_wide(void)
{
	struct siginfo_k info;
	start_two();
	me.thread.sig_mask = SIG_BIT(SIGUSR1);
	signal_send(&me.proc, SIGUSR1, 0);
	SAME(woken, 1);
	CHECK(!signal_pending(&me.thread));
	CHECK(signal_pending(&second));
	signal_send_thread(&second, SIGUSR2, 0);
	SAME(signal_take(&second, 0, &info), SIGUSR2);
	SAME(signal_take(&second, 0, &info), SIGUSR1);
	CHECK(!signal_pending(&second));
	end();
}

/* Who comes to block what waits for anybody has another told. */
static void handed_on(void)
{
	start_two();
	second.sig_mask = SIG_BIT(SIGUSR1);
	signal_send(&me.proc, SIGUSR1, 0);
	SAME(woken, 1);
	second.sig_mask = 0;
	signal_set_mask(&me.thread, SIG_BIT(SIGUSR1));
	SAME(woken, 2);
	CHECK(signal_pending(&second));
	end();
}

/* Who waits for an ignored signal gets it, although it is not the first thread. */
static void awaited(void)
{
	start_two();
	second.sig_waiting = SIG_BIT(SIGCHLD);
	second.sig_mask = SIG_BIT(SIGCHLD);
	signal_send(&me.proc, SIGCHLD, 0);
	SAME(woken, 1);
	SAME(me.proc.pending.set, SIG_BIT(SIGCHLD));
	end();
}

static void stop_cancelled(void)
{
	start_two();
	signal_send_thread(&second, SIGTSTP, 0);
	CHECK(signal_pending(&second));
	signal_send(&me.proc, SIGCONT, 0);
	CHECK(!signal_pending(&second));
	end();
}

int main(void)
{
	static const struct test tests[] = {
		TEST(pending_once),   TEST(ignored_not_kept),
		TEST(restart_rules),  TEST(forced_through_mask),
		TEST(waits),	      TEST(wait_interrupted),
		TEST(groups),	      TEST(timer_order),
		TEST(interval),	      TEST(timed_wait),
		TEST(thread_own),     TEST(process_wide),
		TEST(handed_on),      TEST(awaited),
		TEST(stop_cancelled),
	};
	return test_main(tests, array_count(tests));
}

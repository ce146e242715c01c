/* SPDX-License-Identifier: MIT
 * What each argument of a system call looks like in a trace. */
#include "trace.h"
#include "linux.h"
#include "proc_internal.h"
#include "syscalls.h"

#define FLAG(x)       \
	{             \
		x, #x \
	}

static const struct trace_flag open_flags[] = {
	FLAG(O_CREAT),	  FLAG(O_EXCL),	     FLAG(O_NOCTTY),  FLAG(O_TRUNC),
	FLAG(O_APPEND),	  FLAG(O_NONBLOCK),  FLAG(O_SYNC),    FLAG(O_DSYNC),
	FLAG(O_DIRECT),	  FLAG(O_LARGEFILE), FLAG(O_TMPFILE), FLAG(O_DIRECTORY),
	FLAG(O_NOFOLLOW), FLAG(O_NOATIME),   FLAG(O_CLOEXEC), FLAG(O_PATH),
};
static const struct trace_flag prot_flags[] = {FLAG(PROT_READ), FLAG(PROT_WRITE), FLAG(PROT_EXEC)};
static const struct trace_flag map_flags[] = {
	FLAG(MAP_SHARED),    FLAG(MAP_PRIVATE),		FLAG(MAP_FIXED),     FLAG(MAP_ANONYMOUS),
	FLAG(MAP_GROWSDOWN), FLAG(MAP_DENYWRITE),	FLAG(MAP_NORESERVE), FLAG(MAP_POPULATE),
	FLAG(MAP_STACK),     FLAG(MAP_FIXED_NOREPLACE),
};
static const struct trace_flag clone_flags[] = {
	FLAG(CLONE_VM),
	FLAG(CLONE_FS),
	FLAG(CLONE_FILES),
	FLAG(CLONE_SIGHAND),
	FLAG(CLONE_VFORK),
	FLAG(CLONE_PARENT),
	FLAG(CLONE_THREAD),
	FLAG(CLONE_SETTLS),
	FLAG(CLONE_PARENT_SETTID),
	FLAG(CLONE_CHILD_CLEARTID),
	FLAG(CLONE_CHILD_SETTID),
};
static const struct trace_flag wait_flags[] = {
	FLAG(WNOHANG), FLAG(WUNTRACED), FLAG(WEXITED), FLAG(WCONTINUED), FLAG(WNOWAIT),
};
static const struct trace_flag sa_flags[] = {
	FLAG(SA_NOCLDSTOP), FLAG(SA_NOCLDWAIT), FLAG(SA_SIGINFO), FLAG(SA_RESTORER),
	FLAG(SA_ONSTACK),   FLAG(SA_RESTART),	FLAG(SA_NODEFER), FLAG(SA_RESETHAND),
};
static const char *const resources[] = {
	"RLIMIT_CPU",	   "RLIMIT_FSIZE", "RLIMIT_DATA",   "RLIMIT_STACK",
	"RLIMIT_CORE",	   "RLIMIT_RSS",   "RLIMIT_NPROC",  "RLIMIT_NOFILE",
	"RLIMIT_MEMLOCK",  "RLIMIT_AS",	   "RLIMIT_LOCKS",  "RLIMIT_SIGPENDING",
	"RLIMIT_MSGQUEUE", "RLIMIT_NICE",  "RLIMIT_RTPRIO", "RLIMIT_RTTIME",
};
static const char *const clocks[] = {
	"CLOCK_REALTIME",	   "CLOCK_MONOTONIC",	  "CLOCK_PROCESS_CPUTIME_ID",
	"CLOCK_THREAD_CPUTIME_ID", "CLOCK_MONOTONIC_RAW", "CLOCK_REALTIME_COARSE",
	"CLOCK_MONOTONIC_COARSE",  "CLOCK_BOOTTIME",
};
static const char *const hows[] = {"SIG_BLOCK", "SIG_UNBLOCK", "SIG_SETMASK"};
static const char *const whences[] = {"SEEK_SET", "SEEK_CUR", "SEEK_END", "SEEK_DATA", "SEEK_HOLE"};
static const struct {
	u32 number;
	const char *name;
} ioctls[] =
	{
		FLAG(TCGETS),	  FLAG(TCSETS),	   FLAG(TCSETSW),   FLAG(TCSETSF),
		FLAG(TIOCSCTTY),  FLAG(TIOCGPGRP), FLAG(TIOCSPGRP), FLAG(TIOCGWINSZ),
		FLAG(TIOCSWINSZ), FLAG(FIONREAD),  FLAG(FIONBIO),   FLAG(TIOCNOTTY),
		FLAG(TIOCGSID),
},
  fcntls[] = {
	  FLAG(F_DUPFD),	 FLAG(F_GETFD),	     FLAG(F_SETFD),	 FLAG(F_GETFL),
	  FLAG(F_SETFL),	 FLAG(F_GETLK),	     FLAG(F_SETLK),	 FLAG(F_SETLKW),
	  FLAG(F_DUPFD_CLOEXEC), FLAG(F_SETPIPE_SZ), FLAG(F_GETPIPE_SZ),
};

static void show_named(struct trace *t, const char *const *names, u32 count, u64 value)
{
	if (value < count)
		trace_text(t, names[value]);
	else
		trace_hex(t, value);
}

static void show_open_flags(struct trace *t, u64 flags)
{
	static const char *const modes[] = {"O_RDONLY", "O_WRONLY", "O_RDWR", "O_ACCMODE"};
	trace_text(t, modes[flags & O_ACCMODE]);
	if (flags & ~(u64)O_ACCMODE & 0xffffffff) {
		trace_char(t, '|');
		trace_flags(t, open_flags, array_count(open_flags), flags & 0xfffffffc, "0");
	}
}

static void show_vector(struct trace *t, u64 vector, int names_only)
{
	u64 word = 0, n = 0;
	if (!names_only)
		trace_char(t, '[');
	else
		trace_hex(t, vector);
	for (; vector && !copy_in(&word, vector + n * 8, 8) && word; n++)
		if (!names_only && n < 32) {
			if (n)
				trace_text(t, ", ");
			trace_bytes(t, word, ~0ul);
		}
	if (!names_only) {
		trace_text(t, n > 32 ? ", ...]" : "]");
	} else {
		trace_text(t, " /* ");
		trace_number(t, n, 10, 0);
		trace_text(t, n == 1 ? " var */" : " vars */");
	}
}

static void show_sigset(struct trace *t, u64 addr)
{
	u64 set;
	if (copy_in(&set, addr, 8)) {
		trace_hex(t, addr);
		return;
	}
	u32 members = 0, any = 0;
	for (u64 left = set; left; left &= left - 1)
		members++;
	int invert = members > 32;
	if (invert)
		set = ~set;
	trace_text(t, invert ? "~[" : "[");
	for (u32 sig = 1; sig <= NSIG; sig++)
		if (set & SIG_BIT(sig)) {
			if (any++)
				trace_char(t, ' ');
			trace_signal_short(t, sig);
		}
	trace_char(t, ']');
}

static void show_sigaction(struct trace *t, u64 addr)
{
	struct linux_sigaction action;
	if (copy_in(&action, addr, sizeof(action))) {
		trace_hex(t, addr);
		return;
	}
	trace_text(t, "{sa_handler=");
	if (action.handler == SIG_DFL)
		trace_text(t, "SIG_DFL");
	else if (action.handler == SIG_IGN)
		trace_text(t, "SIG_IGN");
	else
		trace_hex(t, action.handler);
	trace_text(t, ", sa_mask=");
	show_sigset(t, addr + __builtin_offsetof(struct linux_sigaction, mask));
	trace_text(t, ", sa_flags=");
	trace_flags(t, sa_flags, array_count(sa_flags), action.flags, "0");
	trace_char(t, '}');
}

static void show_pair(struct trace *t, u64 addr, const char *first, const char *second)
{
	u64 pair[2];
	if (copy_in(pair, addr, sizeof(pair))) {
		trace_hex(t, addr);
		return;
	}
	const char *name[2] = {first, second};
	for (int i = 0; i < 2; i++) {
		trace_text(t, i ? ", " : "{");
		trace_text(t, name[i]);
		trace_char(t, '=');
		if (pair[i] == RLIM_INFINITY)
			trace_text(t, "RLIM64_INFINITY");
		else
			trace_number(t, pair[i], 10, 1);
	}
	trace_char(t, '}');
}

static void show_stat(struct trace *t, u64 addr)
{
	static const char *const kinds[16] = {
		[1] = "S_IFIFO", [2] = "S_IFCHR",  [4] = "S_IFDIR",  [6] = "S_IFBLK",
		[8] = "S_IFREG", [10] = "S_IFLNK", [12] = "S_IFSOCK"};
	struct stat64 st;
	if (copy_in(&st, addr, sizeof(st))) {
		trace_hex(t, addr);
		return;
	}
	const char *kind = kinds[(st.mode >> 12) & 15];
	trace_text(t, "{st_mode=");
	trace_text(t, kind ? kind : "?");
	trace_char(t, '|');
	trace_octal(t, st.mode & 07777);
	trace_text(t, ", st_size=");
	trace_number(t, (u64)st.size, 10, 1);
	trace_text(t, ", ...}");
}

static void show_wait_status(struct trace *t, u64 addr)
{
	u32 s;
	if (copy_in(&s, addr, 4)) {
		trace_hex(t, addr);
		return;
	}
	trace_text(t, "[{");
	if ((s & 0x7f) == 0) {
		trace_text(t, "WIFEXITED(s) && WEXITSTATUS(s) == ");
		trace_number(t, (s >> 8) & 0xff, 10, 0);
	} else if (s == 0xffff) {
		trace_text(t, "WIFCONTINUED(s)");
	} else if ((s & 0xff) == 0x7f) {
		trace_text(t, "WIFSTOPPED(s) && WSTOPSIG(s) == ");
		trace_signal_name(t, (s >> 8) & 0xff);
	} else {
		trace_text(t, "WIFSIGNALED(s) && WTERMSIG(s) == ");
		trace_signal_name(t, s & 0x7f);
	}
	trace_text(t, "}]");
}

static void show_descriptors(struct trace *t, u64 addr)
{
	s32 fd[2];
	if (copy_in(fd, addr, sizeof(fd))) {
		trace_hex(t, addr);
		return;
	}
	trace_char(t, '[');
	trace_number(t, (u64)(s64)fd[0], 10, 1);
	trace_text(t, ", ");
	trace_number(t, (u64)(s64)fd[1], 10, 1);
	trace_char(t, ']');
}

/* Arguments that point to something: shown as NULL where they do not. */
static void show_pointed(struct trace *t, char letter, u64 v)
{
	switch (letter) {
	case 'a':
		show_vector(t, v, 0);
		break;
	case 'e':
		show_vector(t, v, 1);
		break;
	case 'k':
	case 'K':
		show_sigset(t, v);
		break;
	case 'j':
	case 'J':
		show_sigaction(t, v);
		break;
	case 't':
	case 'T':
		show_pair(t, v, "tv_sec", "tv_nsec");
		break;
	case 'R':
	case 'L':
		show_pair(t, v, "rlim_cur", "rlim_max");
		break;
	case 'w':
		show_wait_status(t, v);
		break;
	case 'q':
		show_stat(t, v);
		break;
	case 'P':
		show_descriptors(t, v);
		break;
	default:
		trace_hex(t, v);
		break;
	}
}

static void show_arg(struct trace *t, char letter, u32 at, u64 v, s64 result)
{
	switch (letter) {
	case 'D':
		if ((s32)v == AT_FDCWD) {
			trace_text(t, "AT_FDCWD");
			break;
		} /* fall through */
	case 'd':
	case 'f':
		trace_number(t, (u64)(s64)(s32)v, 10, 1);
		break;
	case 'u':
		trace_number(t, v, 10, 0);
		break;
	case 'l':
		trace_number(t, v, 10, 1);
		break;
	case 'x':
		trace_hex(t, v);
		break;
	case 'o':
		trace_octal(t, v);
		break;
	case 's':
		trace_bytes(t, v, ~0ul);
		break;
	case 'b':
		trace_bytes(t, v, at < 5 ? t->args[at + 1] : 0);
		break;
	case 'B':
		if (result > 0)
			trace_bytes(t, v, (u64)result);
		else
			trace_hex(t, v);
		break;
	case 'O':
		show_open_flags(t, v);
		break;
	case 'G':
		trace_flags(t, open_flags, array_count(open_flags), v, "0");
		break;
	case 'S':
		trace_signal_name(t, v);
		break;
	case 'h':
		show_named(t, hows, array_count(hows), v);
		break;
	case 'y':
		show_named(t, whences, array_count(whences), v);
		break;
	case 'C':
		show_named(t, clocks, array_count(clocks), v);
		break;
	case 'r':
		show_named(t, resources, array_count(resources), v);
		break;
	case 'm':
		trace_flags(t, prot_flags, array_count(prot_flags), v, "PROT_NONE");
		break;
	case 'M':
		trace_flags(t, map_flags, array_count(map_flags), v, "0");
		break;
	case 'W':
		trace_flags(t, wait_flags, array_count(wait_flags), v, "0");
		break;
	case 'c':
		trace_flags(t, clone_flags, array_count(clone_flags), v & ~CSIGNAL, "0");
		trace_char(t, '|');
		trace_signal_name(t, v & CSIGNAL);
		break;
	case 'i':
		for (u32 i = 0; i < array_count(ioctls); i++)
			if (ioctls[i].number == (u32)v) {
				trace_text(t, ioctls[i].name);
				return;
			}
		trace_hex(t, v);
		break;
	case 'F':
		for (u32 i = 0; i < array_count(fcntls); i++)
			if (fcntls[i].number == (u32)v) {
				trace_text(t, fcntls[i].name);
				return;
			}
		trace_hex(t, v);
		break;
	default:
		if (!v)
			trace_text(t, "NULL");
		else
			show_pointed(t, letter, v);
	}
}

static int letter_is_output(char letter)
{
	for (const char *p = "BKJTwPqR"; *p; p++)
		if (*p == letter)
			return 1;
	return 0;
}

static void trace_pid(struct trace *t)
{
	trace_text(t, "[pid ");
	trace_number(t, current()->tid, 10, 0);
	trace_text(t, "] ");
}

void trace_begin(struct trace *t, u32 number, const struct user_regs *regs)
{
	const struct syscall_desc *desc = number < SYSCALL_MAX ? &syscall_descs[number] : NULL;
	const char *args = desc && desc->name ? desc->args : "xxxxxx";
	t->number = number;
	t->length = t->next = t->dead = 0;
	const u64 values[6] = {regs->rdi, regs->rsi, regs->rdx, regs->r10, regs->r8, regs->r9};
	__builtin_memcpy(t->args, values, sizeof(values));
	trace_pid(t);
	if (desc && desc->name) {
		trace_text(t, desc->name);
	} else {
		trace_text(t, "syscall_");
		trace_hex(t, number);
	}
	trace_char(t, '(');
	for (; args[t->next] && !letter_is_output(args[t->next]); t->next++) {
		if (t->next)
			trace_text(t, ", ");
		show_arg(t, args[t->next], t->next, t->args[t->next], 0);
	}
	if (desc && desc->name && (desc->flags & CALL_ENTRY)) {
		trace_text(t, ") = ?");
		trace_send(t);
	}
}

void trace_end(struct trace *t, s64 result)
{
	const struct syscall_desc *desc =
		t->number < SYSCALL_MAX ? &syscall_descs[t->number] : NULL;
	const char *args = desc && desc->name ? desc->args : "xxxxxx";
	int failed = result < 0 && result >= -4095;
	if (t->dead)
		return;
	for (; args[t->next]; t->next++) {
		char letter = args[t->next];
		if (t->next)
			trace_text(t, ", ");
		show_arg(t, failed && letter_is_output(letter) ? 'p' : letter, t->next,
			 t->args[t->next], result);
	}
	trace_text(t, ") = ");
	if (failed)
		trace_error(t, -result);
	else if (desc && (desc->flags & CALL_HEX))
		trace_hex(t, (u64)result);
	else
		trace_number(t, (u64)result, 10, 1);
	trace_send(t);
}

static void show_code(struct trace *t, const struct siginfo_k *info)
{
	static const char *const child[] = {"CLD_EXITED",  "CLD_KILLED",  "CLD_DUMPED",
					    "CLD_TRAPPED", "CLD_STOPPED", "CLD_CONTINUED"};
	static const char *const segv[] = {"SEGV_MAPERR", "SEGV_ACCERR"};
	s32 code = info->code;
	if (code == SI_USER || code == SI_KERNEL || code == SI_TKILL || code == SI_QUEUE)
		trace_text(t, code == SI_USER	  ? "SI_USER"
			      : code == SI_KERNEL ? "SI_KERNEL"
			      : code == SI_TKILL  ? "SI_TKILL"
						  : "SI_QUEUE");
	else if (info->signo == SIGCHLD && code > 0 && code <= (s32)array_count(child))
		trace_text(t, child[code - 1]);
	else if (info->signo == SIGSEGV && code > 0 && code <= (s32)array_count(segv))
		trace_text(t, segv[code - 1]);
	else
		trace_number(t, (u64)(s64)code, 10, 1);
}

/* Shows a signal as it is delivered. */
void trace_signal(const struct siginfo_k *info)
{
	struct trace t = {.length = 0};
	if (family.trace == TRACE_SUMMARY)
		return;
	trace_pid(&t);
	trace_text(&t, "--- ");
	trace_signal_name(&t, (u64)info->signo);
	trace_text(&t, " {si_signo=");
	trace_signal_name(&t, (u64)info->signo);
	trace_text(&t, ", si_code=");
	show_code(&t, info);
	if (info->code > 0 && info->code != SI_KERNEL && info->signo != SIGCHLD) {
		trace_text(&t, ", si_addr=");
		trace_hex(&t, info->addr);
	} else {
		trace_text(&t, ", si_pid=");
		trace_number(&t, (u64)(s64)info->pid, 10, 1);
	}
	trace_text(&t, "} ---");
	trace_send(&t);
}

/* Shows how the current process ends; status as wait4 gives it. */
void trace_exit(s32 status)
{
	struct trace t = {.length = 0};
	if (family.trace == TRACE_SUMMARY)
		return;
	trace_pid(&t);
	if (status & 0x7f) {
		trace_text(&t, "+++ killed by ");
		trace_signal_name(&t, (u64)(status & 0x7f));
	} else {
		trace_text(&t, "+++ exited with ");
		trace_number(&t, (u64)((status >> 8) & 0xff), 10, 0);
	}
	trace_text(&t, " +++");
	trace_send(&t);
}

/* SPDX-License-Identifier: MIT
 * Capabilities: given away, kept over a change of user, lost and found again by exec, and each asked for where it counts. Of
 * those alone that containers leave to user 0, so that the host says the same. */
#define _GNU_SOURCE
#include "say.h"
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define BIT(cap) (1ul << (cap))
static const unsigned char known[] = {CAP_CHOWN,   CAP_DAC_OVERRIDE, CAP_FOWNER,
				      CAP_KILL,	   CAP_SETGID,	     CAP_SETUID,
				      CAP_SETPCAP, CAP_MKNOD,	     CAP_SYS_CHROOT};
static char directory[] = "/tmp/caps.XXXXXX";

struct sets {
	unsigned long effective, permitted, inheritable;
};

static unsigned long of_known(unsigned long set)
{
	unsigned long mask = 0;

	for (unsigned i = 0; i < sizeof(known); i++)
		mask |= BIT(known[i]);
	return set & mask;
}

static struct sets get(void)
{
	struct __user_cap_header_struct h = {_LINUX_CAPABILITY_VERSION_3, 0};
	struct __user_cap_data_struct d[2] = {{0, 0, 0}, {0, 0, 0}};

	if (syscall(SYS_capget, &h, d))
		perror("capget");
	return (struct sets){d[0].effective, d[0].permitted, d[0].inheritable};
}

static long set(struct sets s)
{
	struct __user_cap_header_struct h = {_LINUX_CAPABILITY_VERSION_3, 0};
	struct __user_cap_data_struct d[2] = {
		{(unsigned)s.effective, (unsigned)s.permitted, (unsigned)s.inheritable}, {0, 0, 0}};

	return syscall(SYS_capset, &h, d);
}

static void show(const char *when)
{
	struct sets s = get();
	unsigned long bounding = 0, ambient = 0;
	char line[256];
	FILE *f = fopen("/proc/self/status", "r");

	for (unsigned i = 0; i < sizeof(known); i++) {
		bounding |= prctl(PR_CAPBSET_READ, known[i]) == 1 ? BIT(known[i]) : 0;
		ambient |= prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, known[i], 0, 0) == 1
				   ? BIT(known[i])
				   : 0;
	}
	printf("%s: e %lx p %lx i %lx b %lx a %lx keep %d secure %x dumpable %d;", when,
	       of_known(s.effective), of_known(s.permitted), of_known(s.inheritable), bounding,
	       ambient, prctl(PR_GET_KEEPCAPS), prctl(PR_GET_SECUREBITS), prctl(PR_GET_DUMPABLE));
	while (f && fgets(line, sizeof(line), f))
		if (!strncmp(line, "Cap", 3))
			printf(" %lx", of_known(strtoul(line + 8, NULL, 16)));
	printf("\n");
	fclose(f);
	fflush(stdout);
}

static void in_child(const char *name, void (*what)(void))
{
	int status;

	printf("-- %s\n", name);
	fflush(stdout);
	if (!fork()) {
		what();
		fflush(stdout);
		_exit(0);
	}
	wait(&status);
	if (status)
		printf("ended %x\n", status);
}

static void again(void)
{
	fflush(stdout);
	execl("/proc/self/exe", "caps", "show", NULL);
}

static void dropping(void)
{
	struct sets s = get(), all = s;

	s.effective &= ~BIT(CAP_KILL);
	T(set(s));
	show("not effective");
	T(set(all));
	s.permitted &= ~BIT(CAP_KILL);
	T(set(s));
	T(set(all));
	s.inheritable = BIT(CAP_KILL);
	T(set(s));
	s.inheritable = BIT(CAP_CHOWN);
	T(set(s));
	s.effective = all.permitted;
	T(set(s));
	show("dropped");
	again();
}

static void bounding(void)
{
	struct sets s = get();

	T(prctl(PR_CAPBSET_DROP, CAP_MKNOD));
	T(prctl(PR_CAPBSET_DROP, 63));
	T(prctl(PR_CAPBSET_READ, 63));
	s.inheritable = BIT(CAP_MKNOD);
	T(set(s));
	show("dropped");
	s = get();
	s.effective &= ~BIT(CAP_SETPCAP);
	T(set(s));
	T(prctl(PR_CAPBSET_DROP, CAP_KILL));
	T(prctl(PR_SET_SECUREBITS, 4));
	again();
}

static void users(void)
{
	T(setresuid(1000, 1000, 0));
	show("saved 0");
	T(seteuid(0));
	show("effective 0");
	T(setuid(1000));
	show("no 0");
	T(setuid(0));
	again();
}

static void keeping(void)
{
	struct sets s;

	T(prctl(PR_SET_KEEPCAPS, 2));
	T(prctl(PR_SET_KEEPCAPS, 1));
	T(setresuid(1000, 1000, 1000));
	show("kept");
	s = get();
	s.effective = BIT(CAP_SETUID) | BIT(CAP_CHOWN);
	s.inheritable = BIT(CAP_CHOWN);
	T(set(s));
	T(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_CHOWN, 0, 0));
	T(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_KILL, 0, 0));
	T(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_CHOWN, 1, 0));
	T(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, 63, 0, 0));
	T(prctl(PR_CAP_AMBIENT, 9, CAP_CHOWN, 0, 0));
	T(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 1, 0, 0));
	show("ambient");
	again();
}

static void ambient_goes(void)
{
	struct sets s = get();

	s.inheritable = BIT(CAP_CHOWN) | BIT(CAP_FOWNER);
	T(set(s));
	T(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_CHOWN, 0, 0));
	T(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_FOWNER, 0, 0));
	T(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_LOWER, CAP_FOWNER, 0, 0));
	show("raised");
	s.inheritable = 0;
	T(set(s));
	show("not inheritable");
	T(prctl(PR_SET_SECUREBITS, 0x40));
	s.inheritable = BIT(CAP_CHOWN);
	T(set(s));
	T(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_CHOWN, 0, 0));
}

static void securing(void)
{
	T(prctl(PR_SET_SECUREBITS, 0x10000));
	T(prctl(PR_SET_SECUREBITS, 0xc | 0x30));
	T(prctl(PR_SET_SECUREBITS, 0xc));
	T(prctl(PR_SET_KEEPCAPS, 0));
	T(setresuid(1000, 1000, 1000));
	show("no fixup");
	T(prctl(PR_SET_SECUREBITS, 0xc | 0x30 | 3));
	T(setresuid(0, 0, 0));
	again();
}

static void no_new(void)
{
	struct sets s = get();

	s.effective = s.permitted = BIT(CAP_CHOWN) | BIT(CAP_SETUID);
	T(set(s));
	T(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	again();
}

static void each_without(void)
{
	struct sets all = get(), s = all;
	int fd = open("closed", O_CREAT | O_WRONLY, 0);
	int ready[2];
	char byte;

	pipe(ready);
	pid_t other = fork();
	if (!other) {
		T(setresuid(1001, 1001, 1001));
		fflush(stdout);
		write(ready[1], "r", 1);
		for (;;)
			pause();
	}
	read(ready[0], &byte, 1);
	close(ready[0]);
	close(ready[1]);
	close(fd);
	T(mknod("dev", S_IFCHR | 0600, 0x103));
	T(chown("closed", 1000, 1000));
	T(open("closed", O_RDONLY) >= 0);
	T(access("closed", R_OK));
	T(chmod("closed", 0));
	s.effective = 0;
	T(set(s));
	T(mknod("dev2", S_IFCHR | 0600, 0x103));
	T(chown("closed", 1001, 1001));
	T(open("closed", O_RDONLY) >= 0);
	T(access("closed", R_OK));
	T(faccessat(AT_FDCWD, "closed", R_OK, AT_EACCESS));
	T(chmod("closed", 0644));
	T(kill(other, 0));
	T(kill(other, SIGTERM));
	T(chroot("."));
	T(setgid(5));
	T(setgroups(0, NULL));
	T(setresuid(-1, 7, -1));
	T(sethostname("x", 1));
	T(unlink("dev"));
	s.effective = BIT(CAP_KILL);
	T(set(s));
	T(kill(other, SIGKILL));
	wait(NULL);
	s.effective = BIT(CAP_CHOWN);
	T(set(s));
	T(chown("closed", 1001, 1001));
	T(chmod("closed", 0600));
	s.effective = BIT(CAP_FOWNER);
	T(set(s));
	T(chmod("closed", 0600));
	T(open("closed", O_RDONLY) >= 0);
	s.effective = BIT(CAP_DAC_OVERRIDE);
	T(set(s));
	T(open("closed", O_RDONLY) >= 0);
	T(access("closed", X_OK));
	s.effective = BIT(CAP_SYS_CHROOT);
	T(set(s));
	T(chroot("."));
	s.effective = BIT(CAP_SETGID);
	T(set(s));
	T(setgid(5));
	T(setuid(7));
}

static void wrong(void)
{
	struct __user_cap_header_struct h = {0x12345678, 0},
					other = {_LINUX_CAPABILITY_VERSION_3, 1 << 30};
	struct __user_cap_data_struct d[2];

	T(syscall(SYS_capget, &h, d));
	printf("%x\n", h.version);
	T(syscall(SYS_capget, &h, NULL));
	T(syscall(SYS_capget, &other, d));
	T(syscall(SYS_capset, &other, d));
	T(syscall(SYS_capset, &h, NULL));
	T(prctl(PR_SET_KEEPCAPS, 1) + prctl(PR_GET_KEEPCAPS));
}

int main(int argc, char **argv)
{
	if (argc > 1) {
		show("the next program");
		return 0;
	}
	if (!mkdtemp(directory) || chmod(directory, 0777) || chdir(directory))
		perror(directory);
	(void)argv;
	show("first");
	in_child("dropping", dropping);
	in_child("bounding", bounding);
	in_child("users", users);
	in_child("keeping", keeping);
	in_child("ambient", ambient_goes);
	in_child("securing", securing);
	in_child("no new", no_new);
	in_child("each without", each_without);
	in_child("wrong", wrong);
	unlink("closed");
	unlink("dev");
	rmdir(directory);
	return 0;
}

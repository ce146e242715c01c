/* SPDX-License-Identifier: MIT
 * The longer ones of failing.c's deeds: -1 and errno where they failed. Included there alone. */
static int receiving(int from)
{
	char text[8], control[64];
	struct iovec one = {text, 8};
	struct msghdr m = {
		.msg_iov = &one, .msg_iovlen = 1, .msg_control = control, .msg_controllen = 64};

	return (int)recvmsg(from, &m, 0);
}

static void *idle(void *unused)
{
	return unused;
}

static int waited(pid_t pid)
{
	int status = 0;

	if (pid < 0)
		return -1;
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	errno = ENOMEM; /* a child that found no memory on its way */
	return status && !WIFSIGNALED(status) && WEXITSTATUS(status) != 127 ? -1 : 0;
}

static int forking(void)
{
	pid_t pid = fork();

	if (!pid)
		_exit(0);
	return waited(pid);
}

static int spawning(void)
{
	pid_t pid;
	char *args[] = {"true", NULL};
	int error = posix_spawn(&pid, "/bin/true", NULL, NULL, args, args + 1);

	errno = error;
	return error ? -1 : waited(pid);
}

static int threading(void)
{
	pthread_t t;
	int error = pthread_create(&t, NULL, idle, NULL);

	errno = error == EAGAIN ? ENOMEM : error;
	return error ? -1 : pthread_join(t, NULL);
}

static int bind_some(int s)
{
	struct sockaddr_un name = {AF_UNIX, "some"};

	return s < 0 || bind(s, (void *)&name, sizeof(name)) ? -1 : listen(s, 3);
}

static int connect_some(int s)
{
	struct sockaddr_un name = {AF_UNIX, "some"};

	return s < 0 ? -1 : connect(s, (void *)&name, sizeof(name));
}

static int reading(const char *path)
{
	char text[4096];
	int f = open(path, O_RDONLY);
	ssize_t n = f < 0 ? -1 : read(f, text, sizeof(text));
	int error = errno;

	if (f >= 0)
		close(f);
	errno = error;
	return (int)n;
}

static int opening(const char *path, int flags)
{
	return open(path, flags, 0600);
}

static int listing(const char *path)
{
	char text[2048];
	int f = open(path, O_RDONLY | O_DIRECTORY);
	long n = f < 0 ? -1 : syscall(SYS_getdents64, f, text, sizeof(text));

	return (int)n;
}

static char *area(void)
{
	return mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static int touching(char *at, int pages)
{
	for (int i = 0; i < pages; i++)
		at[i * 4096l] = 1;
	return 0;
}

static int ptys(void)
{
	int m = open("/dev/ptmx", O_RDWR | O_NOCTTY), zero = 0, n;
	char path[32];

	if (m < 0 || ioctl(m, 0x40045431, &zero) || ioctl(m, 0x80045430, &n))
		return -1;
	snprintf(path, sizeof(path), "/dev/pts/%d", n);
	int s = open(path, O_RDWR | O_NOCTTY);
	return s < 0 ? -1 : write(s, "some\n", 5) < 0 ? -1 : write(m, "line\n", 5) < 0 ? -1 : 0;
}

static int timing(void)
{
	timer_t t;
	struct itimerspec s = {{0, 0}, {0, 1000}};

	return timer_create(CLOCK_MONOTONIC, NULL, &t) ? -1 : timer_settime(t, 0, &s, NULL);
}

static int queueing(void)
{
	mqd_t q = mq_open("/q", O_CREAT | O_RDWR, 0600, NULL);
	char text[8192];

	return q < 0					      ? -1
	       : mq_send(q, "text", 4, 1)		      ? -1
	       : mq_receive(q, text, sizeof(text), NULL) == 4 ? 0
							      : -1;
}

static int messages(void)
{
	struct {
		long type;
		char text[100];
	} m = {1, "text"};
	int q = msgget(IPC_PRIVATE, 0600);

	int r = q < 0 ? -1 : msgsnd(q, &m, 100, 0);
	int error = errno;
	if (q >= 0)
		msgctl(q, IPC_RMID, NULL);
	errno = error;
	return r;
}

static int semaphores(void)
{
	struct sembuf op = {0, 1, SEM_UNDO};
	int s = semget(IPC_PRIVATE, 5, 0600);
	int r = s < 0 ? -1 : semop(s, &op, 1);
	int error = errno;

	if (s >= 0)
		semctl(s, 0, IPC_RMID);
	errno = error;
	return r;
}

static int segments(void)
{
	int s = shmget(IPC_PRIVATE, 20000, 0600);
	char *at = s < 0 ? (void *)-1 : shmat(s, NULL, 0);
	int error = errno;

	if (s >= 0)
		shmctl(s, IPC_RMID, NULL);
	errno = error;
	if (at == (void *)-1)
		return -1;
	touching(at, 3);
	return shmdt(at);
}

static int locks(int f)
{
	struct flock l = {F_WRLCK, SEEK_SET, 10, 10, 0};

	if (flock(f, LOCK_EX) || fcntl(f, F_SETLK, &l))
		return -1;
	l = (struct flock){F_UNLCK, SEEK_SET, 13, 2, 0};
	return fcntl(f, F_SETLK, &l);
}

static int watching(void)
{
	int i = inotify_init1(O_NONBLOCK);
	char text[300];

	if (i < 0 || inotify_add_watch(i, ".", IN_CREATE) < 0 || creat("made", 0600) < 0)
		return -1;
	return read(i, text, sizeof(text)) < 0 && errno != EAGAIN ? -1 : 0;
}

static int polling(void)
{
	struct pollfd p[3] = {{fd[0], POLLIN, 0}, {fd[1], POLLOUT, 0}, {other[0], POLLIN, 0}};
	struct epoll_event e = {EPOLLIN, {0}};
	int ep = epoll_create1(0);

	return ep < 0 || epoll_ctl(ep, EPOLL_CTL_ADD, fd[0], &e) || epoll_wait(ep, &e, 1, 0) < 0
		       ? -1
		       : poll(p, 3, 0);
}

static int mapped(void)
{
	int f = open("file", O_RDWR);
	char *at = mmap(NULL, 30000, PROT_READ | PROT_WRITE, MAP_SHARED, f, 0);

	if (at == MAP_FAILED)
		return -1;
	return touching(at, 7), msync(at, 30000, MS_SYNC);
}

static int splitting(void)
{
	char *at = area();

	if (at == MAP_FAILED)
		return -1;
	touching(at, 100);
	if (mprotect(at + 40960, 8192, PROT_READ) || munmap(at + 4096 * 20, 4096) ||
	    madvise(at + 4096 * 30, 8192, MADV_DONTNEED))
		return -1;
	at = mremap(at, 8192, 1 << 21, MREMAP_MAYMOVE);
	return at == MAP_FAILED ? -1 : touching(at, 10);
}

static int growing(void)
{
	char *at = sbrk(300000);

	return at == (void *)-1 ? -1 : touching(at, 70);
}

static int stack(void)
{
	volatile char some[300000];

	for (int i = 0; i < 300000; i += 4096)
		some[i] = 1;
	return some[4096] - 1;
}

static int fifo(void)
{
	return mkfifo("fifo", 0600) ? -1 : open("fifo", O_RDWR);
}

static int spliced(void)
{
	int f = open("file", O_RDWR);
	struct iovec v = {big, 9000};

	if (f < 0 || splice(f, NULL, fd[1], NULL, 20000, 0) < 0 ||
	    tee(fd[0], other[1], 9000, SPLICE_F_NONBLOCK) < 0 ||
	    splice(fd[0], NULL, f, NULL, 20000, 0) < 0 || vmsplice(other[1], &v, 1, 0) < 0)
		return -1;
	return fcntl(other[1], F_SETPIPE_SZ, 1 << 20);
}

static int copied(void)
{
	struct iovec v[2] = {{big, 9000}, {big + 9000, 9000}};
	int f = open("file", O_RDWR), g = open("copy", O_RDWR | O_CREAT, 0600);

	if (f < 0 || g < 0 || sendfile(g, f, NULL, 30000) < 0 ||
	    copy_file_range(f, NULL, g, NULL, 1000, 0) < 0)
		return -1;
	return writev(g, v, 2) < 0 || preadv(f, v, 2, 0) < 0 ||
			       process_vm_readv(getpid(), v, 1, v + 1, 1, 0) < 0
		       ? -1
		       : 0;
}

static int queued(void)
{
	sigset_t set;
	union sigval v = {5};
	siginfo_t info;

	sigfillset(&set);
	sigprocmask(SIG_BLOCK, &set, NULL);
	for (int i = 0; i < 20; i++)
		if (sigqueue(getpid(), SIGRTMIN + i % 3, v) && errno != EAGAIN)
			return -1;
	int f = signalfd(-1, &set, SFD_NONBLOCK);
	if (f < 0 || (read(f, big, 128) < 0 && errno != EAGAIN))
		return -1;
	while (sigtimedwait(&set, &info, &(struct timespec){0, 0}) >= 0)
		;
	return 0;
}

static int crashing(void)
{
	struct rlimit all = {RLIM_INFINITY, RLIM_INFINITY};
	pid_t pid = fork();

	if (!pid) {
		setrlimit(RLIMIT_CORE, &all);
		prctl(FAIL, prctl(FAIL, 0)); /* goes on in the child, as far as it has one */
		abort();
	}
	return waited(pid);
}

static int files(void)
{
	if (mkdir("dir", 0700) || symlink("dir", "link") || creat("link/made", 0600) < 0 ||
	    link("dir/made", "dir/more") || rename("dir/more", "dir/moved") ||
	    setxattr("dir/made", "user.a", "value", 5, 0) || mknod("node", S_IFIFO | 0600, 0))
		return -1;
	return unlink("dir/moved") || unlink("dir/made") || rmdir("dir") || chdir("..") ? -1 : 0;
}

static int written(void)
{
	int f = open("new", O_RDWR | O_CREAT, 0600);

	return f < 0 || write(f, big, 100000) < 0 || pwrite(f, "far", 3, 40 << 20) < 0 ||
			       ftruncate(f, 5000)
		       ? -1
		       : 0;
}

/* A child whose number is written to its memory alone, where there was no page: it finds it there, or there is no child. */
static long settid(void)
{
	int status, *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
				 -1, 0);

	if (page == MAP_FAILED)
		return -1;
	long pid = syscall(SYS_clone, 0x01000000 | SIGCHLD, 0, 0, page, 0); /* CLONE_CHILD_SETTID */
	if (!pid)
		_exit(*page != getpid());
	if (pid < 0 || waitpid((pid_t)pid, &status, 0) != pid)
		return -1;
	errno = EINVAL;
	return status ? -1 : 0;
}

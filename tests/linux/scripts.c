/* SPDX-License-Identifier: MIT
 * execve of files that are not ELF programs: first lines of scripts, and what they must be refused for.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char directory[] = "/tmp/scripts.XXXXXX";

/* Writes a file of that content and mode, executes it with one argument, and says what came of it. */
static void try(const char *what, const char *content, size_t bytes, mode_t mode)
{
	char path[64];
	int status, fd;

	snprintf(path, sizeof path, "%s/file", directory);
	fd = open(path, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600);
	if (fd < 0 || write(fd, content, bytes) != (ssize_t)bytes || fchmod(fd, mode))
		perror(path);
	close(fd);
	printf("%s: ", what);
	fflush(stdout);
	pid_t pid = fork();
	if (!pid) {
		dup2(open("/dev/null", O_WRONLY),
		     STDERR_FILENO); /* shells differ in what they say */
		char *argv[] = {"name", "given", NULL}, *envp[] = {NULL};
		dup2(open("/dev/null", O_WRONLY), 2); /* shells word their errors differently */
		execve(path, argv, envp);
		_exit(errno == ENOEXEC	? 101
		      : errno == ENOENT ? 102
		      : errno == EACCES ? 103
		      : errno == ELOOP	? 104
					: 105);
	}
	waitpid(pid, &status, 0);
	printf("%s %d\n", WIFSIGNALED(status) ? "signal" : "status",
	       WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
	unlink(path);
}

static void text(const char *what, const char *content)
{
	try(what, content, strlen(content), 0700);
}

int main(void)
{
	char line[600], target[300] = "/";

	if (!mkdtemp(directory))
		return 1;
	text("empty", "");
	text("no first line", "echo no\n");
	text("no interpreter", "#!\n");
	text("spaces only", "#!   \t \n");
	text("absent interpreter", "#!/no/such/program\n");
	text("carriage return", "#!/bin/sh\r\n");
	text("interpreter is a directory", "#!/tmp\n");
	try("not executable", "#!/bin/sh\nexit 3\n", 17, 0600);
	text("a shell", "#! \t/bin/sh  \nexit 3\n");
	text("an argument with spaces", "#!/bin/sh -c exit 4 \t\n");
	text("no newline at the end", "#!/bin/sh");
	memset(target + 1, 'a', sizeof target - 2);
	snprintf(line, sizeof line, "#!%s\n", target);
	text("too long a name", line);
	memset(target, ' ', sizeof target - 1);
	snprintf(line, sizeof line, "#!/bin/sh -c exit%s5\n", target);
	text("too long an argument", line);
	snprintf(line, sizeof line, "#!%s/file\n", directory);
	text("itself", line);
	rmdir(directory);
	return 0;
}

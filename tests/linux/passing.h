/* SPDX-License-Identifier: MIT
 * A descriptor sent over a UNIX socket. */
#ifndef TESTS_LINUX_PASSING_H
#define TESTS_LINUX_PASSING_H

#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

/* Four bytes over `to`, and fd with them: what sendmsg says. */
static int passing(int to, int fd)
{
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(sizeof(int))];
	} control = {.head = {CMSG_LEN(sizeof(int)), SOL_SOCKET, SCM_RIGHTS}};
	struct iovec one = {"text", 4};
	struct msghdr m = {.msg_iov = &one,
			   .msg_iovlen = 1,
			   .msg_control = &control,
			   .msg_controllen = sizeof(control)};

	memcpy(CMSG_DATA(&control.head), &fd, sizeof(fd));
	return (int)sendmsg(to, &m, 0);
}

#endif

/* SPDX-License-Identifier: MIT
 * Options of sockets: those that mean something between processes of one machine, and a few that are remembered. */
#include "socket.h"
#include "file_calls.h"
#include "inode.h"
#include "time.h"

#define SEND_LEAST 4608u
#define SEND_MOST 425984u

static s64 limit_set(u32 *limit, s32 value)
{
	u64 wanted = 2 * min((u64)max(value, 0), (u64)SEND_MOST / 2);
	*limit = (u32)max(wanted, (u64)SEND_LEAST);
	return 0;
}

static s64 timeout_set(u64 *ns, u64 from, u64 bytes)
{
	struct linux_timeval tv;
	if ((u32)bytes < sizeof(tv))
		return -EINVAL;
	if (copy_in(&tv, from, sizeof(tv)))
		return -EFAULT;
	if (tv.usec < 0 || tv.usec >= 1000000)
		return -EDOM;
	*ns = tv.sec < 0 ? 1 : min((u64)tv.sec, 1ul << 32) * SECOND + (u64)tv.usec * 1000;
	return 0;
}

s64 sys_setsockopt(u64 fd, u64 level, u64 option, u64 from, u64 bytes)
{
	struct file *f;
	s64 error;
	s32 value;
	struct socket *s = socket_of(fd, &f, &error);
	if (!s)
		return error;
	if ((s32)bytes < 0)
		return -EINVAL;
	if ((u32)level != SOL_SOCKET)
		return -EOPNOTSUPP;
	if ((u32)option == SO_RCVTIMEO || (u32)option == SO_SNDTIMEO)
		return timeout_set((u32)option == SO_RCVTIMEO ? &s->receive_ns : &s->send_ns, from,
				   bytes);
	if ((u32)bytes < sizeof(value))
		return -EINVAL;
	if (copy_in(&value, from, sizeof(value)))
		return -EFAULT;
	switch ((u32)option) {
	case SO_SNDBUF:
		return limit_set(&s->send_limit, value);
	case SO_RCVBUF:
		return limit_set(&s->receive_limit, value);
	case SO_PASSCRED:
	case SO_REUSEADDR: /* these three change nothing between processes of one machine */
	case SO_KEEPALIVE:
	case SO_BROADCAST:
		s->options &= ~(1u << option);
		s->options |= value ? 1u << option : 0;
		return 0;
	case SO_TYPE:
	case SO_ERROR:
	case SO_DOMAIN:
	case SO_PROTOCOL:
	case SO_ACCEPTCONN:
	default:
		return -ENOPROTOOPT;
	}
}

static s64 option_value(struct socket *s, u32 option, s32 *value)
{
	switch (option) {
	case SO_TYPE:
		*value = (s32)s->type;
		return 0;
	case SO_ERROR:
		*value = s->error;
		s->error = 0;
		return 0;
	case SO_SNDBUF:
		*value = (s32)s->send_limit;
		return 0;
	case SO_RCVBUF:
		*value = (s32)s->receive_limit;
		return 0;
	case SO_PASSCRED:
	case SO_REUSEADDR:
	case SO_KEEPALIVE:
	case SO_BROADCAST:
		*value = (s->options >> option) & 1;
		return 0;
	case SO_ACCEPTCONN:
		*value = s->state == SOCKET_LISTENING;
		return 0;
	case SO_DOMAIN:
		*value = AF_UNIX;
		return 0;
	case SO_PROTOCOL:
		*value = 0;
		return 0;
	default:
		return -ENOPROTOOPT;
	}
}

s64 sys_getsockopt(u64 fd, u64 level, u64 option, u64 to, u64 length_at)
{
	struct file *f;
	s64 error;
	s32 room, value;
	struct socket *s = socket_of(fd, &f, &error);
	const void *out = &value;
	struct linux_timeval tv;
	u32 bytes = sizeof(value);
	if (!s)
		return error;
	if (copy_in(&room, length_at, sizeof(room)))
		return -EFAULT;
	if (room < 0)
		return -EINVAL;
	if ((u32)level != SOL_SOCKET)
		return -EOPNOTSUPP;
	if ((u32)option == SO_PEERCRED) {
		static const struct creds nobody = {0, ~0u, ~0u};
		out = s->state == SOCKET_CONNECTED   ? &s->peer_creds
		      : s->state == SOCKET_LISTENING ? &s->creds
						     : &nobody;
		bytes = sizeof(nobody);
	} else if ((u32)option == SO_RCVTIMEO || (u32)option == SO_SNDTIMEO) {
		u64 ns = (u32)option == SO_RCVTIMEO ? s->receive_ns : s->send_ns;
		tv = (struct linux_timeval){(s64)(ns / SECOND), (s64)(ns % SECOND / 1000)};
		out = &tv;
		bytes = sizeof(tv);
	} else {
		error = option_value(s, (u32)option, &value);
		if (error)
			return error;
	}
	bytes = min(bytes, (u32)room);
	return copy_out(to, out, bytes) || copy_out(length_at, &bytes, sizeof(bytes)) ? -EFAULT : 0;
}

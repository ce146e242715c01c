/* SPDX-License-Identifier: MIT
 * Linux's calls on sockets: addresses, messages with what goes beside them. Only the UNIX family is here. */
#include "caps.h"
#include "socket.h"
#include "file_calls.h"
#include "inode.h"
#include "time.h"

#define FAMILY_BYTES 2u
#define CONTROL_MOST 65536u
#define SOCKET_FLAGS (O_CLOEXEC | O_NONBLOCK)
#define SEND_FLAGS \
	(MSG_DONTWAIT | MSG_EOR | MSG_NOSIGNAL | MSG_MORE | MSG_OOB | MSG_WAITALL | MSG_PEEK)

static s64 type_check(u64 domain, u64 *type, u64 protocol)
{
	if (*type & ~(u64)(SOCK_TYPE_MASK | SOCKET_FLAGS))
		return -EINVAL;
	if ((u32)domain != AF_UNIX)
		return -EAFNOSUPPORT;
	if ((u32)protocol && (u32)protocol != AF_UNIX)
		return -EPROTONOSUPPORT;
	*type &= SOCK_TYPE_MASK;
	if (*type == SOCK_RAW)
		*type = SOCK_DGRAM;
	return *type == SOCK_STREAM || *type == SOCK_DGRAM || *type == SOCK_SEQPACKET
		       ? 0
		       : -ESOCKTNOSUPPORT;
}

s64 sys_socket(u64 domain, u64 type, u64 protocol)
{
	u32 flags = (u32)type & SOCKET_FLAGS;
	s64 error = type_check(domain, &type, protocol);
	if (error)
		return error;
	struct socket *s = socket_create((u32)type);
	return s ? socket_file(s, flags) : -ENOMEM;
}

s64 sys_socketpair(u64 domain, u64 type, u64 protocol, u64 fds)
{
	u32 flags = (u32)type & SOCKET_FLAGS;
	s64 error = type_check(domain, &type, protocol);
	s32 fd[2];
	if (error)
		return error;
	struct socket *a = socket_create((u32)type), *b = socket_create((u32)type);
	if (!a || !b) {
		socket_put(a);
		socket_put(b);
		return -ENOMEM;
	}
	socket_pair(a, b);
	fd[0] = (s32)socket_file(a, flags);
	fd[1] = (s32)socket_file(b, flags);
	if (fd[0] >= 0 && fd[1] >= 0 && !copy_out(fds, fd, sizeof(fd)))
		return 0;
	error = fd[0] < 0 ? fd[0] : fd[1] < 0 ? fd[1] : -EFAULT;
	for (u32 i = 0; i < 2; i++)
		if (fd[i] >= 0)
			sys_close((u64)fd[i]);
	return error;
}

/* Reads an address: a new name, without text where only the family is given. -EINVAL, -EFAULT. */
static s64 address_in(u64 from, u64 bytes, struct unix_name **out, u32 *family)
{
	struct linux_sockaddr_un un = {0};
	if ((u32)bytes < FAMILY_BYTES || (u32)bytes > sizeof(un))
		return -EINVAL;
	bytes = (u32)bytes;
	if (copy_in(&un, from, bytes))
		return -EFAULT;
	*family = un.family;
	u32 length = (u32)bytes - FAMILY_BYTES;
	if (un.path[0]) {
		u32 n = 0;
		while (n < length && un.path[n])
			n++;
		length = n;
	}
	*out = name_create(un.path, length);
	return *out ? 0 : -ENOMEM;
}

/* Writes an address as far as there is room, and its whole length. 0, -EFAULT or -EINVAL. */
static s64 address_out(const struct unix_name *name, u64 to, u64 length_at)
{
	struct linux_sockaddr_un un = {.family = AF_UNIX};
	s32 room;
	u32 bytes = FAMILY_BYTES;
	if (!to)
		return 0;
	if (copy_in(&room, length_at, sizeof(room)))
		return -EFAULT;
	if (room < 0)
		return -EINVAL;
	if (name) {
		u32 n = min(name->length + (name->text[0] != 0), UNIX_PATH_MAX);
		__builtin_memcpy(un.path, name->text, n);
		bytes += n;
	}
	if (copy_out(to, &un, min((u32)room, bytes)) || copy_out(length_at, &bytes, sizeof(bytes)))
		return -EFAULT;
	return 0;
}

s64 sys_bind(u64 fd, u64 address, u64 bytes)
{
	struct unix_name *name;
	struct file *f;
	u32 family;
	s64 error;
	struct socket *s = socket_of(fd, &f, &error);
	if (!s)
		return error;
	error = address_in(address, bytes, &name, &family);
	if (error)
		return error;
	error = family == AF_UNIX ? socket_bind(s, name) : -EINVAL;
	name_put(name);
	return error;
}

s64 sys_listen(u64 fd, u64 backlog)
{
	struct file *f;
	s64 error;
	struct socket *s = socket_of(fd, &f, &error);
	return s ? socket_listen(s, (s32)backlog) : error;
}

s64 sys_connect(u64 fd, u64 address, u64 bytes)
{
	struct unix_name *name;
	struct file *f;
	u32 family;
	s64 error;
	struct socket *s = socket_of(fd, &f, &error);
	if (!s)
		return error;
	error = address_in(address, bytes, &name, &family);
	if (error)
		return error;
	file_get(f);
	if (family == AF_UNSPEC && s->type == SOCK_DGRAM) {
		socket_put(s->peer);
		s->peer = NULL;
		s->state = SOCKET_FRESH;
	} else if (family != AF_UNIX || !name->length) {
		error = -EINVAL;
	} else {
		error = socket_connect(s, name, !(f->flags & O_NONBLOCK));
	}
	file_put(f);
	name_put(name);
	return error;
}

s64 sys_accept4(u64 fd, u64 address, u64 length, u64 flags)
{
	struct socket *end = NULL;
	struct file *f;
	s64 error;
	struct socket *s = socket_of(fd, &f, &error);
	if (!s)
		return error;
	if (flags & ~(u64)SOCKET_FLAGS)
		return -EINVAL;
	file_get(f);
	error = socket_accept(s, &end, !(f->flags & O_NONBLOCK));
	file_put(f);
	if (error)
		return error;
	struct unix_name *name = end->peer ? end->peer->name : NULL;
	if (name)
		name->refs++;
	s64 made = socket_file(end, (u32)flags);
	error = made >= 0 ? address_out(name, address, length) : made;
	name_put(name);
	if (error && made >= 0)
		sys_close((u64)made);
	return error ? error : made;
}

s64 sys_accept(u64 fd, u64 address, u64 length)
{
	return sys_accept4(fd, address, length, 0);
}

s64 sys_shutdown(u64 fd, u64 how)
{
	struct file *f;
	s64 error;
	struct socket *s = socket_of(fd, &f, &error);
	return s ? socket_shutdown(s, (u32)how) : error;
}

s64 sys_getsockname(u64 fd, u64 to, u64 length)
{
	struct file *f;
	s64 error;
	struct socket *s = socket_of(fd, &f, &error);
	return s ? address_out(s->name, to, length) : error;
}

s64 sys_getpeername(u64 fd, u64 to, u64 length)
{
	struct file *f;
	s64 error;
	struct socket *s = socket_of(fd, &f, &error);
	if (!s)
		return error;
	return s->state == SOCKET_CONNECTED ? address_out(s->peer->name, to, length) : -ENOTCONN;
}

static s64 passed_in(struct parcel *p, u64 from, u64 bytes)
{
	u32 count = (u32)(bytes / 4);
	s32 fd[SCM_MAX_FD];
	if (bytes % 4 || count > SCM_MAX_FD || p->passed)
		return -EINVAL;
	if (copy_in(fd, from, bytes))
		return -EFAULT;
	if (!count)
		return 0;
	struct passed *passed = kmalloc(sizeof(*passed));
	if (!passed)
		return -ENOMEM;
	for (u32 i = 0; i < count; i++) {
		struct file *f = fd_file((u32)fd[i]);
		if (!f) {
			passed_put(passed);
			return -EBADF;
		}
		file_get(f);
		passed->file[passed->count++] = f;
	}
	p->passed = passed;
	return 0;
}

static s64 creds_in(struct parcel *p, u64 from, u64 bytes)
{
	const struct proc *me = current()->proc;
	struct creds c;
	if (bytes != sizeof(c))
		return -EINVAL;
	if (copy_in(&c, from, sizeof(c)))
		return -EFAULT;
	if (c.pid != me->pid && !capable(CAP_SYS_ADMIN))
		return -EPERM;
	if (c.uid != me->uid && c.uid != me->euid && c.uid != me->suid && !capable(CAP_SETUID))
		return -EPERM;
	if (c.gid != me->gid && c.gid != me->egid && c.gid != me->sgid && !capable(CAP_SETGID))
		return -EPERM;
	p->creds = c;
	p->has_creds = 1;
	return 0;
}

/* Reads what goes beside a message. */
static s64 control_in(struct parcel *p, const struct linux_msghdr *m)
{
	struct linux_cmsghdr c;
	u64 at = 0;
	s64 error = 0;
	if (m->control_length > CONTROL_MOST)
		return -EINVAL;
	while (!error && at + sizeof(c) <= m->control_length) {
		if (copy_in(&c, m->control + at, sizeof(c)))
			return -EFAULT;
		if (c.length < sizeof(c) || c.length > m->control_length - at)
			return -EINVAL;
		u64 from = m->control + at + sizeof(c), bytes = c.length - sizeof(c);
		if (c.level != SOL_SOCKET || (c.type != SCM_RIGHTS && c.type != SCM_CREDENTIALS))
			error = -EINVAL;
		else
			error = c.type == SCM_RIGHTS ? passed_in(p, from, bytes)
						     : creds_in(p, from, bytes);
		at += (c.length + 7) & ~7ul;
	}
	return error;
}

/* One message beside the data. 0: it did not fit whole. */
static int control_put(struct linux_msghdr *m, u64 *used, s32 type, const void *data, u64 bytes)
{
	struct linux_cmsghdr c = {sizeof(c) + bytes, SOL_SOCKET, type};
	if (*used + c.length > m->control_length || copy_out(m->control + *used, &c, sizeof(c)) ||
	    copy_out(m->control + *used + sizeof(c), data, bytes))
		return 0;
	*used += min((c.length + 7) & ~7ul, m->control_length - *used);
	return 1;
}

/* Gives the receiver descriptors of what was passed, as many as have room. */
static void passed_out(struct linux_msghdr *m, u64 *used, struct parcel *p)
{
	u64 room = m->control_length - *used;
	u64 most =
		room > sizeof(struct linux_cmsghdr) ? (room - sizeof(struct linux_cmsghdr)) / 4 : 0;
	s32 fd[SCM_MAX_FD];
	u32 n = 0;
	while (n < p->passed->count && n < most) {
		s64 made = fd_install(p->passed->file[n], 0, (p->flags & MSG_CMSG_CLOEXEC) != 0);
		if (made < 0)
			break;
		p->passed->file[n] = NULL; /* its reference is the descriptor's */
		fd[n++] = (s32)made;
	}
	if (n < p->passed->count)
		m->flags |= MSG_CTRUNC;
	if (n)
		control_put(m, used, SCM_RIGHTS, fd, n * 4ul);
	passed_put(p->passed);
	p->passed = NULL;
}

static void control_out(const struct socket *s, struct linux_msghdr *m, struct parcel *p)
{
	u64 used = 0;
	if (s->options & 1u << SO_PASSCRED && p->has_creds)
		if (!control_put(m, &used, SCM_CREDENTIALS, &p->creds, sizeof(p->creds)))
			m->flags |= MSG_CTRUNC;
	if (p->passed)
		passed_out(m, &used, p);
	m->control_length = used;
}

/* Reads the header's vector into parcel: its memory is the caller's to free. */
static s64 parcel_in(const struct linux_msghdr *m, struct parcel *p, struct linux_iovec **vec)
{
	if (m->count > IOV_MAX)
		return -EMSGSIZE;
	*vec = kmalloc(max(m->count, 1ul) * sizeof(**vec));
	if (!*vec)
		return -ENOMEM;
	s64 sum = iovec_in(m->vec, m->count, *vec);
	if (sum < 0) {
		kfree(*vec);
		*vec = NULL;
		return sum;
	}
	u64 n = 0;
	for (u64 i = 0; i < m->count; i++) /* empty pieces go */
		if ((*vec)[i].len)
			(*vec)[n++] = (*vec)[i];
	p->data = (struct cursor){*vec, n, 0};
	p->bytes = (u64)sum;
	return 0;
}

static s64 send_message(u64 fd, const struct linux_msghdr *m, u64 flags)
{
	struct parcel p = {.flags = (u32)flags};
	struct unix_name *to = NULL;
	struct linux_iovec *vec = NULL;
	const struct proc *me = current()->proc;
	struct file *f;
	u32 family = AF_UNIX;
	s64 error;
	struct socket *s = socket_of(fd, &f, &error);
	if (!s)
		return error;
	if ((u32)flags & ~SEND_FLAGS)
		return -EOPNOTSUPP;
	p.creds = (struct creds){me->pid, me->uid, me->gid};
	if (f->flags & O_NONBLOCK)
		p.flags |= MSG_DONTWAIT;
	file_get(f);
	error = m->name && m->name_length ? address_in(m->name, m->name_length, &to, &family) : 0;
	if (!error && (family != AF_UNIX || (to && !to->length)))
		error = -EINVAL;
	p.to = to;
	if (!error && m->control && m->control_length)
		error = control_in(&p, m);
	if (!error)
		error = parcel_in(m, &p, &vec);
	if (!error)
		error = socket_send(s, &p);
	passed_put(p.passed);
	name_put(to);
	kfree(vec);
	file_put(f);
	return error;
}

static s64 receive_message(u64 fd, struct linux_msghdr *m, u64 flags, u64 length_at)
{
	struct parcel p = {.flags = (u32)flags};
	struct linux_iovec *vec;
	struct file *f;
	s64 error;
	struct socket *s = socket_of(fd, &f, &error);
	if (!s)
		return error;
	if (f->flags & O_NONBLOCK)
		p.flags |= MSG_DONTWAIT;
	error = parcel_in(m, &p, &vec);
	if (error)
		return error;
	file_get(f);
	s64 n = socket_receive(s, &p);
	m->flags = p.flags & MSG_CMSG_CLOEXEC;
	if (n >= 0) {
		if (p.truncated)
			m->flags |= MSG_TRUNC;
		if (m->control)
			control_out(s, m, &p);
		else
			m->control_length = 0;
		if (p.passed || (!m->control && s->options & 1u << SO_PASSCRED && p.has_creds))
			m->flags |= MSG_CTRUNC;
		if (m->name && !p.from)
			error = copy_out(length_at, &(u32){0}, 4) ? -EFAULT : 0;
		else if (m->name)
			error = address_out(p.from, m->name, length_at);
	}
	passed_put(p.passed);
	name_put(p.from);
	kfree(vec);
	file_put(f);
	return error ? error : n;
}

s64 sys_sendto(u64 fd, u64 from, u64 bytes, u64 flags, u64 address, u64 length)
{
	struct linux_iovec one = {from, bytes};
	struct parcel p = {.data = {&one, 1, 0}, .bytes = bytes, .flags = (u32)flags};
	const struct proc *me = current()->proc;
	struct unix_name *to = NULL;
	struct file *f;
	u32 family = AF_UNIX;
	s64 error;
	struct socket *s = socket_of(fd, &f, &error);
	if (!s)
		return error;
	if (!user_range(from, bytes))
		return -EFAULT;
	if ((u32)flags & ~SEND_FLAGS)
		return -EOPNOTSUPP;
	if (f->flags & O_NONBLOCK)
		p.flags |= MSG_DONTWAIT;
	p.creds = (struct creds){me->pid, me->uid, me->gid};
	error = address && length ? address_in(address, length, &to, &family) : 0;
	if (!error && (family != AF_UNIX || (to && !to->length)))
		error = -EINVAL;
	p.to = to;
	file_get(f);
	if (!error)
		error = socket_send(s, &p);
	file_put(f);
	name_put(to);
	return error;
}

s64 sys_recvfrom(u64 fd, u64 to, u64 bytes, u64 flags, u64 address, u64 length)
{
	struct linux_iovec one = {to, bytes};
	struct parcel p = {.data = {&one, 1, 0}, .bytes = bytes, .flags = (u32)flags};
	struct file *f;
	s64 error;
	struct socket *s = socket_of(fd, &f, &error);
	if (!s)
		return error;
	if (!user_range(to, bytes))
		return -EFAULT;
	if (f->flags & O_NONBLOCK)
		p.flags |= MSG_DONTWAIT;
	file_get(f);
	s64 n = socket_receive(s, &p);
	if (n >= 0 && address && p.from)
		error = address_out(p.from, address, length);
	else if (n >= 0 && address)
		error = copy_out(length, &(u32){0}, 4) ? -EFAULT : 0;
	else
		error = 0;
	passed_put(p.passed);
	name_put(p.from);
	file_put(f);
	return error ? error : n;
}

s64 sys_sendmsg(u64 fd, u64 header, u64 flags)
{
	struct linux_msghdr m;
	return copy_in(&m, header, sizeof(m)) ? -EFAULT : send_message(fd, &m, flags);
}

s64 sys_recvmsg(u64 fd, u64 header, u64 flags)
{
	const u64 after_name = __builtin_offsetof(struct linux_msghdr, control_length);
	struct linux_msghdr m;
	if (copy_in(&m, header, sizeof(m)))
		return -EFAULT;
	s64 n = receive_message(fd, &m, flags,
				header + __builtin_offsetof(struct linux_msghdr, name_length));
	if (n < 0)
		return n;
	/* the length of the control data, and the flags behind it */
	if (copy_out(header + after_name, &m.control_length, 8) ||
	    copy_out(header + after_name + 8, &m.flags, 4))
		return -EFAULT;
	return n;
}

s64 sys_sendmmsg(u64 fd, u64 headers, u64 count, u64 flags)
{
	u32 done = 0;
	s64 n = 0;
	count = min((u32)count, (u32)IOV_MAX);
	for (; done < count; done++) {
		u64 at = headers + done * sizeof(struct linux_mmsghdr);
		n = sys_sendmsg(fd, at, flags);
		if (n < 0)
			break;
		if (copy_out(at + __builtin_offsetof(struct linux_mmsghdr, bytes), &n, 4))
			return -EFAULT;
	}
	return done ? (s64)done : n;
}

s64 sys_recvmmsg(u64 fd, u64 headers, u64 count, u64 flags, u64 timeout)
{
	u64 ns = 0, deadline = 0;
	u32 done = 0;
	s64 n = timeout ? timespec_in(timeout, &ns) : 0;
	if (n)
		return n;
	if (timeout)
		deadline = now_ns() + ns;
	for (; done < (u32)count; done++) {
		u64 at = headers + done * sizeof(struct linux_mmsghdr);
		n = sys_recvmsg(fd, at, flags & ~(u64)MSG_WAITFORONE);
		if (n < 0)
			break;
		if (copy_out(at + __builtin_offsetof(struct linux_mmsghdr, bytes), &n, 4))
			return -EFAULT;
		if (flags & MSG_WAITFORONE)
			flags |= MSG_DONTWAIT;
		if (deadline && now_ns() >= deadline) {
			done++;
			break;
		}
	}
	return done ? (s64)done : n;
}

/* SPDX-License-Identifier: MIT
 * execve: the arguments in, a new program, and what of the old one does not survive. */
#include "caps.h"
#include "inode.h"
#include "mm.h"
#include "proc_calls.h"
#include "proc_internal.h"

#define STRING_FIRST 16000 /* bytes of the first chunk of strings: enough for most programs */
#define STRING_CHUNK ((PAGE << 5) + 16) /* and of others: the longest string fits */
#define STRINGS_MAX (2ul << 20)		/* bytes of all of them */

/* The program's strings, packed in chunks; the first word of a chunk links to the one before. */
struct strings {
	u8 *chunk;
	usize bytes, used, total;
};

static void strings_free(struct strings *s)
{
	while (s->chunk) {
		u8 *before = *(u8 **)s->chunk;
		kfree(s->chunk);
		s->chunk = before;
	}
}

static int strings_grow(struct strings *s)
{
	usize bytes = s->chunk ? STRING_CHUNK : STRING_FIRST;
	u8 *chunk = kmalloc_raw(bytes);
	if (!chunk)
		return -ENOMEM;
	*(u8 **)chunk = s->chunk;
	s->chunk = chunk;
	s->bytes = bytes;
	s->used = sizeof(u8 *);
	return 0;
}

/* 0 and the copy, -E2BIG, -EFAULT, -ENOMEM. */
static s64 strings_add(struct strings *s, u64 from, char **copy)
{
	if (!s->chunk && strings_grow(s))
		return -ENOMEM;
	for (int fresh = 0; fresh < 2; fresh++) {
		if (fresh && strings_grow(s))
			return -ENOMEM;
		usize room = s->bytes - s->used;
		s64 length = string_in((char *)s->chunk + s->used, from, room);
		if (length == -ENAMETOOLONG)
			continue;
		if (length < 0)
			return length;
		*copy = (char *)s->chunk + s->used;
		s->used += (usize)length + 1;
		s->total += (usize)length + 1 + sizeof(char *);
		return s->total > STRINGS_MAX ? -E2BIG : 0;
	}
	return -E2BIG;
}

/* Copies a vector of strings (0: an empty one), ended by NULL. The vector is the caller's to kfree. */
static s64 vector_in(struct strings *s, u64 from, char ***vector)
{
	u64 count = 0, word = 1;
	s64 error = 0;
	while (from && word) {
		if (copy_in(&word, from + count * 8, 8))
			return -EFAULT;
		if (word && ++count > STRINGS_MAX / 16)
			return -E2BIG;
	}
	*vector = kmalloc((count + 1) * sizeof(char *));
	if (!*vector)
		return -ENOMEM;
	for (u64 i = 0; i < count && !error; i++) {
		error = copy_in(&word, from + i * 8, 8);
		if (!error)
			error = strings_add(s, word, &(*vector)[i]);
	}
	return error;
}

static void comm_set(struct proc *p, const char *path)
{
	const char *name = path;
	for (const char *c = path; *c; c++)
		if (*c == '/')
			name = c + 1;
	__builtin_memset(p->comm, 0, sizeof(p->comm));
	for (u32 i = 0; i < sizeof(p->comm) - 1 && name[i]; i++)
		p->comm[i] = name[i];
	__builtin_memcpy(current()->comm, p->comm, sizeof(p->comm));
}

/* What it shared with another process by clone's wish becomes its own. Without memory for that it cannot go on: its old
 * program is gone. */
static void exec_unshare(struct proc *p)
{
	struct files *files = p->files->refs > 1 ? files_clone(p->files) : p->files;
	struct sighand *sig = p->sig->refs > 1 ? sighand_clone(p->sig) : p->sig;
	if (!files || !sig)
		proc_exit(SIGKILL);
	if (files != p->files)
		files_put(p->files);
	if (sig != p->sig)
		sighand_put(p->sig);
	p->files = files;
	p->sig = sig;
}

/* What execve resets in a process whose new program is loaded. */
static void exec_committed(struct proc *p, const char *path)
{
	struct thread *t = current();
	exec_unshare(p);
	files_close_on_exec(p->files);
	sighand_exec(p->sig);
	posix_timers_end(p);
	t->altstack_sp = t->altstack_size = t->altstack_flags = 0;
	t->clear_tid = 0;
	t->robust_list = 0;
	t->restart[2] = 0;
	p->did_exec = 1;
	p->dumpable = 1;
	p->personality &= ~READ_IMPLIES_EXEC;
	caps_exec(p);
	comm_set(p, path);
	p->barriers = 0;
	proc_vfork_done(p);
}

/* Makes the current process run another program: exec_load, and what follows from it. 0, or -E and nothing has
 * changed. */
s64 proc_exec(const char *path, char *const argv[], char *const envp[])
{
	s64 error = exec_load(path, argv, envp);
	if (!error)
		exec_committed(current()->proc, path);
	return error;
}

static s64 exec_path(char *path, u64 argv, u64 envp)
{
	struct strings strings = {NULL, 0, 0, 0};
	char **args = NULL, **env = NULL;
	s64 error = vector_in(&strings, argv, &args);
	if (!error)
		error = vector_in(&strings, envp, &env);
	if (!error)
		error = proc_exec(path, args, env);
	kfree(args);
	kfree(env);
	strings_free(&strings);
	return error;
}

static s64 path_in(u64 from, char **path)
{
	*path = kmalloc_raw(PATH_MAX);
	if (!*path)
		return -ENOMEM;
	s64 length = string_in(*path, from, PATH_MAX);
	if (length < 0) {
		kfree(*path);
		return length;
	}
	return 0;
}

s64 sys_execve(u64 path, u64 argv, u64 envp)
{
	char *name;
	s64 error = path_in(path, &name);
	if (error)
		return error;
	error = *name ? exec_path(name, argv, envp) : -ENOENT;
	kfree(name);
	return error;
}

/* Joins the path of a descriptor's file before a relative name. 0, -EBADF, -ENAMETOOLONG, -ENOTDIR. */
static s64 path_under(u64 dir, char *name)
{
	struct file *f = fd_file((u32)dir);
	if (!f)
		return -EBADF;
	char *path = file_path(f);
	if (!path)
		return -ENOTDIR;
	usize base = __builtin_strlen(path), length = __builtin_strlen(name),
	      slash = length ? 1 : 0;
	s64 error = base + slash + length >= PATH_MAX ? -ENAMETOOLONG : 0;
	if (!error) {
		__builtin_memmove(name + base + slash, name, length + 1);
		__builtin_memcpy(name, path, base);
		if (slash)
			name[base] = '/';
	}
	kfree(path);
	return error;
}

s64 sys_execveat(u64 dir, u64 path, u64 argv, u64 envp, u64 flags)
{
	char *name;
	if (flags & ~(u64)(AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW))
		return -EINVAL;
	s64 error = path_in(path, &name);
	if (error)
		return error;
	if (!*name && !(flags & AT_EMPTY_PATH))
		error = -ENOENT;
	else if (*name != '/' && (!*name || (s32)dir != AT_FDCWD))
		error = path_under(dir, name);
	if (!error && (flags & AT_SYMLINK_NOFOLLOW))
		error = -ENOSYS; /* the walk of exec follows links */
	if (!error)
		error = exec_path(name, argv, envp);
	kfree(name);
	return error;
}

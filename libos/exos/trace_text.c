/* SPDX-License-Identifier: MIT
 * Appending to a trace line: numbers, strings, flags, names of signals and errors. */
#include "file.h"
#include "linux.h"
#include "trace.h"

#define TRACE_STRING 32 /* bytes of a string that are shown */

void trace_char(struct trace *t, char c)
{
	if (t->length < TRACE_LINE - 1)
		t->line[t->length++] = c;
}

void trace_text(struct trace *t, const char *text)
{
	while (*text)
		trace_char(t, *text++);
}

void trace_number(struct trace *t, u64 value, u32 base, int is_signed)
{
	char digits[24];
	u32 n = 0;
	if (is_signed && (s64)value < 0) {
		trace_char(t, '-');
		value = -value;
	}
	do {
		digits[n++] = "0123456789abcdef"[value % base];
		value /= base;
	} while (value);
	while (n)
		trace_char(t, digits[--n]);
}

void trace_hex(struct trace *t, u64 value)
{
	if (value)
		trace_text(t, "0x");
	trace_number(t, value, 16, 0);
}

void trace_octal(struct trace *t, u64 value)
{
	if (value)
		trace_char(t, '0');
	trace_number(t, value, 8, 0);
}

static void trace_escaped(struct trace *t, u8 c, u8 following)
{
	static const char plain[] = "\n\t\r\v\f\"\\";
	static const char letter[] = "ntrvf\"\\";
	for (u32 i = 0; i < sizeof(plain) - 1; i++)
		if (c == (u8)plain[i]) {
			trace_char(t, '\\');
			trace_char(t, letter[i]);
			return;
		}
	if (c >= 32 && c < 127) {
		trace_char(t, (char)c);
		return;
	}
	trace_char(t, '\\');
	if (following >= '0' &&
	    following <= '7') /* three digits, or the next one would join them */
		for (int shift = 6; shift >= 0; shift -= 3)
			trace_char(t, (char)('0' + ((c >> shift) & 7)));
	else
		trace_number(t, c, 8, 0);
}

void trace_bytes(struct trace *t, u64 addr, u64 bytes)
{
	int is_string = bytes == ~0ul;
	u8 shown[256];
	u32 most = is_string ? 256 : TRACE_STRING, n = 0;
	if (!addr) {
		trace_text(t, "NULL");
		return;
	}
	for (; n < most && n < bytes; n++) {
		if (copy_in(&shown[n], addr + n, 1)) {
			trace_hex(t, addr);
			return;
		}
		if (is_string && !shown[n])
			break;
	}
	trace_char(t, '"');
	for (u32 i = 0; i < n; i++)
		trace_escaped(t, shown[i], i + 1 < n ? shown[i + 1] : 0);
	trace_char(t, '"');
	if (is_string ? n == most : n < bytes)
		trace_text(t, "...");
}

void trace_flags(struct trace *t, const struct trace_flag *flags, u32 count, u64 value,
		 const char *none)
{
	int any = 0;
	for (u32 i = 0; i < count; i++)
		if (flags[i].bits && (value & flags[i].bits) == flags[i].bits) {
			if (any++)
				trace_char(t, '|');
			trace_text(t, flags[i].name);
			value &= ~flags[i].bits;
		}
	if (!any && !value) {
		trace_text(t, none);
		return;
	}
	if (value) {
		if (any)
			trace_char(t, '|');
		trace_hex(t, value);
	}
}

void trace_signal_short(struct trace *t, u64 sig)
{
	static const char *const names[] = {
		"0",	  "HUP",  "INT",    "QUIT", "ILL",   "TRAP", "ABRT", "BUS",
		"FPE",	  "KILL", "USR1",   "SEGV", "USR2",  "PIPE", "ALRM", "TERM",
		"STKFLT", "CHLD", "CONT",   "STOP", "TSTP",  "TTIN", "TTOU", "URG",
		"XCPU",	  "XFSZ", "VTALRM", "PROF", "WINCH", "IO",   "PWR",  "SYS",
	};
	if (sig < array_count(names)) {
		trace_text(t, names[sig]);
	} else if (sig <= SIGRTMAX) {
		trace_text(t, "RT_");
		trace_number(t, sig - SIGRTMIN, 10, 0);
	} else {
		trace_number(t, sig, 10, 1);
	}
}

void trace_signal_name(struct trace *t, u64 sig)
{
	if (sig && sig <= SIGRTMAX)
		trace_text(t, "SIG");
	trace_signal_short(t, sig);
}

static const struct {
	s32 number;
	const char *name, *text;
} errors[] = {
	{EPERM, "EPERM", "Operation not permitted"},
	{ENOENT, "ENOENT", "No such file or directory"},
	{ESRCH, "ESRCH", "No such process"},
	{EINTR, "EINTR", "Interrupted system call"},
	{EIO, "EIO", "Input/output error"},
	{ENXIO, "ENXIO", "No such device or address"},
	{E2BIG, "E2BIG", "Argument list too long"},
	{ENOEXEC, "ENOEXEC", "Exec format error"},
	{EBADF, "EBADF", "Bad file descriptor"},
	{ECHILD, "ECHILD", "No child processes"},
	{EAGAIN, "EAGAIN", "Resource temporarily unavailable"},
	{ENOMEM, "ENOMEM", "Cannot allocate memory"},
	{EACCES, "EACCES", "Permission denied"},
	{EFAULT, "EFAULT", "Bad address"},
	{EBUSY, "EBUSY", "Device or resource busy"},
	{EEXIST, "EEXIST", "File exists"},
	{EXDEV, "EXDEV", "Invalid cross-device link"},
	{ENODEV, "ENODEV", "No such device"},
	{ENOTDIR, "ENOTDIR", "Not a directory"},
	{EISDIR, "EISDIR", "Is a directory"},
	{EINVAL, "EINVAL", "Invalid argument"},
	{ENFILE, "ENFILE", "Too many open files in system"},
	{EMFILE, "EMFILE", "Too many open files"},
	{ENOTTY, "ENOTTY", "Inappropriate ioctl for device"},
	{ETXTBSY, "ETXTBSY", "Text file busy"},
	{EFBIG, "EFBIG", "File too large"},
	{ENOSPC, "ENOSPC", "No space left on device"},
	{ESPIPE, "ESPIPE", "Illegal seek"},
	{EROFS, "EROFS", "Read-only file system"},
	{EMLINK, "EMLINK", "Too many links"},
	{EPIPE, "EPIPE", "Broken pipe"},
	{ERANGE, "ERANGE", "Numerical result out of range"},
	{ENAMETOOLONG, "ENAMETOOLONG", "File name too long"},
	{ENOSYS, "ENOSYS", "Function not implemented"},
	{ENOTEMPTY, "ENOTEMPTY", "Directory not empty"},
	{ELOOP, "ELOOP", "Too many levels of symbolic links"},
	{ENODATA, "ENODATA", "No data available"},
	{EOVERFLOW, "EOVERFLOW", "Value too large for defined data type"},
	{EOPNOTSUPP, "EOPNOTSUPP", "Operation not supported"},
	{ETIMEDOUT, "ETIMEDOUT", "Connection timed out"},
	{ERESTARTSYS, "ERESTARTSYS", "To be restarted if SA_RESTART is set"},
	{ERESTARTNOHAND, "ERESTARTNOHAND", "To be restarted if no handler"},
	{ERESTART_RESTARTBLOCK, "ERESTART_RESTARTBLOCK", "Interrupted by signal"},
};

void trace_error(struct trace *t, s64 error)
{
	const char *name = NULL, *text = NULL;
	for (u32 i = 0; i < array_count(errors); i++)
		if (errors[i].number == error) {
			name = errors[i].name;
			text = errors[i].text;
		}
	if (error >= ERESTARTSYS)
		trace_text(t, "? ");
	else
		trace_text(t, "-1 ");
	if (name) {
		trace_text(t, name);
		trace_text(t, " (");
		trace_text(t, text);
		trace_char(t, ')');
	} else {
		trace_char(t, 'E');
		trace_number(t, (u64)error, 10, 0);
	}
}

void trace_send(struct trace *t)
{
	t->line[t->length] = '\n';
	if (!console_trace_wait(t->line, t->length + 1)) {
		t->line[t->length] = 0;
		exos_log("%s", t->line);
	}
	t->dead = 1;
}

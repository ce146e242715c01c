/* SPDX-License-Identifier: MIT
 * The console: standard streams over the channel, or a terminal on a UART.
 *
 * The device belongs to the scheduler's env, so only console_pump_all, which runs there, touches it. Threads leave
 * what they write in the stage, in the channel's form; the pump passes it on and brings input. */
#include "file_calls.h"
#include "idle.h"
#include "dump.h"
#include "inode.h"
#include "sched.h"
#include "tty.h"
#include <aril/error.h>
#include <aril_stubs.h>
#include <core/channel.h>
#include <core/console.h>
#include <core/domain.h>
#include <core/print.h>

#define STAGE_ORDER 6
#define STAGE (PAGE << STAGE_ORDER)
#define RESERVE 8192u	    /* of the stage: for credit, status and traces */
#define STDIN_BYTES 262144u /* standard input's pipe; what the host may have under way */
#define CREDIT_STEP 65536u
#define TYPED 8192u	  /* of a terminal */
#define LOOK_NS 2000000ul /* events wake earlier */
#define HELLO_WAIT_NS 20000000000ul

static struct {
	struct core_console device;
	struct channel_reader reader;
	u8 *stage;
	u64 head, tail;
	int open, hello, hangup, input_ended;
	u32 opened_streams;
	struct waitq write_wait;
	struct pipe *input; /* standard input where it is not a terminal */
	u32 owed;	    /* input bytes taken since the last credit */
	u8 typed[TYPED];    /* characters that the terminal has no room for yet */
	u32 typed_head, typed_tail;
	u64 lost;
} console;

static int framed(void)
{
	return console.device.kind == CONSOLE_RINGS;
}

static u32 stage_room(void)
{
	return (u32)(STAGE - (console.head - console.tail));
}

/* Copies into the stage, for which there is room. 0 or -EFAULT (nothing is added then). */
static s64 stage_put(u64 at, u64 from, u32 bytes)
{
	for (u32 done = 0; done < bytes;) {
		u32 place = (u32)((at + done) % STAGE);
		u32 n = min(bytes - done, (u32)(STAGE - place));
		if (io_in(console.stage + place, from + done, n))
			return -EFAULT;
		done += n;
	}
	return 0;
}

/* Stages one frame with bytes from the program or ExOS. 0 or -EFAULT. */
static s64 stage_frame(u32 kind, u64 from, u32 bytes)
{
	struct channel_header header;
	u32 skip = framed() ? sizeof(header) : 0;
	if (stage_put(console.head + skip, from, bytes))
		return -EFAULT;
	if (skip) {
		channel_header(&header, kind, bytes);
		stage_put(console.head, (u64)&header, sizeof(header));
	}
	console.head += skip + bytes;
	idle_output_held(1);
	return 0;
}

/* A small frame that may use the reserve. It is lost, and counted, when even that is full. */
static void stage_small(u32 kind, const void *payload, u32 bytes)
{
	if (stage_room() < bytes + sizeof(struct channel_header))
		console.lost++;
	else
		stage_frame(kind, (u64)payload, bytes);
}

/* Stages bytes of a stream, waiting for room where `wait`. Bytes, -EAGAIN, -EINTR, -EFAULT, -EPIPE. */
static s64 stream_write(u32 kind, u64 from, u64 bytes, int wait)
{
	u64 done = 0;
	while (done < bytes) {
		if (console.hangup)
			return done ? (s64)done : -EPIPE;
		u32 room = stage_room();
		u32 least = (u32)min(bytes - done, 2048ul);
		if (room < RESERVE + least) {
			if (!wait)
				return done ? (s64)done : -EAGAIN;
			if (sleep_on(&console.write_wait, 0, 1) == -EINTR)
				return done ? (s64)done : -EINTR;
			continue;
		}
		u32 n = (u32)min(min(bytes - done, (u64)(room - RESERVE)), (u64)CHANNEL_MAX);
		if (stage_frame(kind, from + done, n))
			return done ? (s64)done : -EFAULT;
		done += n;
	}
	return (s64)done;
}

/* Standard output and error where they are not a terminal: f->data is the channel's kind. */
static s64 out_write(struct file *f, u64 from, usize bytes, u64 *offset)
{
	(void)offset;
	s64 n = stream_write((u32)(u64)f->data, from, bytes, !(f->flags & O_NONBLOCK));
	return n == -EPIPE ? write_broken() : n == -EINTR ? -ERESTARTSYS : n;
}

static u32 out_poll(struct file *f)
{
	(void)f;
	if (console.hangup)
		return POLLOUT | POLLWRNORM | POLLERR;
	return stage_room() >= RESERVE + PIPE_BUF ? POLLOUT | POLLWRNORM : 0;
}

static const struct file_ops out_ops = {.write = out_write, .poll = out_poll};

static s64 tty_send(struct tty *tty, const u8 *bytes, u32 count, int wait)
{
	(void)tty;
	s64 n = stream_write(CHANNEL_OUTPUT, (u64)bytes, count, wait);
	return n == -EINTR ? -ERESTARTSYS : n == -EPIPE ? -EIO : n;
}

/* Lets the host send as much again as was taken. */
static void give_credit(u32 bytes, u32 step)
{
	console.owed += bytes;
	if (framed() && console.owed >= step && !console.input_ended) {
		stage_small(CHANNEL_CREDIT, &console.owed, sizeof(console.owed));
		console.owed = 0;
	}
}

static void input_drained(struct pipe *p, u64 bytes)
{
	(void)p;
	give_credit((u32)bytes, CREDIT_STEP);
}

/* Passes typed characters on as the terminal has room. */
static void typed_pass(void)
{
	while (console.typed_tail != console.typed_head && tty_room(&console_tty)) {
		u8 c = console.typed[console.typed_tail++ % TYPED];
		tty_receive(&console_tty, &c, 1);
		give_credit(1, 1024);
	}
	if (console.input_ended && console.typed_tail == console.typed_head && !console_tty.eof)
		tty_end_of_input(&console_tty);
}

static void input_bytes(const u8 *bytes, u32 count)
{
	if (console.input) {
		u64 n = pipe_feed(console.input, bytes, count);
		console.lost += count - n; /* a host that ignores credit */
		return;
	}
	for (u32 i = 0; i < count; i++) {
		if (console.typed_head - console.typed_tail == TYPED)
			typed_pass();
		if (console.typed_head - console.typed_tail < TYPED)
			console.typed[console.typed_head++ % TYPED] = bytes[i];
		else
			console.lost++;
	}
}

static void input_end(void)
{
	if (console.input_ended)
		return;
	console.input_ended = 1;
	if (console.input) {
		console.input->writers--;
		wake_all(&console.input->read_wait);
		poll_notify();
	}
}

static void hang_up(void)
{
	if (console.hangup)
		return;
	console.hangup = 1;
	wake_all(&console.write_wait);
	poll_notify();
	if (family.console_is_tty & (CHANNEL_TTY_IN | CHANNEL_TTY_OUT))
		tty_hangup(&console_tty);
}

static void take_hello(const struct channel_event *e)
{
	struct channel_hello hello;
	if (e->bytes < sizeof(hello))
		return;
	__builtin_memcpy(&hello, e->data, sizeof(hello));
	if (hello.version != CHANNEL_VERSION)
		exos_panic("exos: the console's other side speaks version %u, not %u",
			   hello.version, CHANNEL_VERSION);
	family.console_is_tty = hello.flags;
	console_tty.window.rows = hello.rows;
	console_tty.window.columns = hello.columns;
	family.realtime_offset = (s64)hello.realtime_ns - (s64)now_ns();
	console.hello = 1;
}

static void take_event(const struct channel_event *e)
{
	u16 size[2];
	switch (e->kind) {
	case CHANNEL_HELLO:
		take_hello(e);
		break;
	case CHANNEL_INPUT:
		input_bytes(e->data, e->bytes);
		break;
	case CHANNEL_EOF:
		input_end();
		break;
	case CHANNEL_WINDOW:
		if (e->bytes >= sizeof(size)) {
			__builtin_memcpy(size, e->data, sizeof(size));
			tty_resize(&console_tty, size[0], size[1]);
		}
		break;
	case CHANNEL_HANGUP:
		hang_up();
		break;
	default:
		exos_log_once("exos: console: a frame of kind %u is not known", e->kind);
	}
}

static void pump_input(void)
{
	static u8 buffer[32768];
	for (;;) {
		u32 n = console_receive(&console.device, buffer, sizeof(buffer));
		const u8 *at = buffer;
		struct channel_event e;
		int more = 0;
		if (!n)
			return;
		if (!framed()) {
			input_bytes(buffer, n);
			continue;
		}
		while ((more = channel_next(&console.reader, &at, &n, &e)) > 0)
			take_event(&e);
		if (more < 0) {
			exos_log_once("exos: console: the input is not the channel's");
			input_end();
			return;
		}
	}
}

static void pump_output(void)
{
	u64 before = console.tail;
	while (console.tail != console.head) {
		u32 place = (u32)(console.tail % STAGE);
		u32 n = (u32)min(console.head - console.tail, STAGE - place);
		u32 sent = console.device.kind == CONSOLE_NONE
				   ? n
				   : console_send(&console.device, console.stage + place, n);
		if (!sent)
			break;
		console.tail += sent;
	}
	idle_output_held(console.tail != console.head);
	if (console.tail != before) {
		wake_all(&console.write_wait);
		poll_notify();
	}
}

/* Moves what there is to move, both ways. In the scheduler's env, family lock held. */
void console_pump_all(void)
{
	if (!console.open)
		return;
	console_pump(&console.device);
	pump_input();
	if (!console.input && console.opened_streams)
		typed_pass();
	pump_output();
	if (framed())
		console_pump(&console.device);
	if (console.device.broken)
		hang_up();
}

int console_ring_frames(u32 frame[2], u32 *cpu)
{
	if (!console.open || !framed())
		return 0;
	frame[0] = page_frame(console.device.r.rx_page);
	frame[1] = page_frame(console.device.r.tx_page);
	*cpu = (u32)__builtin_ctz(family.domain->cpus);
	return 1;
}

static void open_rings(const struct core_domain *d)
{
	u8 *buffers = page_alloc(6);
	struct console_rings r = {.auth = family.auth, .memory = buffers};
	r.rx_page = page_zalloc(0);
	r.tx_page = page_zalloc(0);
	_Static_assert(2 * CONSOLE_BUFFERS == 64, "order of the buffers' pages");
	if (!buffers || !r.rx_page || !r.tx_page)
		exos_panic("exos: no memory for the console");
	u32 cpu = (u32)__builtin_ctz(d->cpus);
	s64 rx = aril_ring_open(family.auth, d->device, 0, page_frame(r.rx_page), cpu);
	s64 tx = aril_ring_open(family.auth, d->device, 1, page_frame(r.tx_page), cpu);
	if (rx < 0 || tx < 0)
		exos_panic("exos: the console's rings: error %ld %ld", (long)-rx, (long)-tx);
	r.rx_ring = (u32)rx;
	r.tx_ring = (u32)tx;
	r.first_frame = page_frame(buffers);
	s64 error = console_open_rings(&console.device, &r);
	if (error)
		exos_panic("exos: the console: error %ld", (long)-error);
}

/* Says hello and waits for the host's. */
static void exchange_hello(void)
{
	struct channel_hello hello = {.version = CHANNEL_VERSION};
	u64 deadline = now_ns() + HELLO_WAIT_NS;
	stage_small(CHANNEL_HELLO, &hello, sizeof(hello));
	while (!console.hello) {
		console_pump_all();
		if (now_ns() > deadline)
			exos_panic("exos: the console's other side does not answer");
		if (!console.hello)
			sched_nap(LOOK_NS);
	}
}

/* Opens the domain's console and learns what the standard streams are. In the scheduler's env, before the first
 * process. Panics where there should be one and is not. */
static void console_open_device(void)
{
	const struct core_domain *d = family.domain;
	waitq_init(&console.write_wait);
	console.stage = page_alloc(STAGE_ORDER);
	if (!console.stage)
		exos_panic("exos: no memory for the console");
	tty_init(&console_tty);
	console_tty.send = tty_send;
	console.open = 1;
	if (d->console == CORE_CONSOLE_RING) {
		open_rings(d);
		exchange_hello();
		return;
	}
	console.hello = 1;
	family.console_is_tty = 0;
	if (d->console == CORE_CONSOLE_UART) {
		int error = console_open_uart(&console.device, (u16)d->port, d->line_grant);
		if (error)
			exos_panic("exos: the UART at %x: error %d", d->port, -error);
		family.console_is_tty = CHANNEL_TTY_IN | CHANNEL_TTY_OUT | CHANNEL_TTY_ERR;
		console_tty.window.rows = 24;
		console_tty.window.columns = 80;
	}
}

static void out_inode_free(struct inode *i)
{
	(void)i;
}

static s64 out_inode_open(struct inode *i, struct file *f)
{
	if ((f->flags & O_ACCMODE) == O_RDONLY)
		return -EACCES;
	f->ops = &out_ops;
	f->data = (void *)i->proc.key;
	return 0;
}

static const struct inode_ops out_inode_ops = {.open = out_inode_open, .free = out_inode_free};

/* An open file that writes a stream of the channel. */
static struct file *out_file(u32 kind)
{
	struct inode *i = inode_create(S_IFIFO | 0600, DEVICE_CONSOLE);
	if (!i)
		return NULL;
	i->nlink = 1;
	i->ops = &out_inode_ops;
	i->proc.key = kind;
	struct file *f = file_create(i, O_WRONLY, &out_ops, (void *)(u64)kind);
	inode_put(i);
	return f;
}

/* Standard input as a pipe that the pump fills. */
static struct file *in_file(void)
{
	struct inode *i = inode_create(S_IFIFO | 0600, DEVICE_PIPE);
	struct pipe *p = i ? pipe_create() : NULL;
	if (!p || pipe_set_size(p, STDIN_BYTES) < 0)
		return NULL;
	i->nlink = 1;
	i->pipe = p;
	p->drained = input_drained;
	p->readers = p->opens_read = p->opens_write = 1;
	p->writers = framed() && !console.input_ended; /* the host may have ended it already */
	console.input = p;			       /* keeps the inode's first reference */
	return file_create(i, O_RDONLY, &pipe_ops, p);
}

static struct file *tty_file(struct inode *i)
{
	struct file *f = file_create(i, O_RDWR, &tty_ops, &console_tty);
	if (f)
		f->path = string_copy("/dev/console", 12);
	return f;
}

static void set_slot(struct proc *first, u32 fd, struct file *f)
{
	if (!f)
		exos_panic("exos: no memory for descriptor %u", fd);
	first->files->slots[fd].file = f;
	first->files->top = max(first->files->top, fd + 1);
}

/* Descriptors 0..2 of the first process. In the scheduler's env: the device becomes its own. */
void console_boot(struct proc *first)
{
	console_open_device();
	u32 is_tty = family.console_is_tty;
	struct inode *dev = tree_make(root_inode, "dev", S_IFDIR | 0755, 0);
	struct inode *tty = tree_make(dev, "console", S_IFCHR | 0600, RDEV(5, 1));
	set_slot(first, 0, is_tty & CHANNEL_TTY_IN ? tty_file(tty) : in_file());
	set_slot(first, 1, is_tty & CHANNEL_TTY_OUT ? tty_file(tty) : out_file(CHANNEL_OUTPUT));
	set_slot(first, 2, is_tty & CHANNEL_TTY_ERR ? tty_file(tty) : out_file(CHANNEL_ERROR));
	if (is_tty) {
		first->tty = &console_tty;
		console_tty.session = first->sid;
		console_tty.foreground = first->pgid;
	}
	console.opened_streams = 1;
	u32 credit = console.input ? STDIN_BYTES : TYPED / 2;
	if (framed())
		stage_small(CHANNEL_CREDIT, &credit, sizeof(credit));
	console_pump_all();
}

/* /dev/console: the terminal, or standard output where there is none. */
s64 console_open(struct inode *i, struct file *f)
{
	if (family.console_is_tty)
		return tty_open(i, f, &console_tty);
	if ((f->flags & O_ACCMODE) != O_WRONLY)
		return -EIO;
	f->ops = &out_ops;
	f->data = (void *)(u64)CHANNEL_OUTPUT;
	return 0;
}

/* Sends a line for the host's standard error: text ends with its newline. Family lock. 0: there is no channel, or
 * no room. */
int console_trace(const char *text, u32 bytes)
{
	if (!console.open || !framed() || stage_room() < bytes + sizeof(struct channel_header) + 64)
		return 0;
	stage_frame(CHANNEL_TRACE, (u64)text, bytes);
	return 1;
}

/* The same, waiting for room where a thread calls, so that no line is lost. 0: as above, or the scheduler calls and
 * there is no room. */
int console_trace_wait(const char *text, u32 bytes)
{
	while (!console_trace(text, bytes)) {
		if (!console.open || !framed() || console.device.broken || console.hangup)
			return 0;
		if (!current()->proc || current()->state != THREAD_RUNNING)
			return 0;
		sleep_on(&console.write_wait, 0, 0);
	}
	return 1;
}

/* Tells the host when the first program's first instruction runs. Family lock. */
void console_started(void)
{
	u64 ns = now_ns();
	if (console.open && framed())
		stage_small(CHANNEL_STARTED, &ns, sizeof(ns));
}

static void stage_wait(u32 bytes)
{
	while (stage_room() < bytes && !console.device.broken) {
		console_pump_all();
		if (stage_room() < bytes)
			sched_nap(LOOK_NS);
	}
}

/* Sends a core file page by page, but for its holes. In the scheduler's env. */
static void core_send(struct inode *file)
{
	static struct {
		u64 offset;
		u8 bytes[PAGE];
	} piece;
	u64 size = inode_size(file), at;

	for (at = 0; (at = inode_data_from(file, at) & ~(PAGE - 1)) < size; at += PAGE) {
		u64 n = min(PAGE, size - at);

		piece.offset = at;
		if (inode_read_kernel(file, piece.bytes, n, at) != (s64)n)
			return;
		stage_wait(2 * PAGE);
		stage_small(CHANNEL_CORE, &piece, (u32)(sizeof(piece.offset) + n));
	}
	piece.offset = size;
	stage_wait(PAGE);
	stage_small(CHANNEL_CORE, &piece.offset, sizeof(piece.offset));
}

/* Sends the exit status behind all that is staged, and waits until the device has it. In the scheduler's env. */
void console_finish(u32 status)
{
	if (!console.open)
		return;
	if (console.lost)
		core_log("exos: console: %lu bytes or frames were lost",
			 (unsigned long)console.lost);
	if (framed()) {
		if (dump_last && family.domain->flags & CORE_DOMAIN_CORE)
			core_send(dump_last);
		stage_wait(64);
		stage_small(CHANNEL_STATUS, &status, sizeof(status));
	}
	while ((console.head != console.tail || !console_idle(&console.device)) &&
	       !console.device.broken) {
		console_pump_all();
		if (console.head != console.tail || !console_idle(&console.device))
			sched_nap(LOOK_NS);
	}
}

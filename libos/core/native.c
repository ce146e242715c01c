/* SPDX-License-Identifier: MIT
 * The start and end of a native program, and its console. */
#include <aril_stubs.h>
#include <aril/info.h>
#include <core/channel.h>
#include <core/console.h>
#include <core/native.h>
#include <core/print.h>
#include <core/string.h>
#include <core/time.h>
#include <core/upcall.h>

#define ARGS_MAX 256
#define HEAP_VA 0x600000000000ul

u32 core_auth;
struct core_pool core_pool;
struct core_space core_self;
static struct core_run runs[CORE_RUNS];
static u64 heap_va = HEAP_VA;
static char *args[ARGS_MAX + 2];
static struct core_console console;
static u32 console_word; /* frame of the output ring's page, whose head is waited on */

/* Images that bring their own start (a library OS) have none of these. */
int main(int argc, char **argv, char **envp) __attribute__((weak));
void core_secondary(u32 cpu) __attribute__((weak));

__attribute__((weak)) u64 core_stack(u32 cpu)
{
	return CORE_STACK_TOP(cpu);
}

void *core_pages(u32 count, u32 *frame)
{
	u32 first = core_pool_take(&core_pool, count);
	void *memory = (void *)heap_va;

	if (!first || core_map(&core_self, heap_va, first, count, ARIL_BIND_WRITE, core_auth))
		return NULL;
	heap_va += (u64)count << ARIL_PAGE_SHIFT;
	memset(memory, 0, (usize)count << ARIL_PAGE_SHIFT);
	if (frame)
		*frame = first;
	return memory;
}

s64 core_grant(u32 kind, u32 first)
{
	const volatile struct aril_grant *g =
		(const volatile struct aril_grant *)ARIL_INFO->grants_va;

	for (u32 i = 0; i < ARIL_MAX_GRANTS; i++)
		if (g[i].env == CORE_DOMAIN->env && g[i].kind == kind &&
		    (first == ~0u || first - g[i].first < g[i].count))
			return i;
	return -1;
}

/* The ring page of a queue of the console, or NULL. */
static struct aril_ring_page *open_ring(u32 queue, u32 *ring, u32 *frame)
{
	struct aril_ring_page *page = core_pages(1, frame);
	s64 number = page ? aril_ring_open(core_auth, CORE_DOMAIN->device, queue, *frame,
					   core_context()->cpu)
			  : -1;

	*ring = (u32)number;
	return number < 0 ? NULL : page;
}

/* Waits until the console's output moved. */
static void console_wait(void)
{
	if (console.kind == CONSOLE_UART) {
		core_sleep(1000000);
		return;
	}
	u32 head = __atomic_load_n(&console.r.tx_page->head, __ATOMIC_SEQ_CST);
	if (console_pump(&console) || head != console.r.tx_page->head)
		return;
	core_wait(core_auth, console_word, 0, head, core_now() + 100000000);
}

/* Sends a whole channel frame, waiting for room. */
static void send_frame(u32 kind, const void *payload, u32 bytes)
{
	const u8 *from = payload;
	int whole = 0;

	while ((bytes || !whole) && !console.broken) {
		u32 sent = console_send_frame(&console, kind, from, bytes, &whole);

		from += sent;
		bytes -= sent;
		console_pump(&console);
		if (bytes || !whole)
			console_wait();
	}
}

static void console_start(void)
{
	struct console_rings r = {.auth = core_auth};
	struct channel_hello hello = {.version = CHANNEL_VERSION};
	u32 unused;

	console.kind = CONSOLE_NONE; /* a child's copy of its parent's says otherwise */
	if (CORE_DOMAIN->console == CORE_CONSOLE_UART) {
		console_open_uart(&console, (u16)CORE_DOMAIN->port, CORE_DOMAIN->line_grant);
		return;
	}
	if (CORE_DOMAIN->console != CORE_CONSOLE_RING)
		return;
	r.rx_page = open_ring(0, &r.rx_ring, &unused);
	r.tx_page = open_ring(1, &r.tx_ring, &console_word);
	r.memory = core_pages(2 * CONSOLE_BUFFERS, &r.first_frame);
	if (!r.rx_page || !r.tx_page || !r.memory || console_open_rings(&console, &r)) {
		core_log("%s: the console does not open", CORE_DOMAIN->name);
		console.kind = CONSOLE_NONE;
		return;
	}
	send_frame(CHANNEL_HELLO, &hello, sizeof(hello));
}

/* Without a console: lines to the log. */
static void write_log(const char *from, u32 bytes)
{
	while (bytes) {
		u32 n = 0;

		while (n < bytes && n < 256 && from[n] != '\n')
			n++;
		aril_log(from, n);
		n += n < bytes && from[n] == '\n';
		from += n;
		bytes -= n;
	}
}

void core_write(const void *from, u32 bytes)
{
	const u8 *at = from;

	switch (console.kind) {
	case CONSOLE_RINGS:
		send_frame(CHANNEL_OUTPUT, from, bytes);
		return;
	case CONSOLE_UART:
		while (bytes) {
			u32 sent = console_send(&console, at, bytes);

			at += sent;
			bytes -= sent;
			console_pump(&console);
			if (bytes)
				console_wait();
		}
		return;
	}
	write_log(from, bytes);
}

void core_print(const char *format, ...)
{
	char text[1024];
	__builtin_va_list list;

	__builtin_va_start(list, format);
	int n = core_vformat(text, sizeof(text), format, list);
	__builtin_va_end(list);
	core_write(text, n < (int)sizeof(text) ? (u32)n : sizeof(text) - 1);
}

_Noreturn void core_exit(s64 status)
{
	u32 word = (u32)status;

	if (console.kind == CONSOLE_RINGS)
		send_frame(CHANNEL_STATUS, &word, sizeof(word));
	while (console.kind != CONSOLE_NONE && !console.broken && !console_idle(&console)) {
		console_pump(&console);
		console_wait();
	}
	aril_env_exit(status);
	for (;;) /* only an env that is gone gets here, so nobody */
		;
}

/* Pointers to the strings in [va, va + bytes), then NULL. Returns how many. */
static u32 strings(char **to, u32 room, u64 va, u64 bytes)
{
	u32 n = 0;

	for (u64 at = 0; at < bytes && n < room; at += strlen((char *)va + at) + 1)
		to[n++] = (char *)va + at;
	to[n] = NULL;
	return n;
}

_Noreturn static void run_first(void)
{
	const struct core_domain *d = CORE_DOMAIN;

	s64 auth = aril_cap_open(&d->cap);
	if (auth < 0)
		aril_env_exit(127);
	core_auth = (u32)auth;
	memcpy(runs, d->run, sizeof(runs));
	core_pool = (struct core_pool){.run = runs, .nruns = d->nruns};
	core_self = (struct core_space){.root = d->space, .auth = core_auth, .pool = &core_pool};
	core_async_on();
	console_start();
	u32 argc = strings(args, ARGS_MAX / 2, d->args_va, d->args_bytes);
	char **envp = args + argc + 1;
	strings(envp, ARGS_MAX - argc, d->env_va, d->env_bytes);
	core_exit(main ? main((int)argc, args, envp) : 127);
}

__attribute__((weak)) _Noreturn void core_run(struct aril_context *context)
{
	u32 first = (u32)__builtin_ctz(CORE_DOMAIN->cpus);

	if (context->cpu == first)
		run_first();
	core_async_on();
	if (core_secondary)
		core_secondary(context->cpu);
	for (;;)
		core_sleep(1000000000ul * 3600);
}

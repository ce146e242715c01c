/* SPDX-License-Identifier: MIT
 * Verifies objects and says for each in one line what came of it: usage: case INTERFACE.o CASE.o...
 *	NAME accepted worst=N entry=N steps=N
 *	NAME WHY LINE text */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <ext.h>

static u8 *read_file(const char *name, u64 *bytes)
{
	FILE *f = fopen(name, "rb");
	static u8 buffer[1 << 20];
	u8 *out;

	if (!f) {
		perror(name);
		exit(2);
	}
	*bytes = fread(buffer, 1, sizeof(buffer), f);
	fclose(f);
	out = malloc(*bytes);
	memcpy(out, buffer, *bytes);
	return out;
}

static struct ext_arena arena(u64 size)
{
	struct ext_arena a = {malloc(size), size, 0};

	return a;
}

static void one(const struct ext_interface *iface, const char *name)
{
	struct ext_arena a = arena(64 << 20);
	struct ext_refusal why;
	struct ext_object *object;
	struct ext_program p;
	struct ext_verdict v;
	char line[800];
	u64 bytes;
	u8 *file = read_file(name, &bytes);
	int error = ext_object_open(&a, file, bytes, &object, &why);

	if (!error)
		error = ext_object_link(&a, object, "f", &iface, 1, &p, &why);
	if (!error && !p.attach) {
		printf("%s: no attach point\n", name);
		free(a.base);
		return;
	}
	if (!error)
		error = ext_verify(&a, &p, iface, p.attach, 1000000, 0, &v, &why);
	if (error) {
		ext_refusal_print(&why, line, sizeof(line));
		printf("%s %s %u %s\n", name, ext_why_name(why.why), why.line, line);
	} else {
		printf("%s accepted 0 worst=%lu entry=%u steps=%lu states=%lu memory=%lu\n", name,
		       (unsigned long)v.worst, v.entry_cost, (unsigned long)v.steps,
		       (unsigned long)v.states, (unsigned long)v.memory);
	}
	free(a.base);
}

int main(int argc, char **argv)
{
	struct ext_arena a = arena(16 << 20);
	struct ext_interface iface;
	struct ext_refusal why;
	char line[800];
	u64 bytes;
	u8 *file;

	if (argc < 2)
		return 2;
	file = read_file(argv[1], &bytes);
	if (ext_interface_load(&a, file, bytes, &iface, &why)) {
		ext_refusal_print(&why, line, sizeof(line));
		printf("%s: %s\n", argv[1], line);
		return 2;
	}
	for (int i = 2; i < argc; i++)
		one(&iface, argv[i]);
	return 0;
}

/* SPDX-License-Identifier: MIT
 * The smallest native program: says hello with its arguments, on the console if it has it. */
#include <core/native.h>
#include <core/time.h>

int main(int argc, char **argv, char **envp)
{
	(void)envp;
	core_print("hello from %s, %lu free frames, %lu us after the kernel's start\n",
		   CORE_DOMAIN->name, CORE_DOMAIN->free_frames, core_now() / 1000);
	for (int i = 0; i < argc; i++)
		core_print("argument %d: %s\n", i, argv[i]);
	return 0;
}

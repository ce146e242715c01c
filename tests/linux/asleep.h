/* SPDX-License-Identifier: MIT
 * Waiting until another sleeps in its call, rather than for a while in which it mostly has come there. */
#ifndef TESTS_LINUX_ASLEEP_H
#define TESTS_LINUX_ASLEEP_H

#include <stdio.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

/* Returns when that thread of that process was seen asleep twice in turn (once may have been on its way), when it has ended, or
 * after some 10 s. */
static inline void until_asleep(pid_t pid, pid_t tid)
{
	char path[64], line[512];
	int seen = 0;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/stat", pid, tid);
	for (int i = 0; i < 5000 && seen < 2; i++) {
		FILE *f = fopen(path, "r");
		char *state = f ? fgets(line, sizeof(line), f) : NULL;
		if (f)
			fclose(f);
		state = state ? strrchr(line, ')') : NULL;
		if (!state || state[2] == 'Z')
			return;
		seen = state[2] == 'S' ? seen + 1 : 0;
		usleep(2000);
	}
}

#endif

// SPDX-License-Identifier: MIT
// Who had each of some hundred slices under the stride scheduler of libos/core, three clients at 3:2:1: lines `share CLIENT US`, the slice's
// start in microseconds since the first. For the plot of ./aril bench literature.
#include "../tests/native/shares_stride.h"
#include <core/print.h>

#define SLICES 240u

static struct core_stride s;
static struct {
	u32 env;
	u64 ns;
} seen[SLICES];
static u32 count;

static void trace(u32 env, u64 ns)
{
	if (count < SLICES) {
		seen[count].env = env;
		seen[count++].ns = ns;
	}
}

int main(int argc, char **argv, char **envp)
{
	(void)argc, (void)argv, (void)envp;
	shares_stride(&s, trace);
	core_stride_run(&s, SLICES);
	for (u32 i = 0; i < count; i++)
		for (u32 c = 0; c < 3; c++)
			if (seen[i].env == shares_client[c].env)
				core_print("share %u %lu\n", c, (seen[i].ns - seen[0].ns) / 1000);
	return done();
}

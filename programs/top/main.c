/* SPDX-License-Identifier: MIT
 * aril-top: an ordinary Linux program that reads the books of the kernel below its library OS. */
#include "top.h"

#include <stdlib.h>
#include <string.h>

static const char usage[] = "usage: aril-top [--json | --live [SECONDS]]\n"
			    "Shows who has what of the machine: processors and their slices, "
			    "accounts with their limits, revocations and\n"
			    "losses, envs, frames by state and owner, grants; once, as text.\n"
			    "  --json            as one JSON object\n"
			    "  --live [SECONDS]  again and again (every second), on the whole "
			    "terminal, until q or Ctrl-C\n"
			    "  --help            this text\n";

static int refuse(const char *what, const char *word)
{
	fprintf(stderr, "aril-top: %s%s: see aril-top --help\n", what, word);
	return 2;
}

int main(int argc, char **argv)
{
	static struct snapshot now;
	int json = 0, again = 0;
	double seconds = 1;

	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "--help") || !strcmp(argv[i], "-h"))
			return fputs(usage, stdout) < 0;
		if (!strcmp(argv[i], "--json")) {
			json = 1;
		} else if (!strcmp(argv[i], "--live")) {
			again = 1;
			if (i + 1 < argc && argv[i + 1][0] != '-') {
				char *end;

				seconds = strtod(argv[++i], &end);
				if (*end || end == argv[i] || !(seconds >= 0.1 && seconds <= 3600))
					return refuse("--live takes seconds from 0.1 to 3600, not ",
						      argv[i]);
			}
		} else {
			return refuse("unknown option ", argv[i]);
		}
	}
	if (json && again)
		return refuse("--json and --live do not go together", "");
	if (snapshot_take(&now)) {
		fprintf(stderr, "aril-top: no books of Aril's here: run it there, as in ./aril run "
				"-- aril-top\n");
		return 1;
	}
	if (again)
		return live(seconds);
	if (json)
		print_json(stdout, &now);
	else
		print_text(stdout, &now, NULL);
	if (fflush(stdout)) {
		perror("aril-top: writing");
		return 1;
	}
	return 0;
}

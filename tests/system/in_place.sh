# SPDX-License-Identifier: MIT
# A file of the boot archive is mapped where it lies; writes to it and cuts show in the mapping, as on the host.
. tests/lib.sh
cat >"$work/place.c" <<'X'
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
int main(int c, char **v)
{
	int f = open(v[1], O_RDWR);
	char *m = mmap(0, 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE, f, 0), *r = mmap(0, 65536, PROT_READ, MAP_PRIVATE, f, 0);
	char *s = mmap(0, 65536, PROT_READ | PROT_WRITE, MAP_SHARED, f, 0);
	printf("%d %d %d %d\n", m[0], r[4096], r[20000], s[30000]);
	m[20000] = 7; /* a copy of our own, that writes to the file leave alone */
	if (!fork()) {
		int g = open(v[1], O_RDWR);
		printf("%d %d\n", m[20000], r[20000]);
		pwrite(g, "Z", 1, 4096);
		pwrite(g, "Y", 1, 20000);
		s[30000] = 'X';
		fflush(stdout);
		_exit(0);
	}
	wait(0);
	printf("%d %d %d %d\n", r[4096], r[20000], m[20000], r[30000]);
	printf("%d\n", r[8193]);
	ftruncate(f, 8192 + 1);
	printf("%d %d %d\n", r[8192], r[8193], r[12287]);
	ftruncate(f, 65536);
	printf("%d %d %d\n", r[8192], r[8193], s[30000]);
	return 0;
}
X
gcc -O1 -w -static -o "$work/place" "$work/place.c" || fail 'gcc'
for ((i = 0; i < 9000; i++)); do printf '%07d\n' "$i"; done >"$work/file"
cp "$work/file" "$work/copy"
"$work/place" "$work/copy" >"$work/expected"
status "on Aril" 0 ./aril run --timeout 60 --add "$work/file":/file --add "$work/place":/place -- /place /file
same "what the mappings show" "$(cat "$work/expected")" "$(cat "$work/out")"

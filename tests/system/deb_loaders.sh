# SPDX-License-Identifier: MIT
# timeout: 200
# One program in the eight ways of being linked: glibc and musl, static and dynamic, position-independent and not; as itself and
# as the interpreter of a script. musl's own ld.so loads what is dynamic. Its output is the host's.
. tests/lib.sh
. tests/deb.sh
cat >"$work/program.c" <<'X'
#define _GNU_SOURCE
#include <dlfcn.h>
#include <elf.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
static __thread int own = 5;
static int shared = 7;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static void *add(void *arg)
{
	for (int i = 0; i < 1000; i++) {
		pthread_mutex_lock(&lock);
		shared += own;
		pthread_mutex_unlock(&lock);
	}
	own = (int)(long)arg;
	return (void *)(long)own;
}
static void handler(int sig)
{
	dprintf(1, "signal %d\n", sig);
}
static int compare(const void *a, const void *b)
{
	return strcmp(*(char **)a, *(char **)b);
}
__attribute__((constructor)) static void before(void)
{
	dprintf(1, "constructor\n");
}
static void after(void)
{
	dprintf(1, "at exit\n");
}
int main(int argc, char **argv)
{
	pthread_t t[3];
	char *words[] = {"pear", "apple", "fig"}, line[64];
	int fd[2];
	atexit(after);
	for (int i = 1; i < argc; i++)
		printf("argument %s\n", strrchr(argv[i], '/') ? strrchr(argv[i], '/') + 1 : argv[i]);
	printf("%s %.3f %lld\n", getenv("WORD") ? getenv("WORD") : "none", 22.0 / 7, 1LL << 40);
	for (long i = 0; i < 3; i++)
		pthread_create(&t[i], NULL, add, (void *)i);
	for (int i = 0; i < 3; i++) {
		void *result;
		pthread_join(t[i], &result);
		printf("thread %ld\n", (long)result);
	}
	printf("shared %d own %d\n", shared, own);
	qsort(words, 3, sizeof(words[0]), compare);
	printf("%s %s %s\n", words[0], words[1], words[2]);
	signal(SIGUSR1, handler);
	fflush(stdout);
	raise(SIGUSR1);
	pipe(fd);
	if (!fork()) {
		write(fd[1], "from the child", 14);
		_exit(3);
	}
	int status;
	wait(&status);
	printf("%.*s %d\n", (int)read(fd[0], line, sizeof(line)), line, WEXITSTATUS(status));
	char *large = malloc(3 << 20);
	memset(large, 1, 3 << 20);
	large = realloc(large, 6 << 20);
	printf("%d page %ld random %d\n", large[(3 << 20) - 1], getauxval(AT_PAGESZ), getauxval(AT_RANDOM) != 0);
	FILE *f = popen("echo a shell", "r");
	fgets(line, sizeof(line), f);
	printf("%s%d\n", line, pclose(f));
	return 9;
}
X
./aril run --deb musl-dev -- sh -c : >"$work/out" 2>&1 || fail "musl-dev: $(tail -n 3 "$work/out")"
list=$(grep -l '^musl-dev ' "$deb_cache"/sets/*/packages | head -n 1)
root=$(dirname "$list")/root
musl=$root/usr/lib/x86_64-linux-musl
build() { # NAME OPTION...
	local name=$1
	shift
	gcc -O1 -w -o "$work/$name" "$work/program.c" "$@" || fail "$name does not compile"
}
with_musl() { # NAME CRT OPTION...
	local name=$1 crt=$2
	shift 2
	build "$name" -nostdinc -isystem "$root/usr/include/x86_64-linux-musl" -isystem "$(gcc -print-file-name=include)" -nostdlib \
		"$musl/$crt" "$musl/crti.o" "$@" -L"$musl" -lc -lgcc "$musl/crtn.o"
}
build glibc-dynamic -pie -fPIE -pthread
build glibc-fixed -no-pie -fno-pie -pthread
build glibc-static -static -no-pie -fno-pie -pthread
build glibc-static-pie -static-pie -fPIE -pthread
loader=-Wl,-dynamic-linker,/lib/ld-musl-x86_64.so.1
with_musl musl-dynamic Scrt1.o -pie -fPIE $loader
with_musl musl-fixed crt1.o -no-pie -fno-pie $loader
with_musl musl-static crt1.o -static -no-pie -fno-pie
with_musl musl-static-pie rcrt1.o -static-pie -fPIE -Wl,--no-dynamic-linker
readelf -l "$work/musl-dynamic" | grep -q 'interpreter: /lib/ld-musl-x86_64.so.1' || fail "musl-dynamic has another interpreter"
add=()
for name in glibc-{dynamic,fixed,static,static-pie} musl-{dynamic,fixed,static,static-pie}; do
	printf '#!/%s one word\n' "$name" >"$work/script-$name"
	chmod +x "$work/script-$name"
	add+=(--add "$work/$name:/$name" --add "$work/script-$name:/script-$name")
	case $name in
	musl-dynamic | musl-fixed) run=("$musl/libc.so" "$work/$name") ;;
	*) run=("$work/$name") ;;
	esac
	{
		echo "== $name"
		WORD=word "${run[@]}" plain arguments
		echo "status $?"
		"${run[@]}" 'one word' "script-$name" more
		echo "status $?"
	} >>"$work/expected" 2>&1
done
cat >"$work/script" <<'X'
for name in glibc-{dynamic,fixed,static,static-pie} musl-{dynamic,fixed,static,static-pie}; do
	echo "== $name"
	WORD=word /$name plain arguments
	echo "status $?"
	/script-$name more
	echo "status $?"
done
X
status "all of them" 0 ./aril run --smp 2 --timeout 100 --deb bash,musl "${add[@]}" --add "$work/script:/run" -- bash /run
diff "$work/expected" "$work/out" >"$work/diff" || fail "$(head -n 30 "$work/diff")"
same "how many ran" 16 "$(grep -c '^status 9$' "$work/out")"

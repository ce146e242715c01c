# SPDX-License-Identifier: MIT
# full
# timeout: 300
# gcc from its package compiles, links and runs programs inside, and make does so for several files at once.
. tests/lib.sh
. tests/deb.sh

compare gcc gcc,libc6-dev,make,coreutils,grep '
cat >a.c <<X
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
int twice(int);
static int by(const void *a, const void *b) { return *(const int *)a - *(const int *)b; }
int main(int c, char **v)
{
	int n[] = {5, 3, 9, 1};
	qsort(n, 4, sizeof *n, by);
	printf("compiled here %d %d %.3f %s\n", n[0], twice(n[3]), sqrt(c + 1.0), v[1]);
	return 3;
}
X
echo "int twice(int n) { return 2 * n; }" >b.c
gcc -O2 -Wall -o a a.c b.c -lm && ./a word; echo $?
gcc -static -O0 -g -o s a.c b.c -lm && ./s static; echo $?
echo "int main(void) { return x; }" >bad.c; gcc -c bad.c 2>bad; echo $?; head -n 3 bad
gcc -shared -fPIC -o libb.so b.c && gcc -o d a.c -L. -lb -lm -Wl,-rpath,. && ./d shared; echo $?
printf "all: p\np: a.o b.o\n\tgcc -o \$@ \$^ -lm\n%%.o: %%.c\n\tgcc -c -O1 \$<\n" >Makefile; make -j2 -s && ./p made; gcc -S -o - b.c | grep -c twice; gcc -dumpversion; ar rcs libx.a b.o && nm libx.a | grep twice'

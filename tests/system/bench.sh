# SPDX-License-Identifier: MIT
# timeout: 200
# The benchmark's figures are no more than 5 % above those in the tree, and its command refuses what it does not know.
. tests/lib.sh
status "figures as in the tree" 0 ./aril bench --check
status "an unknown suite" 2 ./aril bench nonsense
[ "$(wc -l <"$work/err")" = 1 ] || fail "more than one line: $(cat "$work/err")"
status "an unknown option" 2 ./aril bench --nonsense
[ "$(wc -l <"$work/err")" = 1 ] || fail "more than one line: $(cat "$work/err")"
status "--help" 0 ./aril bench --help
status "--explain" 0 ./aril bench --explain null
has "$work/out" ' call_null [(]kernel[)]$'
has "$work/out" 'instructions in the kernel'
has "$work/out" '^ +[0-9.]+ +[0-9.]+ % +1.00  call_null'
# A guest that does not boot: a line for each suite, and the next is tried.
ARIL_QEMU_ARGS=-nonsense status "guests that do not boot" 2 ./aril bench --aril null getpid
[ "$(wc -l <"$work/err")" = 2 ] || fail "not a line for each suite: $(cat "$work/err")"
# A machine without apt, flex and what they brought before: Aril alone, and why.
mkdir "$work/bin" && find /usr/local/bin /usr/bin /bin /usr/sbin /sbin ! -type d ! -name 'apt*' ! -name flex -exec ln -sft "$work/bin" {} +
PATH=$work/bin ARIL_BENCH=$work/made XDG_CACHE_HOME=$work/cache status "no Linux to be had" 0 ./aril bench --lean empty_loop getpid
has "$work/out" '^getpid +[0-9]+ '
has "$work/out" '^Aril alone, no Linux beside it: apt-cache: '
has "$work/out" 'the lean Linux needs flex to be built: apt-get install flex$'

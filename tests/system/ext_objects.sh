# SPDX-License-Identifier: MIT
# Objects of real compilers, each case of tests/cases/ext/link/ by clang at three levels of the instruction set and by
# gcc: linked, verified, interpreted and run as compiled, or refused for the reason given.
# timeout: 240
# Directives at a case's head, `// NAME: VALUE`: memory, result (of a run); shows, hides (patterns of the listing);
# refused (a pattern of the one line said); entry; flags; compilers (clang, gcc, native; else clang and gcc).
. "$(dirname "$0")/../lib.sh"

cases=tests/cases/ext/link
tool=${BUILD:-build}/aril-bpf
include="-Iabi/include -I$cases"
command -v bpf-gcc >/dev/null || fail "no bpf-gcc: apt-get install gcc-bpf"
# shellcheck disable=SC2086
clang -target bpf -O2 -g -Wall -Werror -DARIL_EXT_INTERFACE $include -c -o "$work/interface.o" $cases/interface.c ||
	fail "the interface does not compile"

# directive CASE NAME: its values, a line each
directive() {
	sed -n "1,12s|^// $2: ||p" "$1"
}

# compile VARIANT CASE OUT
compile() {
	# shellcheck disable=SC2046,SC2086
	case $1 in
	clang-*) clang -target bpf -mcpu="${1#clang-}" -O2 -g $(directive "$2" flags) $include -c -o "$3" "$2" ;;
	gcc) bpf-gcc -O2 -g -gbtf $(directive "$2" flags) $include -c -o "$3" "$2" ;;
	native) cc -O2 -c -o "$3" "$2" ;;
	esac
}

# one CASE VARIANT
one() {
	local case=$1 entry result pattern way
	compile "$2" "$case" "$work/o.o" || fail "$case: $2 does not compile it"
	entry=$(directive "$case" entry)
	set -- "$case by $2" --interface "$work/interface.o" ${entry:+--section "$entry"}
	pattern=$(directive "$case" refused)
	if [ -n "$pattern" ]; then
		shift
		status "$case" 1 "$tool" disasm --bpf --unverified "$@" "$work/o.o"
		has "$work/err" "$pattern"
		[ "$(wc -l <"$work/err")" = 1 ] || fail "$case: more than one line: $(cat "$work/err")"
		return
	fi
	result=$(directive "$case" result)
	if [ -n "$result" ]; then
		for way in --interp --jit; do
			status "$1 $way" 0 "$tool" run $way --memory "$(directive "$case" memory)" "${@:2}" "$work/o.o"
			same "$1 $way" "$result" "$(cat "$work/out")"
		done
	fi
	status "$1" 0 "$tool" disasm --bpf --unverified "${@:2}" "$work/o.o"
	while read -r pattern; do
		has "$work/out" "$pattern"
	done < <(directive "$case" shows)
	while read -r pattern; do
		! grep -q "$pattern" "$work/out" || fail "$1: /$pattern/ is there"
	done < <(directive "$case" hides)
}

count=0
for case in "$cases"/*.c; do
	[ "$case" != $cases/interface.c ] || continue
	compilers=$(directive "$case" compilers)
	for compiler in ${compilers:-clang gcc}; do
		case $compiler in
		clang) variants='clang-v1 clang-v2 clang-v3' ;;
		*) variants=$compiler ;;
		esac
		for variant in $variants; do
			one "$case" "$variant"
			count=$((count + 1))
		done
	done
done
echo "$count objects"

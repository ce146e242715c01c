# SPDX-License-Identifier: MIT
# What the system tests share. Sourced; the working directory is the project's root.
set -u
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

fail() {
	printf 'failed: %s\n' "$*"
	exit 1
}

# same WHAT EXPECTED GOT: two strings are equal
same() {
	[ "$2" = "$3" ] || fail "$1: expected '$2', got '$3'"
}

# status WHAT EXPECTED COMMAND...: a command's exit status
status() {
	local what=$1 expected=$2 got
	shift 2
	"$@" >"$work/out" 2>"$work/err" </dev/null
	got=$?
	[ $got = "$expected" ] || fail "$what: status $got, expected $expected: $(tail -n 12 "$work/out" "$work/err")"
}

# has FILE PATTERN: an extended regular expression is found
has() {
	grep -qE -- "$2" "$1" || fail "no /$2/ in: $(tail -n 10 "$1")"
}

# tests/system/core_program.c: $work/fixed, static, and $work/root/moved, with the libraries that it needs.
core_programs() {
	local file
	gcc -g -O0 -static -pthread -o "$work/fixed" tests/system/core_program.c || fail 'no static program'
	mkdir -p "$work/root/tmp"
	gcc -g -O0 -pie -fPIE -pthread -o "$work/root/moved" tests/system/core_program.c || fail 'no dynamic program'
	for file in $(ldd "$work/root/moved" | grep -o '/[^ ]*'); do
		mkdir -p "$work/root$(dirname "$file")" && cp -L "$file" "$work/root$file" || fail "no $file"
	done
}

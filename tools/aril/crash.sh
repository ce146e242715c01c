# SPDX-License-Identifier: MIT
# What is said of a program that crashed, from its core file: sourced by ./aril.

# core_program CORE: the host's file of the program whose core that is: the first file that it has mapped.
core_program() {
	local path
	path=$(python3 "$here/tools/aril/core.py" "$1" | head -1)
	[[ -n $path ]] && locate "$path" && printf '%s\n' "$located_file"
}

# crash_gdb PROGRAM CORE WORD...: gdb on both, with the guest's libraries.
crash_gdb() {
	local words=(gdb -q -nx -iex 'set auto-load no' -iex 'set debuginfod enabled off')
	[[ -n $root ]] && words+=(-iex "set sysroot $root")
	"${words[@]}" "${@:3}" "$1" "$2"
}

# crash_report CORE: its threads' backtraces, on standard error.
crash_report() {
	local file
	[[ -s $1 ]] || return 0
	file=$(core_program "$1") || {
		echo 'aril: the program of the core file is not on the host: no backtrace' >&2
		return 0
	}
	crash_gdb "$file" "$1" -batch -ex 'set print frame-arguments all' -ex 'thread apply all backtrace 64' 2>/dev/null |
		sed -n '/^Thread /,${ /^Thread \|^#\|^    /s/^/aril: /p }' >&2
}

# SPDX-License-Identifier: MIT
# The boot archive, and which program is started: sourced by ./aril.

declare -A files=() links=()
declare -A variables=([PATH]=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin [HOME]=/root [PWD]=/)
records=

record() { printf '%s\0' "$@" >>"$records"; }

# Canonical archive path of $1, symbolic links followed, in $located; its host file, if any, in $located_file.
locate() {
	local path=$1 done='' part target steps=0
	located_file=
	while path=${path#"${path%%[!/]*}"} && [[ -n $path ]]; do
		part=${path%%/*}
		path=${path#"$part"}
		[[ $part == . ]] && continue
		if [[ $part == .. ]]; then
			done=${done%/*}
			continue
		fi
		target=${links["$done/$part"]:-}
		[[ -z $target && -n $root && -z ${files["$done/$part"]:-} && -L $root$done/$part ]] &&
			target=$(readlink -- "$root$done/$part")
		if [[ -n $target ]] && ((++steps < 40)); then
			[[ $target == /* ]] && done=
			path=$target$path
			continue
		fi
		done=$done/$part
	done
	located=${done:-/}
	located_file=${files["$located"]:-}
	[[ -z $located_file && -n $root && -f $root$located ]] && located_file=$root$located
	[[ -n $located_file ]]
}

# add_file PATH HOSTFILE
add_file() {
	locate "$(dirname -- "$1")"
	local path
	path=${located%/}/$(basename -- "$1")
	unset 'links[$path]'
	files[$path]=$2
	record f "$path" "$2"
}

add_link() {
	links[$1]=$2
	record l "$1" "$2"
}

default_files() {
	local applet
	while read -r applet; do
		[[ $applet == busybox ]] || add_link "/bin/$applet" busybox
	done < <(/bin/busybox --list)
	add_file /bin/busybox /bin/busybox
	add_file /bin/aril-top "$build/aril-top"
	if [[ -e /bin/bash-static ]]; then
		add_file /bin/bash-static /bin/bash-static
		add_link /bin/bash bash-static
	fi
	printf 'root:x:0:0:root:/root:/bin/sh\n' >"$work/passwd"
	printf 'root:x:0:\n' >"$work/group"
	printf 'PS1='\''\\w \\$ '\''\n' >"$work/profile"
	add_file /etc/passwd "$work/passwd"
	add_file /etc/group "$work/group"
	add_file /etc/profile "$work/profile"
	record d /root 700 d /usr/bin 755
}

# Refuses, in one line, what ExOS could not run: $1 names it, $2 is the host's file.
check_program() {
	local bytes interpreter
	read -r -d '' -a bytes < <(od -An -v -tu1 -N20 -- "$2")
	[[ ${bytes[*]:0:2} == '35 33' ]] && return
	[[ ${bytes[*]:0:4} == '127 69 76 70' ]] ||
		fail "$1: neither an ELF program nor a script that starts with #!: give an x86-64 Linux program"
	[[ ${bytes[4]} == 2 && ${bytes[*]:18:2} == '62 0' ]] ||
		fail "$1: wrong ELF class or machine: give a 64-bit x86-64 program"
	interpreter=$(readelf -lW -- "$2" 2>/dev/null | sed -n 's/.*Requesting program interpreter: \(.*\)\]/\1/p')
	[[ -z $interpreter ]] || locate "$interpreter" ||
		fail "$1: dynamically linked, and $interpreter is not in the file system: give a static program, or --root"
}

# The program, found as a shell finds it, else taken over from the host at the same path. $program: its
# name, as given where ExOS finds it by that.
find_program() {
	local name=$1 dir
	program=$1
	[[ -n $name ]] || fail "the program's name is empty: give one after --"
	if [[ $name == */* ]]; then
		locate "$name" && check_program "$name" "$located_file" && return
	else
		for dir in ${guest_path//:/ }; do
			locate "$dir/$name" && check_program "$name" "$located_file" && return
		done
		local found
		((${#debs[@]})) && fail "$name: no such program in these packages: name its package with --deb too"
		[[ $name == aril-top ]] && add_file /bin/aril-top "$build/aril-top" && return
		found=$(type -P -- "$name") || fail "$name: no such program in the file system nor on the host: use --add"
		name=$found
	fi
	[[ ! -d $name ]] || fail "$1: a directory: give a program"
	[[ -f $name ]] || fail "$1: no such file in the file system nor on the host: use --add HOSTFILE:$1"
	program=$(realpath -s -- "$name")
	check_program "$1" "$name"
	add_file "$program" "$name"
	[[ $1 == */* || :$guest_path: != *":${program%/*}:"* ]] || program=$1
}

add_option() {
	local host=$1 path
	if [[ ! -e $host && $host == *:* ]]; then
		path=${host##*:}
		host=${host%:*}
	else
		path=/$(basename -- "$host")
	fi
	[[ -e $host ]] || fail "--add $1: no such file: $host"
	[[ -r $host ]] || fail "--add $1: $host cannot be read: change its mode"
	[[ $path == /* ]] || path=/$path
	if [[ -d $host ]]; then
		record t "$path" "$host"
	else
		[[ -f $host ]] || fail "--add $1: $host is neither a file nor a directory"
		add_file "$path" "$host"
	fi
}

add_native() {
	[[ -f $build/native/$1 ]] || fail "native program $1: there is no programs/$1.c; ls build/native names those that are there"
	record f "/.aril/native/$1" "$build/native/$1"
}

# devices_of NAME: the key of its line that says which devices it drives itself
devices_of() {
	local device list=''
	for device in ${devices[@]+"${devices[@]}"}; do
		[[ ${device%=*} == "$1" ]] && list+=,${device#*=}
	done
	[[ -n $list ]] && echo " devices=${list#,}"
	return 0
}

# root_of NAME: the key of its line that gives it the root capability, for tests that make grants of their own
root_of() {
	[[ ${ARIL_ROOT:-} == "$1" ]] && echo " root=yes"
	return 0
}

write_boot() {
	local name share=1
	((audit)) && echo "audit$audit_every"
	[[ -n $native ]] && share=3
	if [[ -n $primary ]]; then
		add_native "$primary"
		((${#families[@]})) && record f /.aril/exos "$build/exos"
		echo "domain .aril/native/$primary share=$share console=yes log=yes cpus=all trace=$trace${swap:+ swap=$swap}$(devices_of "$primary")$(root_of "$primary")"
	else
		record f /.aril/exos "$build/exos"
		echo "domain .aril/exos share=$share console=yes log=yes cpus=all trace=$trace core=$((crash || ${#core}))${profile:+ profile=yes}$( ((guard)) && echo " guard=yes")${swap:+ swap=$swap}"
	fi
	if [[ -n $fuzz ]]; then
		add_native fuzz
		echo "domain .aril/native/fuzz share=8 console=no log=yes cpus=all trace=0 root=yes -- $fuzz"
	fi
	families_boot
	for name in ${native//,/ }; do
		add_native "$name"
		[[ $name == authority ]] && echo "domain .aril/native/authority code=yes console=no log=yes cpus=all trace=0 -- ${ARIL_AUTHORITY:-}" && continue
		echo "domain .aril/native/$name share=1 console=no log=yes cpus=all trace=0$(devices_of "$name")$(root_of "$name")"
	done
}

# file_records PROGRAM ARGUMENT...: begins the records: a file system by root, debs and adds, the arguments and the
# environment of its program.
file_records() {
	local value argv=("$@")
	for value in ${envs[@]+"${envs[@]}"}; do
		variables[${value%%=*}]=${value#*=}
	done
	guest_path=${variables[PATH]}
	records=$work/records
	: >"$records"
	((${#debs[@]})) && deb_root "${debs[@]}" dash
	if [[ -n $root ]]; then
		record $( ((${#debs[@]})) && echo T || echo t) / "$root"
	else
		default_files
	fi
	record d /tmp 1777 d /dev 755 d /proc 555
	for value in ${adds[@]+"${adds[@]}"}; do
		add_option "$value"
	done
	if [[ -z $primary || $work == *.parts ]]; then
		find_program "${argv[0]}"
		argv[0]=$program
	else
		argv=("$primary" "${argv[@]:1}")
	fi
	printf '%s\0' "${argv[@]}" >"$work/args"
	for value in "${!variables[@]}"; do
		printf '%s\0' "$value=${variables[$value]}"
	done >"$work/env"
}

make_archive() {
	local needed largest base
	[[ -t 0 || -t 1 ]] && variables[TERM]=${TERM:-linux}
	work=$(mktemp -d "${TMPDIR:-/tmp}/aril.XXXXXX")
	trap 'rm -rf "$work"' EXIT
	archive=$work/archive
	make_families
	if [[ -n $primary ]]; then
		file_records "$primary" "$@"
	else
		(($#)) || set -- busybox sh
		file_records "$@"
	fi
	write_boot >"$work/boot"
	record f /.aril/boot "$work/boot" f /.aril/args "$work/args" f /.aril/env "$work/env"
	base=$(((families_bytes >> 20) + families_mib))
	((mem_given)) || mem_bytes=$((mem_bytes + (base << 20)))
	((${#families[@]} && !mem_given)) && mem=$((mem_bytes >> 20))M
	((!${#families[@]} || mem_bytes >> 20 > base + 64)) || fail "the families take $base of $mem of memory: use --mem $((base + 256))M"
	needed=$("$build/mkcpio" -m $((mem_bytes - (base << 20) - (48 << 20))) "$archive" <"$records") && families_append && return
	read -r needed largest <<<"$needed"
	if [[ -n $needed && -n ${debs[*]-} ]] && ((!mem_given)); then
		mem=$(((needed >> 20) + 320 + base))M
		"$build/mkcpio" "$archive" <"$records" && families_append && return
		exit 2
	fi
	[[ -n $needed ]] && fail "the files ($((needed >> 20)) MiB, the largest is $largest) do not fit into $mem of memory: use --mem $(((needed >> 20) + 192))M"
	exit 2
}

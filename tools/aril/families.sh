# SPDX-License-Identifier: MIT
# Families beside the first: --with FILE.conf. Sourced by ./aril.
#
# Each gets a line in .aril/boot and an archive of its own, page by page behind the first one's; its console is a device
# of its own, carried by the front end.

withs=() families=() families_bytes=0 families_mib=0 families_swap_mib=0 swap_device=0
declare -A conf=() # NAME.KEY

conf_fail() { fail "$conf_at: $1"; }

# conf_set KEY VALUE: checks one line's value.
conf_set() {
	local key=$1 value=$2 bytes
	case $key in
	name)
		[[ $value =~ ^[A-Za-z0-9_-]{1,31}$ ]] || conf_fail "name = $value: give 1 to 31 letters, digits, - or _"
		;;
	program) [[ -n $value ]] || conf_fail 'program names none: give PROGRAM ARGUMENT...' ;;
	argument) value=${one[argument]:-}$value$'\x01' ;;
	env)
		[[ $value == ?*=* ]] || conf_fail "env = $value: give NAME=VALUE"
		value=${one[env]:-}$value$'\x01'
		;;
	add) value=${one[add]:-}$value$'\x01' ;;
	root) [[ -d $value ]] || conf_fail "root = $value: no such directory" ;;
	deb)
		for bytes in ${value//,/ }; do
			[[ $bytes =~ ^[a-z0-9][a-z0-9+.-]+(=[A-Za-z0-9.+:~-]+)?$ ]] || conf_fail "deb = $value: give names of Debian packages, as PKG or PKG=VERSION"
		done
		;;
	memory)
		[[ $value =~ ^([1-9][0-9]{0,5})([MG])$ ]] || conf_fail "memory = $value: give a size like 64M or 1G"
		bytes=${BASH_REMATCH[1]}
		[[ ${BASH_REMATCH[2]} == G ]] && bytes=$((bytes << 10))
		((bytes >= 16 && bytes <= 32768)) || conf_fail "memory = $value: give at least 16M and at most 32G"
		value=$bytes
		;;
	swap) [[ $value =~ ^([1-9]|[1-9][0-9]|1[0-9][0-9]|2[0-4][0-9]|25[0-6])M$ ]] || conf_fail "swap = $value: give a size from 1M to 256M" ;;
	cpus)
		[[ $value =~ ^(all|[0-9]+(-[0-9]+)?(,[0-9]+(-[0-9]+)?)*)$ ]] || conf_fail "cpus = $value: give all, or numbers as in 0,2-3"
		for bytes in ${value//[^0-9]/ }; do
			((10#$bytes < smp)) || conf_fail "cpus = $value: the machine has $smp: use --smp $((10#$bytes + 1))"
		done
		;;
	slices) [[ $value =~ ^([1-9]|[12][0-9]|3[0-2])$ ]] || conf_fail "slices = $value: give a weight from 1 to 32 (the first family's is 1)" ;;
	wait | log | guard) [[ $value =~ ^(yes|no)$ ]] || conf_fail "$key = $value: give yes or no" ;;
	console)
		[[ $value =~ ^(lines|none)$ || $value == */* ]] || conf_fail "console = $value: give lines, none, or a file with a / in its name"
		[[ $value != */* ]] || : 2>/dev/null >>"$value" || conf_fail "console = $value: it cannot be written: give another file"
		[[ $value != *=* ]] || conf_fail "console = $value: a name without ="
		;;
	*) conf_fail "no key '$key': program, argument, name, root, deb, add, env, memory, swap, cpus, slices, console, log, wait, guard" ;;
	esac
	[[ -n ${one[$key]:-} && ! $key =~ ^(argument|env|add)$ ]] && conf_fail "$key is given twice: leave one"
	one[$key]=$value
}

# conf_read FILE: into conf[NAME.KEY], NAME added to families.
conf_read() {
	local file=$1 line key n=0 conf_at
	declare -A one=()
	[[ -f $file && -r $file ]] || fail "--with $file: no such file, or it cannot be read"
	while IFS= read -r line || [[ -n $line ]]; do
		conf_at=$file:$((++n))
		line=${line#"${line%%[![:space:]]*}"}
		line=${line%"${line##*[![:space:]]}"}
		[[ -z $line || $line == '#'* ]] && continue
		[[ $line =~ ^([a-z]+)[[:space:]]*=[[:space:]]*(.*)$ ]] || conf_fail "'$line' is not KEY = VALUE"
		key=${BASH_REMATCH[1]}
		conf_set "$key" "${BASH_REMATCH[2]}"
	done <"$file"
	conf_at=$file:$n
	[[ -n ${one[program]:-} ]] || conf_fail 'no line names its program: add program = PROGRAM ARGUMENT...'
	[[ -z ${one[root]:-} || -z ${one[deb]:-} ]] || conf_fail 'deb and root are two file systems: give one'
	local name=${one[name]:-$(basename -- "$file" .conf)}
	[[ $name =~ ^[A-Za-z0-9_-]{1,31}$ ]] || conf_fail "'$name' cannot be its name: add name = NAME"
	[[ " exos ${families[*]-} " != *" $name "* ]] || conf_fail "there is a family $name already: add name = NAME"
	families+=("$name")
	conf[$name.file]=$file
	for key in "${!one[@]}"; do
		conf[$name.$key]=${one[$key]}
	done
	families_mib=$((families_mib + ${one[memory]:-0}))
	key=${one[swap]:-0M}
	families_swap_mib=$((families_swap_mib + ${key%M}))
}

# families_swap: whether one of them asks for swap space. They are read later: that needs the machine.
families_swap() { ((${#withs[@]})) && grep -qsE '^[[:space:]]*swap[[:space:]]*=' -- "${withs[@]}"; }

# The memory device has what all ask for, and a power of 2.
families_device() {
	local mib=$((families_swap_mib + 10#0${swap%M}))
	((mib)) || return 0
	swap_device=1
	while ((swap_device < mib)); do swap_device=$((swap_device * 2)); done
}

check_families() {
	local file
	for file in ${withs[@]+"${withs[@]}"}; do
		conf_read "$file"
	done
	families_device
	((families_swap_mib == 0)) || [[ $machine != microvm ]] || fail '--with: swap needs --machine pc or q35: a microvm has no PCI'
	((${#families[@]} <= 7)) || fail "--with: at most 7 families beside the first"
	((${#families[@]} == 0)) || [[ $machine == microvm ]] || ((${#families[@]} == 1)) || fail "--with: --machine $machine has lines for one more console: use microvm"
}

# family_console NAME: lines, none, or a file
family_console() { echo "${conf[$1.console]:-lines}"; }

# family_archive NAME: $work/family.NAME. In a shell of its own.
family_archive() (
	family=$1 argv=() debs=() envs=() adds=() argument=''
	declare -A files=() links=() variables=([PATH]=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin [HOME]=/root [PWD]=/)
	fail() {
		printf 'aril: %s: %s\n' "${conf[$family.file]}" "$1" >&2
		exit "${2:-2}"
	}
	trap - EXIT
	root=${conf[$family.root]:-} mem_bytes=$((32 << 30)) mem_given=1
	work=$work/$family.parts
	mkdir "$work"
	IFS=, read -r -a debs <<<"${conf[$family.deb]:-}"
	[[ -z ${conf[$family.env]:-} ]] || readarray -d $'\x01' -t envs < <(printf %s "${conf[$family.env]}")
	[[ -z ${conf[$family.add]:-} ]] || readarray -d $'\x01' -t adds < <(printf %s "${conf[$family.add]}")
	read -r -a argv <<<"${conf[$family.program]}"
	[[ -z ${conf[$family.argument]:-} ]] || readarray -d $'\x01' -t argument < <(printf %s "${conf[$family.argument]}")
	[[ -z ${conf[$family.argument]:-} ]] || argv+=("${argument[@]}")
	file_records "${argv[@]}"
	record f /.aril/args "$work/args" f /.aril/env "$work/env"
	"$build/mkcpio" "$archive.$family" <"$records" || exit 2
	truncate -s %4096 "$archive.$family"
)

# Before .aril/boot is written: it says how long they are.
make_families() {
	local name
	for name in ${families[@]+"${families[@]}"}; do
		family_archive "$name" || exit
		families_bytes=$((families_bytes + $(stat -c %s "$archive.$name")))
	done
}

# Those that have the guard.
families_guarded() {
	local name
	for name in ${families[@]+"${families[@]}"}; do
		[[ ${conf[$name.guard]:-no} == yes ]] && echo "$name"
	done
}

# Lines of .aril/boot.
families_boot() {
	local name console
	for name in ${families[@]+"${families[@]}"}; do
		console=yes
		[[ $(family_console "$name") == none ]] && console=no
		echo "domain .aril/exos name=$name share=1 console=$console log=${conf[$name.log]:-no} cpus=${conf[$name.cpus]:-all}" \
			"slices=${conf[$name.slices]:-1} wait=${conf[$name.wait]:-no}${conf[$name.guard]:+ guard=${conf[$name.guard]}} archive=$(($(stat -c %s "$archive.$name") >> 12))${conf[$name.memory]:+ mem=${conf[$name.memory]}M}${conf[$name.swap]:+ swap=${conf[$name.swap]}}"
	done
}

# Behind the first one's archive.
families_append() {
	local name
	((${#families[@]})) || return 0
	truncate -s %4096 "$archive"
	for name in "${families[@]}"; do
		cat "$archive.$name" >>"$archive"
		rm "$archive.$name"
	done
}

# Their consoles, in QEMU's line and the front end's, in one order.
families_qemu() {
	local name bus=$1 n=0
	for name in ${families[@]+"${families[@]}"}; do
		[[ $(family_console "$name") == none ]] && continue
		qemu+=(-chardev "socket,id=family$n,fd=$((5 + n))" -device "virtio-serial-$bus,max_ports=1,id=family$n" -device "virtconsole,chardev=family$n,bus=family$n.0")
		n=$((n + 1))
	done
}
families_front() {
	local name console
	for name in ${families[@]+"${families[@]}"}; do
		console=$(family_console "$name")
		[[ $console == none ]] && continue
		[[ $console == lines ]] && console=
		front+=(--family "$name=$console")
	done
}

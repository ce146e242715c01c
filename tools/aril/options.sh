# SPDX-License-Identifier: MIT
# The options of run, gdb and iso, and what is wrong with them: sourced by ./aril.

parse() {
	local verb=$1 option value
	shift
	while (($#)); do
		option=$1
		shift
		case $option in
		--)
			rest=("$@")
			return
			;;
		--help | -h) "help_$verb" && exit 0 ;;
		--trace) trace=1 && continue ;;
		--trace=summary) trace=summary && continue ;;
		--trace=*) fail "--trace ${option#*=}: there is --trace and --trace=summary" ;;
		--audit) audit=1 && continue ;;
		--crash) crash=1 && continue ;;
		--guard) guard=1 && continue ;;
		--program)
			[[ $verb == gdb ]] || fail "unknown option --program: see ./aril $verb --help"
			gdb_program=1
			continue
			;;
		--show) show=1 && continue ;;
		-v | --verbose) verbose=1 && continue ;;
		--batch)
			[[ $verb == gdb ]] || fail "unknown option --batch: see ./aril $verb --help"
			(($#)) || fail '--batch needs gdb commands: ./aril gdb --batch "info registers"'
			while (($#)) && [[ $1 != -- ]]; do
				gdb_batch+=("$1")
				shift
			done
			continue
			;;
		--*=*)
			value=${option#*=}
			option=${option%%=*}
			;;
		--audit-every | --core | --with | --add | --root | --deb | --env | --smp | --slice-us | --mem | --swap | --machine | --accel | --console | --boot | --native | --device | --profile | \
			--primary | --timeout | -o)
			(($#)) && [[ $1 != -- ]] || fail "$option needs a value: see ./aril $verb --help"
			value=$1
			shift
			;;
		-*) fail "unknown option $option: see ./aril $verb --help" ;;
		*) fail "unexpected word '$option': the program comes after --, as in ./aril $verb -- $option" ;;
		esac
		case $option in
		--audit-every)
			[[ $value =~ ^[1-9][0-9]{0,6}$ ]] || fail "--audit-every $value: give milliseconds"
			audit=1 audit_every="=$value"
			;;
		--core)
			[[ -d $(dirname -- "$value") && ! -d $value ]] || fail "--core $value: give a file in a directory that is there"
			core=$value
			;;
		--with) withs+=("$value") ;;
		--add) adds+=("$value") ;;
		--env) envs+=("$value") ;;
		--root) root=$value ;;
		--deb)
			[[ $value == *[!,\ ]* ]] || fail "--deb takes names of Debian packages, as PKG or PKG=VERSION"
			debs+=(${value//,/ })
			;;
		--smp) smp=$value ;;
		--slice-us) slice_us=$value ;;
		--swap) swap=$value ;;
		--mem) mem=$value mem_given=1 ;;
		--machine) machine=$value ;;
		--accel) accel=$value ;;
		--console) console=$value ;;
		--boot) boot=$value ;;
		--native) native=$value ;;
		--device)
			[[ $value =~ ^[^=]+=(rtc|hpet)$ ]] || fail "--device $value: give NAME=rtc or NAME=hpet"
			devices+=("$value")
			;;
		--primary) primary=$value ;;
		--timeout) timeout=$value ;;
		--profile)
			[[ $verb == run ]] || fail "unknown option --profile: see ./aril $verb --help"
			profile=$value ;;
		-o) [[ $verb == iso ]] || fail "unknown option -o: see ./aril $verb --help"
			output=$value ;;
		--help | --trace | --crash | --guard | --audit | --show | --verbose) fail "$option takes no value: see ./aril $verb --help" ;;
		*) fail "unknown option $option: see ./aril $verb --help" ;;
		esac
	done
}

one_of() {
	local option=$1 value=$2
	shift 2
	[[ " $* " == *" $value "* ]] || fail "$option $value: choose one of: $*"
}

check_options() {
	local value
	if [[ -z $machine ]]; then
		[[ -n $swap || " ${devices[*]-}" == *=hpet* ]] || families_swap && machine=q35 || machine=microvm
	fi
	[[ -z $profile || -z $primary ]] || fail '--profile is for programs of the Linux system: leave --primary out'
	one_of --machine "$machine" microvm pc q35
	one_of --accel "$accel" auto tcg kvm
	one_of --console "$console" virtio serial
	one_of --boot "$boot" kernel bios uefi
	[[ -z $slice_us || $slice_us =~ ^[1-9][0-9]{3,5}$ && $slice_us -le 100000 ]] ||
		fail "--slice-us $slice_us: give microseconds from 1000 to 100000"
	[[ -z $swap || $swap =~ ^(1|2|4|8|16|32|64|128|256)M$ ]] || fail "--swap $swap: give a power of 2 from 1M to 256M"
	[[ -z $swap || $machine != microvm ]] || fail "--swap $swap needs --machine pc or q35: a microvm has no PCI"
	for value in ${devices[@]+"${devices[@]}"}; do
		[[ $machine != microvm || $value != *=hpet ]] || fail "--device $value needs --machine pc or q35: a microvm has no HPET"
		[[ ",$primary,$native," == *",${value%%=*},"* ]] || fail "--device $value: start ${value%%=*}, by --primary or --native"
	done
	[[ $smp =~ ^([1-9]|1[0-6])$ ]] || fail "--smp $smp: give a number from 1 to 16"
	[[ $mem =~ ^([0-9]{1,9})([KMG])$ ]] || fail "--mem $mem: give a size like 512M or 2G"
	case ${BASH_REMATCH[2]} in
	K) mem_bytes=$((BASH_REMATCH[1] << 10)) ;;
	M) mem_bytes=$((BASH_REMATCH[1] << 20)) ;;
	G) mem_bytes=$((BASH_REMATCH[1] << 30)) ;;
	esac
	((mem_bytes >= 64 << 20 && mem_bytes <= 32 << 30)) || fail "--mem $mem: give at least 64M and at most 32G"
	[[ -z $timeout || $timeout =~ ^[0-9]+(\.[0-9]+)?$ ]] || fail "--timeout $timeout: give seconds"
	[[ $boot == kernel || $machine != microvm ]] || fail "--boot $boot needs --machine pc or q35: a microvm has no BIOS disk"
	[[ -z $root || -d $root ]] || fail "--root $root: no such directory"
	[[ -z $root || -z ${debs[*]-} ]] || fail '--deb and --root are two file systems: give one'
	for value in ${debs[@]+"${debs[@]}"}; do
		[[ $value =~ ^[a-z0-9][a-z0-9+.-]+(=[A-Za-z0-9.+:~-]+)?$ ]] || fail "--deb $value: give names of Debian packages, as PKG or PKG=VERSION"
	done
	for value in ${envs[@]+"${envs[@]}"}; do
		[[ $value == ?*=* ]] || fail "--env $value: give NAME=VALUE"
	done
	check_families
	[[ $accel != kvm || -w /dev/kvm ]] || fail '--accel kvm: /dev/kvm cannot be used here: use --accel tcg'
}

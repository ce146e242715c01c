# SPDX-License-Identifier: MIT
# --deb: Debian packages and what they depend on as the program's file system. Sourced by ./aril.
#
# apt resolves and fetches them as for an empty machine (its own status file says that nothing is installed), without
# root. In $deb_dir:
#   pool/           the packages' files as fetched
#   names/HASH      which closure a list of names had, with the lists of apt of then
#   sets/HASH/      one closure: packages, a line each of name, version, SHA-256, file; root/, all of them unpacked
# A set is complete when `packages` is there. ~/.cache/aril/deb can be removed at any time.

deb_dir=$cache/deb
deb_how=2 # counts the ways of unpacking: sets of another are not used

deb_apt() {
	local tool=$1
	shift
	LC_ALL=C "$tool" -o Dir::State::status="$deb_dir/status" -o Dir::State::lists="$deb_lists" \
		-o Dir::State::extended_states="$deb_dir/extended" -o Dir::Cache="$deb_dir/apt" \
		-o Dir::Cache::archives="$deb_dir/pool" -o APT::Keep-Downloaded-Packages=true \
		-o Debug::NoLocking=1 -o APT::Sandbox::User=root -o APT::Install-Recommends=0 \
		-o Acquire::Retries=2 -o Acquire::http::Timeout=20 -o Dpkg::Use-Pty=0 "$@"
}

# What apt said, in one line with the remedy.
deb_fail() {
	local said=$1 name
	name=$(sed -nE "s/^E: Unable to locate package (.*)/\1/p; s/^E: Package '?([^' ]*)'? has no installation candidate/\1/p; \
		s/^E: Couldn't find any package by .* '?([^' ]*)'?/\1/p; s/^E: Version .* for '?([^' ]*)'? was not found/\1/p" \
		<<<"$said" | head -n 1)
	[[ -z $name ]] || fail "--deb $name: apt knows no such package: look with apt-cache search, or apt-get update first"
	case $said in
	*'No space left'* | *'enough free space'*) fail "disk full: the packages go to $deb_dir, by way of ${TMPDIR:-/tmp}: make room there" 125 ;;
	*'resolv'* | *'connect'* | *'unreachable'* | *'timed out'*)
		fail "no network: $(sed -nE 's/^[EW]: (Failed to fetch .*)/\1/p' <<<"$said" | head -n 1)" 125 ;;
	*' 404 '*) fail "a package is no longer where apt's lists say: run apt-get update" 125 ;;
	esac
	fail "apt: $(grep -E '^(E|W): | : (Depends|Conflicts|Breaks)' <<<"$said" | tail -n 3 | tr '\n' ' ')" 125
}

# The lists: the machine's, or our own where it has none.
deb_lists_find() {
	local said
	deb_lists=/var/lib/apt/lists
	compgen -G "$deb_lists/*_Packages*" >/dev/null && return
	deb_lists=$deb_dir/lists
	compgen -G "$deb_lists/*_Packages*" >/dev/null && return
	mkdir -p "$deb_lists/partial"
	echo 'aril: fetching the lists of packages' >&2
	said=$(deb_apt apt-get -q update 2>&1) || deb_fail "$said"
	compgen -G "$deb_lists/*_Packages*" >/dev/null || deb_fail "$said"
}

# deb_packages FILE NAME...: the closure of names, each after what it depends on, a line each of name, version,
# SHA-256, file in the pool.
deb_packages() {
	local to=$1 uris file name version names=()
	shift
	# what is in its archives apt does not name: so it is to think of an empty directory
	uris=$(deb_apt apt-get -qq -o Dir::Cache::archives="$deb_dir/none" --print-uris install "$@" 2>&1) || deb_fail "$uris"
	uris=$(awk -F"' " '/^.http|^.file|^.copy|^.mirror|^.cdrom|^.ftp/ { split($2, word, " "); print word[1] }' <<<"$uris")
	[[ -n $uris ]] || fail "apt has nothing to fetch for $*: see apt-get install --print-uris $*" 125
	for file in $uris; do
		name=${file%%_*}
		version=${file#*_}
		version=${version%_*}
		names+=("$name=${version//%3a/:}")
	done
	deb_apt apt-cache show "${names[@]}" 2>&1 | awk -v files="$uris" '
		function done() { if (name != "") sum[name " " version] = sha; name = version = sha = "" }
		/^Package: / { name = $2 } /^Version: / { version = $2 } /^SHA256: / { sha = $2 } /^$/ { done() }
		END {
			done()
			n = split(files, file, "\n")
			for (i = 1; i <= n; i++) {
				split(file[i], part, "_")
				gsub("%3a", ":", part[2])
				print part[1], part[2], sum[part[1] " " part[2]], file[i]
			}
		}' >"$to"
	! grep -nvE '^[^ ]+ [^ ]+ [0-9a-f]{64} [^ ]+$' "$to" >&2 || fail "apt's lists have no SHA-256 of this" 125
}

# Fetches what the pool lacks, and compares every file with what apt's lists say of it.
deb_fetch() {
	local list=$1 name version sha file said lacks=()
	shift
	while read -r name version sha file; do
		[[ -f $deb_dir/pool/$file ]] || lacks+=("$file")
	done <"$list"
	if ((${#lacks[@]})); then
		echo "aril: fetching ${#lacks[@]} packages" >&2
		said=$(deb_apt apt-get -q -y -d install "$@" 2>&1) || deb_fail "$said"
	fi
	said=$(cd "$deb_dir/pool" && awk '{ print $3 "  " $4 }' "$list" | sha256sum -c --quiet 2>&1) ||
		fail "$deb_dir/pool: $(head -n 1 <<<"$said"): not what apt's lists say: remove it" 125
}

# What update-alternatives would have linked: the links that maintainer scripts name, the highest priority first.
deb_alternatives() {
	local list=$1 root=$2 link path
	while read -r _ link path; do
		[[ -e $root$path && ! -e $root$link && ! -L $root$link ]] || continue
		mkdir -p "$root${link%/*}" && ln -s "$path" "$root$link"
	done < <(cd "$deb_dir/pool" && awk '{ print $4 }' "$list" | while read -r file; do
		dpkg-deb --info "$file" postinst 2>/dev/null
	done | python3 "$here/tools/aril/alternatives.py" | sort -k1,1nr)
}

# Files that maintainer scripts would have made.
deb_configure() {
	local root=$1
	mkdir -p "$root/etc" "$root/root" "$root/tmp" "$root/var/tmp" "$root/run"
	chmod 700 "$root/root"
	chmod 1777 "$root/tmp" "$root/var/tmp"
	[[ -e $root/etc/passwd ]] || printf '%s\n' 'root:x:0:0:root:/root:/bin/sh' \
		'nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin' >"$root/etc/passwd"
	[[ -e $root/etc/group ]] || printf '%s\n' 'root:x:0:' 'nogroup:x:65534:' >"$root/etc/group"
	[[ -e $root/etc/hosts ]] || printf '127.0.0.1\tlocalhost\n' >"$root/etc/hosts"
	[[ -e $root/etc/nsswitch.conf ]] || printf '%s files\n' passwd: group: hosts: >"$root/etc/nsswitch.conf"
}

# Unpacks over the links of a merged /usr; documentation and translations stay away, as in Debian's slim images.
deb_unpack() {
	local list=$1 root=$2 name version sha file said dir leave=(--exclude './dev/*')
	for dir in doc man info locale lintian; do
		leave+=(--exclude "./usr/share/$dir/*")
	done
	for dir in bin sbin lib lib64; do
		mkdir -p "$root/usr/$dir" && ln -s "usr/$dir" "$root/$dir"
	done
	echo "aril: unpacking $(wc -l <"$list") packages" >&2
	while read -r name version sha file; do
		said=$(set -o pipefail && { dpkg-deb --fsys-tarfile "$deb_dir/pool/$file" |
			tar -x -p --no-same-owner --keep-directory-symlink -C "$root" "${leave[@]}" -f -; } 2>&1) ||
			deb_fail "E: $file: $said"
	done <"$list"
	deb_alternatives "$list" "$root"
	deb_configure "$root"
}

# deb_root NAME...: sets root to the tree of these packages. dash comes always: a script's #!/bin/sh.
deb_root() {
	local list key names set sum
	require deb
	mkdir -p "$deb_dir"/{apt,none/partial,pool/partial,names,sets} 2>/dev/null || fail "$deb_dir cannot be written: set XDG_CACHE_HOME"
	exec 8>"$deb_dir/.lock"
	flock 8
	: >"$deb_dir/status"
	deb_lists_find
	key=$({ printf '%s\n' "$deb_how" "$@" && stat -c '%n %Y %s' "$deb_lists"/*_Packages*; } | sha256sum | cut -c1-24)
	names=$deb_dir/names/$key
	if [[ ! -s $names || ! -s $deb_dir/sets/$(cat "$names")/packages ]]; then
		list=$deb_dir/list
		deb_packages "$list" "$@"
		sum=$({ cat "$list" && echo "$deb_how"; } | sha256sum | cut -c1-24)
		set=$deb_dir/sets/$sum
		if [[ ! -s $set/packages ]]; then
			deb_fetch "$list" "$@"
			chmod -R u+w "$set" 2>/dev/null
			rm -rf "$set"
			mkdir -p "$set"
			deb_unpack "$list" "$set/root"
			rm -f "$set/root.said"
			mv "$list" "$set/packages"
		fi
		echo "$sum" >"$names"
	fi
	set=$deb_dir/sets/$(cat "$names")
	exec 8>&-
	root=$set/root
	((verbose)) && cut -d' ' -f1-3 "$set/packages" | sed 's/^/aril: package /' >&2
	((verbose)) && echo "aril: root $root" >&2
	return 0
}

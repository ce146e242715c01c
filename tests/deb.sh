# SPDX-License-Identifier: MIT
# Debian programs, here and on Aril: sourced by tests/system/deb_*.sh after lib.sh.

deb_cache=${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/aril/deb

deb_path=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/usr/games

# compare NAME PACKAGES SCRIPT [OPTION...]: bash runs SCRIPT in an empty directory, on the host and on Aril with these
# packages as its file system; output (with errors) and status must be the same.
compare() {
	local name=$1 packages=$2 script=$3 expected got
	shift 3
	local deb_home=/tmp/aril-deb-$name-$$ # the same path on both sides, and nobody else's
	printf '%s\n' "export LC_ALL=C HOME=$deb_home" 'exec 2>&1; rm -rf $HOME; mkdir $HOME; cd $HOME' "$script" >$deb_home.sh
	env -i PATH="$PATH" bash $deb_home.sh >"$work/expected" 2>&1 </dev/null
	expected=$?
	mv $deb_home.sh "$work/script"
	rm -rf "$deb_home"
	./aril run --timeout 280 --deb "bash,$packages" --add "$work/script":$deb_home.sh "$@" -- bash $deb_home.sh >"$work/all" 2>&1 </dev/null
	got=$?
	grep -av '^aril: \(fetching\|unpacking\)' "$work/all" >"$work/got"
	diff -a "$work/expected" "$work/got" >"$work/diff" || fail "$name differs (<: host): $(head -n 30 "$work/diff")"
	same "$name: status" "$expected" "$got"
}

# compare_set NAME PACKAGES SCRIPT [OPTION...]: as compare, but on the host, too, it is the packages' programs that run: in their
# unpacked files, which stay as they are. For programs that the host does not have.
compare_set() {
	local name=$1 packages=$2 script=$3 root expected got as=()
	shift 3
	printf '%s\n' "export LC_ALL=C HOME=/tmp/$name TERM=dumb PATH=$deb_path" \
		'exec 2>&1 </dev/null; rm -rf $HOME; mkdir $HOME; cd $HOME' "$script" >"$work/script"
	./aril run -v --timeout 280 --deb "bash,coreutils,grep,sed,diffutils,findutils,$packages" --add "$work/script":/tmp/script \
		"$@" -- bash /tmp/script >"$work/all" 2>&1 </dev/null
	got=$?
	# what -v says, and what ExOS says of calls that it has not
	grep -avE '^(aril|init): |^exos: system call [0-9]+ is not there' "$work/all" >"$work/got"
	root=$(sed -n 's/^aril: root //p' "$work/all")
	[[ -d $root ]] || fail "$name: $(tail -n 1 "$work/all")"
	((EUID)) && as=(-r)
	unshare -m "${as[@]}" bash -c 'mkdir -p "$1"/{dev,proc,run,tmp} && mount --bind "$1" "$1" && mount -o remount,ro,bind "$1" && mount -t tmpfs none "$1/tmp" &&
		mount -t tmpfs none "$1/run" && mount -t tmpfs none "$1/dev" && mkdir "$1/dev/shm" &&
		for d in null zero urandom random full tty; do : >"$1/dev/$d" && mount --bind "/dev/$d" "$1/dev/$d"; done &&
		mkdir "$1/dev/pts" && mount -t devpts -o ptmxmode=666 none "$1/dev/pts" && ln -s pts/ptmx "$1/dev/ptmx" &&
		ln -s /proc/self/fd "$1/dev/fd" && mount --bind /proc "$1/proc" && cp "$2" "$1/tmp/script" &&
		exec chroot "$1" /usr/bin/env -i bash /tmp/script' - "$root" "$work/script" >"$work/expected" 2>&1 </dev/null
	expected=$?
	diff -a "$work/expected" "$work/got" >"$work/diff" || fail "$name differs (<: host): $(head -n 30 "$work/diff")"
	same "$name: status" "$expected" "$got"
}

# SPDX-License-Identifier: MIT
# Debian programs, here and on Aril: sourced by tests/system/deb_*.sh after lib.sh.

deb_cache=${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/aril/deb

# compare NAME PACKAGES SCRIPT [OPTION...]: bash runs SCRIPT in an empty directory, on the host and on Aril with these
# packages as its file system; output (with errors) and status must be the same.
compare() {
	local name=$1 packages=$2 script=$3 expected got
	shift 3
	local deb_home=/tmp/aril-deb-$name # the same path on both sides
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

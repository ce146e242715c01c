# SPDX-License-Identifier: MIT
# full
# timeout: 300
# --deb: the file that runs is the package's, whose SHA-256 is the one of apt's signed lists; and what goes wrong on the way there (no
# network, a full disk) is said in one line, with status 125.
. tests/lib.sh
. tests/deb.sh

# What programs say of the files that they run from.
cat >"$work/script" <<'X'
sha256sum <"/proc/$$/exe" | sed 's/-/bash/'
sleep 100 &
until [ "$(cat /proc/$!/comm)" = sleep ]; do :; done
sha256sum <"/proc/$!/exe" | sed 's/-/sleep/'
gawk 'BEGIN { system("sha256sum </proc/" PROCINFO["pid"] "/exe | sed s/-/gawk/") }'
sed -n '1{e sha256sum </proc/$PPID/exe | sed s/-/sed/
}' /proc/version
kill $!
X
status "the programs" 0 ./aril run -v --timeout 60 --deb bash,coreutils,gawk,sed --add "$work/script:/script" -- bash /script
while read -r program package path; do
	read -r version sum < <(sed -nE "s/^aril: package $package ([^ ]+) ([0-9a-f]{64})$/\1 \2/p" "$work/err")
	same "$package: apt's own SHA-256" "$(apt-cache show "$package=$version" | sed -n 's/^SHA256: //p' | head -n 1)" "$sum"
	file=$(cd "$deb_cache/pool" && sha256sum -- "$package"_*.deb | sed -n "s/^$sum  //p")
	[ -n "$file" ] || fail "$package: no file of the pool has the SHA-256 $sum"
	dpkg-deb --fsys-tarfile "$deb_cache/pool/$file" | tar -xO -f - "$path" | sha256sum | sed "s/-/$program/" >"$work/one"
	[ "$(wc -c <"$work/one")" -gt 64 ] || fail "$package: no $path"
	grep -qxFf "$work/one" "$work/out" || fail "$program did not run from $package's file: $(cat "$work/out")"
done <<X
bash bash ./bin/bash
sleep coreutils ./bin/sleep
gawk gawk ./usr/bin/gawk
sed sed ./bin/sed
X

# one_line WHAT STATUS PATTERN COMMAND...: said in one line that begins with aril, after what was going on
one_line() {
	local what=$1 expected=$2 pattern=$3
	shift 3
	status "$what" "$expected" "$@"
	grep -vE '^aril: (fetching|unpacking) ' "$work/err" >"$work/said"
	same "$what: lines" 1 "$(wc -l <"$work/said")"
	has "$work/said" "$pattern"
}
printf 'Acquire::%s::Proxy "http://127.0.0.1:9";\n' http https >"$work/apt.conf"
mkdir "$work/empty"
APT_CONFIG=$work/apt.conf XDG_CACHE_HOME=$work/empty one_line "no network" 125 '^aril: no network: Failed to fetch http' \
	./aril run --deb dash -- sh -c :
one_line "no leave to write" 2 '^aril: .*cannot be written: set XDG_CACHE_HOME$' \
	env XDG_CACHE_HOME=/proc/none ./aril run --deb dash -- sh -c :
if unshare -rm true 2>/dev/null; then
	mkdir "$work/small"
	for size in 16k 9m; do # too small to fetch; too small to unpack
		one_line "a disk of $size" 125 '^aril: disk full: the packages go to .*/small/aril/deb, by way of .*: make room there$' \
			unshare -rm bash -c "mount -t tmpfs -o size=$size none '$work/small' && XDG_CACHE_HOME='$work/small' ./aril run --deb dash -- sh -c :"
	done
	status "dash" 0 ./aril run --deb dash -- sh -c : # fetched and unpacked: room is wanted for the archive alone
	one_line "no room for the archive" 2 'No space left on device' \
		unshare -rm bash -c "mount -t tmpfs -o size=100k none '$work/small' && TMPDIR='$work/small' ./aril run --deb dash -- sh -c :"
fi

# SPDX-License-Identifier: MIT
# timeout: 240
# Bulk bytes through standard input and output, byte for byte.
. tests/lib.sh
same "tar into sha256sum" "$(tar c abi kernel | sha256sum)" \
	"$(tar c abi kernel | ./aril run --timeout 60 -- busybox sha256sum)"
head -c 67108864 /dev/urandom >"$work/in"
./aril run --timeout 120 -- busybox cat <"$work/in" >"$work/out" || fail "cat: status $?"
cmp "$work/in" "$work/out" || fail "64 MiB came back changed"
same "nothing in" "0" "$(./aril run --timeout 60 -- busybox wc -c </dev/null)"
same "the reader goes away" "y" "$(./aril run --timeout 60 -- busybox yes </dev/null | head -n 1)"
printf '\000\001\377\n\r\003\004' >"$work/odd"
./aril run --timeout 60 -- busybox cat <"$work/odd" | cmp - "$work/odd" || fail "control bytes changed"

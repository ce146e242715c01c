#!/bin/bash
# SPDX-License-Identifier: MIT
# A family that is woken in vain has its idle processors wait by a predicate, where there is a code authority: they sleep
# through what is not for them, and are woken by what is.
set -e -o pipefail
script='i=0; while [ $i -lt 300 ]; do echo line $i; usleep 1000; i=$((i + 1)); done; cat /proc/exos_idle; read word; echo "read $word"'
value() { # what /proc/exos_idle said of it
	awk -v "name=$1" '$1 == name { print $2 }' <<<"$said"
}
for smp in 1 2; do
	said=$( (sleep 4; echo typed) | timeout 60 ./aril run --smp $smp --native authority -- busybox sh -c "$script")
	[ "$(grep -c '^line' <<<"$said")" = 300 ]
	grep -q '^read typed$' <<<"$said"
	[ "$(value predicate)" = used ]
	[ "$(value waits)" -gt 20 ]
	[ "$(value runs)" -ge "$(value waits)" ]
	[ $smp = 2 ] || [ "$(value kept)" -gt 0 ]
done
said=$(echo typed | timeout 60 ./aril run --smp 1 -- busybox sh -c "$script")
grep -q '^read typed$' <<<"$said"
[ "$(value predicate)" = none ]
[ "$(value waits)" = 0 ]
[ "$(value vain)" -gt 16 ] # what the predicate saves

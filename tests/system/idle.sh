#!/bin/bash
# SPDX-License-Identifier: MIT
# A family that is woken in vain has its idle processors wait by a predicate, where there is a code authority: they sleep
# through what is not for them, and are woken by what is.
set -e -o pipefail
# Writes and sleeps, until the processors have waited so 40 times (how soon, depends on the host), or for long.
script='i=0; waits=0
while [ $i -lt $1 ] && [ $waits -lt 40 ]; do
	echo line $i
	usleep 1000
	i=$((i + 1))
	[ $((i % 20)) != 0 ] || waits=$(awk "/^waits/ { print \$2 }" /proc/exos_idle)
done
echo lines $i
cat /proc/exos_idle
read word
echo "read $word"'
value() { # what /proc/exos_idle said of it
	awk -v "name=$1" '$1 == name { print $2 }' <<<"$said"
}
for smp in 1 2; do
	said=$( (sleep 2; echo typed) | timeout 100 ./aril run --smp $smp --native authority -- busybox sh -c "$script" sh 10000)
	[ "$(grep -c '^line ' <<<"$said")" = "$(value lines)" ]
	grep -q '^read typed$' <<<"$said"
	[ "$(value predicate)" = used ]
	[ "$(value waits)" -ge 40 ]
	[ "$(value runs)" -ge "$(value waits)" ]
	[ $smp = 2 ] || [ "$(value kept)" -gt 0 ]
done
said=$(echo typed | timeout 60 ./aril run --smp 1 -- busybox sh -c "$script" sh 300)
grep -q '^read typed$' <<<"$said"
[ "$(value predicate)" = none ]
[ "$(value waits)" = 0 ]
[ "$(value vain)" -gt 0 ] # what the predicate saves

#!/bin/bash
# SPDX-License-Identifier: MIT
# A hundred thousand small files are made and taken away, four thousand at a time, then fifty thousand at once: nothing is lost.
# full
# timeout: 280
set -eu
cd "$(dirname "$0")/../.."
say() { echo "$1" >&2; exit 1; }
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
gcc -O2 -w -static -o "$dir/many" tests/linux/many_files.c
got=$(./aril run --timeout 200 -- "$dir/many" 25) || say "status $?: $got"
[[ $got == '100000 small files came and went: nothing is lost' ]] || say "got: $got"
# shellcheck disable=SC2016
got=$(./aril run --mem 512M --timeout 200 -- busybox sh -c '
	free() { stat -f -c %f /tmp; }
	mkdir /tmp/d; cd /tmp/d; before=$(free)
	seq 50000 | xargs touch; ls | wc -l; stat -c %s 31415
	cd /; rm -r /tmp/d; after=$(free)
	[ $((before - after)) -lt 200 ] && echo as before || echo "$before $after"') || say "status $?: $got"
[[ $got == $'50000\n0\nas before' ]] || say "got: $got"

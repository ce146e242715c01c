#!/bin/bash
# SPDX-License-Identifier: MIT
# A short run of the kernel-call fuzzer finds nothing, and a fair share of its calls succeed.
. "$(dirname "$0")/../lib.sh"
out=$(./aril fuzz --seconds 6 2>&1) || { echo "$out" && exit 1; }
[[ $out =~ seed\ ([0-9]+):\ ([0-9]+)\ calls,\ ([0-9]+)\ % ]] || { echo "no result: $out" && exit 1; }
((BASH_REMATCH[2] >= 1000)) || { echo "only ${BASH_REMATCH[2]} calls" && exit 1; }
((BASH_REMATCH[3] >= 30)) || { echo "only ${BASH_REMATCH[3]} % succeeded" && exit 1; }

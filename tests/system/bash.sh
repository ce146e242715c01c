# SPDX-License-Identifier: MIT
# timeout: 120
# bash-static with functions, arrays, pipelines, here-documents and traps: same output as on the host; and what ran
# is what the package holds.
. tests/lib.sh
cat >"$work/script" <<'X'
set -e
greet() { local who=${1:-nobody}; printf 'hello %s\n' "$who"; return 3; }
greet world || echo "returned $?"
declare -a list=(zero one two)
list+=(three)
echo "${#list[@]} ${list[-1]} ${list[@]:1:2}"
declare -A map=([a]=1 [b]=2)
for k in $(printf '%s\n' "${!map[@]}" | busybox sort); do echo "$k=${map[$k]}"; done
busybox cat <<EOF | while read -r line; do echo "> $line"; done
here $((1 << 10))
$(echo nested "$(echo deeper)")
EOF
busybox cat <<<'a here-string'
trap 'echo "trap EXIT"' EXIT
trap 'echo "trap USR1"' USR1
kill -USR1 $$
echo after the signal
( trap 'echo inner; exit 4' TERM; kill -TERM $BASHPID; busybox sleep 5 ) || echo "subshell $?"
seq() { local i; for ((i = $1; i <= $2; i++)); do echo $i; done; }
seq 1 500 | busybox grep 7 | busybox sort -rn | busybox head -n 3 | { read -r first; echo "first $first"; }
echo "${PIPESTATUS[@]}"
set +e
busybox false | busybox true; echo "status ${PIPESTATUS[0]} ${PIPESTATUS[1]}"
coproc { while read -r x; do echo "got $x"; done; }
echo ping >&"${COPROC[1]}"; read -r reply <&"${COPROC[0]}"; echo "$reply"
busybox sleep 0.05 & wait $!; echo "waited $?"
diff() { busybox diff "$@"; }
diff <(echo a) <(echo a) && echo same
[[ abc123 =~ ([a-z]+)([0-9]+) ]] && echo "${BASH_REMATCH[2]}"
printf -v padded '%08.3f' 3.14159; echo "$padded"
echo {a..e}{1,2} | busybox tr ' ' '\n' | busybox wc -l
exec 5>/tmp/aril-bash-test; echo written >&5; exec 5>&-; busybox cat /tmp/aril-bash-test; busybox rm /tmp/aril-bash-test
time_format=$TIMEFORMAT; case $- in *e*) echo e;; *) echo no e;; esac
exit 9
X
/bin/bash-static "$work/script" >"$work/expected" 2>"$work/expected.err" </dev/null
same "the host's status" 9 $?
./aril run --timeout 100 --smp 2 --add "$work/script:/script" -- /bin/bash-static /script \
	>"$work/got" 2>"$work/err" </dev/null
same "status" 9 $?
diff "$work/expected" "$work/got" >"$work/diff" || fail "differs: $(head -n 30 "$work/diff") $(tail -n 3 "$work/err")"
same "files changed since their packages were installed" '' "$(dpkg --verify busybox-static bash-static)"
for program in /bin/busybox /bin/bash-static; do
	same "SHA-256 of $program" "$(sha256sum <$program)" \
		"$(./aril run --timeout 60 -- busybox sha256sum <$program)"
	same "the guest's copy of $program" "$(sha256sum $program | cut -d' ' -f1)" \
		"$(./aril run --timeout 60 --add $program:$program -- busybox sha256sum $program </dev/null | cut -d' ' -f1)"
done

# SPDX-License-Identifier: MIT
# A script whose interpreter is a dynamically linked program: its arguments are as Linux gives them.
. tests/lib.sh
printf '%s\n' '#!/opt/bash -u' 'echo "$0 $* $-"; tr "\0" " " </proc/$$/cmdline; exit 6' >"$work/script"
chmod 755 "$work/script"
libraries=()
while read -r file; do
	libraries+=(--add "$(readlink -f "$file"):$file")
done < <(ldd /bin/bash | grep -oE '/[^ ]+')
status "dynamic interpreter" 6 ./aril run --timeout 60 --add /bin/bash:/opt/bash "${libraries[@]}" \
	--add "$work/script:/script" -- /script one 'two three'
same "arguments" "/script one two three huB
/opt/bash -u /script one two three " "$(cat "$work/out")"

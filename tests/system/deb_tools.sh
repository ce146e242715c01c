# SPDX-License-Identifier: MIT
# timeout: 300
# Small programs straight from Debian's packages: bash, coreutils, findutils, grep, sed, gawk, tar, gzip, xz, make, perl,
# lua5.4, jq, sqlite3. Their output is the host's.
. tests/lib.sh
. tests/deb.sh
tools=coreutils,findutils,grep,sed,gawk,tar,gzip,xz-utils,make,perl,lua5.4,jq,sqlite3,diffutils

compare tools "$tools" '
for i in 1 2 3 20 10; do echo "line $i" >f$i; done
mkdir -p a/b && cp -p f1 a && ln -s ../f2 a/b/link && ln f3 a/hard && mv f20 a/b
ls -1F a a/b; stat -c "%n %F %s %h %a" a/hard a/b/link; readlink -f a/b/link | sed "s/.*home.//"
find . -type f -name "f*" | sort | xargs grep -H line
cat f* | sort -k2,2n | uniq -c | head -n 3; seq 100 | shuf --random-source=/proc/self/cmdline | sort -n | tail -n 1
sed -n -e "s/line \(.\)/\1 LINE/p" f1 f2; tr a-z A-Z <f1 | tac; cut -d" " -f2 f10; paste -d, f1 f2
printf "%08.3f|%s|%x\n" 3.14159 abc 255; date -u -d @86400 +%F; expr 6 \* 7; nl f1; od -c f1; sha256sum f1; base64 f1
split -l 1 -d <(seq 3) part.; ls part.*; comm -12 <(seq 5) <(seq 3 8); join <(echo "a 1") <(echo "a 2"); tee copy <f1; wc copy
env -i A=1 env; timeout 30 sleep 0.01; echo $?; test -f f1 -a ! -d f1; echo $?; factor 1234567; numfmt --to=iec 1048576
gawk "{ s += \$2; n[\$2]++ } END { print s, length(n); printf \"%.2f\n\", s / NR }" f1 f2 f10; gawk "BEGIN { print strftime(\"%F\", 0, 1), toupper(\"x\"), substr(\"hello\", 2, 3); while ((\"echo a; echo b\" | getline l) > 0) print l }"
tar -c --sort=name --mtime=@0 --owner=0 --group=0 a | tar -tv --utc; tar czf t.tgz a && mkdir x && tar xzf t.tgz -C x && diff -r a x/a && echo same
gzip -9nc f1 | od -An -tx1 | head -n 1; gzip -k f10 && zcat f10.gz && gunzip -f f10.gz; seq 2000 | xz -6 | xz -dc | tail -n 1; xz -l <(:) 2>/dev/null || echo no
printf "all: one two\n\t@echo all \$^\none two: f1\n\t@echo \$@ from \$<\n.PHONY: all\n" >Makefile; make -j2 -O | sort; make nothing; echo $?
perl -e "my %h = map { \$_ => length } qw(a bb ccc); print join(\",\", map {\"\$_=\$h{\$_}\"} sort keys %h), \"\n\"; print \`echo sub\`; open(my \$f, \"<\", \"f1\"); print while <\$f>; local \$SIG{ALRM} = sub { print \"alarm\n\" }; alarm 1; sleep 5; printf \"%s\n\", join \" \", sort { \$a <=> \$b } (10, 9, 2); fork or exit 3; wait; print \$? >> 8, \"\n\""
perl -MList::Util=sum -MPOSIX -MData::Dumper -e "\$Data::Dumper::Indent = 1; print sum(1..10), floor(2.7), \"\n\", Dumper({a => [1, 2]})"
lua5.4 -e "print(_VERSION, 2^53, string.format(\"%5.2f\", math.pi), #arg); for w in (\"a b\"):gmatch(\"%a\") do io.write(w, \";\") end print() local f = io.popen(\"echo from a shell\") print(f:read(\"a\"), f:close()) print(pcall(error, {1}) and 1 or 0, table.concat({3, 2, 1}, \"-\"), coroutine.wrap(function() coroutine.yield(7) end)())"
echo "{\"a\":[1,2,{\"b\":3}],\"c\":\"\\u00e9\"}" | jq -c ".a[2].b + 1, .a, (.c|length), (.a|map(numbers)|add)"; echo "[3,1,2]" | jq "sort | .[0]"; echo bad | jq . ; echo $?
sqlite3 t.db "create table t(a integer primary key, b text); insert into t(b) values(\"x\"),(\"y\"); select * from t; begin; insert into t(b) values(\"z\"); rollback; select count(*) from t; pragma integrity_check"
sqlite3 t.db "pragma journal_mode=wal; insert into t(b) values(\"z\"); select count(*) from t; pragma mmap_size=1000000; select sum(a) from t; pragma wal_checkpoint" ".mode json" "select * from t"
exit 7'

compare bash coreutils '
trap "echo exit" EXIT; trap "echo usr1" USR1; kill -USR1 $$; set -o pipefail
f() { local -n r=$1; r+=(x); }; declare -a l=(1 2); f l; echo "${l[@]}" "${#l[@]}"; declare -A m=([k]=v); echo "${m[k]}" "${!m[@]}"
cat <<X | while read -r a b; do echo "$b $a"; done
one two
$((6 * 7)) $(echo nested "$(echo deeper)")
X
cat <<<here; { echo out; echo err >&2; } 2>&1 | sort; false | true; echo $? "${PIPESTATUS[@]}"
(exit 3) & wait $!; echo $?; coproc { read -r x; echo "got $x"; }; echo ping >&"${COPROC[1]}"; read -r y <&"${COPROC[0]}"; echo "$y"
diff <(seq 3) <(seq 3) >/dev/null 2>&1 || cmp <(seq 3) <(seq 3) 2>/dev/null; [[ abc =~ b(.) ]] && echo "${BASH_REMATCH[1]}"
( trap "echo term; exit 4" TERM; kill -TERM $BASHPID; sleep 5 ); echo $?; sleep 10 & kill %1; wait %1; echo $?
set -m; sleep 1 & jobs -r | wc -l; fg %1 >/dev/null; echo $?; umask; times >/dev/null; printf "%(%F)T\n" 0
exec 5<>fifo.$$; mkfifo p; echo through >p & cat p; type -t cd; compgen -b | head -n 2; echo {1..3}{a,b}; case x in [a-z]) echo low;; esac'

# What is wrong is said in one line, and the status is 2.
status "unknown package" 2 ./aril run --deb no-such-package-here -- true
has "$work/err" '^aril: --deb no-such-package-here: apt knows no such package'
status "bad name" 2 ./aril run --deb 'A b' -- true
status "two file systems" 2 ./aril run --deb bash --root /tmp -- true
has "$work/err" 'give one$'
status "not in the packages" 2 ./aril run --deb dash -- ls
has "$work/err" 'no such program in these packages'

# A file that is not what apt's lists say is not used.
mkdir -p "$work/cache/aril/deb/pool"
cp -s "$deb_cache"/pool/*.deb "$work/cache/aril/deb/pool"
rm "$work"/cache/aril/deb/pool/dash_*
for file in "$deb_cache"/pool/dash_*; do
	echo tampered >"$work/cache/aril/deb/pool/$(basename "$file")"
done
XDG_CACHE_HOME=$work/cache status "another file" 125 ./aril run --deb dash -- sh -c :
has "$work/err" "not what apt's lists say"

# SPDX-License-Identifier: MIT
# timeout: 240
# busybox's applets on real files: output and status the same as on the host, applet by applet.
. tests/lib.sh
mkdir "$work/t" && cp -r abi docs "$work/t/" && cd "$work/t" || exit 1
seq 1 3000 >numbers && printf 'b 2\na 1\nc 3\na 1\n' >letters && printf 'one:two:three\nfour:five:six\n' >fields
ln -s numbers link && mkdir -p d/e/f && touch d/x d/e/y && printf '\000\001binary\377' >binary
head -c 100000 </dev/urandom >random && touch -d 2020-01-02T03:04:05Z numbers letters fields binary random d/x d/e/y
cat >applets <<'X'
arch
ash -c 'echo ash $((6*7))'
awk '{ s += $1 } END { print s, NR }' numbers
awk -F: '{ print $2 "-" $3 }' fields
base64 random
basename /a/b/c.txt .txt
bunzip2 -c letters.bz2
bzip2 -c letters
cat letters fields
chmod 640 letters
cksum random
clear
cmp letters fields
comm letters letters
cp -r d copy
cpio -o -H newc
cut -d: -f2 fields
date -u -d '2020-01-02 03:04:05' '+%Y %j %s'
dc -e '2 10 ^ p'
dd if=random bs=1000 count=3 skip=2
diff letters fields
dirname /a/b/c
dos2unix letters
du -a abi | busybox cut -f2 | busybox sort
echo -e 'a\tb'
egrep '^(a|c)' letters
env -i A=1 env
expand -t 4 letters
expr 17 '*' 3
factor 5040 97
false
fgrep 99 numbers
find d -type f | busybox sort
find . -name '*.md' -size +1 | busybox sort
fold -w 10 fields
grep -n -c 7 numbers
grep -rl capability abi | busybox sort
gunzip -c letters.gz
gzip -c -n letters
head -n 3 numbers
hexdump -C binary
id -u
install -m 755 letters installed
ln -s fields another
ls -ln fields binary
ls -R d
ls -a abi/include
md5sum random letters
mkdir -p new/dir
mktemp -u -p . abc
mv letters moved
mv moved letters
nl fields
od -c binary
od -A x -t x4 random
paste letters fields
patch -p0
printf '%05d %s %x\n' 42 str 255
readlink link
rev fields
rm -r copy
rmdir new/dir
sed -n '/2/{s/2/two/gp}' numbers
sed '1d;$!N;s/\n/+/' letters
seq 5 -1 1
sh -c 'for i in 1 2 3; do echo $i; done | tac'
sha1sum random
sha256sum random
sha512sum random
sha3sum random
shuf -n 0 letters
sleep 0
sort -n -r numbers
sort -u letters
split -l 1000 numbers part
stat -c "%s %F %n" letters link fields
strings binary
sum random
tac fields
tail -n 4 numbers
tail -c 20 numbers
tar cf - d
tar tf t.tar
tee copied
test -f letters
[ letters = letters ]
touch -d '2021-01-01 00:00:00' touched
tr a-z A-Z
true
truncate -s 10 truncated
tsort letters
uname -s
unexpand -a letters
uniq -c letters
unix2dos letters
unlz -c letters
unxz -c letters.xz
uudecode -o - letters.uu
uuencode letters x
wc letters numbers random
wc -l
which sh
xargs echo
xxd binary
xxd -p random
yes no
zcat letters.gz
X
gzip -kn letters && bzip2 -k letters && xz -k letters && busybox tar cf t.tar d && busybox uuencode letters x >letters.uu
cat >all.sh <<'X'
# each applet with letters as its input, at most 4000 bytes of output, then its status
PATH=/bin:/usr/bin TZ=UTC
export PATH TZ
n=0
while read -r line; do
	n=$((n + 1))
	echo "## $n $line"
	case $line in
	cpio*) printf 'letters\n' ;;
	patch*) printf -- '--- letters\n+++ letters\n@@ -1 +1 @@\n-x\n+y\n' ;;
	*) cat letters ;;
	esac >.input
	case $line in
	yes*) (eval "busybox $line" | head -n 100) ;;
	sha*|md5*|base64*|xxd*|od*|cpio*|tar*|gzip*|bzip2*) eval "busybox $line" <.input 2>&1 | busybox md5sum ;;
	*) eval "busybox $line" <.input 2>&1 | head -c 4000 ;;
	esac
	case $line in yes*) ;; *) eval "busybox $line" <.input >/dev/null 2>&1 ;; esac
	echo "## status $?"
done <applets
X
sed -i '/^cpio/d;/^tar cf/d;/^arch$/d;/^which/d' applets
cp -a "$work/t" "$work/host" || exit 1
(cd "$work/host" && busybox sh all.sh) >"$work/expected" 2>"$work/err.host"
cd "$OLDPWD" || exit 1
mkdir "$work/root" && mv "$work/t" "$work/root/t"
./aril run --timeout 200 --smp 2 --root "$work/root" -- busybox sh -c 'cd /t && busybox sh all.sh' \
	</dev/null >"$work/got" 2>"$work/err" || fail "status $?: $(tail -n 3 "$work/err")"
diff -a "$work/expected" "$work/got" >"$work/diff" || fail "differs: $(head -n 40 "$work/diff" | cat -v)"
n=$(grep -c '^## status' "$work/got")
[ "$n" -ge 60 ] || fail "only $n applets ran"

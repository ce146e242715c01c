# SPDX-License-Identifier: MIT
# timeout: 200
# Small programs that the host need not have: calculators, awks, archivers, an assembler, and who starts others with less.
. tests/lib.sh
. tests/deb.sh

compare_set small bc,dc,m4,mawk,original-awk,ed,patch,bzip2,zstd,lz4,brotli,cpio,zip,unzip,figlet,units,nasm,binutils,util-linux,zsh,time '
echo "scale=30; 4*a(1); 2^200; sqrt(2)" | bc -l; echo "5 k 2 v p 3 4 * p" | dc
echo "define(f,\`ifelse(\$1,0,1,\`eval(\$1*f(decr(\$1)))'\'')'\'')f(8) esyscmd(echo esys)" | m4
seq 10 | mawk "{ s += \$1 } END { print s }"; seq 10 | original-awk "{ s += \$1; print s | \"sort -n\" }"
printf "a\nhello\nworld\n.\n1,\$s/o/0/g\n,p\nw f\nq\n" | ed -s; cat f
printf "1\n2\n3\n" >a; printf "1\ntwo\n3\n" >b; diff -u --label a --label b a b >p; cat p; patch a <p; cmp a b && echo same; patch -R a <p; cat a
seq 3000 >n; for z in bzip2 zstd lz4 brotli; do $z -k n; done; bzip2 -dc n.bz2 | cmp - n; zstd -T2 -19 -q -c n | zstd -dc | cmp - n; lz4 -dc n.lz4 | cmp - n; brotli -dc n.br | cmp - n; cksum n.*
mkdir d; cp n a b d; touch -d @0 d/* d; find d | sort | cpio -o -H newc >c.cpio; cpio -it <c.cpio; mkdir e; (cd e; cpio -id <../c.cpio; ls d)
find d | sort | zip -X z.zip -@; unzip -l z.zip; unzip -d u z.zip; diff -r d u/d && echo same; figlet Aril; units -t "3 miles" km
printf "global _start\nsection .text\n_start: mov eax,1\nmov edi,1\nlea rsi,[rel m]\nmov edx,6\nsyscall\nmov eax,60\nmov edi,7\nsyscall\nsection .data\nm: db \"nasm!\",10\n" >h.asm
nasm -f elf64 h.asm && ld -o h h.o && ./h; echo $?; objdump -d h | tail -n 8; nm h; readelf -lW h | grep LOAD; strip h; size h
zsh -fc "a=(3 1 2); print \${(on)a}; typeset -A m; m[k]=v; print -r -- \${(kv)m}; sleep 0.1 & wait; print =(echo x)(N:t) | wc -l; coproc cat; print -p hi; read -p x; print \$x"
setpriv --reuid 1000 --regid 1000 --clear-groups --inh-caps -all --bounding-set -kill id; setpriv --ambient-caps +chown --inh-caps +chown --reuid 1000 --regid 1000 --clear-groups sh -c "touch o && grep CapEff /proc/self/status"; chmod 777 .
setpriv --ambient-caps +chown --inh-caps +chown --reuid 1000 --regid 1000 --clear-groups sh -c "touch o && chown 5:6 o && stat -c %u:%g o; grep CapEff /proc/self/status"
nice -n 7 nice; chrt -i 0 chrt -p 0 | sed "s/[0-9]* *.s current/ current/"; /usr/bin/time -f %x sh -c "exit 3"; exit 5'

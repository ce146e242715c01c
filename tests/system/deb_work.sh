# SPDX-License-Identifier: MIT
# full
# timeout: 600
# Work done with Debian's programs: a database server as a user of its own, version control, keys and copies, documents.
. tests/lib.sh
. tests/deb.sh

compare_set postgres postgresql-15,postgresql-client-15,util-linux,libc-bin "$(cat <<'END'
export PATH=$PATH:/usr/lib/postgresql/15/bin PGHOST=$HOME PGUSER=postgres
chmod 777 .; mkdir d; chown 105:105 d; cp /etc/passwd pw
as() { setpriv --reuid 105 --regid 105 --clear-groups "$@"; }
as initdb -D d -U postgres -A trust -E UTF8 --no-instructions 2>&1 | grep -c ok$
as pg_ctl -D d -o "-k $HOME -h ''" -l d/log -w start >/dev/null; echo $?
psql -Atc "create table t(a int primary key, b text); insert into t select i, 'v'||i from generate_series(1,1000) i; select sum(a), max(b) from t; create index on t(b); analyze t" postgres
psql -Atc "explain (costs off) select * from t where a=5; select b from t where b='v77'" postgres
(printf '%s\n' "begin;" "update t set b='x' where a=1;" '\! touch begun' "select pg_sleep(0.3);" "commit;" | psql -At postgres & until [ -e begun ]; do sleep 0.02; done; psql -Atc "update t set b=b||'y' where a=1 returning b" postgres; wait) | sort
pg_dump -t t postgres | grep -c '^[0-9]'; as pg_ctl -D d -m fast -w stop | tail -n 1; as postgres --single -D d postgres <<<"select count(*) from t" 2>/dev/null | grep '"1000"'
END
)" --mem 2G

compare_set versions subversion,mercurial,rcs,parallel,moreutils,ripgrep,fd-find,fzf,openssl,gnupg,rsync,curl,openssh-client "$(cat <<'END'
svnadmin create r && svn co -q file://$HOME/r w && cd w && echo a >f && svn add f && svn ci -qm one && echo b >>f && svn diff | tail -n 2 && svn ci -qm two && svn up && svn cat -r1 f; cd ..
export HGUSER=a; hg init h && cd h && echo a >f && hg add f && hg ci -d '0 0' -m one && echo b >>f && hg ci -d '1 0' -m two && hg log -T '{rev}:{node|short} {desc}\n' && hg diff -c 1 && hg up -q 0 && hg verify; cd ..; hg clone -q h h2 && hg -R h2 id -n
mkdir RCS; echo v1 >rf; ci -q -l -t-desc rf; echo v2 >>rf; ci -q -u -mtwo rf; rcsdiff -q -r1.1 -r1.2 rf
parallel -k echo p{} ::: 1 2 3; echo b a | tr ' ' '\n' | sponge | sort | ifne cat; combine <(echo a) and <(echo a); mispipe "exit 3" true; echo $?
printf 'hello\nworld\nHello\n' >t1; mkdir -p dd/ee; cp t1 dd/ee/t2.txt; rg -n --sort path -i hello t1 dd; fdfind -t f . dd; printf 'apple\nbanana\n' | fzf --filter an
echo abc >f; openssl enc -aes-256-cbc -pbkdf2 -k pw -in f | openssl enc -d -aes-256-cbc -pbkdf2 -k pw; openssl genrsa -out k 2048 2>/dev/null; openssl rsa -in k -pubout -out p 2>/dev/null; openssl dgst -sha256 -sign k -out s f; openssl dgst -sha256 -verify p -signature s f
ssh-keygen -q -t ed25519 -N '' -f id -C c && ssh-agent -a $HOME/ag bash -c 'ssh-add -q id; ssh-add -l | wc -l'
gpg -q --batch --passphrase '' --quick-gen-key 'A <a@example.org>' ed25519 sign never 2>/dev/null; gpg -q --batch -a --detach-sign f && gpg --verify f.asc 2>&1 | grep -c Good; gpgconf --kill all
mkdir -p src/d; for i in 1 2 3; do seq $i >src/d/f$i; done; ln -s d/f1 src/l; ln src/d/f1 src/h; rsync -aH src/ dst/; diff -r src dst && echo same; echo more >>src/d/f3; rsync -ai --size-only --delete --exclude l src/ dst/ | cut -c1-2; curl -s file://$HOME/f; curl -s file:///none; echo $?
END
)" --mem 2G

compare_set documents groff,texlive-base,texlive-binaries,xmlstarlet,xsltproc,libxml2-utils,ghostscript,imagemagick,graphviz,gnuplot-nox,poppler-utils "$(cat <<'END'
printf '.TH A 1\n.SH NAME\na \\- test\n.PP\nSome text here.\n' >a.1; groff -man -Tascii a.1
echo '<a><b i="1">x</b><b i="2">y</b></a>' >a.xml; xmlstarlet sel -t -v '//b[@i=2]' a.xml; xmllint --format a.xml
printf '<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform"><xsl:output method="text"/><xsl:template match="/"><xsl:value-of select="sum(//@i)"/></xsl:template></xsl:stylesheet>' >s.xsl; xsltproc s.xsl a.xml; echo
printf '%%!PS\n/Helvetica findfont 20 scalefont setfont 72 700 moveto (Hello PS) show showpage\n' >a.ps; gs -q -dBATCH -dNOPAUSE -sDEVICE=pdfwrite -sOutputFile=a.pdf a.ps; pdftotext a.pdf -; gs -q -dBATCH -dNOPAUSE -sDEVICE=pnggray -r30 -sOutputFile=a.png a.ps; sha256sum a.png
convert -size 64x48 gradient:red-blue g.png && identify g.png | cut -d' ' -f2-5; convert g.png -resize 50% -rotate 90 r.jpg && identify -format '%wx%h %m\n' r.jpg; convert g.png rgb:- | sha256sum
echo 'digraph { a -> b -> c; a -> c }' | dot -Tplain; echo 'set term dumb 60 15; plot sin(x)' | gnuplot 2>&1
END
)" --mem 2G

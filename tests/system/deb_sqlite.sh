# SPDX-License-Identifier: MIT
# full
# timeout: 300
# sqlite3 from its package: 100,000 inserts and queries with a rollback journal, a write-ahead log and memory-mapped;
# two processes at one database, of which one waits for the other's lock.
. tests/lib.sh
. tests/deb.sh

compare sqlite sqlite3,coreutils,sed '
work() {
	cat <<X
create table t(id integer primary key, k text, v int);
begin;
with recursive n(i) as (select 1 union all select i + 1 from n where i < 100000)
	insert into t(k, v) select "key " || (i * 7919 % 100003), i * i % 1009 from n;
commit;
create index byk on t(k);
select count(*), sum(v), min(k), max(k) from t;
select id, v from t where k = "key 4242";
select v, count(*) from t group by v order by count(*) desc, v limit 3;
begin; update t set v = v + 1 where id % 10 = 0; delete from t where id % 3 = 0; rollback;
update t set v = 0 where id % 5 = 0; delete from t where id > 90000;
select count(*), sum(v) from t;
pragma integrity_check;
X
}
echo rollback; work | sqlite3 a.db
echo wal; { echo "pragma journal_mode=wal;"; work; echo "pragma wal_checkpoint(truncate);"; } | sqlite3 b.db
echo mmap; { echo "pragma mmap_size=268435456;"; work; } | sqlite3 c.db; sqlite3 c.db "pragma mmap_size=268435456; select count(*), sum(v) from t"
for d in a b c; do sqlite3 $d.db "select id, k, v from t order by id" | sha256sum; done; ls
mkfifo go; (echo "begin immediate; insert into t values(999999, 0, 0);"; echo ".shell touch begun"; read -r x <go; echo "commit;") | sqlite3 b.db &
until [ -e begun ]; do sleep 0.02; done; sqlite3 b.db "insert into t values(1, 0, 0)" 2>&1 | sed s/stepping.*//; sqlite3 b.db "select count(*) from t where id = 999999"
echo on >go; wait; sqlite3 -cmd ".timeout 5000" b.db "select count(*) from t where id = 999999; insert into t values(999998, 0, 0); select count(*) from t"'

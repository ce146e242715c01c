# SPDX-License-Identifier: MIT
# timeout: 200
# What looks at processes, memory and System V's objects, straight from Debian: ps, top, free, uptime, vmstat, w, pgrep, pmap,
# lsof, fuser, pstree, killall, ipcs, ipcrm, lscpu. What they print is true here.
. tests/lib.sh
cat >"$work/script" <<'X'
exec 2>&1
cd /tmp
sleep 987 & sleeper=$!
mkfifo hold; exec 9<>hold
(exec -a renamed sleep 654) & other=$!
for p in $sleeper $other; do until [[ $(cat /proc/$p/stat) == *"(sleep) S "* ]]; do sleep 0.02; done; done
say() { echo "--- $1"; }
say ps; ps -o pid,ppid,stat,nlwp,comm,args -p $sleeper,$other | sed "s/$sleeper/A/; s/$other/B/; s/  */ /g"
# into a file first: in a pipeline the next one may still be bash
say threads; ps -eLo comm= >seen; sort seen | uniq -c
say columns; ps -o rss=,vsz=,pcpu=,pmem=,etimes=,tty=,user=,ni= -p $$ | awk '{ print NF, ($1 > 500), ($2 > $1), $7, $8 }'
say pgrep; pgrep -x sleep | wc -l; pgrep -f renamed | grep -cx $other; pkill -0 -x sleep; echo $?
say top; top -b -n 1 | sed -nE 's/^(Tasks:).*( 0 zombie)$/\1\2/p; s/^(%Cpu).*(us).*(id).*/\1 \2 \3/p; s/^(MiB Mem ).*(total).*(free).*/\1 \2 \3/p; s/^ *[0-9]+ (root +20 +0).*(S).*(sleep)$/\1 \2 \3/p'
say free; free -k | awk 'NR == 2 { print $1, ($2 > 100000), ($3 + $4 <= $2), ($5 >= 0) } NR == 3'
say uptime; uptime | sed -E 's/^.* up +[0-9]+ min, +([0-9]+) users?, +load average: [0-9.]+, [0-9.]+, [0-9.]+$/fine \1/'
say w; w | tail -n +2 | awk '{ print $1, $2 }'
say vmstat; vmstat | awk 'NR == 3 { sum = $13 + $14 + $15 + $16 + $17; print NF, (sum > 97 && sum < 103) }'; vmstat -s | grep -c 'K total memory'
say pmap; pmap $$ | sed -nE '1s/^[0-9]+: +//p; s/^[0-9a-f]+ +[0-9]+K (r-x--|rw---) +(bash|\[ stack \])$/\1 \2/p' | sort -u; pmap -x $$ | awk '/^total/ { print ($3 > 1000), ($4 >= $5), ($5 > 10) }'
say lsof; lsof -p $$ | awk '$4 ~ /^(cwd|rtd|txt|9u)$/ { print $1, $4, $5, $NF }'
say fuser; fuser hold >seen 2>/dev/null 9<&-; sed "s/\b$$\b/ME/; s/\b$other\b/B/; s/  */ /g" seen; echo; fuser /usr/bin/sleep 2>/dev/null | wc -w
say pstree; pstree -p $$ >seen; sed "s/($$)/(ME)/; s/($sleeper)/(A)/; s/($other)/(B)/; s/([0-9]*)/(N)/" seen
say limits; grep -E '^Max (open files|msgqueue size)' /proc/$$/limits; cat /proc/sys/kernel/ostype; cat /proc/sys/kernel/random/boot_id | wc -c
say lscpu; lscpu | grep -E '^(Architecture|CPU\(s\)|On-line)'; nproc
say ipc; ipcmk -M 10000 >/dev/null; ipcmk -Q >/dev/null; ipcmk -S 3 >/dev/null
ipcs | awk '/^0x/ { $1 = $2 = "-"; print }'; ipcs -m -i $(ipcs -m | awk '/^0x/ { print $2 }') | grep -o 'bytes=[0-9]*'
ipcrm -a; ipcs | grep -c ^0x; ipcs -l | grep -E 'segments|arrays|queues'
say exe; readlink /proc/$$/exe /proc/$sleeper/exe; tr '\0' ' ' </proc/$sleeper/cmdline; echo; tr '\0' '\n' </proc/$$/environ | grep -c ^PATH=
grep -E '^(Name|State|Threads|PPid)' /proc/$sleeper/status; cat /proc/$sleeper/wchan; echo; cut -d' ' -f 1-3 /proc/$sleeper/stat | sed "s/^$sleeper/ID/"
killall sleep; wait; ps -C sleep -o comm= | wc -l
X
packages=bash,coreutils,procps,psmisc,lsof,util-linux,util-linux-extra,grep,sed,gawk,ncurses-base
status "tools" 0 ./aril run --smp 2 --timeout 150 --deb $packages --add "$work/script:/script" -- bash /script
sed -E "s/^\/script: line [0-9]+: +[0-9]+ Terminated.*//" "$work/out" | grep -v '^$' >"$work/got"
cat >"$work/expected" <<'X'
--- ps
 PID PPID STAT NLWP COMMAND COMMAND
 A 1 S 1 sleep sleep 987
 B 1 S 1 sleep renamed 654
--- threads
      1 bash
      1 ps
      2 sleep
--- columns
8 1 1 root 0
--- pgrep
2
1
0
--- top
Tasks: 0 zombie
%Cpu us id
MiB Mem  total free
root      20   0 S sleep
root      20   0 S sleep
--- free
Mem: 1 1 1
Swap:              0           0           0
--- uptime
fine 0
--- w
USER TTY
--- vmstat
17 1
1
--- pmap
bash /script
r-x-- bash
rw--- [ stack ]
rw--- bash
1 1 1
--- lsof
bash cwd DIR /tmp
bash rtd DIR /
bash txt REG /usr/bin/bash
bash 9u FIFO /tmp/hold
--- fuser
 ME B
2
--- pstree
bash(ME)-+-pstree(N)
        |-sleep(A)
        `-sleep(B)
--- limits
Max open files            1024                 1048576             
Max msgqueue size         819200               819200              
Linux
37
--- lscpu
Architecture:        x86_64
CPU(s):              2
On-line CPU(s) list: 0,1
2
--- ipc
- - root 644 0 0
- - root 644 10000 0
- - root 644 3
bytes=10000
0
max queues system wide = 32000
max number of segments = 4096
max number of arrays = 32000
--- exe
/usr/bin/bash
/usr/bin/sleep
sleep 987 
1
Name:	sleep
State:	S (sleeping)
PPid:	1
Threads:	1
0
ID (sleep) S
0
X
diff "$work/expected" "$work/got" >"$work/diff" || fail "$(cat "$work/diff")"

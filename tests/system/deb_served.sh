# SPDX-License-Identifier: MIT
# full
# timeout: 600
# Programs that serve others, on terminals of their own and on sockets, a database that is killed; and run times that bring
# a compiler with them.
. tests/lib.sh
. tests/deb.sh

compare_set terminals screen,tmux,expect,ncurses-base,libc-bin,procps "$(cat <<'END'
export TERM=xterm LC_ALL=C.UTF-8 SCREENDIR=$HOME/s; mkdir -m 700 s
there() { for i in $(seq 100); do eval "$1" && return; sleep 0.1; done; echo "not there: $1"; }
screen -c /dev/null -dmS x sh -c 'echo in screen; stty -a | head -n 1; read word; echo got $word; sleep 100'
there 'screen -S x -X hardcopy h; grep -q "^speed" h'; screen -ls | sed -n 's/^\t[0-9]*\.//p' | cut -f1,3; screen -S x -X stuff "here\n"
there 'screen -S x -X hardcopy h; grep -q "^got here" h'; cat h | grep .; screen -S x -X quit >q; screen -ls | tail -n 1 | sed 's/ in .*//'
tmux -S t -f /dev/null new-session -d -x 80 -y 24 'echo one; sleep 100'; tmux -S t split-window 'echo two; read word; echo got $word; sleep 100'; tmux -S t send-keys -t 1 here Enter
there 'tmux -S t capture-pane -p -t 1 | grep -q got'; tmux -S t capture-pane -p -t 1 | grep .; tmux -S t list-panes -F '#{pane_width}x#{pane_height} #{pane_current_command} #{pane_active}'; tmux -S t resize-pane -t 0 -y 5; tmux -S t display -p -t 0 '#{pane_height}'; tmux -S t kill-server
expect -c 'log_user 0; spawn bash --norc --noprofile -i; expect "\\$ "; send "stty -echo; PS1=; echo a\$((1+1))b\r"; expect a2b; send "sleep 9\r"; after 300; send "\003"; send "echo after \$?\r"; expect -re "after (\[0-9]+)"; puts "$expect_out(1,string)"; send "exit 3\r"; expect eof; puts [lindex [wait] 3]'
END
)"

compare_set services dbus,dbus-bin,dbus-daemon,php-fpm,libfcgi-bin,socat,pv,inotify-tools,procps "$(cat <<'END'
there() { for i in $(seq 100); do eval "$1" && return; sleep 0.1; done; echo "not there: $1"; }
dbus-run-session -- sh -c 'dbus-send --session --print-reply=literal --dest=org.freedesktop.DBus / org.freedesktop.DBus.ListNames; dbus-send --session --print-reply=literal --dest=org.freedesktop.DBus / org.freedesktop.DBus.GetConnectionUnixUser string:org.freedesktop.DBus; dbus-monitor --session >m & for i in $(seq 100); do grep -q NameAcquired m && break; sleep 0.1; done; dbus-send --session /a b.c.Signal uint32:7 array:string:x,y; for i in $(seq 100); do grep -q member=Signal m && break; sleep 0.1; done; grep -A4 member=Signal m | tail -n 4; kill $!' 2>&1 | grep -v ^dbus-daemon; echo ${PIPESTATUS[0]}
printf '%s\n' '[global]' "error_log=$HOME/log" '[www]' "listen=$HOME/fpm" user=root group=root pm=static pm.max_children=3 >conf
echo '<?php echo $_SERVER["REQUEST_METHOD"], 6*7, strlen(file_get_contents("php://input")), PHP_EOL;' >i.php; $(echo /usr/sbin/php-fpm*) -R -y conf -g $HOME/pid
for i in 1 2 3 4 5; do echo body$i | SCRIPT_FILENAME=$HOME/i.php REQUEST_METHOD=POST CONTENT_LENGTH=6 CONTENT_TYPE=text/plain cgi-fcgi -bind -connect fpm | tail -n 1; done; pgrep -c php-fpm; kill -QUIT $(cat pid); there '! pgrep php-fpm >/dev/null'; grep -c exiting log
socat UNIX-LISTEN:s,fork EXEC:'tr a-z A-Z' & there '[ -S s ]'; for i in 1 2 3; do echo hello $i | socat - UNIX-CONNECT:s; done; kill %1; wait %1; socat -t 3 - EXEC:'stty size',pty,setsid,ctty </dev/null; seq 200000 | socat -u - - | pv -q -B 65536 | tail -n 1; socat -u -T 1 PIPE:f - >g & there '[ -p f ]'; echo through >f; there 'grep -q through g'; cat g
mkdir w; inotifywait -q -m -r -e create,moved_to,delete --format '%e %f' w >e & sleep 1; touch w/a; mv w/a w/b; mkdir w/d; sleep 0.5; touch w/d/c; rm w/b; there 'grep -q "DELETE b" e'; cat e; kill %%
END
)"

compare_set database mariadb-server-core,mariadb-client-core,libc-bin,ffmpeg "$(cat <<'END'
there() { for i in $(seq 300); do eval "$1" && return; sleep 0.1; done; echo "not there: $1"; }
mariadb-install-db --user=root --datadir=$HOME/d --auth-root-authentication-method=normal >/dev/null 2>&1; echo $?
start() { mariadbd --no-defaults --user=root --datadir=$HOME/d --socket=$HOME/s --pid-file=$HOME/pid --skip-networking >log 2>&1 & server=$!; disown; there '[ -S s ]'; }
gone() { there '! kill -0 $server 2>/dev/null'; }
say() { mariadb --no-defaults -S $HOME/s -u root -N -e "$1" x 2>&1; }
start; mariadb --no-defaults -S s -u root -e 'create database x'; say 'create table t(a int primary key, b text, index(b(8))) engine=innodb; insert into t select seq, concat("r", seq) from seq_1_to_2000; select count(*), max(b) from t; alter table t add c int default 3'
for i in 1 2 3 4; do say "begin; update t set c = c + $i where a < 100; do sleep(0.1); commit" & done; wait; say 'select sum(c) from t; insert into t values (1, 1, 1)'; kill -KILL $server; gone; rm -f s; start; say 'select sum(c), count(*) from t; check table t'; say shutdown; gone; grep -c 'Shutdown complete' log
ffmpeg -v error -f lavfi -i testsrc=d=1:s=160x120:r=5 -f lavfi -i sine=d=1 -pix_fmt yuv420p -c:v mpeg4 -c:a flac -threads 2 -flags bitexact -f matroska a.mkv; ffprobe -v error -show_entries stream=codec_name,width -of csv a.mkv; ffmpeg -v error -i a.mkv -map 0:a -f md5 -; ffmpeg -v error -i a.mkv -vf scale=80:-1 -frames:v 2 -y p%d.ppm; ls -s --block-size=1 p*.ppm | wc -l
END
)" --mem 2G

compare_set runtimes nodejs,emacs-nox,swi-prolog-nox,golang-go "$(cat <<'END'
cat >n.js <<'J'
const { Worker, isMainThread, parentPort, workerData } = require('worker_threads'), net = require('net'), fs = require('fs'), cp = require('child_process'), crypto = require('crypto');
if (!isMainThread) { let s = 0; for (let i = 0; i < 1e6; i++) s += i % workerData; parentPort.postMessage(s); return; }
const say = (k) => (v) => [k, String(v).trim()], ask = (f) => new Promise(f);
Promise.all([1, 7, 9].map((n) => ask((ok) => new Worker(__filename, { workerData: n }).on('message', ok)).then(say('worker' + n))).concat([
	ask((ok) => cp.exec('echo sub; exit 3', (e, o) => ok(o + e.code))).then(say('exec')),
	ask((ok) => crypto.pbkdf2('a', 'b', 5000, 16, 'sha256', (e, k) => ok(k.toString('hex')))).then(say('key')),
	ask((ok) => { const s = net.createServer((c) => c.pipe(c)).listen('sock', () => { const c = net.connect('sock', () => c.write('echoed')); c.on('data', (d) => { ok(d); c.end(); s.close(); }); }); }).then(say('socket')),
	ask((ok) => { const w = fs.watch('.', (e, f) => { if (f === 'seen') { w.close(); ok(f); } }); fs.writeFileSync('seen', 'x'); }).then(say('watch')),
	ask((ok) => fs.createReadStream(__filename).pipe(require('zlib').createGzip()).pipe(crypto.createHash('md5')).on('finish', function () { ok(this.digest().length); })).then(say('stream')),
	ask((ok) => { process.on('SIGUSR2', ok); process.kill(process.pid, 'SIGUSR2'); }).then(say('signal')),
])).then((all) => { for (const one of all) console.log(one.join(' ')); process.exitCode = 4; });
J
node n.js; echo $?
emacs --batch --eval '(progn (princ (format "%s %s\n" (expt 2 80) (shell-command-to-string "echo -n sub"))) (with-temp-buffer (insert "b\na\n") (sort-lines nil 1 (point-max)) (write-file "sorted")) (let ((p (start-process "cat" nil "cat"))) (set-process-filter p (lambda (p s) (princ s))) (process-send-string p "through\n") (accept-process-output p 5)) (princ (funcall (byte-compile (lambda (x) (* x x))) 12)))' 2>&1; cat sorted
swipl -g 'X is 2**100, writeln(X), forall(between(1, 4, _), (thread_create(true, T), thread_join(T))), thread_create(writeln(thread), I), thread_join(I), shell("echo sub"), catch(atom_length(_, _), error(E, _), (print(E), nl)), halt'
export GOCACHE=$HOME/cache GOFLAGS=-mod=mod GOPATH=$HOME/go; mkdir g; cd g
cat >m.go <<'G'
package main

import ("context"; "fmt"; "net"; "os"; "os/exec"; "os/signal"; "sync"; "syscall"; "time")

func main() {
	var wg sync.WaitGroup
	c := make(chan int, 10)
	for i := 0; i < 100; i++ { wg.Add(1); go func(i int) { defer wg.Done(); time.Sleep(time.Millisecond); c <- i * i }(i) }
	go func() { wg.Wait(); close(c) }()
	sum := 0
	for v := range c { sum += v }
	out, err := exec.Command("sh", "-c", "echo sub; exit 3").Output()
	fmt.Println(sum, string(out), err)
	l, _ := net.Listen("unix", "sock")
	go func() { s, _ := l.Accept(); b := make([]byte, 9); n, _ := s.Read(b); s.Write(b[:n]); s.Close() }()
	s, _ := net.Dial("unix", "sock")
	s.Write([]byte("echoed"))
	b := make([]byte, 9)
	n, _ := s.Read(b)
	fmt.Println(string(b[:n]))
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGUSR1)
	syscall.Kill(os.Getpid(), syscall.SIGUSR1)
	<-ctx.Done()
	stop()
	defer func() { fmt.Println(recover()); os.Exit(5) }()
	var p *int
	fmt.Println(*p)
}
G
go build -o m m.go && ./m; echo $?
END
)" --mem 3G

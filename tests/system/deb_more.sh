# SPDX-License-Identifier: MIT
# full
# timeout: 300
# Shells and languages: their output is what they say on the host.
. tests/lib.sh
. tests/deb.sh

compare_set shells zsh,fish,tcsh,mksh,yash,ksh93u+m,rc "$(cat <<'END'
zsh -fc 'a=(3 1 2); print ${(on)a} ${#a}; typeset -A m; m[k]=v; print -r -- ${(kv)m}; print {1..5..2}; sleep 0.1 & wait; diff =(echo a) <(echo a) && print same; zmodload zsh/mathfunc && print $((int(sqrt(16)))); TRAPUSR1() { print usr1 }; kill -USR1 $$; x=up; print ${(U)x}'
fish -c 'set l a b c; echo (count $l) $l[2..3]; for i in (seq 3); echo n$i; end; string upper hello; math 2^10; function f; echo $argv[1]; end; f x; echo (echo sub | string replace s S); begin; echo out; end | cat; sleep 0.1 & wait; echo $status; string match -r "a(.)c" abc'
printf 'set a=(1 2)\nforeach i ($a)\necho v$i\nend\nwhile ($#a)\nshift a\nend\necho done `echo sub`\n@ n = 3 * 4\necho $n\n' >t.csh; tcsh -f t.csh
mksh -c 'set -A a 1 2 3; print ${a[1]} ${#a[*]}; cat |& print -p hi; read -p x; print got $x; (sleep 0.1; exit 3) & wait $!; print $?'
ksh93 -c 'typeset -A m; m[a]=1; print ${!m[@]}; typeset -F2 x=3.14159; print $x; print $((sin(0)+2**.5)); function f { print $1; }; f y; print $(<<<here cat); for ((i=0;i<3;i++)); do print $i; done; compound c=(a=1 b=2); print $c'
yash -c 'a=(1 2 3); echo ${a[2]} ${a[#]}; echo {1..3}; sleep 0.1 & wait; cat <(echo procsub)'
rc -c 'a=(1 2 3); echo $#a $a(2); for (i in $a) echo $i; echo `{echo sub}; fn f { echo f $* }; f x; ~ abc a* && echo match; cat <{echo procsub}'
END
)"

compare_set languages ruby,php-cli,tcl,guile-3.0,luajit,gforth,sbcl,ocaml-nox,erlang-base "$(cat <<'END'
ruby -e 'puts (1..5).map { |x| x**2 }.sum; p `echo sub`; p 4.times.map { |i| Thread.new { sleep 0.01; i * 2 } }.map(&:value); q = Queue.new; Thread.new { 3.times { |i| q << i } }; p 3.times.map { q.pop }; r, w = IO.pipe; fork { r.close; w.puts "child"; exit! 0 }; w.close; p r.read; Process.wait; p $?.exitstatus; trap("USR1") { puts "usr1" }; Process.kill("USR1", $$); sleep 0.05; require "json"; puts JSON.generate({a: [1, nil]}); require "socket"; UNIXServer.open("s") { |s| c = UNIXSocket.new("s"); a = s.accept; c.puts "hi"; p a.gets }; f = Fiber.new { Fiber.yield 1; 2 }; p f.resume, f.resume; require "digest"; p Digest::SHA256.hexdigest("a"); GC.start'
php -r 'echo array_sum(range(1, 10)), json_encode(["a" => [1, null]]), "\n"; echo shell_exec("echo sub"); $p = proc_open(["cat"], [["pipe", "r"], ["pipe", "w"]], $pipes); fwrite($pipes[0], "x"); fclose($pipes[0]); echo stream_get_contents($pipes[1]), proc_close($p), "\n"; file_put_contents("f", "abc"); echo filesize("f"), md5_file("f"), "\n"; function g() { yield 1; yield 2; } foreach (g() as $x) echo $x; $s = stream_socket_pair(STREAM_PF_UNIX, STREAM_SOCK_STREAM, 0); fwrite($s[0], "sock\n"); echo fgets($s[1]); $pid = pcntl_fork(); if (!$pid) exit(5); pcntl_wait($st); echo pcntl_wexitstatus($st), date("Y-m-d", 0), "\n"; try { throw new Exception("e"); } catch (Exception $e) { echo get_class($e), "\n"; }'
tclsh <<'E'
puts [expr {2**100}]; puts [exec echo sub | cat]; set l {c a b}; puts [lsort $l]; after 20 {set done 1}; vwait done; puts $done
set p [open "|cat" r+]; puts $p hi; flush $p; puts [gets $p]; close $p; catch {error bad} m; puts $m; puts [clock format 0 -gmt 1 -format %Y]; coroutine c apply {{} {yield 1; yield 2}}; puts [c]
E
guile --no-auto-compile -c '(use-modules (ice-9 popen) (ice-9 rdelim) (ice-9 threads) (srfi srfi-1)) (display (fold + 0 (iota 11))) (newline) (display (join-thread (call-with-new-thread (lambda () 42)))) (newline) (let* ((p (open-input-pipe "echo sub")) (s (read-line p))) (close-pipe p) (display s) (newline)) (display (expt 2 100)) (newline) (display (call-with-current-continuation (lambda (k) (k 5)))) (newline) (catch #t (lambda () (error "x")) (lambda (k . a) (display k))) (newline)'
luajit -e 'local s = 0 for i = 1, 1e7 do s = s + i % 7 end print(s) local ffi = require "ffi" ffi.cdef"int abs(int);" print(ffi.C.abs(-3)) print(io.popen("echo sub"):read("*a"))'
gforth -e ': f dup 1 > if dup 1- recurse * then ; 10 f . cr 2 3 + . cr s" echo sub" system bye'
sbcl --noinform --non-interactive --eval '(progn (format t "~a~%" (expt 2 100)) (print (sb-thread:join-thread (sb-thread:make-thread (lambda () 42)))) (gc :full t) (print (with-output-to-string (s) (sb-ext:run-program "/bin/echo" (list "sub") :output s))) (print (handler-case (error "x") (error () :caught))) (defun f (n) (if (< n 2) n (+ (f (- n 1)) (f (- n 2))))) (compile (quote f)) (print (f 25)) (terpri))'
echo 'let () = Printf.printf "%d\n%!" (List.fold_left (+) 0 [1;2;3]); let r, w = Unix.pipe () in if Unix.fork () = 0 then (ignore (Unix.write_substring w "child" 0 5); exit 0); let b = Bytes.create 9 in print_endline (Bytes.sub_string b 0 (Unix.read r b 0 9))' >o.ml; ocaml unix.cma o.ml
erl -noshell -eval 'io:format("~p~n", [lists:sum([X*X || X <- lists:seq(1,10)])]), P = self(), [spawn(fun() -> P ! I end) || I <- [1,2,3]], io:format("~p~n", [lists:sort([receive X -> X end || _ <- [1,2,3]])]), io:format("~s", [os:cmd("echo sub")]), halt(4).'; echo $?
END
)" --mem 3G

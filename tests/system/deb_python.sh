# SPDX-License-Identifier: MIT
# full
# timeout: 300
# python3 from its package: the standard library, subprocess, threads, asyncio over pipes and sockets, multiprocessing.
. tests/lib.sh
. tests/deb.sh

compare python python3,coreutils '
cat >a.py <<X
import asyncio, collections, decimal, fractions, hashlib, itertools, json, os, pathlib, re, select, signal, socket, sqlite3
import struct, subprocess, sys, tempfile, threading, time, zlib
print(json.dumps({"a": [1, 2.5, None, "é"]}, sort_keys=True), decimal.Decimal(1) / 7, fractions.Fraction(3, 6))
print(hashlib.sha256(b"x" * 100000).hexdigest(), zlib.crc32(b"abc"), struct.pack("<IH", 1, 2), re.findall(r"\w+", "a bc"))
print(sum(i * i for i in range(100000)), len(list(itertools.permutations(range(6)))), collections.Counter("hello").most_common(1))
with tempfile.TemporaryDirectory() as d:
    p = pathlib.Path(d, "f"); p.write_text("text"); os.link(p, str(p) + "2"); print(p.stat().st_nlink, sorted(os.listdir(d)))
c = sqlite3.connect("t.db"); c.execute("create table t(a)"); c.executemany("insert into t values(?)", [(i,) for i in range(1000)])
c.commit(); print(c.execute("select sum(a) from t").fetchone())
print(subprocess.run(["tr", "a-z", "A-Z"], input=b"shout", capture_output=True), subprocess.call(["sh", "-c", "exit 3"]))
p = subprocess.Popen(["sleep", "100"]); p.terminate(); print(p.wait())
signal.signal(signal.SIGALRM, lambda s, f: print("alarm")); signal.setitimer(signal.ITIMER_REAL, 0.05); time.sleep(0.2)
try: raise ValueError("v")
except ValueError as e: print(repr(e))
a, b = socket.socketpair(); a.sendall(b"ping"); print(b.recv(10), select.select([b], [a], [], 0)[1] == [a])
e = select.epoll(); e.register(b, select.EPOLLIN); a.send(b"x"); print(e.poll(1) == [(b.fileno(), select.EPOLLIN)])
got, lock = [], threading.Lock()
def work(n):
    for i in range(1000):
        with lock: got.append(n)
ts = [threading.Thread(target=work, args=(i,)) for i in range(4)]
[t.start() for t in ts]; [t.join() for t in ts]; print(len(got), collections.Counter(got)[3])
async def serve(r, w):
    w.write((await r.readline()).upper()); await w.drain(); w.close()
async def main():
    p = await asyncio.create_subprocess_exec("cat", stdin=-1, stdout=-1)
    print(await p.communicate(b"through a pipe"), p.returncode)
    s = await asyncio.start_unix_server(serve, "sock")
    r, w = await asyncio.open_unix_connection("sock")
    w.write(b"over a socket\n"); print(await r.read())
    print(await asyncio.gather(*(asyncio.sleep(0.01 * i, i) for i in range(5))))
    try: await asyncio.wait_for(asyncio.sleep(5), 0.05)
    except asyncio.TimeoutError: print("timeout")
asyncio.run(main())
X
cat >b.py <<X
import multiprocessing as m
def f(x): return x * x
if __name__ == "__main__":
    with m.Pool(3) as p: print(p.map(f, range(10)))
    q = m.Queue(); p = m.Process(target=q.put, args=("from a child",)); p.start(); print(q.get()); p.join(); print(p.exitcode)
    v = m.Value("i", 0); l = m.Lock()
    a, b = m.Pipe(); a.send([1, 2]); print(b.recv(), v.value)
X
python3 a.py; echo $?; python3 b.py; echo $?; python3 -c "import sys; sys.exit(4)"; echo $?
echo "print(1 + 1)" | python3; python3 -c "1/0" 2>&1 | tail -n 1' --smp 2

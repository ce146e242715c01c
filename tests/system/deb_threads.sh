# SPDX-License-Identifier: MIT
# full
# timeout: 300
# Debian's programs that use threads, on two CPUs: xz compressing and decompressing blocks at once, sort's parallel
# merge, python3's threads, locks, queues and pools.
. tests/lib.sh
. tests/deb.sh

compare threads xz-utils,coreutils,python3 '
cat >t.py <<X
import concurrent.futures, queue, signal, threading
out, lock, q = [], threading.Lock(), queue.Queue()
def work(n):
    for i in range(200):
        with lock:
            out.append(n)
ts = [threading.Thread(target=work, args=(i,)) for i in range(4)]
for t in ts: t.start()
for t in ts: t.join()
print(len(out), sorted(set(out)))
with concurrent.futures.ThreadPoolExecutor(4) as pool:
    print(sum(pool.map(lambda x: x * x, range(100))))
done = threading.Event()
threading.Timer(0.02, done.set).start()
print(done.wait(20))
def consume():
    total = 0
    while (x := q.get()) is not None:
        total += x
    print("sum", total)
c = threading.Thread(target=consume, daemon=True)
c.start()
for i in range(1000): q.put(i)
q.put(None)
c.join()
b = threading.Barrier(3)
seen = []
ts = [threading.Thread(target=lambda: seen.append(b.wait())) for i in range(3)]
for t in ts: t.start()
for t in ts: t.join()
print(sorted(seen))
signal.signal(signal.SIGUSR1, lambda *a: print("signal in", threading.current_thread().name))
t = threading.Thread(target=lambda: signal.raise_signal(signal.SIGUSR1))
t.start(); t.join()
print(threading.get_native_id() > 0, threading.active_count())
X
python3 t.py
seq 1 100000 >n
sort -R --random-source=n n >r
sort -n --parallel=4 -S 1M r | sha256sum
xz -T4 --block-size=100KiB -k n && xz -dc -T4 n.xz | sha256sum
xz -l n.xz | tail -n 1 | (read -r streams blocks rest; echo $streams $blocks)' --smp 2

# SPDX-License-Identifier: MIT
# full
# timeout: 300
# redis-server from its package on a UNIX socket: its clients, and redis-benchmark with ten connections.
. tests/lib.sh
cat >"$work/script" <<'X'
cd /tmp
redis-server --port 0 --unixsocket /tmp/r.sock --save "" >log 2>&1 &
for i in {1..100}; do sleep 0.1; redis-cli -s /tmp/r.sock ping 2>/dev/null && break; done
cli() { redis-cli -s /tmp/r.sock "$@"; }
cli set a 1; cli incr a; cli lpush l x y z; cli lrange l 0 -1; cli hset h k v; cli hgetall h; cli eval 'return redis.call("get", "a") + 40' 0
cli setex soon 1 x; sleep 1.2; cli exists soon; { echo multi; echo incr a; echo exec; } | cli
redis-benchmark -s /tmp/r.sock -n 2000 -c 10 -q -t set,get,lpush | tr '\r' '\n' | grep -c 'requests per second, p50'
cli info clients | grep -c connected_clients:1; cli shutdown nosave; wait; echo $?; ls r.sock 2>&1; grep -c 'ready to exit' log
X
status "redis" 0 ./aril run --timeout 280 --smp 2 --deb bash,coreutils,grep,redis-server,redis-tools --add "$work/script":/script -- bash /script
same "what its clients saw" "PONG OK 2 3 z y x 1 k v 42 OK 0 OK QUEUED 3 3 1 0 ls: cannot access 'r.sock': No such file or directory 1" \
	"$(tr -d '\r' <"$work/out" | tr '\n' ' ' | sed 's/ $//')"

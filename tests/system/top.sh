# SPDX-License-Identifier: MIT
# aril-top: text, JSON, live; what it says is the same by each way, and is what the machine has.
. tests/lib.sh
guest() {
	./aril run --smp 2 --mem 256M --timeout 60 -- "$@"
}
guest aril-top </dev/null >"$work/text" || fail "aril-top: status $?"
for table in '^machine +2 CPUs, 25[56] MiB' '^CPU ' '^ACCOUNT ' '^ENV ' '^FRAMES ' '^a 10001 '; do
	has "$work/text" "$table"
done
same "CPUs shown" 2 "$(grep -cE '^[01] .* [a-z.-]{64}$' "$work/text")"
# one program, two views at the same time in the same machine
guest busybox sh -c 'aril-top --json; echo ---; aril-top | busybox cat' </dev/null >"$work/both" || fail "in a shell: status $?"
sed '/^---$/,$d' "$work/both" >"$work/json"
sed '1,/^---$/d' "$work/both" >"$work/text"
python3 -m json.tool "$work/json" >/dev/null || fail "not JSON: $(head -c 300 "$work/json")"
python3 - "$work/json" "$work/text" <<'END' || fail "JSON and text differ"
import json, re, sys
books = json.load(open(sys.argv[1]))
text = open(sys.argv[2]).read()
wrong = []
def same(what, a, b):
    if a != b:
        wrong.append(f"{what}: {a} and {b}")
assert list(books) == ["machine", "cpus", "accounts", "envs", "frames", "grants"], list(books)
machine = re.search(r"machine\s+(\d+) CPUs, \d+ MiB in (\d+) frames", text)
same("CPUs", books["machine"]["cpus"], int(machine[1]))
same("CPUs listed", books["machine"]["cpus"], len(books["cpus"]))
same("frames", books["machine"]["frames"], int(machine[2]))
rows = dict(re.findall(r"^[a-z] ([0-9a-f]{5,8})\s+\S+\s+[0-9a-f]+\s+\d+/(\d+) ", text, re.M))
same("accounts", {f"{a['id']:x}": str(a["limit"]["frames"]) for a in books["accounts"]}, rows)
# every frame is in one state and somebody's or nobody's
every = books["frames"]["all"]
states = [k for k in every if k not in ("total", "bound", "bindings", "pinned")]
same("frames by state", sum(every[s] for s in states), every["total"])
same("frames by owner", books["frames"]["free"]["total"] + sum(a["frames"]["total"] for a in books["accounts"]),
     every["total"])
same("present", every["total"] - every["absent"], books["machine"]["frames"])
for a in books["accounts"]:
    if abs(a["frames"]["total"] - a["used"]["frames"]) > 64:  # they move while they are read
        wrong.append(f"account {a['id']:x} has {a['frames']['total']} frames and is charged {a['used']['frames']}")
    same(f"slices of {a['id']:x}", a["used"]["slices"],
         sum(s["account"] == a["slot"] for c in books["cpus"] for s in c["slices"]))
    same(f"envs of {a['id']:x}", a["used"]["envs"],
         sum(e["account"] == a["slot"] and e["state"] == "alive" for e in books["envs"]))
print("\n".join(wrong))
sys.exit(bool(wrong))
END
# live: ended by q, by the end of patience, by a signal; the terminal's own screen comes back
echo q | guest aril-top --live 0.2 >"$work/live" || fail "--live: status $?"
has "$work/live" '1049h.*'
has "$work/live" 'machine +2 CPUs'
tail -c 20 "$work/live" | grep -q '1049l' || fail "--live leaves the other screen on"
guest busybox sh -c 'aril-top --live 0.2 >/tmp/live &
	until [ "$(grep -ao "machine  2 CPUs" /tmp/live | wc -l)" -ge 2 ]; do sleep 0.1; done
	kill $!; wait $!; echo "status $?"; cat /tmp/live' </dev/null >"$work/live"
has "$work/live" '^.*status 0'
[ "$(grep -ao 'machine  2 CPUs' "$work/live" | wc -l)" -ge 2 ] || fail "--live shows it once only"
# the same on a terminal of 30 lines and 100 columns, ended by q and by Ctrl-C
python3 - <<'END' || fail "--live on a terminal"
import fcntl, os, pty, re, select, struct, sys, termios, time

def live(key):
    pid, fd = pty.fork()
    if pid == 0:
        os.execvp("./aril", ["./aril", "run", "--timeout", "60", "--mem", "256M", "--", "aril-top", "--live", "0.3"])
    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 100, 0, 0))
    out, sent, end = b"", False, time.time() + 60
    while time.time() < end:
        if select.select([fd], [], [], 0.2)[0]:
            try:
                got = os.read(fd, 65536)
            except OSError:  # the other end is closed
                break
            if not got:
                break
            out += got
        if not sent and out.count(b"machine  1 CPUs") >= 3:
            os.write(fd, key)
            sent = True
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    pictures = re.findall(rb"\x1b\[H(.*?)\x1b\[J", out, re.S)
    lines = [re.sub(rb"\x1b\[[?0-9;]*[A-Za-z]", b"", line) for p in pictures for line in p.split(b"\n")]
    wide = max(len(line.rstrip(b"\r")) for line in lines)
    high = max(p.count(b"\n") for p in pictures)
    if status or len(pictures) < 3 or wide > 100 or high > 29:
        sys.exit(f"key {key}: status {status}, {len(pictures)} pictures, {wide} columns, {high} lines")

live(b"q")
live(b"\x03")
END
# wrong words: one line, status 2; they are looked at before the books, so the host will do
for word in --frobnicate top "--live never" "--json --live"; do
	# shellcheck disable=SC2086
	status "$word" 2 build/aril-top $word
	[ "$(wc -l <"$work/err")" = 1 ] || fail "$word: not one line: $(cat "$work/err")"
done
for help in --help -h; do
	status "$help" 0 build/aril-top $help
	has "$work/out" "^usage: aril-top"
done
status "elsewhere than on Aril" 1 build/aril-top

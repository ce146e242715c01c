# SPDX-License-Identifier: MIT
# full
# timeout: 600
# stress-ng's stressors that apply here, one after the other, each for a second and checking itself (--verify): none fails, none is
# skipped for want of what it needs. Left out is what wants devices, networks, containers, swap, ptrace or rights to give away.
. tests/lib.sh
stressors="access affinity alarm atomic bad-altstack bigheap branch bsearch cache chdir chmod chown chroot clock close context copy-file cpu
	crypt daemon dekker dentry dev dev-shm dir dirdeep dirmany dup dynlib enosys epoll eventfd exit-group fallocate fault fcntl fifo
	filename flock forkheavy fp fpunch fsize fstat full funccall funcret futex getdent getrandom goto hash hdd heapsort hrtimers hsearch
	inode-flags inotify io ioprio itimer kcmp kill lease link list loadavg locka lockbus lockf lockofd longjmp lsearch madvise malloc matrix
	mcontend membarrier memcpy memfd mergesort mincore misaligned mknod mlock mmapaddr mmapfixed mmapfork mmapmany mprotect mq mremap msg
	msync msyncmany munmap mutex nanosleep nice nop null numa opcode open pagemove personality peterson pidfd pipe pipeherd poll prctl
	prefetch procfs pthread pty qsort radixsort readahead rename resched revio ring-pipe rlimit rmap rotate schedpolicy seal seek sem sem-sysv
	sendfile session set shellsort shm shm-sysv sigabrt sigchld sigfd sigfpe signal signest sigpending sigpipe sigq sigrt sigsegv sigsuspend
	sigtrap skiplist sleep sockfd sparsematrix splice stack stackmmap str stream switch symlink sync-file syscall sysinfo tee timer
	timerfd tlb-shootdown tmpfs touch tree tsearch urandom utime vdso vecmath vecwide vforkmany vm-addr vm-rw vm-splice wait wcs
	xattr yield zero zlib zombie"
cat >"$work/script" <<'X'
mkdir -p /tmp/stress
cd /tmp/stress
for s in $*; do
	timeout -k 1 60 stress-ng --$s 1 --$s-ops 100 -t 1 --verify >/tmp/said 2>&1
	status=$?
	if [ $status = 0 ] && ! grep -qE 'fail:|skipp|No stress workers' /tmp/said; then
		echo "ok $s"
	else
		echo "WRONG $s: status $status: $(grep -E 'fail:|error|skip|No stress' /tmp/said | head -n 3 | tr '\n' ' ')"
	fi
done
ls -A /tmp/stress | wc -l
ipcs | grep -c ^0x
X
run() {
	timeout 295 ./aril run --smp 2 --mem 1G --timeout 290 --deb stress-ng,coreutils,bash,grep,util-linux --add "$work/script:/script" -- \
		bash /script "$@" >"$work/out" 2>&1
	! grep -a WRONG "$work/out" || fail "$(grep -ac '^ok' "$work/out") went well"
	same "how many went well" $# "$(grep -ac '^ok ' "$work/out")"
	same "what is left of files, and of System V's objects" '0 0' "$(tail -n 2 "$work/out" | tr '\n' ' ' | sed 's/ $//')"
}
set -- $stressors
run "${@:1:$(($# / 2))}"
run "${@:$(($# / 2 + 1))}"

# SPDX-License-Identifier: MIT
# timeout: 300
# Every machine type, on one CPU and on several, by PVH.
. tests/lib.sh
for machine in microvm pc q35; do
	for smp in 1 2 4; do
		same "$machine, $smp CPUs" "aril $smp" "$(./aril run --timeout 60 --machine $machine --smp $smp -- busybox sh -c \
			'echo aril $(grep -c ^processor /proc/cpuinfo)' </dev/null)"
	done
	status "serial console on $machine" 0 bash -c "echo 'echo from the \$((40+2)) line; exit' |
		./aril run --timeout 60 --machine $machine --console serial -- busybox sh"
	has "$work/out" "from the 42 line"
done

# SPDX-License-Identifier: MIT
# What ./aril says of itself: sourced by it.

run_options() {
	cat <<'END'
  --add HOSTFILE[:PATH]  put a host file (or directory) into the file system, at /NAME unless PATH is given
  --root DIR             the program's file system is a snapshot of DIR; changes are discarded at the end
  --deb PKG[,PKG...]     the file system is these Debian packages, what they depend on, and dash: fetched by apt, checked
                         against its lists, unpacked without root into ~/.cache/aril/deb (PKG=VERSION for another)
  --with FAMILY.conf     start another family beside, with its own file system, memory, slices and console, as FAMILY.conf
                         says (repeat for more): lines KEY = VALUE with the keys program, argument, name, root, deb, add,
                         env, memory, swap, cpus, slices, console, log, wait, guard: docs/46
  --env K=V              set a variable of the program's environment (repeat for more)
  --smp N                number of CPUs, 1 to 16 (default 1)
  --slice-us N           microseconds of processor time per position of a slice vector, 1000 to 100000 (default 10000)
  --mem SIZE             memory, with K, M or G (default 512M, more for large --deb; at most 32G)
  --machine NAME         microvm (default), pc or q35
  --swap SIZE            a memory device of that many MiB, 1M to 256M, a power of 2, for the first program, or
                         swap space of the first family: a PCI device, so that the default machine is q35
  --accel NAME           auto (default: KVM where a real boot with it has succeeded, else TCG), tcg, kvm
  --console NAME         virtio (default) or serial: a serial line cannot say "end of input" (Ctrl-D is sent
                         instead) nor an exit status (0 if the machine ended in order); input waits
                         for the guest's first output, at most 3 s
  --boot WAY             kernel (default: QEMU loads the kernel), bios or uefi (through GRUB from an ISO image)
  --native NAME[,NAME]   also start these native programs (programs/, tests/native/, tests/adversary/) beside
  --device NAME=DEVICE   let this native program drive a device itself: rtc, or hpet (then the default machine is q35)
  --primary NAME         start this native program in place of the Linux system
  --audit                when the program has ended: check the kernel's books, destroy all domains, and check that
                         nothing of them is left; what is wrong is printed, and the status is 125
  --audit-every MS       check the kernel's books while the program runs, too, so often
  --trace                print each Linux system call on standard error, as strace does
  --trace=summary        print at the end how often each was made, how often it failed, and by which way it came:
                         as a jump, where ExOS rewrote the program, or by the kernel
  --crash                where programs crash: a line for each, and the last one's backtrace, with symbols (by gdb)
  --core FILE            programs that crash write core files (RLIMIT_CORE is not 0); the last of them is brought to FILE
  --profile FILE.svg     look at where the machine is, 200 times a second of QEMU's processor time, and write a flame
                         graph over program, ExOS and kernel
  --guard                a program's stray write into ExOS's memory faults, by the processor's protection keys: docs/46 has
                         what it costs
  --timeout S            end the machine after S seconds, with status 124
  --show                 print the QEMU command line and run nothing (its -initrd file is not kept)
  -v                     kernel and boot messages, and the time to the first instruction, on standard error
  --help                 this text
END
}

help_run() {
	cat <<-END
		usage: ./aril run [OPTION...] [-- PROGRAM ARGUMENT...]
		Boots Aril in QEMU and runs a Linux program on it (default: busybox's shell). Its standard input, output
		and exit status are this command's; 125 says that Aril itself failed, 124 the timeout. PROGRAM is looked
		up in the file system's PATH; a host file is taken over. On a terminal, Ctrl-] three times ends the machine.
	END
	run_options
}

help_build() {
	printf '%s\n' 'usage: ./aril build [VARIABLE=VALUE...] [TARGET...]' \
		'Installs what the build needs and runs make (V=1 shows commands, CC=clang takes another compiler,' \
		'WERROR=0 lets warnings pass). Targets: all (default), clean, or a file in build/.'
}

help_gdb() {
	cat <<-END
		usage: ./aril gdb [OPTION...] [--batch COMMAND...] [-- PROGRAM ARGUMENT...]
		  --program            go on until PROGRAM's main, with its symbols and its libraries'
		  --batch COMMAND...   run these gdb commands, then end
		Starts QEMU halted, with gdb attached and the symbols of the kernel and of ExOS. Commands of our own:
		aril-envs, aril-frame N, aril-space N, aril-cap ADDRESS. The program reads nothing and writes to
		standard output; the kernel's messages go to standard error.
	END
	run_options
}

help_fuzz() {
	cat <<-END
		usage: ./aril fuzz [--seconds N] [--seed S] [--smp N] [--replay] [-v]
		       ./aril fuzz --ext [--seconds N] [--seed S]
		       ./aril fuzz --linux [--seconds N] [--seed S] [--smp N] [CALL...]
		Makes random kernel calls from several envs for N seconds (default 10) of the guest's clock on 2 CPUs, and
		checks the kernel's books as it goes. S (default: by the clock) determines what each env tries; with --replay,
		on one CPU whose clock counts instructions, everything. Status 1: something was found.
		--ext: on the host, random programs against the verifier of downloaded code; what it accepts is run. At the end:
		which lines of ext/ the programs reached.
		--linux: random calls of Linux's, or only those named, made by programs without rights. CALLS_SHOW=1 says how often
		each succeeded.
	END
}

help_iso() {
	cat <<-END
		usage: ./aril iso [-o FILE] [OPTION...] [-- PROGRAM ARGUMENT...]
		Makes an image (default build/aril.iso) that boots the same system through GRUB, on BIOS and on UEFI
		machines. The program's console is virtio where the machine has one, else the first serial line.
		Only options that say what is in the file system, and --console, matter here.
	END
	run_options
}

help_ext() {
	cat <<-END
		usage: ./aril ext COMMAND...
		Boots a machine with the code authority, and does these commands in it, in order:
		  load FILE.o[:ENTRY]  verify, compile and seal an extension; where it is refused, one line says why
		  use NAME             attach it to the program that loaded it, and make it run a few times
		  list                 what is loaded: runs, instructions of handlers, stops at the budget
		  rm NAME              remove it
		Status: 1 where something was refused. ./aril build makes the shipped extensions: build/ext/*.o.
	END
}

help_coverage() {
	printf '%s\n' 'usage: ./aril coverage [--lines]   branches of kernel/ reached by tests on the host and in QEMU'
}

help_main() {
	cat <<-END
		Aril, an exokernel for x86-64, with library operating systems. Usage:

		  ./aril run [OPTION...] [-- PROGRAM ARGUMENT...]   boot in QEMU and run a Linux program (default: a shell)
		  ./aril test [PATTERN | full]                      run the tests
		  ./aril bench [SUITE... | --check | --explain METRIC]   instructions per operation and time, beside Linux
		  ./aril build                                      build only
		  ./aril ext COMMAND...                             downloaded code: load, use, list, rm
		  ./aril fuzz [--seconds N] [--seed S]              random kernel calls, the books checked as it goes
		  ./aril coverage [--lines]                         branches of the kernel that tests reach
		  ./aril prove [--quick] [--only NAME]              soundness of the verifier's arithmetic, by Z3
		  ./aril gdb [OPTION...]                            QEMU halted, gdb attached
		  ./aril iso [-o FILE]                              an image for BIOS and UEFI machines

		Each has --help.
	END
}

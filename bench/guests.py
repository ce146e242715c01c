# SPDX-License-Identifier: MIT
"""The two systems that the same static Linux program runs on: Aril, and Debian's Linux as packaged; in the same QEMU with the
same flags, counting instructions."""
import functools
import hashlib
import json
import os
import re
import select
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BUILD = Path(os.environ.get("ARIL_BUILD", ROOT / "build"))
MADE = Path(os.environ.get("ARIL_BENCH", ROOT / "build" / "bench"))  # for tests: made anew somewhere else
PROGRAM = MADE / "unix"
COMPILE = ["gcc", "-O2", "-static", "-pthread"]
FLAGS = ["-M", "q35", "-accel", "tcg", "-icount", "shift=0,sleep=off", "-cpu", "max,-erms,-fsrm", "-smp", "1", "-m", "512M"]
SILENCE = 400  # seconds without a line, behind which a guest is taken to hang (a machine with other work boots slowly)


class Unavailable(Exception):
    """Why a side is not there, in a line."""


ONCE = threading.RLock()  # sides are measured at the same time
RUNNING = set()  # guests, so that they end with this program
STOPPED = threading.Event()


def stop():
    """Ends what runs; what is measured meanwhile ends with Unavailable."""
    STOPPED.set()
    for process in list(RUNNING):
        process.terminate()


def once(function):
    """Made once in a run, whoever asks first."""
    made = []

    @functools.wraps(function)
    def ask():
        with ONCE:
            if not made:
                made.append(function())
            return made[0]
    return ask


def said(*command):
    """What a command says; Unavailable where it fails."""
    try:
        done = subprocess.run(command, cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=240, check=False)
    except (FileNotFoundError, subprocess.TimeoutExpired) as error:
        raise Unavailable(f"{command[0]}: {error}") from None
    if done.returncode:
        raise Unavailable(f"{' '.join(command[:3])}: {(done.stderr.strip() or 'failed').splitlines()[-1]}")
    return done.stdout


KERNELS = ("checksum", "parse", "hash", "bits", "sort", "search", "crc", "histogram", "fold", "product")  # of bench/ext


def sources():
    return sorted(p for d in ("unix", "unix/ebpf", "ext") for p in (ROOT / "bench" / d).glob("*.[ch]"))


@once
def program_sha256():
    """Of what the benchmark is built from."""
    return hashlib.sha256(b"".join(p.read_bytes() for p in sources())).hexdigest()


@once
def program():
    """The benchmark, built where it is older than its source."""
    if not PROGRAM.exists() or PROGRAM.stat().st_mtime < max(s.stat().st_mtime for s in sources()):
        MADE.mkdir(parents=True, exist_ok=True)
        new = MADE / f"unix.{os.getpid()}"
        with tempfile.TemporaryDirectory(dir=MADE) as objects:
            for kernel in ("nothing", *KERNELS):
                what = [] if kernel == "nothing" else [f'-DKERNEL_SOURCE="{ROOT / "bench" / "ext" / kernel}.c"']
                said("clang", "-O2", "-target", "bpf", "-mcpu=v3", "-I/usr/include/x86_64-linux-gnu", *what, "-c", "-o", f"{objects}/{kernel}.o",
                     str(ROOT / "bench" / "unix" / "ebpf" / "kernel.bpf.c"))
            said(*COMPILE, f'-DEBPF_OBJECTS="{objects}/"', "-o", str(new), *(str(s) for s in sources() if s.parent.name == "unix" and s.suffix == ".c"))
        new.replace(PROGRAM)
    return PROGRAM


WALL = ["-M", "q35", "-accel", "tcg,thread=multi", "-cpu", "max,-erms,-fsrm,-pku", "-smp", "1", "-m", "512M"]


@once
def toolchain():
    """A file system with the benchmark, busybox and this machine's gcc with what it needs to compile bench/unix/compiled: the same
    files for both sides."""
    tree, source = MADE / "tree", ROOT / "bench" / "unix" / "compiled" / "program.c"
    if not shutil.which("gcc"):
        raise Unavailable("no gcc on this machine for c_compile")
    gcc = [line for line in said("gcc", "-print-search-dirs").splitlines() if line.startswith("install:")][0].split()[1]
    tools = {"/usr/bin/gcc": shutil.which("gcc"), "/usr/bin/as": shutil.which("as"), "/usr/bin/ld": shutil.which("ld")}
    for name in ("cc1", "collect2", "lto-wrapper", "liblto_plugin.so", "crtbeginS.o", "crtendS.o", "libgcc.a", "libgcc_s.so"):
        tools[f"{gcc}{name}"] = said("gcc", f"-print-file-name={name}" if "." in name else f"-print-prog-name={name}").strip()
    for name in ("Scrt1.o", "crti.o", "crtn.o", "libc.so", "libc_nonshared.a"):
        tools[f"/usr/lib/x86_64-linux-gnu/{name}"] = said("gcc", f"-print-file-name={name}").strip()
    tools["/lib/x86_64-linux-gnu/libgcc_s.so.1"] = said("gcc", "-print-file-name=libgcc_s.so.1").strip()
    for host in [tools[k] for k in ("/usr/bin/gcc", "/usr/bin/as", "/usr/bin/ld", f"{gcc}cc1", f"{gcc}collect2", f"{gcc}liblto_plugin.so")]:
        for library in re.findall(r"(?:=> )?(/\S+) \(0x", said("ldd", host)):
            tools[library] = library
    tools["/lib/x86_64-linux-gnu/libc.so.6"] = "/lib/x86_64-linux-gnu/libc.so.6"
    for header in re.findall(r"/\S+\.h", said("gcc", "-O2", "-M", str(source))):
        tools[header] = header
    wanted = {**tools, "/src/program.c": str(source), "/bench": str(program()), "/bin/busybox": "/bin/busybox"}
    shutil.rmtree(tree, ignore_errors=True)
    for path in ("/tmp", "/dev", "/proc"):
        (tree / path[1:]).mkdir(parents=True)
    for path, host in wanted.items():
        if not Path(host).is_file():
            raise Unavailable(f"c_compile needs {path}, which is not on this machine")
        # /lib, /lib64 and the like are links into /usr on Debian; here each path is its own
        to = tree / os.path.normpath(path)[1:]
        to.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(Path(host).resolve(), to)
    return tree


@once
def plain():
    """A file system of the benchmark and busybox, the same for both sides: a path from this machine would be in the program's
    arguments and among ExOS's names, and some figures would depend on where the project lies."""
    tree = MADE / "plain"
    for path in ("bin", "tmp", "dev", "proc"):
        (tree / path).mkdir(parents=True, exist_ok=True)
    for path, host in (("bench", program()), ("bin/busybox", Path("/bin/busybox"))):
        new = tree / f"{path}.{os.getpid()}"
        shutil.copy(host, new)
        new.replace(tree / path)
    return tree


class Aril:
    """guard: with `./aril run --guard`, by which the library's memory is shut while the program runs."""
    name = "aril"

    def __init__(self, wall=False, guard=False):
        self.wall, self.guard = wall, guard
        if guard:
            self.name = "guard"

    @staticmethod
    def has_guard():
        return re.search(r"^ *--guard\b", said(str(ROOT / "aril"), "run", "--help"), re.M) is not None

    def command(self, words, tree=None):
        return [str(ROOT / "aril"), "run", "--machine", "q35", "--mem", "512M", "--accel", "tcg", "--timeout", "1200",
                *["--guard"] * self.guard, "--root", str(tree or plain()), "--", "/bench", *words]

    def environment(self):
        # the guard is of protection keys: no figure without them
        cpu = f"max,-erms,-fsrm{'' if self.guard else ',-pku'}"
        more = {"ARIL_QEMU_ARGS": f"{os.environ.get('ARIL_QEMU_ARGS', '')} -cpu {cpu}"} if self.wall else {"ARIL_ICOUNT": "1"}
        return {**os.environ, **more}

    def version(self):
        if not (ROOT / ".git").exists():
            return {}
        changed = said("git", "status", "--porcelain", "-uno", "--", ".", ":!bench/results", ":!docs/results").strip()
        return {"commit": said("git", "rev-parse", "--short", "HEAD").strip() + "-dirty" * bool(changed)}

    def image_bytes(self):
        """Kernel, first program and library: what must be there before a Linux program runs."""
        return sum((BUILD / f).stat().st_size for f in ("aril.elf", "init.elf", "exos"))


class Linux:
    """From its package, which apt fetches once, and a file system of the benchmark and busybox."""
    name = "linux"

    def __init__(self, wall=False, parameters=""):
        self.flags, self.parameters = WALL if wall else FLAGS, parameters
        if parameters:
            self.name = "linux_off"
        self.fetch()

    def fetch(self):
        self.at = MADE / "linux"
        self.at.mkdir(parents=True, exist_ok=True)
        if not self.package():
            depends = re.search(r"Depends: (linux-image-\S+)", said("apt-cache", "depends", "linux-image-amd64"))
            if not depends:
                raise Unavailable("apt knows no linux-image-amd64: apt-get update")
            print(f"aril bench: fetching {depends[1]} into {self.at}", file=sys.stderr)
            subprocess.run(["apt-get", "-qq", "download", depends[1]], cwd=self.at, stdin=subprocess.DEVNULL,
                           stderr=subprocess.DEVNULL, timeout=600, check=False)
        deb = self.package()
        if not deb:
            raise Unavailable("apt could not download linux-image-amd64")
        self.kernel = self.at / "vmlinuz"
        about = self.at / "about.json"
        if not self.kernel.exists() or not about.exists():
            name = said("dpkg-deb", "-f", str(deb), "Package").strip().removeprefix("linux-image-")
            with subprocess.Popen(["dpkg-deb", "--fsys-tarfile", str(deb)], stdout=subprocess.PIPE) as tar:
                image = subprocess.run(["tar", "-xOf", "-", f"./boot/vmlinuz-{name}"], stdin=tar.stdout, capture_output=True, check=False)
            if not image.stdout:
                raise Unavailable(f"{deb.name} has no vmlinuz")
            self.kernel.write_bytes(image.stdout)
            about.write_text(json.dumps({"package": deb.name, "version": said("dpkg-deb", "-f", str(deb), "Version").strip(),
                                         "sha256": hashlib.sha256(deb.read_bytes()).hexdigest()}) + "\n")
        self.about = json.loads(about.read_text())

    def package(self):
        return next(iter(sorted(self.at.glob("linux-image-*.deb"))), None)

    def command(self, words, tree=None):
        archive = self.at / f"initramfs.{self.name}{'.tree' if tree else ''}"
        subprocess.run([str(BUILD / "mkcpio"), str(archive)], input=f"t\0/\0{tree or plain()}\0".encode(), check=True)
        return ["qemu-system-x86_64", *self.flags, "-vga", "none", "-no-reboot", "-display", "none", "-nodefaults", "-no-user-config",
                "-monitor", "none", "-serial", "stdio", "-kernel", str(self.kernel), "-initrd", str(archive), "-append",
                f"console=ttyS0 quiet panic=-1 {self.parameters} rdinit=/bench -- --init {' '.join(words)}"]

    def environment(self):
        return dict(os.environ)

    def version(self):
        return self.about

    def image_bytes(self):
        return self.kernel.stat().st_size


class Lean(Linux):
    """Linux as small as the benchmark allows (bench/lean.config), built once from Debian's source package: the harder rival."""
    name = "lean"

    def fetch(self):
        self.at = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "aril" / "lean"
        self.at.mkdir(parents=True, exist_ok=True)
        config = ROOT / "bench" / "lean.config"
        key = hashlib.sha256(config.read_bytes()).hexdigest()
        self.kernel, about = self.at / "bzImage", self.at / "about.json"
        if not self.kernel.exists() or not about.exists() or json.loads(about.read_text())["config"] != key:
            about.unlink(missing_ok=True)
            self.tools()
            deb = self.source()
            tree = self.unpacked(deb)
            self.built(tree, config)
            about.write_text(json.dumps({"package": deb.name, "version": said("dpkg-deb", "-f", str(deb), "Version").strip(),
                                         "sha256": hashlib.sha256(deb.read_bytes()).hexdigest(), "config": key,
                                         "compiler": said("gcc", "--version").splitlines()[0]}) + "\n")
        self.about = json.loads(about.read_text())

    def source(self):
        found = next(iter(sorted(self.at.glob("linux-source-*.deb"))), None)
        if found:
            return found
        depends = re.search(r"Depends: (linux-source-\S+)", said("apt-cache", "depends", "linux-source"))
        if not depends:
            raise Unavailable("apt knows no linux-source: apt-get update")
        print(f"aril bench: fetching {depends[1]} into {self.at}", file=sys.stderr)
        subprocess.run(["apt-get", "-qq", "download", depends[1]], cwd=self.at, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                       timeout=900, check=False)
        found = next(iter(sorted(self.at.glob("linux-source-*.deb"))), None)
        if not found:
            raise Unavailable("apt could not download linux-source")
        return found

    def unpacked(self, deb):
        """The source's directory: tar in the package, compressed, in a tar."""
        trees = sorted(p for p in self.at.glob("linux-source-*") if p.is_dir())
        if trees:
            return trees[0]
        name = said("dpkg-deb", "-f", str(deb), "Package").strip()
        temporary = self.at / "unpacking"
        temporary.mkdir(exist_ok=True)
        with subprocess.Popen(["dpkg-deb", "--fsys-tarfile", str(deb)], stdout=subprocess.PIPE) as outer, \
                subprocess.Popen(["tar", "-xOf", "-", f"./usr/src/{name}.tar.xz"], stdin=outer.stdout, stdout=subprocess.PIPE) as inner:
            done = subprocess.run(["tar", "-xJf", "-", "-C", str(temporary)], stdin=inner.stdout, check=False)
        if done.returncode or not (temporary / name).is_dir():
            raise Unavailable(f"{deb.name} has no {name}.tar.xz that can be unpacked")
        return (temporary / name).rename(self.at / name)

    def tools(self):
        for tool in ("flex", "bison", "bc"):
            if not shutil.which(tool):
                raise Unavailable(f"the lean Linux needs {tool} to be built: apt-get install {tool}")
        if not Path("/usr/include/gelf.h").exists():
            raise Unavailable("the lean Linux needs libelf to be built: apt-get install libelf-dev")

    def built(self, tree, config):
        print(f"aril bench: building the lean Linux, once; {tree}.log", file=sys.stderr)
        make = ["make", "-C", str(tree), f"-j{os.cpu_count()}"]
        with open(f"{tree}.log", "w", encoding="utf-8") as log:
            for words in (["tinyconfig"], ["olddefconfig"], ["bzImage"]):
                if subprocess.run([*make, *words], stdin=subprocess.DEVNULL, stdout=log, stderr=log, check=False).returncode:
                    raise Unavailable(f"the lean Linux could not be built: {tree}.log")
                if words == ["tinyconfig"]:
                    with open(tree / ".config", "a", encoding="utf-8") as made:
                        made.write(config.read_text())
        missing = [w for w in re.findall(r"^(CONFIG_\w+=.*)$", config.read_text(), re.M) if w not in (tree / ".config").read_text().splitlines()]
        if missing:
            raise Unavailable(f"this source does not take {', '.join(missing)}: bench/lean.config")
        shutil.copyfile(tree / "arch" / "x86" / "boot" / "bzImage", self.kernel)


def lines(side, words, tree=None):
    """What a guest prints, line by line, until it ends or says nothing for long."""
    process = subprocess.Popen(side.command(words, tree), cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.DEVNULL, env=side.environment())
    RUNNING.add(process)
    rest = b""
    try:
        while not STOPPED.is_set() and select.select([process.stdout], [], [], SILENCE)[0]:
            got = os.read(process.stdout.fileno(), 65536)
            if not got:
                return
            *whole, rest = (rest + got).split(b"\n")
            for line in whole:
                yield line.decode(errors="replace").strip()
    finally:
        RUNNING.discard(process)
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(timeout=5)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def measure(side, names, tree=None):
    """{metric: {"min", "median"} or {"refused": errno}, {"died": signal}, {"hangs": true}}; a metric that the guest does not come
    back from costs that guest: the others go on in another."""
    found, left = {}, list(names)
    began = time.monotonic()
    while left:
        current = None
        over = False
        for line in lines(side, [",".join(left)], tree):
            match = re.match(r"bench (\w+) (started|refused|died|\d+)(?: (\d+))?$", line)
            over |= line == "bench done"
            if not match:
                continue
            name, what, value = match.groups()
            if what == "started":
                current = name
                progress(f"{name}, {len(found)} of {len(names)}, {time.monotonic() - began:.0f} s", side.name)
            elif what in ("refused", "died"):
                found[name] = {what: int(value)}
            else:
                found[name] = {"min": int(what) / 10, "median": int(value) / 10}
        progress("", side.name)
        if STOPPED.is_set():
            raise Unavailable("stopped")
        left = [n for n in left if n not in found]
        if over or not left:
            break
        if current is None or current in found:
            raise Unavailable(f"{side.name}: the guest does not boot, or ended early")
        found[current] = {"hangs": True}
        left.remove(current)
    return found


SIZES = (16, 24, 32, 48, 64, 96, 128, 192, 256, 512)  # MiB


def least_memory(side):
    """The least of SIZES with which the guest comes to the program's main, by halving: with more it does, too."""
    def works(size):
        progress(f"{size} MiB", side.name)
        command = [f"{size}M" if w == "512M" else w for w in side.command(["rdtsc"])]
        try:
            done = subprocess.run(command, cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, timeout=SILENCE, env=side.environment(), check=False)
        except subprocess.TimeoutExpired:
            return False
        return b"bench done" in done.stdout

    low, high = 0, len(SIZES)  # below low it does not, from high on it does
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if works(SIZES[middle]) else (middle + 1, high)
    progress("", side.name)
    return SIZES[low] if low < len(SIZES) else None


SHOWN = {}


def progress(text, who=""):
    """One line for all that are measured now."""
    with ONCE:
        SHOWN[who] = text
        if sys.stderr.isatty():
            line = " | ".join(f"{w}: {t}" if w else t for w, t in SHOWN.items() if t)
            print(f"\r\033[K{line[:shutil.get_terminal_size().columns - 1]}", end="", file=sys.stderr, flush=True)

/* SPDX-License-Identifier: MIT
 * The names of /proc. */
#include "ipc.h"
#include "procfs.h"

#define TEXT(name, text)                                       \
	{                                                      \
		name, KIND_TEXT, S_IFREG | 0444, text, NULL, 0 \
	}
/* Of a process: for those who may look into it. */
#define INNER(name, mode, text)                                  \
	{                                                        \
		name, KIND_TEXT, S_IFREG | (mode), text, NULL, 1 \
	}
#define VALUE(name, value)                                                    \
	{                                                                     \
		name, KIND_TEXT, S_IFREG | 0444, proc_text_value, NULL, value \
	}
#define LINK(name, kind)                                  \
	{                                                 \
		name, kind, S_IFLNK | 0777, NULL, NULL, 0 \
	}
#define DIRECTORY(name, kind, mode, dir)                   \
	{                                                  \
		name, kind, S_IFDIR | (mode), NULL, dir, 0 \
	}
#define NAMES(of)                   \
	{                           \
		of, array_count(of) \
	}

static const struct proc_name process_names[] = {
	DIRECTORY("fd", KIND_FD, 0500, NULL),
	DIRECTORY("fdinfo", KIND_FDINFO, 0500, NULL),
	DIRECTORY("task", KIND_TASK, 0555, NULL),
	LINK("exe", KIND_EXE),
	LINK("cwd", KIND_CWD),
	LINK("root", KIND_ROOT_LINK),
	TEXT("cmdline", proc_text_cmdline),
	INNER("environ", 0400, proc_text_environ),
	INNER("maps", 0444, proc_text_maps),
	INNER("smaps", 0444, proc_text_smaps),
	INNER("smaps_rollup", 0444, proc_text_smaps_rollup),
	TEXT("stat", proc_text_stat),
	TEXT("statm", proc_text_statm),
	TEXT("status", proc_text_status),
	{"comm", KIND_TEXT, S_IFREG | 0644, proc_text_comm, NULL, 0},
	TEXT("limits", proc_text_limits),
	TEXT("mounts", proc_text_mounts),
	TEXT("mountinfo", proc_text_mountinfo),
	TEXT("cgroup", proc_text_cgroup),
	TEXT("wchan", proc_text_wchan),
	TEXT("personality", proc_text_personality),
	TEXT("oom_score", proc_text_oom_score),
};
const struct proc_dir proc_process_dir = NAMES(process_names);
const struct proc_name proc_fdinfo_name = TEXT("fdinfo", proc_text_fdinfo);

static const struct proc_name random_names[] = {
	TEXT("boot_id", proc_text_boot_id),
	TEXT("uuid", proc_text_uuid),
	VALUE("entropy_avail", 256),
	VALUE("poolsize", 256),
};
static const struct proc_dir random_dir = NAMES(random_names);
static const struct proc_name kernel_names[] = {
	DIRECTORY("random", KIND_DIR, 0555, &random_dir),
	TEXT("ostype", proc_text_ostype),
	TEXT("osrelease", proc_text_osrelease),
	TEXT("version", proc_text_osversion),
	TEXT("hostname", proc_text_hostname),
	TEXT("domainname", proc_text_domainname),
	TEXT("core_pattern", proc_text_core_pattern),
	TEXT("sem", proc_text_sem_limits),
	VALUE("shmmax", SHM_MAX),
	VALUE("shmall", SHM_ALL),
	VALUE("shmmni", SHM_SEGMENTS),
	VALUE("shm_rmid_forced", 0),
	VALUE("msgmax", MSG_MAX),
	VALUE("msgmnb", MSG_QUEUE_BYTES),
	VALUE("msgmni", MSG_QUEUES),
	VALUE("pid_max", 32768),
	VALUE("threads-max", 32768),
	VALUE("ngroups_max", 32),
	VALUE("cap_last_cap", 40),
	VALUE("overflowuid", 65534),
	VALUE("overflowgid", 65534),
	VALUE("randomize_va_space", 0),
};
static const struct proc_dir kernel_dir = NAMES(kernel_names);
static const struct proc_name vm_names[] = {
	VALUE("overcommit_memory", 1),
	VALUE("mmap_min_addr", 65536),
	VALUE("max_map_count", 2147483647),
};
static const struct proc_dir vm_dir = NAMES(vm_names);
static const struct proc_name mqueue_names[] = {
	VALUE("msg_default", MQ_MESSAGES),  VALUE("msg_max", MQ_MESSAGES),
	VALUE("msgsize_default", MQ_BYTES), VALUE("msgsize_max", MQ_BYTES),
	VALUE("queues_max", MQ_QUEUES),
};
static const struct proc_dir mqueue_dir = NAMES(mqueue_names);
static const struct proc_name fs_names[] = {
	DIRECTORY("mqueue", KIND_DIR, 0555, &mqueue_dir),
	TEXT("file-nr", proc_text_file_nr),
	VALUE("file-max", 9223372036854775807),
	VALUE("nr_open", 1048576),
	VALUE("pipe-max-size", 1048576),
};
static const struct proc_dir fs_dir = NAMES(fs_names);
static const struct proc_name sys_names[] = {
	DIRECTORY("fs", KIND_DIR, 0555, &fs_dir),
	DIRECTORY("kernel", KIND_DIR, 0555, &kernel_dir),
	DIRECTORY("vm", KIND_DIR, 0555, &vm_dir),
};
static const struct proc_dir sys_dir = NAMES(sys_names);
static const struct proc_name sysvipc_names[] = {
	TEXT("msg", proc_text_msg),
	TEXT("sem", proc_text_sem),
	TEXT("shm", proc_text_shm),
};
static const struct proc_dir sysvipc_dir = NAMES(sysvipc_names);
static const struct proc_name tty_names[] = {
	TEXT("drivers", proc_text_tty_drivers),
};
static const struct proc_dir tty_dir = NAMES(tty_names);

static const struct proc_name net_names[] = {
	TEXT("unix", proc_text_unix),
};
static const struct proc_dir net_dir = NAMES(net_names);

static const struct proc_name root_names[] = {
	LINK("self", KIND_SELF),
	LINK("thread-self", KIND_THREAD_SELF),
	LINK("mounts", KIND_MOUNTS),
	DIRECTORY("sys", KIND_DIR, 0555, &sys_dir),
	DIRECTORY("sysvipc", KIND_DIR, 0555, &sysvipc_dir),
	DIRECTORY("net", KIND_DIR, 0555, &net_dir),
	DIRECTORY("tty", KIND_DIR, 0555, &tty_dir),
	TEXT("meminfo", proc_text_meminfo),
	TEXT("exos_idle", proc_text_idle),
	TEXT("uptime", proc_text_uptime),
	TEXT("cpuinfo", proc_text_cpuinfo),
	TEXT("version", proc_text_version),
	TEXT("stat", proc_text_machine_stat),
	TEXT("vmstat", proc_text_vmstat),
	TEXT("loadavg", proc_text_loadavg),
	TEXT("filesystems", proc_text_filesystems),
	TEXT("cmdline", proc_text_command_line),
	TEXT("swaps", proc_text_swaps),
	TEXT("partitions", proc_text_partitions),
	TEXT("devices", proc_text_devices),
};
const struct proc_dir proc_root_dir = NAMES(root_names);

/* ---- /sys: what programs ask of the processors ---- */
static const struct proc_name cpu_names[] = {
	TEXT("online", proc_text_online),
	TEXT("possible", proc_text_processors),
	TEXT("present", proc_text_processors),
};
static const struct proc_dir cpu_dir = NAMES(cpu_names);
static const struct proc_name system_names[] = {
	DIRECTORY("cpu", KIND_DIR, 0555, &cpu_dir),
};
static const struct proc_dir system_dir = NAMES(system_names);
static const struct proc_name devices_names[] = {
	DIRECTORY("system", KIND_DIR, 0555, &system_dir),
};
static const struct proc_dir devices_dir = NAMES(devices_names);
static const struct proc_name sysfs_names[] = {
	DIRECTORY("devices", KIND_DIR, 0555, &devices_dir),
};
static const struct proc_dir sysfs_dir = NAMES(sysfs_names);
const struct proc_name proc_sysfs_name = DIRECTORY("sys", KIND_DIR, 0555, &sysfs_dir);

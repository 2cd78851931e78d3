/* SPDX-License-Identifier: GPL-2.0-only */
/* The names of config.json and their numbers. */
#include "bundle/names.h"

#include <string.h>
#include <sys/resource.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* In the order of linux/capability.h, which is ABI. */
static const char *const cap_names[] = {
	"CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_DAC_READ_SEARCH", "CAP_FOWNER", "CAP_FSETID",
	"CAP_KILL", "CAP_SETGID", "CAP_SETUID", "CAP_SETPCAP", "CAP_LINUX_IMMUTABLE",
	"CAP_NET_BIND_SERVICE", "CAP_NET_BROADCAST", "CAP_NET_ADMIN", "CAP_NET_RAW",
	"CAP_IPC_LOCK", "CAP_IPC_OWNER", "CAP_SYS_MODULE", "CAP_SYS_RAWIO", "CAP_SYS_CHROOT",
	"CAP_SYS_PTRACE", "CAP_SYS_PACCT", "CAP_SYS_ADMIN", "CAP_SYS_BOOT", "CAP_SYS_NICE",
	"CAP_SYS_RESOURCE", "CAP_SYS_TIME", "CAP_SYS_TTY_CONFIG", "CAP_MKNOD", "CAP_LEASE",
	"CAP_AUDIT_WRITE", "CAP_AUDIT_CONTROL", "CAP_SETFCAP", "CAP_MAC_OVERRIDE",
	"CAP_MAC_ADMIN", "CAP_SYSLOG", "CAP_WAKE_ALARM", "CAP_BLOCK_SUSPEND", "CAP_AUDIT_READ",
	"CAP_PERFMON", "CAP_BPF", "CAP_CHECKPOINT_RESTORE",
};

static const char *const rlimit_names[] = {
	[RLIMIT_CPU] = "RLIMIT_CPU",
	[RLIMIT_FSIZE] = "RLIMIT_FSIZE",
	[RLIMIT_DATA] = "RLIMIT_DATA",
	[RLIMIT_STACK] = "RLIMIT_STACK",
	[RLIMIT_CORE] = "RLIMIT_CORE",
	[RLIMIT_RSS] = "RLIMIT_RSS",
	[RLIMIT_NPROC] = "RLIMIT_NPROC",
	[RLIMIT_NOFILE] = "RLIMIT_NOFILE",
	[RLIMIT_MEMLOCK] = "RLIMIT_MEMLOCK",
	[RLIMIT_AS] = "RLIMIT_AS",
	[RLIMIT_LOCKS] = "RLIMIT_LOCKS",
	[RLIMIT_SIGPENDING] = "RLIMIT_SIGPENDING",
	[RLIMIT_MSGQUEUE] = "RLIMIT_MSGQUEUE",
	[RLIMIT_NICE] = "RLIMIT_NICE",
	[RLIMIT_RTPRIO] = "RLIMIT_RTPRIO",
	[RLIMIT_RTTIME] = "RLIMIT_RTTIME",
};

static const char *const ns_names[BUNDLE_NS_TYPES] = {
	[BUNDLE_NS_PID] = "pid",
	[BUNDLE_NS_NETWORK] = "network",
	[BUNDLE_NS_MOUNT] = "mount",
	[BUNDLE_NS_IPC] = "ipc",
	[BUNDLE_NS_UTS] = "uts",
	[BUNDLE_NS_USER] = "user",
	[BUNDLE_NS_CGROUP] = "cgroup",
	[BUNDLE_NS_TIME] = "time",
};

static const char *const hook_names[BUNDLE_HOOK_KINDS] = {
	[BUNDLE_HOOK_PRESTART] = "prestart",
	[BUNDLE_HOOK_CREATE_RUNTIME] = "createRuntime",
	[BUNDLE_HOOK_CREATE_CONTAINER] = "createContainer",
	[BUNDLE_HOOK_START_CONTAINER] = "startContainer",
	[BUNDLE_HOOK_POSTSTART] = "poststart",
	[BUNDLE_HOOK_POSTSTOP] = "poststop",
};

static int name_number(const char *const *names, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(names[i], name) == 0)
			return (int)i;
	return -1;
}

int bundle_cap_number(const char *name)
{
	return name_number(cap_names, COUNT(cap_names), name);
}

const char *bundle_cap_name(unsigned int number)
{
	return number < COUNT(cap_names) ? cap_names[number] : NULL;
}

int bundle_rlimit_number(const char *name)
{
	return name_number(rlimit_names, COUNT(rlimit_names), name);
}

const char *bundle_rlimit_name(int resource)
{
	if (resource < 0 || (size_t)resource >= COUNT(rlimit_names))
		return NULL;
	return rlimit_names[resource];
}

int bundle_ns_number(const char *name)
{
	return name_number(ns_names, COUNT(ns_names), name);
}

const char *bundle_ns_name(enum bundle_ns_type type)
{
	return ns_names[type];
}

const char *bundle_hook_name(enum bundle_hook_kind kind)
{
	return hook_names[kind];
}

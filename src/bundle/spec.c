/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The config.json that `runnc spec` prints.
 *
 * Valid for any OCI runtime, so that a bundle can be tried in each: the capabilities, limits,
 * mounts and paths are those every runtime's `spec` agrees on. For a Nabla container it needs
 * nothing more: what kind of guest, how much memory and how the network is joined have defaults.
 */
#include <errno.h>

#include "bundle/bundle.h"

#define SPEC_CAPS "[ \"CAP_AUDIT_WRITE\", \"CAP_KILL\", \"CAP_NET_BIND_SERVICE\" ]"

static const char spec_process[] =
	"{\n"
	"  \"ociVersion\": \"1.0.2\",\n"
	"  \"process\": {\n"
	"    \"terminal\": true,\n"
	"    \"user\": { \"uid\": 0, \"gid\": 0 },\n"
	"    \"args\": [ \"sh\" ],\n"
	"    \"env\": [\n"
	"      \"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\",\n"
	"      \"TERM=xterm\"\n"
	"    ],\n"
	"    \"cwd\": \"/\",\n"
	"    \"capabilities\": {\n"
	"      \"bounding\": " SPEC_CAPS ",\n"
	"      \"effective\": " SPEC_CAPS ",\n"
	"      \"permitted\": " SPEC_CAPS "\n"
	"    },\n"
	"    \"rlimits\": [ { \"type\": \"RLIMIT_NOFILE\", \"hard\": 1024, \"soft\": 1024 } ],\n"
	"    \"noNewPrivileges\": true\n"
	"  },\n"
	"  \"root\": { \"path\": \"rootfs\", \"readonly\": true },\n"
	"  \"hostname\": \"runnc\",\n";

static const char spec_mounts[] =
	"  \"mounts\": [\n"
	"    { \"destination\": \"/proc\", \"type\": \"proc\", \"source\": \"proc\" },\n"
	"    { \"destination\": \"/dev\", \"type\": \"tmpfs\", \"source\": \"tmpfs\",\n"
	"      \"options\": [ \"nosuid\", \"strictatime\", \"mode=755\", \"size=65536k\" ] },\n"
	"    { \"destination\": \"/dev/pts\", \"type\": \"devpts\", \"source\": \"devpts\",\n"
	"      \"options\": [ \"nosuid\", \"noexec\", \"newinstance\", \"ptmxmode=0666\","
		" \"mode=0620\"%s ] },\n"
	"    { \"destination\": \"/dev/shm\", \"type\": \"tmpfs\", \"source\": \"shm\",\n"
	"      \"options\": [ \"nosuid\", \"noexec\", \"nodev\", \"mode=1777\","
		" \"size=65536k\" ] },\n"
	"    { \"destination\": \"/dev/mqueue\", \"type\": \"mqueue\", \"source\": \"mqueue\",\n"
	"      \"options\": [ \"nosuid\", \"noexec\", \"nodev\" ] },\n"
	"%s"
	"  ],\n";

static const char spec_sys[] =
	"    { \"destination\": \"/sys\", \"type\": \"sysfs\", \"source\": \"sysfs\",\n"
	"      \"options\": [ \"nosuid\", \"noexec\", \"nodev\", \"ro\" ] }\n";

/* A user namespace without a network namespace of its own may not mount sysfs. */
static const char spec_sys_rootless[] =
	"    { \"destination\": \"/sys\", \"type\": \"none\", \"source\": \"/sys\",\n"
	"      \"options\": [ \"rbind\", \"nosuid\", \"noexec\", \"nodev\", \"ro\" ] }\n";

static const char spec_linux[] =
	"  \"linux\": {\n"
	"    \"resources\": { \"devices\": [ { \"allow\": false, \"access\": \"rwm\" } ] },\n"
	"    \"namespaces\": [\n"
	"      { \"type\": \"pid\" },\n"
	"      { \"type\": \"network\" },\n"
	"      { \"type\": \"ipc\" },\n"
	"      { \"type\": \"uts\" },\n"
	"      { \"type\": \"mount\" }\n"
	"    ],\n";

static const char spec_linux_rootless[] =
	"  \"linux\": {\n"
	"    \"uidMappings\": [ { \"containerID\": 0, \"hostID\": %u, \"size\": 1 } ],\n"
	"    \"gidMappings\": [ { \"containerID\": 0, \"hostID\": %u, \"size\": 1 } ],\n"
	"    \"namespaces\": [\n"
	"      { \"type\": \"pid\" },\n"
	"      { \"type\": \"ipc\" },\n"
	"      { \"type\": \"uts\" },\n"
	"      { \"type\": \"mount\" },\n"
	"      { \"type\": \"user\" }\n"
	"    ],\n";

static const char spec_paths[] =
	"    \"maskedPaths\": [\n"
	"      \"/proc/acpi\",\n"
	"      \"/proc/asound\",\n"
	"      \"/proc/kcore\",\n"
	"      \"/proc/keys\",\n"
	"      \"/proc/latency_stats\",\n"
	"      \"/proc/timer_list\",\n"
	"      \"/proc/timer_stats\",\n"
	"      \"/proc/sched_debug\",\n"
	"      \"/proc/scsi\",\n"
	"      \"/sys/firmware\"\n"
	"    ],\n"
	"    \"readonlyPaths\": [\n"
	"      \"/proc/bus\",\n"
	"      \"/proc/fs\",\n"
	"      \"/proc/irq\",\n"
	"      \"/proc/sys\",\n"
	"      \"/proc/sysrq-trigger\"\n"
	"    ]\n"
	"  }\n"
	"}\n";

int bundle_spec_write(FILE *out, bool rootless, uint32_t uid, uint32_t gid, struct err *e)
{
	fputs(spec_process, out);
	/* gid 5 is tty, which a map of one id does not hold. */
	fprintf(out, spec_mounts, rootless ? "" : ", \"gid=5\"",
		rootless ? spec_sys_rootless : spec_sys);
	if (rootless)
		fprintf(out, spec_linux_rootless, uid, gid);
	else
		fputs(spec_linux, out);
	fputs(spec_paths, out);
	errno = 0;
	if (fflush(out) != 0 || ferror(out))
		return err_set(e, errno ? -errno : -EIO, "write the specification");
	return 0;
}

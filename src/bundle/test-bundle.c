/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The bundle: every field of the full example, one bad example for each refusal with its exact
 * message, and the configurations of real engines.
 *
 * JSON in this file is written with ' for ".
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/fd.h"
#include "base/io.h"
#include "base/path.h"
#include "base/str.h"
#include "bundle/bundle.h"
#include "bundle/names.h"

#define DIR_OF_BUNDLE "/bundles/b1"

/* A configuration with what must be there, and @more. */
#define CONFIG(more) "{'ociVersion':'1.0.2','root':{'path':'rootfs'}" more "}"
#define PROCESS(more) CONFIG(",'process':{'cwd':'/','args':['a']" more "}")
#define LINUX(more) CONFIG(",'linux':{" more "}")
#define MOUNT(more) CONFIG(",'mounts':[{'destination':'/d'" more "}]")

static int parse(const char *text, struct bundle **b, struct err *e)
{
	_autofree_ char *json = strdup(text);

	assert_non_null(json);
	for (char *c = json; *c; c++)
		if (*c == '\'')
			*c = '"';
	return bundle_parse(json, strlen(json), DIR_OF_BUNDLE, b, e);
}

static struct bundle *parse_good(const char *text)
{
	struct bundle *b = NULL;
	struct err e = ERR_INIT;
	int r = parse(text, &b, &e);

	if (r != 0)
		fail_msg("refused: %s", e.text);
	return b;
}

static struct bundle *parse_corpus(const char *name)
{
	_autofree_ char *path = path_join(CORPUS_DIR, name), *json = NULL;
	struct bundle *b = NULL;
	struct err e = ERR_INIT;
	size_t len;

	assert_int_equal(io_read_file(AT_FDCWD, path, BUNDLE_MAX_CONFIG, &json, &len, &e), 0);
	if (bundle_parse(json, len, DIR_OF_BUNDLE, &b, &e) != 0)
		fail_msg("%s refused: %s", name, e.text);
	return b;
}

static void check_strings(const struct bundle_strings *s, const char *expected)
{
	_autobuf_ struct buf joined = BUF_INIT(4096);

	for (size_t i = 0; i < s->n; i++)
		buf_printf(&joined, "%s%s", i ? "|" : "", s->v[i]);
	assert_string_equal(joined.len ? joined.data : "", expected);
	if (s->n)
		assert_null(s->v[s->n]);
}

static void test_minimal(void **state)
{
	_autobundle_ struct bundle *b = parse_good(CONFIG(""));

	(void)state;
	assert_string_equal(b->dir, "/bundles/b1");
	assert_string_equal(b->oci_version, "1.0.2");
	assert_string_equal(b->root_path, "/bundles/b1/rootfs");
	assert_false(b->root_readonly);
	assert_false(b->has_process);
	assert_null(b->hostname);
	assert_int_equal(b->nr_mounts, 0);
	assert_false(b->resources.present);
	assert_true(b->resources.memory_limit == BUNDLE_UNSET);
	assert_true(b->resources.pids_limit == BUNDLE_UNSET);
	assert_true(b->process.oom_score_adj == BUNDLE_UNSET);
	for (int i = 0; i < BUNDLE_NS_TYPES; i++)
		assert_false(b->ns[i].present);
	assert_null(bundle_annotation(b, "x"));
	assert_int_equal(b->warnings.n, 0);
}

static void test_full_process(void **state)
{
	_autobundle_ struct bundle *b = parse_corpus("full.json");
	const struct bundle_process *p = &b->process;

	(void)state;
	assert_string_equal(b->oci_version, "1.2.0");
	assert_true(b->has_process && p->terminal && p->no_new_privs);
	assert_int_equal(p->console_rows, 25);
	assert_int_equal(p->console_columns, 80);
	assert_string_equal(p->cwd, "/srv/app");
	check_strings(&p->args, "/usr/bin/node|app.js|");
	check_strings(&p->env, "PATH=/usr/bin:/bin|EMPTY=|A=b=c");
	assert_int_equal(p->user.uid, 1000);
	assert_int_equal(p->user.gid, 1001);
	assert_true(p->user.has_umask && p->user.umask == 077);
	assert_int_equal(p->user.nr_groups, 2);
	assert_int_equal(p->user.groups[0], 5);
	assert_true(p->user.groups[1] == 4294967294u);
	assert_true(p->caps.present);
	assert_true(p->caps.bounding == (1ull << 0 | 1ull << 40));
	assert_true(p->caps.effective == 1ull << 5);
	assert_true(p->caps.permitted == (1ull << 5 | 1ull << 13));
	assert_true(p->caps.inheritable == 0 && p->caps.ambient == 0);
	assert_int_equal(p->nr_rlimits, 3);
	assert_int_equal(p->rlimits[0].resource, RLIMIT_NOFILE);
	assert_true(p->rlimits[0].soft == 1024 && p->rlimits[0].hard == 4096);
	assert_true(p->rlimits[1].soft == 0 && p->rlimits[1].hard == UINT64_MAX);
	assert_true(p->rlimits[2].soft == 1ull << 63);
	assert_int_equal(p->oom_score_adj, -500);
	assert_string_equal(p->apparmor_profile, "acme_secure_profile");
	assert_string_equal(p->selinux_label, "system_u:system_r:svirt_lxc_net_t:s0:c124,c675");
}

static void test_full_mounts(void **state)
{
	_autobundle_ struct bundle *b = parse_corpus("full.json");
	const struct bundle_mount *m = b->mounts;

	(void)state;
	assert_int_equal(b->nr_mounts, 4);
	assert_string_equal(m[0].destination, "/proc");
	assert_string_equal(m[0].type, "proc");
	assert_string_equal(m[0].source, "proc");
	assert_string_equal(m[0].data, "");
	assert_true(m[0].flags == 0);

	assert_string_equal(m[1].destination, "/dev/shm");
	assert_true(m[1].flags == (MS_NOSUID | MS_NOEXEC | MS_NODEV));
	assert_string_equal(m[1].data, "mode=1777,size=65536k");
	assert_true(m[1].tmpcopyup);
	check_strings(&m[1].options, "nosuid|noexec|nodev|mode=1777|size=65536k|tmpcopyup");

	assert_string_equal(m[2].destination, "/data");
	assert_string_equal(m[2].type, "bind");
	assert_string_equal(m[2].source, "/bundles/b1/volumes/testing");
	assert_true(m[2].flags == (MS_BIND | MS_REC));
	assert_true(m[2].flags_cleared == MS_RDONLY);
	assert_true(m[2].propagation == (MS_PRIVATE | MS_REC));
	/* "rnoatime", then "ratime": relatime again, as attr_set 0 within the cleared field. */
	assert_true(m[2].rec_attr_set == MOUNT_ATTR_RDONLY);
	assert_true(m[2].rec_attr_clear == MOUNT_ATTR__ATIME);
	assert_false(m[2].has_id_mappings);

	assert_string_equal(m[3].type, "bind");
	assert_string_equal(m[3].source, "/var/lib/hosts");
	assert_true(m[3].flags == (MS_BIND | MS_RDONLY));	/* by its type; and the last of ro,
								 * rw, ro */
	assert_true(m[3].flags_cleared == 0);
	assert_true(m[3].propagation == (MS_SLAVE | MS_REC));
	assert_true(m[3].has_id_mappings);
}

static void test_full_hooks(void **state)
{
	_autobundle_ struct bundle *b = parse_corpus("full.json");

	(void)state;
	assert_int_equal(b->hooks[BUNDLE_HOOK_PRESTART].n, 2);
	assert_string_equal(b->hooks[BUNDLE_HOOK_PRESTART].v[0].path, "/usr/bin/fix-mounts");
	check_strings(&b->hooks[BUNDLE_HOOK_PRESTART].v[0].args, "fix-mounts|arg1|arg2");
	check_strings(&b->hooks[BUNDLE_HOOK_PRESTART].v[0].env, "key1=value1");
	assert_int_equal(b->hooks[BUNDLE_HOOK_PRESTART].v[0].timeout, 0);
	check_strings(&b->hooks[BUNDLE_HOOK_PRESTART].v[1].args, "/usr/bin/setup-network");
	assert_int_equal(b->hooks[BUNDLE_HOOK_CREATE_RUNTIME].v[0].timeout, 30);
	assert_int_equal(b->hooks[BUNDLE_HOOK_CREATE_CONTAINER].n, 1);
	assert_int_equal(b->hooks[BUNDLE_HOOK_START_CONTAINER].n, 1);
	assert_int_equal(b->hooks[BUNDLE_HOOK_POSTSTART].n, 1);
	check_strings(&b->hooks[BUNDLE_HOOK_POSTSTOP].v[0].args, "cleanup.sh|-f");
	assert_int_equal(b->annotations.n, 3);
	assert_string_equal(bundle_annotation(b, "org.runnc.net.mode"), "bridge");
	assert_string_equal(bundle_annotation(b, "empty"), "");
}

static void test_full_linux(void **state)
{
	_autobundle_ struct bundle *b = parse_corpus("full.json");

	(void)state;
	assert_string_equal(b->hostname, "slartibartfast");
	assert_string_equal(b->domainname, "magrathea.example");
	for (int i = 0; i < BUNDLE_NS_TYPES; i++)
		assert_true(b->ns[i].present);
	assert_string_equal(b->ns[BUNDLE_NS_NETWORK].path, "/var/run/netns/cni-1");
	assert_null(b->ns[BUNDLE_NS_IPC].path);
	assert_int_equal(b->uid_maps.n, 1);
	assert_int_equal(b->uid_maps.v[0].host_id, 100000);
	assert_int_equal(b->gid_maps.n, 2);
	assert_int_equal(b->gid_maps.v[1].container_id, 65536);
	assert_int_equal(b->gid_maps.v[1].size, 1);

	assert_int_equal(b->nr_devices, 3);
	assert_string_equal(b->devices[0].path, "/dev/fuse");
	assert_int_equal(b->devices[0].mode, S_IFCHR | 0666);
	assert_int_equal(b->devices[0].major, 10);
	assert_int_equal(b->devices[0].minor, 229);
	assert_int_equal(b->devices[0].gid, 44);
	assert_int_equal(b->devices[1].mode, S_IFBLK | 0660);
	assert_string_equal(b->devices[2].path, "/dev/pipe");
	assert_int_equal(b->devices[2].mode, S_IFIFO | 0666);

	assert_string_equal(b->cgroups_path, "/myRuntime/myContainer");
	assert_int_equal(b->sysctl.n, 2);
	assert_string_equal(b->sysctl.v[1].key, "net/ipv4/conf/eth0.7/forwarding");
	assert_string_equal(b->sysctl.v[1].value, "1");
	check_strings(&b->masked_paths, "/proc/kcore");
	check_strings(&b->readonly_paths, "/proc/sys|/proc/bus");
	assert_true(b->rootfs_propagation == (MS_SLAVE | MS_REC));
	assert_string_equal(b->mount_label, "system_u:object_r:svirt_sandbox_file_t:s0:c715,c811");
	assert_int_equal(b->personality, BUNDLE_PERSONALITY_LINUX);
	assert_true(b->has_seccomp);
}

static void test_full_resources(void **state)
{
	_autobundle_ struct bundle *b = parse_corpus("full.json");
	const struct bundle_resources *r = &b->resources;

	(void)state;
	assert_true(r->present);
	assert_int_equal(r->memory_limit, 536870912);
	assert_int_equal(r->memory_reservation, 268435456);
	assert_int_equal(r->memory_swap, -1);
	assert_int_equal(r->pids_limit, 32771);
	assert_int_equal(r->cpu_shares, 1024);
	assert_int_equal(r->cpu_quota, 1000000);
	assert_int_equal(r->cpu_period, 500000);
	assert_string_equal(r->cpu_cpus, "2-3");
	assert_string_equal(r->cpu_mems, "0-7");
	assert_int_equal(r->unified.n, 2);
	assert_string_equal(r->unified.v[0].key, "memory.high");
	assert_int_equal(r->nr_devices, 3);
	assert_false(r->devices[0].allow);
	assert_int_equal(r->devices[0].type, 'a');
	assert_int_equal(r->devices[0].major, -1);
	assert_int_equal(r->devices[0].access, 7);
	assert_true(r->devices[1].allow);
	assert_int_equal(r->devices[1].access, BUNDLE_DEVICE_READ | BUNDLE_DEVICE_WRITE);
	assert_int_equal(r->devices[2].type, 'b');
	assert_int_equal(r->devices[2].minor, -1);
}

static void test_full_warnings(void **state)
{
	_autobundle_ struct bundle *b = parse_corpus("full.json");

	(void)state;
	check_strings(&b->warnings,
		"config.json: process.capabilities.bounding[2]: unknown capability "
			"'CAP_FROM_THE_FUTURE' ignored|"
		"config.json: process.scheduler: not applied|"
		"config.json: process.ioPriority: not applied|"
		"config.json: mounts[2].destination: relative path 'data' taken as '/data'|"
		"config.json: linux.resources.hugepageLimits: not applied|"
		"config.json: linux.resources.network: not applied|"
		"config.json: linux.resources.rdma: not applied|"
		"config.json: linux.timeOffsets: not applied");
}

static void test_warnings_are_bounded(void **state)
{
	_autobuf_ struct buf text = BUF_INIT(1 << 20);
	struct bundle *b;

	(void)state;
	buf_add_str(&text, "{'ociVersion':'1.0.2','root':{'path':'r'},'mounts':[");
	for (int i = 0; i < 1000; i++)
		buf_printf(&text, "%s{'destination':'d%d'}", i ? "," : "", i);
	buf_add_str(&text, "]}");
	b = parse_good(text.data);
	assert_int_equal(b->nr_mounts, 1000);
	assert_int_equal(b->warnings.n, 32);
	bundle_free(b);
}

/* Zeros and nulls that Go programs write for what they were not told. */
static void test_zero_means_absent(void **state)
{
	_autobundle_ struct bundle *b = parse_good(CONFIG(
		",'process':{'cwd':'/','args':['a'],'env':null,'capabilities':null,'rlimits':null,"
			"'oomScoreAdj':null,'apparmorProfile':'','selinuxLabel':'',"
			"'user':{'uid':0,'gid':0,'additionalGids':null}}"
		",'hostname':'','mounts':null,'hooks':null,'annotations':null"
		",'linux':{'cgroupsPath':'','mountLabel':'','rootfsPropagation':'','seccomp':null,"
			"'resources':{'memory':{'limit':0,'swap':0},'cpu':{'quota':0,'cpus':''},"
			"'pids':{'limit':0},'devices':null,'blockIO':{'weight':null}}}"));

	(void)state;
	assert_false(b->process.caps.present);
	assert_true(b->process.oom_score_adj == BUNDLE_UNSET);
	assert_false(b->process.user.has_umask);
	assert_null(b->process.apparmor_profile);
	assert_null(b->hostname);
	assert_null(b->cgroups_path);
	assert_null(b->mount_label);
	assert_true(b->rootfs_propagation == 0);
	assert_false(b->has_seccomp);
	assert_true(b->resources.memory_limit == BUNDLE_UNSET);
	assert_true(b->resources.memory_swap == BUNDLE_UNSET);
	assert_true(b->resources.cpu_quota == BUNDLE_UNSET);
	assert_null(b->resources.cpu_cpus);
	assert_true(b->resources.pids_limit == BUNDLE_UNSET);
}

static void test_versions(void **state)
{
	static const char *const good[] = { "1.0.0", "1.0.2-dev", "1.1.0", "1.2.1", "1.0.0-rc5",
					    "1.0.0-rc5-dev", "1.2.0+x", "1.99.0" };

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		_autofree_ char *text =
			str_printf("{'ociVersion':'%s','root':{'path':'/r'}}", good[i]);
		_autobundle_ struct bundle *b = parse_good(text);

		assert_string_equal(b->oci_version, good[i]);
		assert_string_equal(b->root_path, "/r");
	}
}

struct refusal {
	const char *text;
	const char *message;		/* without "config.json: " */
};

static const struct refusal refusals[] = {
	/* JSON itself */
	{ "", "line 1, column 0: '[' or '{' expected near end of file" },
	{ "{'a':", "line 1, column 5: unexpected token near end of file" },
	{ "{'a':1,'a':2}", "line 1, column 10: duplicate object key near '\"a\"'" },
	{ "{} x", "line 1, column 4: end of file expected near 'x'" },
	{ "{\n\n'a\x01'", "line 3, column 2: control character 0x1 near '\"a'" },
	{ "{'a':'\\u0000'}", "a string holds a NUL character" },
	{ "{'\\u0000':18446744073709551615}", "a string holds a NUL character" },
	{ "{18446744073709551615:1}",
	  "line 1, column 29: NUL byte in object key not supported" },
	{ "{'a':18446744073709551616}",
	  "line 1, column 25: too big integer near '18446744073709551616'" },
	{ "{'a':-9223372036854775809}",
	  "line 1, column 25: too big negative integer near '-9223372036854775809'" },
	{ "{'a':'\xff'}", "line 1, column 6: unable to decode byte 0xff near '\"'" },
	{ "[]", "expected an object" },
	{ "{}", "ociVersion: required, but missing" },

	/* The top */
	{ "{'ociVersion':1}", "ociVersion: expected a string" },
	{ "{'ociVersion':18446744073709551615}", "ociVersion: expected a string" },
	{ "{'ociVersion':''}", "ociVersion: '' is not a version" },
	{ "{'ociVersion':'1.0'}", "ociVersion: '1.0' is not a version" },
	{ "{'ociVersion':'1.0.2x'}", "ociVersion: '1.0.2x' is not a version" },
	{ "{'ociVersion':'1.0.2-'}", "ociVersion: '1.0.2-' is not a version" },
	{ "{'ociVersion':'01.0.2'}", "ociVersion: '01.0.2' is not a version" },
	{ "{'ociVersion':'2.0.0'}", "ociVersion: version 2.0.0 is not supported, only 1.x.y is" },
	{ "{'ociVersion':'0.6.0-dev'}",
	  "ociVersion: version 0.6.0-dev is not supported, only 1.x.y is" },
	{ "{'ociVersion':'10.0.0'}", "ociVersion: version 10.0.0 is not supported, only 1.x.y is" },
	{ "{'ociVersion':'1.0.2'}", "root: required, but missing" },
	{ "{'ociVersion':'1.0.2','root':'/'}", "root: expected an object" },
	{ "{'ociVersion':'1.0.2','root':{}}", "root.path: required, but missing" },
	{ "{'ociVersion':'1.0.2','root':{'path':''}}", "root.path: required, but missing" },
	{ "{'ociVersion':'1.0.2','root':{'path':1}}", "root.path: expected a string" },
	{ "{'ociVersion':'1.0.2','root':{'path':'/','readonly':'yes'}}",
	  "root.readonly: expected true or false" },
	{ CONFIG(",'hostname':7"), "hostname: expected a string" },
	{ CONFIG(",'hostname':'0123456789012345678901234567890123456789012345678901234567890123x'"),
	  "hostname: longer than 64 bytes" },
	{ CONFIG(",'domainname':'01234567890123456789012345678901"
		 "23456789012345678901234567890123x'"),
	  "domainname: longer than 64 bytes" },
	{ CONFIG(",'annotations':[]"), "annotations: expected an object" },
	{ CONFIG(",'annotations':{'':'x'}"), "annotations: a key is empty" },
	{ CONFIG(",'annotations':{'a.b':1}"), "annotations[\"a.b\"]: expected a string" },
	{ CONFIG(",'annotations':{'a\\u001b[31m':1}"),
	  "annotations[\"a\\u001b[31m\"]: expected a string" },

	/* process */
	{ CONFIG(",'process':[]"), "process: expected an object" },
	{ CONFIG(",'process':{}"), "process.cwd: required, but missing" },
	{ CONFIG(",'process':{'cwd':'tmp'}"), "process.cwd: expected an absolute path" },
	{ CONFIG(",'process':{'cwd':''}"), "process.cwd: expected an absolute path" },
	{ CONFIG(",'process':{'cwd':'/'}"), "process.args: required, but missing" },
	{ CONFIG(",'process':{'cwd':'/','args':[]}"),
	  "process.args: expected at least one element" },
	{ CONFIG(",'process':{'cwd':'/','args':'sh'}"), "process.args: expected an array" },
	{ CONFIG(",'process':{'cwd':'/','args':['a',1]}"), "process.args[1]: expected a string" },
	{ CONFIG(",'process':{'cwd':'/','args':[null]}"),
	  "process.args[0]: required, but missing" },
	{ PROCESS(",'terminal':1"), "process.terminal: expected true or false" },
	{ PROCESS(",'consoleSize':{'height':65536,'width':1}"),
	  "process.consoleSize.height: expected an integer from 0 to 65535" },
	{ PROCESS(",'env':['A=1','B']"), "process.env[1]: expected NAME=value" },
	{ PROCESS(",'env':['=1']"), "process.env[0]: expected NAME=value" },
	{ PROCESS(",'env':['']"), "process.env[0]: expected NAME=value" },
	{ PROCESS(",'user':0"), "process.user: expected an object" },
	{ PROCESS(",'user':{'uid':-1}"),
	  "process.user.uid: expected an integer from 0 to 4294967294" },
	{ PROCESS(",'user':{'uid':4294967295}"),
	  "process.user.uid: expected an integer from 0 to 4294967294" },
	{ PROCESS(",'user':{'uid':18446744073709551615}"),
	  "process.user.uid: expected an integer from 0 to 4294967294" },
	{ PROCESS(",'user':{'gid':1.0}"),
	  "process.user.gid: expected an integer from 0 to 4294967294" },
	{ PROCESS(",'user':{'gid':'0'}"),
	  "process.user.gid: expected an integer from 0 to 4294967294" },
	{ PROCESS(",'user':{'umask':512}"),
	  "process.user.umask: expected an integer from 0 to 511" },
	{ PROCESS(",'user':{'additionalGids':[1,-1]}"),
	  "process.user.additionalGids[1]: expected an integer from 0 to 4294967294" },
	{ PROCESS(",'user':{'additionalGids':[null]}"),
	  "process.user.additionalGids[0]: required, but missing" },
	{ PROCESS(",'rlimits':{}"), "process.rlimits: expected an array" },
	{ PROCESS(",'rlimits':[null]"), "process.rlimits[0]: required, but missing" },
	{ PROCESS(",'rlimits':[{'soft':1,'hard':1}]"),
	  "process.rlimits[0].type: required, but missing" },
	{ PROCESS(",'rlimits':[{'type':'RLIMIT_CPU','hard':1}]"),
	  "process.rlimits[0].soft: required, but missing" },
	{ PROCESS(",'rlimits':[{'type':'RLIMIT_CPU','soft':1}]"),
	  "process.rlimits[0].hard: required, but missing" },
	{ PROCESS(",'rlimits':[{'type':'RLIMIT_X','soft':1,'hard':1}]"),
	  "process.rlimits[0].type: unknown limit 'RLIMIT_X'" },
	{ PROCESS(",'rlimits':[{'type':'\\u001b\\n\\u007fx','soft':1,'hard':1}]"),
	  "process.rlimits[0].type: unknown limit '???x'" },
	{ PROCESS(",'rlimits':[{'type':'RLIMIT_CPU','soft':-1,'hard':1}]"),
	  "process.rlimits[0].soft: expected an integer from 0 to 18446744073709551615" },
	{ PROCESS(",'rlimits':[{'type':'RLIMIT_CPU','soft':2,'hard':1}]"),
	  "process.rlimits[0].soft: above the hard limit" },
	{ PROCESS(",'rlimits':[{'type':'RLIMIT_CPU','soft':1,'hard':1},"
		  "{'type':'RLIMIT_CPU','soft':1,'hard':1}]"),
	  "process.rlimits[1]: second entry for RLIMIT_CPU" },
	{ PROCESS(",'capabilities':[]"), "process.capabilities: expected an object" },
	{ PROCESS(",'capabilities':{'ambient':'CAP_KILL'}"),
	  "process.capabilities.ambient: expected an array" },
	{ PROCESS(",'noNewPrivileges':0"), "process.noNewPrivileges: expected true or false" },
	{ PROCESS(",'oomScoreAdj':1001"),
	  "process.oomScoreAdj: expected an integer from -1000 to 1000" },
	{ PROCESS(",'oomScoreAdj':18446744073709551615"),
	  "process.oomScoreAdj: expected an integer from -1000 to 1000" },
	{ PROCESS(",'apparmorProfile':[]"), "process.apparmorProfile: expected a string" },
	{ PROCESS(",'selinuxLabel':{}"), "process.selinuxLabel: expected a string" },

	/* mounts */
	{ CONFIG(",'mounts':{}"), "mounts: expected an array" },
	{ CONFIG(",'mounts':['/proc']"), "mounts[0]: expected an object" },
	{ CONFIG(",'mounts':[{}]"), "mounts[0].destination: required, but missing" },
	{ CONFIG(",'mounts':[{'destination':''}]"), "mounts[0].destination: empty" },
	{ MOUNT(",'type':1"), "mounts[0].type: expected a string" },
	{ MOUNT(",'source':1"), "mounts[0].source: expected a string" },
	{ MOUNT(",'options':'ro'"), "mounts[0].options: expected an array" },
	{ MOUNT(",'options':['ro',{}]"), "mounts[0].options[1]: expected a string" },
	{ MOUNT(",'options':['bind']"), "mounts[0].source: required, but missing" },
	{ MOUNT(",'type':'bind'"), "mounts[0].source: required, but missing" },
	{ MOUNT(",'uidMappings':{}"), "mounts[0].uidMappings: expected an array" },

	/* hooks */
	{ CONFIG(",'hooks':[]"), "hooks: expected an object" },
	{ CONFIG(",'hooks':{'poststop':{}}"), "hooks.poststop: expected an array" },
	{ CONFIG(",'hooks':{'prestart':[{}]}"), "hooks.prestart[0].path: required, but missing" },
	{ CONFIG(",'hooks':{'startContainer':[{'path':'x'}]}"),
	  "hooks.startContainer[0].path: expected an absolute path" },
	{ CONFIG(",'hooks':{'poststart':[{'path':'/x','args':[1]}]}"),
	  "hooks.poststart[0].args[0]: expected a string" },
	{ CONFIG(",'hooks':{'createRuntime':[{'path':'/x','timeout':0}]}"),
	  "hooks.createRuntime[0].timeout: expected more than 0 seconds" },
	{ CONFIG(",'hooks':{'createContainer':[{'path':'/x','timeout':-1}]}"),
	  "hooks.createContainer[0].timeout: expected an integer from 0 to 2147483647" },

	/* linux */
	{ CONFIG(",'linux':[]"), "linux: expected an object" },
	{ LINUX("'namespaces':{}"), "linux.namespaces: expected an array" },
	{ LINUX("'namespaces':['pid']"), "linux.namespaces[0]: expected an object" },
	{ LINUX("'namespaces':[{}]"), "linux.namespaces[0].type: required, but missing" },
	{ LINUX("'namespaces':[{'type':'net'}]"),
	  "linux.namespaces[0].type: unknown namespace 'net'" },
	{ LINUX("'namespaces':[{'type':'pid'},{'type':'pid'}]"),
	  "linux.namespaces[1]: second entry for 'pid'" },
	{ LINUX("'namespaces':[{'type':'pid','path':'proc/1/ns/pid'}]"),
	  "linux.namespaces[0].path: expected an absolute path" },
	{ LINUX("'uidMappings':[{'containerID':0,'hostID':0,'size':1}]"),
	  "linux.uidMappings: given without a user namespace" },
	{ LINUX("'namespaces':[{'type':'user'}],'gidMappings':[{'containerID':0,'size':1}]"),
	  "linux.gidMappings[0].hostID: required, but missing" },
	{ LINUX("'namespaces':[{'type':'user'}],"
		"'uidMappings':[{'containerID':0,'hostID':0,'size':0}]"),
	  "linux.uidMappings[0].size: expected more than 0 ids" },
	{ LINUX("'namespaces':[{'type':'user'}],"
		"'uidMappings':[{'containerID':0,'hostID':4294967290,'size':6}]"),
	  "linux.uidMappings[0]: reaches beyond the last id 4294967294" },
	{ LINUX("'devices':[{'path':'/dev/x','major':1,'minor':1}]"),
	  "linux.devices[0].type: required, but missing" },
	{ LINUX("'devices':[{'type':'x','path':'/dev/x'}]"),
	  "linux.devices[0].type: expected 'c', 'u', 'b' or 'p'" },
	{ LINUX("'devices':[{'type':'c','major':1,'minor':1}]"),
	  "linux.devices[0].path: required, but missing" },
	{ LINUX("'devices':[{'type':'c','path':'null','major':1,'minor':1}]"),
	  "linux.devices[0].path: expected an absolute path" },
	{ LINUX("'devices':[{'type':'c','path':'/dev/x','minor':1}]"),
	  "linux.devices[0].major: required, but missing" },
	{ LINUX("'devices':[{'type':'b','path':'/dev/x','major':4096,'minor':1}]"),
	  "linux.devices[0].major: expected an integer from 0 to 4095" },
	{ LINUX("'devices':[{'type':'b','path':'/dev/x','major':1,'minor':1048576}]"),
	  "linux.devices[0].minor: expected an integer from 0 to 1048575" },
	{ LINUX("'devices':[{'type':'p','path':'/dev/x','fileMode':-1}]"),
	  "linux.devices[0].fileMode: expected an integer from 0 to 4294967295" },
	{ LINUX("'cgroupsPath':{}"), "linux.cgroupsPath: expected a string" },
	{ LINUX("'sysctl':{'net.ipv4.ip_forward':1}"),
	  "linux.sysctl[\"net.ipv4.ip_forward\"]: expected a string" },
	{ LINUX("'sysctl':{'net/../../x':'1'}"),
	  "linux.sysctl[\"net/../../x\"]: not the name of a sysctl" },
	{ LINUX("'sysctl':{'/net':'1'}"), "linux.sysctl[\"/net\"]: not the name of a sysctl" },
	{ LINUX("'sysctl':{'':'1'}"), "linux.sysctl: a key is empty" },
	{ LINUX("'maskedPaths':['proc']"), "linux.maskedPaths[0]: expected an absolute path" },
	{ LINUX("'readonlyPaths':['/a','']"), "linux.readonlyPaths[1]: expected an absolute path" },
	{ LINUX("'rootfsPropagation':'ro'"), "linux.rootfsPropagation: unknown propagation 'ro'" },
	{ LINUX("'mountLabel':1"), "linux.mountLabel: expected a string" },
	{ LINUX("'seccomp':[]"), "linux.seccomp: expected an object" },
	{ LINUX("'personality':{}"), "linux.personality.domain: required, but missing" },
	{ LINUX("'personality':{'domain':'BSD'}"),
	  "linux.personality.domain: expected 'LINUX' or 'LINUX32'" },

	/* linux.resources */
	{ LINUX("'resources':[]"), "linux.resources: expected an object" },
	{ LINUX("'resources':{'memory':1}"), "linux.resources.memory: expected an object" },
	{ LINUX("'resources':{'memory':{'limit':-2}}"),
	  "linux.resources.memory.limit: expected an integer from -1 to 9223372036854775807" },
	{ LINUX("'resources':{'memory':{'limit':9223372036854775808}}"),
	  "linux.resources.memory.limit: expected an integer from -1 to 9223372036854775807" },
	{ LINUX("'resources':{'memory':{'swap':'1g'}}"),
	  "linux.resources.memory.swap: expected an integer from -1 to 9223372036854775807" },
	{ LINUX("'resources':{'memory':{'reservation':0.5}}"),
	  "linux.resources.memory.reservation: "
	  "expected an integer from -1 to 9223372036854775807" },
	{ LINUX("'resources':{'cpu':{'shares':-1}}"),
	  "linux.resources.cpu.shares: expected an integer from 0 to 18446744073709551615" },
	{ LINUX("'resources':{'cpu':{'period':1e6}}"),
	  "linux.resources.cpu.period: expected an integer from 0 to 18446744073709551615" },
	{ LINUX("'resources':{'cpu':{'quota':'x'}}"),
	  "linux.resources.cpu.quota: "
	  "expected an integer from -9223372036854775808 to 9223372036854775807" },
	{ LINUX("'resources':{'cpu':{'cpus':[0]}}"),
	  "linux.resources.cpu.cpus: expected a string" },
	{ LINUX("'resources':{'pids':5}"), "linux.resources.pids: expected an object" },
	{ LINUX("'resources':{'pids':{'limit':true}}"),
	  "linux.resources.pids.limit: "
	  "expected an integer from -9223372036854775808 to 9223372036854775807" },
	{ LINUX("'resources':{'unified':{'../x':'1'}}"),
	  "linux.resources.unified[\"../x\"]: expected a file name" },
	{ LINUX("'resources':{'unified':{'..':'1'}}"),
	  "linux.resources.unified[\"..\"]: expected a file name" },
	{ LINUX("'resources':{'devices':[{}]}"),
	  "linux.resources.devices[0].allow: required, but missing" },
	{ LINUX("'resources':{'devices':[{'allow':true,'type':'p'}]}"),
	  "linux.resources.devices[0].type: expected 'a', 'b' or 'c'" },
	{ LINUX("'resources':{'devices':[{'allow':true,'major':-2}]}"),
	  "linux.resources.devices[0].major: expected an integer from -1 to 4294967295" },
	{ LINUX("'resources':{'devices':[{'allow':true,'access':'rx'}]}"),
	  "linux.resources.devices[0].access: expected letters of 'rwm'" },
};

static void check_refused(const char *text, const char *message)
{
	_autofree_ char *expected = str_printf("config.json: %s", message);
	struct bundle *b = NULL;
	struct err e = ERR_INIT;
	int r = parse(text, &b, &e);

	if (r != -EINVAL)
		fail_msg("not refused (%d): %s", r, text);
	assert_null(b);
	assert_string_equal(e.text, expected);
}

static void test_refusals(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++)
		check_refused(refusals[i].text, refusals[i].message);
}

static void test_too_deep(void **state)
{
	_autobuf_ struct buf text = BUF_INIT(4096);

	(void)state;
	/*
	 * 64 levels are fine in a field that nobody reads, the 65th is not; brackets in strings are
	 * none.
	 */
	buf_add_str(&text, "{'ociVersion':'1.0.2','root':{'path':'/[[[[{{{{'},'x':");
	for (int i = 0; i < 63; i++)
		buf_add_str(&text, "[");
	for (int i = 0; i < 63; i++)
		buf_add_str(&text, "]");
	buf_add_str(&text, "}");
	bundle_free(parse_good(text.data));

	buf_free(&text);
	for (int i = 0; i < 65; i++)
		buf_add_str(&text, "[");
	check_refused(text.data, "nested deeper than 64");
}

static void test_too_many_values(void **state)
{
	_autobuf_ struct buf text = BUF_INIT(BUNDLE_MAX_CONFIG);

	(void)state;
	buf_add_str(&text, "{'x':[");
	for (int i = 0; i < BUNDLE_MAX_VALUES; i++)
		buf_add_str(&text, "{},");
	check_refused(text.data, "more than 1000000 values");
}

static void test_too_many_groups(void **state)
{
	_autobuf_ struct buf text = BUF_INIT(1 << 20);

	(void)state;
	buf_add_str(&text, "{'ociVersion':'1.0.2','process':{'cwd':'/','args':['a'],"
		    "'user':{'additionalGids':[0");
	for (int i = 0; i < 65536; i++)
		buf_add_str(&text, ",1");
	buf_add_str(&text, "]}}}");
	check_refused(text.data, "process.user.additionalGids: expected at most 65536 elements");
}

static void test_too_long(void **state)
{
	_autofree_ char *text = malloc(BUNDLE_MAX_CONFIG + 1);
	struct bundle *b = NULL;
	struct err e = ERR_INIT;

	(void)state;
	assert_non_null(text);
	memset(text, ' ', BUNDLE_MAX_CONFIG + 1);
	assert_int_equal(bundle_parse(text, BUNDLE_MAX_CONFIG + 1, "/", &b, &e), -EFBIG);
	assert_string_equal(e.text, "config.json: longer than 16777216 bytes");
}

/* A NUL byte in the file, in and outside of a string; and a message about a key of 100000 bytes. */
static void test_hostile_bytes(void **state)
{
	static const char in_string[] = "{\"a\":\"x\0y\"}", outside[] = "{\0\"a\":1}";
	_autobuf_ struct buf text = BUF_INIT(1 << 20);
	struct bundle *b = NULL;
	struct err e = ERR_INIT;

	(void)state;
	assert_int_equal(bundle_parse(in_string, sizeof(in_string) - 1, "/", &b, &e), -EINVAL);
	assert_string_equal(e.text,
			    "config.json: line 1, column 7: control character 0x0 near '\"x'");
	assert_int_equal(bundle_parse(outside, sizeof(outside) - 1, "/", &b, &e), -EINVAL);
	assert_non_null(strstr(e.text, "config.json: line 1, column "));

	buf_add_str(&text, "{'ociVersion':'1.0.2','root':{'path':'/'},'annotations':{'");
	for (int i = 0; i < 10000; i++)
		buf_add_str(&text, "0123456789");
	buf_add_str(&text, "':1}}");
	check_refused(text.data, "annotations[\"0123456789012345678901234567890123456789"
		      "0123456789012345678901234567890123456789\"...]: expected a string");
}

/* Mount options: each one known by name changes something or is "defaults". */
static void test_mount_options(void **state)
{
	const char *name, *previous = "";

	(void)state;
	for (size_t i = 0; (name = bundle_mount_option_name(i)); i++) {
		_autofree_ char *text = str_printf(
			"{'ociVersion':'1.0.2','root':{'path':'/'},"
			"'mounts':[{'destination':'/d','source':'/s','options':['%s']}]}", name);
		_autobundle_ struct bundle *b = parse_good(text);
		const struct bundle_mount *m = &b->mounts[0];

		assert_true(strcmp(previous, name) < 0);	/* bsearch() needs it */
		assert_string_equal(m->data, "");
		assert_true(m->flags || m->flags_cleared || m->propagation || m->rec_attr_set ||
			    m->rec_attr_clear || m->tmpcopyup || m->has_id_mappings ||
			    strcmp(name, "defaults") == 0);
		previous = name;
	}
}

static void test_names(void **state)
{
	(void)state;
	assert_int_equal(bundle_cap_number("CAP_SYS_ADMIN"), 21);
	assert_int_equal(bundle_cap_number("CAP_BPF"), 39);
	assert_string_equal(bundle_cap_name(40), "CAP_CHECKPOINT_RESTORE");
	assert_null(bundle_cap_name(41));
	for (unsigned int i = 0; bundle_cap_name(i); i++)
		assert_int_equal(bundle_cap_number(bundle_cap_name(i)), i);
	for (int i = 0; i < RLIM_NLIMITS; i++)
		assert_int_equal(bundle_rlimit_number(bundle_rlimit_name(i)), i);
	assert_string_equal(bundle_ns_name(BUNDLE_NS_CGROUP), "cgroup");
	for (int i = 0; i < BUNDLE_NS_TYPES; i++)
		assert_int_equal(bundle_ns_number(bundle_ns_name((enum bundle_ns_type)i)), i);
	assert_null(bundle_rlimit_name(-1));
	assert_null(bundle_rlimit_name(RLIM_NLIMITS));
}

static void test_engines(void **state)
{
	_autobundle_ struct bundle *podman = parse_corpus("podman.json");
	_autobundle_ struct bundle *docker = parse_corpus("docker.json");
	_autobundle_ struct bundle *cri = parse_corpus("containerd-cri.json");
	_autobundle_ struct bundle *sandbox = parse_corpus("containerd-sandbox.json");

	(void)state;
	assert_true(podman->process.rlimits[0].hard == UINT64_MAX);
	assert_int_equal(podman->process.user.umask, 022);
	assert_int_equal(podman->resources.memory_swap, 268435456);
	assert_int_equal(podman->warnings.n, 0);

	assert_true(docker->ns[BUNDLE_NS_NETWORK].present && !docker->ns[BUNDLE_NS_NETWORK].path);
	check_strings(&docker->hooks[BUNDLE_HOOK_PRESTART].v[0].args,
		      "libnetwork-setkey|-exec-root=/var/run/docker|0d1e2f3a4b5c|5f6e7d8c9b0a");
	assert_true(docker->resources.pids_limit == BUNDLE_UNSET);

	assert_true(cri->resources.memory_limit == BUNDLE_UNSET);
	assert_string_equal(cri->ns[BUNDLE_NS_NETWORK].path, "/proc/4242/ns/net");
	assert_string_equal(cri->cgroups_path, "kubepods-burstable-pod6a.slice:cri-containerd:1f");
	assert_int_equal(cri->process.oom_score_adj, 979);
	assert_string_equal(bundle_annotation(sandbox, "io.kubernetes.cri.container-type"),
			    "sandbox");
	assert_true(sandbox->root_readonly);
}

/* What `crun spec` (1.8.1) and `runc spec` (1.1.5) print. */
static void test_other_runtimes_spec(void **state)
{
	static const char *const names[] = { "crun-spec.json", "crun-spec-rootless.json",
					     "runc-spec.json", "runc-spec-rootless.json" };

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		_autobundle_ struct bundle *b = parse_corpus(names[i]);

		check_strings(&b->process.args, "sh");
		assert_int_equal(b->ns[BUNDLE_NS_USER].present,
				 strstr(names[i], "rootless") != NULL);
		assert_int_equal(b->warnings.n, 0);
	}
}

static struct bundle *parse_own_spec(bool rootless)
{
	_autofree_ char *text = NULL;
	struct bundle *b = NULL;
	struct err e = ERR_INIT;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	assert_non_null(out);
	assert_int_equal(bundle_spec_write(out, rootless, 1000, 1001, &e), 0);
	fclose(out);
	if (bundle_parse(text, len, DIR_OF_BUNDLE, &b, &e) != 0)
		fail_msg("refused: %s", e.text);
	return b;
}

static void test_own_spec(void **state)
{
	_autobundle_ struct bundle *root = parse_own_spec(false), *rootless = parse_own_spec(true);
	struct err e = ERR_INIT;
	FILE *full;

	(void)state;
	assert_int_equal(root->warnings.n, 0);
	assert_true(root->ns[BUNDLE_NS_NETWORK].present && !root->ns[BUNDLE_NS_USER].present);
	assert_true(root->root_readonly);
	assert_string_equal(root->mounts[2].data, "newinstance,ptmxmode=0666,mode=0620,gid=5");
	assert_int_equal(rootless->warnings.n, 0);
	assert_true(rootless->ns[BUNDLE_NS_USER].present);
	assert_false(rootless->ns[BUNDLE_NS_NETWORK].present);
	assert_int_equal(rootless->uid_maps.v[0].host_id, 1000);
	assert_int_equal(rootless->gid_maps.v[0].host_id, 1001);
	assert_string_equal(rootless->mounts[2].data, "newinstance,ptmxmode=0666,mode=0620");

	full = fopen("/dev/full", "we");
	assert_non_null(full);
	assert_int_equal(bundle_spec_write(full, false, 0, 0, &e), -ENOSPC);
	assert_string_equal(e.text, "write the specification: No space left on device");
	fclose(full);
}

static void test_load(void **state)
{
	char dir[] = "/tmp/rnc-test-bundle-XXXXXX", expected[256];
	static const char good[] = "{\"ociVersion\":\"1.0.2\",\"root\":{\"path\":\"../r\"}}";
	_autofree_ char *config = NULL, *twisted = NULL;
	struct bundle *b = NULL;
	struct err e = ERR_INIT;

	(void)state;
	assert_non_null(mkdtemp(dir));
	config = path_join(dir, "config.json");
	assert_non_null(config);
	assert_int_equal(bundle_load(dir, &b, &e), -ENOENT);
	snprintf(expected, sizeof(expected),
		 "bundle '%s': open 'config.json': No such file or directory", dir);
	assert_string_equal(e.text, expected);

	assert_int_equal(io_write_atomic(AT_FDCWD, config, good, strlen(good), 0600, &e), 0);
	twisted = str_printf("%s//.", dir);
	assert_int_equal(bundle_load(twisted, &b, &e), 0);
	assert_string_equal(b->dir, dir);
	snprintf(expected, sizeof(expected), "%s/../r", dir);
	assert_string_equal(b->root_path, expected);
	bundle_free(b);
	b = NULL;

	assert_int_equal(io_write_atomic(AT_FDCWD, config, "{}", 2, 0600, &e), 0);
	assert_int_equal(bundle_load(dir, &b, &e), -EINVAL);
	assert_string_equal(e.text, "config.json: ociVersion: required, but missing");
	assert_int_equal(truncate(config, BUNDLE_MAX_CONFIG + 1), 0);
	assert_int_equal(bundle_load(dir, &b, &e), -EFBIG);
	snprintf(expected, sizeof(expected),
		 "bundle '%s': read 'config.json': longer than 16777216 bytes", dir);
	assert_string_equal(e.text, expected);
	assert_null(b);
	assert_int_equal(path_remove_tree(AT_FDCWD, dir, &e), 0);

	assert_int_equal(bundle_load("/nonexistent", &b, &e), -ENOENT);
	assert_string_equal(e.text, "bundle '/nonexistent': No such file or directory");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_minimal),
		cmocka_unit_test(test_full_process),
		cmocka_unit_test(test_full_mounts),
		cmocka_unit_test(test_full_hooks),
		cmocka_unit_test(test_full_linux),
		cmocka_unit_test(test_full_resources),
		cmocka_unit_test(test_full_warnings),
		cmocka_unit_test(test_warnings_are_bounded),
		cmocka_unit_test(test_zero_means_absent),
		cmocka_unit_test(test_versions),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_too_deep),
		cmocka_unit_test(test_too_many_values),
		cmocka_unit_test(test_too_many_groups),
		cmocka_unit_test(test_too_long),
		cmocka_unit_test(test_hostile_bytes),
		cmocka_unit_test(test_mount_options),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_engines),
		cmocka_unit_test(test_other_runtimes_spec),
		cmocka_unit_test(test_own_spec),
		cmocka_unit_test(test_load),
	};

	return cmocka_run_group_tests_name("bundle", tests, NULL, NULL);
}

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The bundle: every field of the full example, the configurations of real engines, and our own
 * specification.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fd.h"
#include "base/io.h"
#include "base/path.h"
#include "base/str.h"
#include "bundle/names.h"
#include "bundle/test-bundle-help.h"

static void test_minimal(void **state)
{
	_autobundle_ struct bundle *b = help_good(CONFIG(""));

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
	_autobundle_ struct bundle *b = help_corpus("full.json");
	const struct bundle_process *p = &b->process;

	(void)state;
	assert_string_equal(b->oci_version, "1.2.0");
	assert_true(b->has_process && p->terminal && p->no_new_privs);
	assert_int_equal(p->console_rows, 25);
	assert_int_equal(p->console_columns, 80);
	assert_string_equal(p->cwd, "/srv/app");
	help_strings(&p->args, "/usr/bin/node|app.js|");
	help_strings(&p->env, "PATH=/usr/bin:/bin|EMPTY=|A=b=c");
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
	_autobundle_ struct bundle *b = help_corpus("full.json");
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
	help_strings(&m[1].options, "nosuid|noexec|nodev|mode=1777|size=65536k|tmpcopyup");

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
	_autobundle_ struct bundle *b = help_corpus("full.json");

	(void)state;
	assert_int_equal(b->hooks[BUNDLE_HOOK_PRESTART].n, 2);
	assert_string_equal(b->hooks[BUNDLE_HOOK_PRESTART].v[0].path, "/usr/bin/fix-mounts");
	help_strings(&b->hooks[BUNDLE_HOOK_PRESTART].v[0].args, "fix-mounts|arg1|arg2");
	help_strings(&b->hooks[BUNDLE_HOOK_PRESTART].v[0].env, "key1=value1");
	assert_int_equal(b->hooks[BUNDLE_HOOK_PRESTART].v[0].timeout, 0);
	help_strings(&b->hooks[BUNDLE_HOOK_PRESTART].v[1].args, "/usr/bin/setup-network");
	assert_int_equal(b->hooks[BUNDLE_HOOK_CREATE_RUNTIME].v[0].timeout, 30);
	assert_int_equal(b->hooks[BUNDLE_HOOK_CREATE_CONTAINER].n, 1);
	assert_int_equal(b->hooks[BUNDLE_HOOK_START_CONTAINER].n, 1);
	assert_int_equal(b->hooks[BUNDLE_HOOK_POSTSTART].n, 1);
	help_strings(&b->hooks[BUNDLE_HOOK_POSTSTOP].v[0].args, "cleanup.sh|-f");
	assert_int_equal(b->annotations.n, 3);
	assert_string_equal(bundle_annotation(b, "org.runnc.net.mode"), "bridge");
	assert_string_equal(bundle_annotation(b, "empty"), "");
}

static void test_full_linux(void **state)
{
	_autobundle_ struct bundle *b = help_corpus("full.json");

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
	help_strings(&b->masked_paths, "/proc/kcore");
	help_strings(&b->readonly_paths, "/proc/sys|/proc/bus");
	assert_true(b->rootfs_propagation == (MS_SLAVE | MS_REC));
	assert_string_equal(b->mount_label, "system_u:object_r:svirt_sandbox_file_t:s0:c715,c811");
	assert_int_equal(b->personality, BUNDLE_PERSONALITY_LINUX);
	assert_true(b->has_seccomp);
}

static void test_full_resources(void **state)
{
	_autobundle_ struct bundle *b = help_corpus("full.json");
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
	_autobundle_ struct bundle *b = help_corpus("full.json");

	(void)state;
	help_strings(&b->warnings,
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
	b = help_good(text.data);
	assert_int_equal(b->nr_mounts, 1000);
	assert_int_equal(b->warnings.n, 32);
	bundle_free(b);
}

/* Zeros and nulls that Go programs write for what they were not told. */
static void test_zero_means_absent(void **state)
{
	_autobundle_ struct bundle *b = help_good(CONFIG(
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
		_autobundle_ struct bundle *b = help_good(text);

		assert_string_equal(b->oci_version, good[i]);
		assert_string_equal(b->root_path, "/r");
	}
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
		_autobundle_ struct bundle *b = help_good(text);
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
	_autobundle_ struct bundle *podman = help_corpus("podman.json");
	_autobundle_ struct bundle *docker = help_corpus("docker.json");
	_autobundle_ struct bundle *cri = help_corpus("containerd-cri.json");
	_autobundle_ struct bundle *sandbox = help_corpus("containerd-sandbox.json");

	(void)state;
	assert_true(podman->process.rlimits[0].hard == UINT64_MAX);
	assert_int_equal(podman->process.user.umask, 022);
	assert_int_equal(podman->resources.memory_swap, 268435456);
	assert_int_equal(podman->warnings.n, 0);

	assert_true(docker->ns[BUNDLE_NS_NETWORK].present && !docker->ns[BUNDLE_NS_NETWORK].path);
	help_strings(&docker->hooks[BUNDLE_HOOK_PRESTART].v[0].args,
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
		_autobundle_ struct bundle *b = help_corpus(names[i]);

		help_strings(&b->process.args, "sh");
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
		cmocka_unit_test(test_mount_options),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_engines),
		cmocka_unit_test(test_other_runtimes_spec),
		cmocka_unit_test(test_own_spec),
		cmocka_unit_test(test_load),
	};

	return cmocka_run_group_tests_name("bundle", tests, NULL, NULL);
}

/* SPDX-License-Identifier: GPL-2.0-only */
/* The plan is pure: bundles and facts are made up here, and nothing of the host is looked at. */
#include <errno.h>
#include <linux/capability.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "container/plan.h"

#define MIB (UINT64_C(1) << 20)
#define GIB (UINT64_C(1) << 30)

/* A bundle, its facts and what became of it. */
struct trial {
	struct bundle *b;
	struct facts facts;
	struct facts_mount mounts[8];
	struct plan_options options;
	struct plan p;
	struct err e;
	int r;
};

static void trial_parse(struct trial *t, const char *more, const char *linux_more)
{
	char json[8192];
	int len;

	memset(t, 0, sizeof(*t));
	len = snprintf(json, sizeof(json),
		       "{\"ociVersion\":\"1.0.2\",\"process\":{\"args\":[\"/bin/true\"],"
		       "\"cwd\":\"/\",\"user\":{\"uid\":0,\"gid\":0}},"
		       "\"root\":{\"path\":\"rootfs\"}%s%s,"
		       "\"linux\":{\"namespaces\":[{\"type\":\"network\"}]%s%s}}",
		       more[0] ? "," : "", more, linux_more[0] ? "," : "", linux_more);
	t->r = bundle_parse(json, (size_t)len, "/bundle", &t->b, &t->e);
	if (t->r < 0)
		fail_msg("%s", t->e.text);
	t->facts.host_memory = 16 * GIB;
	t->facts.mounts = t->mounts;
	t->facts.nr_mounts = t->b->nr_mounts;
}

static void trial_plan(struct trial *t)
{
	t->r = plan_make(t->b, &t->facts, &t->options, &t->p, &t->e);
}

static void trial_end(struct trial *t)
{
	plan_free(&t->p);
	bundle_free(t->b);
}

/* The whole of it, for what needs no facts: the message must be exactly @text ("" for success). */
static void expect(const char *more, const char *linux_more, const char *text)
{
	struct trial t;

	trial_parse(&t, more, linux_more);
	trial_plan(&t);
	if (text[0]) {
		assert_int_equal(t.r, -EINVAL);
		assert_string_equal(t.e.text, text);
	} else if (t.r < 0) {
		fail_msg("%s", t.e.text);
	}
	trial_end(&t);
}

static void memory_is(const char *more, const char *linux_more, uint64_t host, uint64_t wanted)
{
	struct trial t;

	trial_parse(&t, more, linux_more);
	t.facts.host_memory = host;
	trial_plan(&t);
	if (t.r < 0)
		fail_msg("%s", t.e.text);
	assert_int_equal(t.p.mem_size, wanted);
	trial_end(&t);
}

#define MEMORY(bytes) "\"resources\":{\"memory\":{\"limit\":" #bytes "}}"

static void test_memory(void **state)
{
	(void)state;
	memory_is("", "", 16 * GIB, GIB);
	memory_is("", "", GIB, 512 * MIB);
	memory_is("", MEMORY(-1), 16 * GIB, GIB);
	/* 1 GiB - 16 MiB - 8 MiB */
	memory_is("", MEMORY(1073741824), 16 * GIB, 1000 * MIB);
	/* More than the host has, and more than a guest can have. */
	memory_is("", MEMORY(1073741824), 700 * MIB, 700 * MIB);
	memory_is("", MEMORY(109951162777600), 256 * GIB, 32 * GIB);
	/* The smallest: 81 MiB leave 64 (and a bit less than 1 MiB). */
	memory_is("", MEMORY(84934656), 16 * GIB, 64 * MIB);
}

static void test_memory_annotation(void **state)
{
	(void)state;
	memory_is("\"annotations\":{\"org.runnc.memory\":\"512M\"}", MEMORY(1073741824), 16 * GIB,
		      512 * MIB);
	memory_is("\"annotations\":{\"org.runnc.memory\":\"2g\"}", "", GIB, 2 * GIB);
	memory_is("\"annotations\":{\"org.runnc.memory\":\"70000001\"}", "", GIB, 66 * MIB);
	expect("\"annotations\":{\"org.runnc.memory\":\"63M\"}", "",
	       "annotation org.runnc.memory: '63M' is not between 64 and 32768 MiB");
	expect("\"annotations\":{\"org.runnc.memory\":\"33G\"}", "",
	       "annotation org.runnc.memory: '33G' is not between 64 and 32768 MiB");
	expect("\"annotations\":{\"org.runnc.memory\":\"99999999999999G\"}", "",
	       "annotation org.runnc.memory: '99999999999999G' is not a number of bytes, or of K, "
	       "M or G");
	expect("\"annotations\":{\"org.runnc.memory\":\"much\"}", "",
	       "annotation org.runnc.memory: 'much' is not a number of bytes, or of K, M or G");
	expect("\"annotations\":{\"org.runnc.memory\":\"\"}", "",
	       "annotation org.runnc.memory: '' is not a number of bytes, or of K, M or G");
	expect("\"annotations\":{\"org.runnc.memory\":\"M\"}", "",
	       "annotation org.runnc.memory: 'M' is not a number of bytes, or of K, M or G");
}

static void test_memory_too_small(void **state)
{
	(void)state;
	expect("", MEMORY(67108864),
	       "memory limit is too small: the guest needs 64 MiB, "
	       "and its kernel and the runtime 17 MiB beside it");
	expect("", MEMORY(1),
	       "memory limit is too small: the guest needs 64 MiB, and its kernel "
	       "and the runtime 16 MiB beside it");
}

/* A pod's limit holds for a container that has none, or a larger one. */
static void test_memory_of_parent(void **state)
{
	struct trial t;

	(void)state;
	trial_parse(&t, "", "");
	t.facts.memory_limit = 128 * MIB;
	trial_plan(&t);
	assert_int_equal(t.r, 0);
	/* 128 - 16 - 1 */
	assert_int_equal(t.p.mem_size, 110 * MIB);
	plan_free(&t.p);
	t.facts.memory_limit = 64 * GIB;
	trial_plan(&t);
	assert_int_equal(t.p.mem_size, GIB);
	plan_free(&t.p);
	t.facts.memory_limit = 64 * MIB;
	trial_plan(&t);
	assert_int_equal(t.r, -EINVAL);
	trial_end(&t);

	trial_parse(&t, "", MEMORY(1073741824));
	t.facts.memory_limit = 128 * MIB;
	trial_plan(&t);
	assert_int_equal(t.p.mem_size, 110 * MIB);
	assert_int_equal(t.p.mem_limit, GIB);
	trial_end(&t);
}

#define USER_NS "\"namespaces\":[{\"type\":\"user\"}],"
#define MAPS(uid, gid) "\"uidMappings\":[" uid "],\"gidMappings\":[" gid "]"
#define MAP(inside, size) "{\"containerID\":" #inside ",\"hostID\":100000,\"size\":" #size "}"

static void uid_is(const char *maps, uint32_t uid)
{
	char json[1024];
	struct trial t;
	int len;

	memset(&t, 0, sizeof(t));
	t.facts.host_memory = GIB;
	len = snprintf(json, sizeof(json),
		       "{\"ociVersion\":\"1.0.2\",\"process\":{\"args\":[\"x\"],"
		       "\"cwd\":\"/\",\"user\":{}},\"root\":{\"path\":\"rootfs\"},"
		       "\"linux\":{" USER_NS "%s}}", maps);
	if (bundle_parse(json, (size_t)len, "/bundle", &t.b, &t.e) < 0)
		fail_msg("%s", t.e.text);
	trial_plan(&t);
	assert_int_equal(t.r, 0);
	assert_int_equal(t.p.host_uid, uid);
	trial_end(&t);
}

static void test_user_namespace(void **state)
{
	(void)state;
	uid_is(MAPS(MAP(0, 65536), MAP(0, 65536)), 65534);
	uid_is(MAPS(MAP(0, 1), MAP(0, 1)), 0);
	uid_is(MAPS(MAP(0, 1000), MAP(0, 65536)), 999);
	uid_is(MAPS(MAP(0, 4294000000), MAP(0, 10)), 4293999999u);
}

static void test_annotations(void **state)
{
	struct trial t;

	(void)state;
	expect("\"annotations\":{\"org.runnc.nonsense\":\"1\"}", "",
	       "annotation 'org.runnc.nonsense' is unknown");
	expect("\"annotations\":{\"org.runnc\":\"1\",\"com.example\":\"2\"}", "", "");
	expect("\"annotations\":{\"org.runnc.net.mode\":\"ipvlan\"}", "",
	       "annotation org.runnc.net.mode: 'ipvlan' is not tc, bridge, macvtap, packet or "
	       "auto");
	expect("\"annotations\":{\"org.runnc.net.mac\":\"mine\"}", "",
	       "annotation org.runnc.net.mac: 'mine' is not adopt or random");
	expect("\"annotations\":{\"org.runnc.uid\":\"nobody\"}", "",
	       "annotation org.runnc.uid: 'nobody' is not a user id");
	expect("\"annotations\":{\"org.runnc.uid\":\"4294967295\"}", "",
	       "annotation org.runnc.uid: '4294967295' is not a user id");
	expect("\"annotations\":{\"org.runnc.net.loopback\":\"all\"}", "",
	       "annotation org.runnc.net.loopback: 'all' is not pod or none");
	expect("\"annotations\":{\"org.runnc.volumes\":\"share\"}", "",
	       "annotation org.runnc.volumes: 'share' is not copy");

	trial_parse(&t,
		    "\"annotations\":{\"org.runnc.net.mode\":\"bridge\",\"org.runnc.net.mac\":"
		    "\"random\","
		    "\"org.runnc.uid\":\"1000\"}",
		    "");
	trial_plan(&t);
	assert_int_equal(t.r, 0);
	assert_int_equal(t.p.net_request.mode, NET_MODE_BRIDGE);
	assert_int_equal(t.p.net_request.mac, NET_MAC_RANDOM);
	assert_int_equal(t.p.host_uid, 1000);
	assert_true(t.p.loopback);
	plan_free(&t.p);
	/* The option on the command line wins. */
	t.options.net_mode = "tc";
	trial_plan(&t);
	assert_int_equal(t.p.net_request.mode, NET_MODE_TC);
	plan_free(&t.p);
	t.options.net_mode = "fast";
	trial_plan(&t);
	assert_string_equal(t.e.text,
			    "--net-mode: 'fast' is not tc, bridge, macvtap, packet or auto");
	trial_end(&t);

	trial_parse(&t, "\"annotations\":{\"org.runnc.net.loopback\":\"none\"}", "");
	trial_plan(&t);
	assert_int_equal(t.r, 0);
	assert_false(t.p.loopback);
	plan_free(&t.p);
	trial_end(&t);
}

#define KEEP "\"org.runnc.net.sidecars\":\"keep\""

static void test_sidecars(void **state)
{
	struct trial t;

	(void)state;
	expect("\"annotations\":{\"org.runnc.net.sidecars\":\"all\"}", "",
	       "annotation org.runnc.net.sidecars: 'all' is not none or keep");
	expect("\"annotations\":{" KEEP ",\"org.runnc.net.mode\":\"bridge\"}", "",
	       "annotation org.runnc.net.sidecars: keep is for mode tc, and the mode is bridge");
	expect("\"annotations\":{" KEEP ",\"org.runnc.net.mac\":\"random\"}", "",
	       "annotation org.runnc.net.sidecars: keep is for the interface's own MAC, and "
	       "org.runnc.net.mac is random");

	trial_parse(&t, "\"annotations\":{\"org.runnc.net.sidecars\":\"none\"}", "");
	trial_plan(&t);
	assert_int_equal(t.r, 0);
	assert_false(t.p.net_request.shared);
	plan_free(&t.p);
	trial_end(&t);

	trial_parse(&t, "\"annotations\":{" KEEP ",\"org.runnc.net.mode\":\"auto\"}",
		    "\"sysctl\":{\"net.ipv4.ip_local_port_range\":\"1 9\"}");
	trial_plan(&t);
	assert_int_equal(t.r, 0);
	assert_true(t.p.net_request.shared);
	assert_int_equal(t.p.net_request.mode, NET_MODE_TC);
	assert_int_equal(t.p.nr_notes, 1);
	assert_non_null(strstr(t.p.notes[0],
			       "linux.sysctl's net.ipv4.ip_local_port_range is the guest's"));
	plan_free(&t.p);
	/* The option on the command line wins, also over that. */
	t.options.net_mode = "packet";
	trial_plan(&t);
	assert_string_equal(t.e.text, "annotation org.runnc.net.sidecars: keep is for mode tc, "
				      "and the mode is packet");
	plan_free(&t.p);
	trial_end(&t);
}

static void test_defaults(void **state)
{
	struct trial t;

	(void)state;
	trial_parse(&t, "", "");
	trial_plan(&t);
	assert_int_equal(t.r, 0);
	assert_int_equal(t.p.guest.kind, GUEST_LINUX);
	assert_int_equal(t.p.host_uid, 65534);
	assert_int_equal(t.p.network, PLAN_NETWORK_LATER);
	assert_int_equal(t.p.net_request.mode, NET_MODE_TC);
	assert_int_equal(t.p.net_request.mac, NET_MAC_ADOPT);
	assert_int_equal(t.p.nr_mounts + t.p.nr_files + t.p.nr_devices + t.p.nr_notes, 0);
	trial_end(&t);
}

/* Sending under any address takes the bundle's capability and the operator's word. */
static void test_guard(void **state)
{
	static const struct {
		uint64_t bounding, permitted;
		bool present, allows, unguarded;
	} cases[] = {
		{ 0, 0, true, true, false },
		{ 1 << CAP_NET_RAW, 0, true, true, true },
		{ 0, 1 << CAP_NET_ADMIN, true, true, true },
		{ 1 << CAP_NET_RAW, 1 << CAP_NET_RAW, true, false, false },
		{ 1 << CAP_NET_BIND_SERVICE, 1 << CAP_CHOWN, true, true, false },
		{ UINT64_MAX, UINT64_MAX, false, true, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct trial t;

		trial_parse(&t, "", "");
		t.b->process.caps.present = cases[i].present;
		t.b->process.caps.bounding = cases[i].bounding;
		t.b->process.caps.permitted = cases[i].permitted;
		t.options.allow_spoofing = cases[i].allows;
		trial_plan(&t);
		assert_int_equal(t.r, 0);
		assert_int_equal(t.p.net_request.unguarded, cases[i].unguarded);
		trial_end(&t);
	}
}

static void test_no_network(void **state)
{
	static const char *const sandboxes[] = {
		"\"io.kubernetes.cri.container-type\":\"sandbox\"",
		"\"io.kubernetes.cri-o.ContainerType\":\"sandbox\"",
	};
	const char json[] = "{\"ociVersion\":\"1.0.2\",\"process\":{\"args\":[\"x\"],"
			    "\"cwd\":\"/\",\"user\":{}},"
			    "\"root\":{\"path\":\"rootfs\"}}";
	struct trial t;

	(void)state;
	memset(&t, 0, sizeof(t));
	t.facts.host_memory = GIB;
	assert_int_equal(bundle_parse(json, sizeof(json) - 1, "/bundle", &t.b, &t.e), 0);
	trial_plan(&t);
	assert_int_equal(t.p.network, PLAN_NETWORK_NONE);
	assert_int_equal(t.p.nr_notes, 1);
	trial_end(&t);

	/* A pod's own process must not take the interface from the pod's containers. */
	for (size_t i = 0; i < sizeof(sandboxes) / sizeof(sandboxes[0]); i++) {
		char more[128];

		snprintf(more, sizeof(more), "\"annotations\":{%s}", sandboxes[i]);
		trial_parse(&t, more, "");
		trial_plan(&t);
		assert_int_equal(t.r, 0);
		assert_int_equal(t.p.network, PLAN_NETWORK_NONE);
		trial_end(&t);
	}
}

/* A pod's container has no host name in its config.json: the pod's was found. */
static void test_hostname(void **state)
{
	struct trial t;

	(void)state;
	trial_parse(&t, "", "");
	trial_plan(&t);
	assert_string_equal(t.p.hostname, "");
	plan_free(&t.p);
	strcpy(t.facts.hostname, "pod");
	trial_plan(&t);
	assert_string_equal(t.p.hostname, "pod");
	trial_end(&t);

	trial_parse(&t, "\"hostname\":\"own\"", "");
	strcpy(t.facts.hostname, "pod");
	trial_plan(&t);
	assert_string_equal(t.p.hostname, "own");
	trial_end(&t);
}

#define ID "57e418a2388036caef221556e74939c0b3f07f635bd31f1d6e062ead26fe175b"

/* What Podman 4.3 writes for an infra container, for those in its pod, and without a pod. */
static void test_podman_pod(void **state)
{
	static const char type[] = ",\"io.kubernetes.cri-o.ContainerType\":\"container\"";
	static const struct {
		const char *manager, *type, *path;
		bool sandbox;
	} cases[] = {
		{ "libpod", "", "/libpod_parent/" ID "/libpod-" ID, true },
		{ "libpod", "", "machine-libpod_pod_" ID ".slice:libpod:" ID, true },
		{ "libpod", type, "/libpod_parent/" ID "/libpod-" ID, false },
		{ "libpod", type, "machine-libpod_pod_" ID ".slice:libpod:" ID, false },
		{ "libpod", "", "/libpod_parent/libpod-" ID, false },
		{ "libpod", "", "libpod-" ID, false },
		{ "libpod", "", "machine.slice:libpod:" ID, false },
		/* --cgroups=split, inside of a container that is another engine's */
		{ "libpod", "", "/docker/" ID "/libpod-payload-" ID, false },
		{ "libpod", "", "/docker/0" ID "/libpod-" ID, false },
		{ "other", "", "/libpod_parent/" ID "/libpod-" ID, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char more[256], path[256];
		struct trial t;

		snprintf(more, sizeof(more), "\"annotations\":{\"io.container.manager\":\"%s\"%s}",
			 cases[i].manager, cases[i].type);
		snprintf(path, sizeof(path), "\"cgroupsPath\":\"%s\"", cases[i].path);
		trial_parse(&t, more, path);
		trial_plan(&t);
		assert_int_equal(t.r, 0);
		assert_int_equal(t.p.network, cases[i].sandbox ? PLAN_NETWORK_NONE :
							      PLAN_NETWORK_LATER);
		trial_end(&t);
	}
}

#undef ID

/* ---- mounts -------------------------------------------------------------------------------- */

#define BIND(destination, source, options) \
	"\"mounts\":[{\"destination\":\"" destination "\",\"type\":" \
	"\"bind\",\"source\":\"" source "\",\"options\":[\"rbind\"" options "]}]"

static void trial_bind(struct trial *t, const char *mounts, const struct facts_mount *fact)
{
	trial_parse(t, mounts, "");
	t->mounts[0] = *fact;
	trial_plan(t);
}

static void expect_bind(const char *mounts, const struct facts_mount *fact, const char *text)
{
	struct trial t;

	trial_bind(&t, mounts, fact);
	assert_int_equal(t.r, -EINVAL);
	assert_string_equal(t.e.text, text);
	trial_end(&t);
}

static void test_guest_mounts(void **state)
{
	struct trial t;

	(void)state;
	trial_parse(&t,
		    "\"mounts\":["
		    "{\"destination\":\"/proc\",\"type\":\"proc\",\"source\":\"proc\"},"
		    "{\"destination\":\"/sys/fs/cgroup\",\"type\":\"cgroup\","
		    "\"source\":\"cgroup\"},"
		    "{\"destination\":\"/run\",\"type\":\"tmpfs\",\"source\":\"tmpfs\",\"options\":"
		    "[\"nosuid\",\"mode=755\",\"context=\\\"a:b\\\"\",\"size=1k\",\"tmpcopyup\"]}]",
		    "");
	trial_plan(&t);
	assert_int_equal(t.r, 0);
	assert_int_equal(t.p.nr_mounts, 2);
	assert_string_equal(t.p.mounts[0].type, "proc");
	assert_string_equal(t.p.mounts[1].destination, "/run");
	assert_string_equal(t.p.mounts[1].data, "mode=755,size=1k");
	assert_int_equal(t.p.mounts[1].flags, 2);
	assert_int_equal(t.p.nr_notes, 2);
	assert_string_equal(t.p.notes[0], "mount '/sys/fs/cgroup': the guest has no cgroups; left "
					  "out");
	trial_end(&t);

	expect("\"mounts\":[{\"destination\":\"/x\",\"type\":\"nfs\",\"source\":\"a:/b\"}]", "",
	       "mount '/x': file systems of type 'nfs' are not supported");
}

static void test_bind_file(void **state)
{
	const struct facts_mount file = {
		.kind = FACTS_FILE, .mode = 0640, .uid = 5, .gid = 6, .size = 12
	};
	const struct facts_mount big = { .kind = FACTS_FILE, .size = (1 << 20) + 1 };
	struct trial t;

	(void)state;
	trial_bind(&t, BIND("/etc/hosts", "/var/x/hosts", ",\"ro\""), &file);
	assert_int_equal(t.r, 0);
	assert_int_equal(t.p.nr_files, 1);
	assert_string_equal(t.p.files[0].destination, "/etc/hosts");
	assert_string_equal(t.p.files[0].source, "/var/x/hosts");
	assert_int_equal(t.p.files[0].mode, 0640);
	assert_int_equal(t.p.files[0].uid, 5);
	assert_int_equal(t.p.files[0].gid, 6);
	assert_true(t.p.files[0].readonly);
	trial_end(&t);
	expect_bind(BIND("/big", "/var/big", ""), &big,
		    "mount '/big': file '/var/big' is larger than 1024 KiB; "
		    "bind-mounted files are copied into the guest, volumes are not supported yet");
}

static void test_bind_dir(void **state)
{
	const struct facts_mount empty = {
		.kind = FACTS_DIR, .empty = true, .mode = 01777, .uid = 7
	};
	const struct facts_mount full = { .kind = FACTS_DIR };
	struct trial t;

	(void)state;
	trial_bind(&t, BIND("/data", "/var/data", ""), &empty);
	assert_int_equal(t.r, 0);
	assert_int_equal(t.p.nr_mounts, 1);
	assert_string_equal(t.p.mounts[0].type, "tmpfs");
	assert_string_equal(t.p.mounts[0].data, "mode=1777,uid=7,gid=0");
	assert_int_equal(t.p.mounts[0].flags, 0);
	trial_end(&t);
	trial_bind(&t, BIND("/dev/shm", "/var/lib/engine/shm", ",\"nosuid\""), &full);
	assert_int_equal(t.r, 0);
	assert_string_equal(t.p.mounts[0].type, "tmpfs");
	assert_string_equal(t.p.mounts[0].data, "mode=1777,size=65536k");
	assert_int_equal(t.p.mounts[0].flags, 2);
	trial_end(&t);
	trial_bind(&t, BIND("/sys", "/sys", ""), &full);
	assert_int_equal(t.r, 0);
	assert_string_equal(t.p.mounts[0].type, "sysfs");
	trial_end(&t);
	expect_bind(BIND("/data", "/var/data", ""), &full,
		    "mount '/data': directory '/var/data': volumes are "
		    "not supported yet (small ones can be copied: annotation "
		    "org.runnc.volumes=copy)");
	/* Only the host's /proc means "the host's": another directory there is a volume. */
	expect_bind(BIND("/proc", "/var/proc", ""), &full,
		    "mount '/proc': directory '/var/proc': volumes are "
		    "not supported yet (small ones can be copied: annotation "
		    "org.runnc.volumes=copy)");
}

#define COPY ",\"annotations\":{\"org.runnc.volumes\":\"copy\"}"

static void test_copy_volume(void **state)
{
	static char one[] = "a", two[] = "d/b";
	struct facts_file files[] = {
		{ .path = one, .mode = 0600, .size = 10 },
		{ .path = two, .mode = 0755, .size = 20 },
	};
	struct facts_mount dir = {
		.kind = FACTS_DIR, .listed = true, .files = files, .nr_files = 2
	};
	struct trial t;

	(void)state;
	trial_bind(&t, BIND("/data", "/var/data", "") COPY, &dir);
	assert_int_equal(t.r, 0);
	assert_int_equal(t.p.nr_files, 2);
	assert_string_equal(t.p.files[1].destination, "/data/d/b");
	assert_string_equal(t.p.files[1].source, "/var/data/d/b");
	trial_end(&t);

	files[1].size = 8 * MIB;
	expect_bind(BIND("/data", "/var/data", "") COPY, &dir,
		    "mount '/data': directory '/var/data' cannot be "
		    "copied into the guest: it holds more than 8 MiB");
	files[1].size = UINT64_MAX;
	expect_bind(BIND("/data", "/var/data", "") COPY, &dir,
		    "mount '/data': directory '/var/data' cannot be "
		    "copied into the guest: it holds more than 8 MiB");
	files[1].size = 20;
	dir.listed = false;
	expect_bind(BIND("/data", "/var/data", "") COPY, &dir,
		    "mount '/data': directory '/var/data' cannot be "
		    "copied into the guest: it holds too many files, or something that is no file");
}

static void test_bind_other(void **state)
{
	const struct facts_mount missing = { .kind = FACTS_MISSING };
	const struct facts_mount socket = { .kind = FACTS_OTHER };
	const struct facts_mount null = { .kind = FACTS_NULL };
	struct trial t;

	(void)state;
	expect_bind(BIND("/x", "/gone", ""), &missing, "mount '/x': source '/gone' does not exist");
	expect_bind(BIND("/run/docker.sock", "/run/docker.sock", ""), &socket,
		    "mount '/run/docker.sock': source '/run/docker.sock' is neither a file nor a "
		    "directory");
	trial_bind(&t, BIND("/etc/secret", "/dev/null", ""), &null);
	assert_int_equal(t.r, 0);
	assert_int_equal(t.p.nr_masked, 1);
	assert_string_equal(t.p.masked[0], "/etc/secret");
	trial_end(&t);
}

/* ---- devices ------------------------------------------------------------------------------- */

#define DEVICE(path, type, major, minor) "\"devices\":[{\"path\":\"" path "\",\"type\":\"" type \
	"\",\"major\":" #major ",\"minor\":" #minor "}]"

static void test_devices(void **state)
{
	struct trial t;

	(void)state;
	trial_parse(&t, "", DEVICE("/dev/null", "c", 1, 3));
	trial_plan(&t);
	assert_int_equal(t.r, 0);
	assert_int_equal(t.p.nr_devices, 0);
	trial_end(&t);
	trial_parse(&t, "", DEVICE("/dev/nothing", "c", 1, 3));
	trial_plan(&t);
	assert_int_equal(t.r, 0);
	assert_int_equal(t.p.nr_devices, 1);
	trial_end(&t);
	expect("", "\"devices\":[{\"path\":\"/run/pipe\",\"type\":\"p\"}]", "");
	expect("", DEVICE("/dev/fuse", "c", 10, 229),
	       "device '/dev/fuse' (c 10:229): a guest has no access to devices of the host");
	expect("", DEVICE("/dev/null", "b", 1, 3),
	       "device '/dev/null' (b 1:3): a guest has no access to devices of the host");
}

static void test_notes(void **state)
{
	struct trial t;

	(void)state;
	trial_parse(&t, "",
		    "\"seccomp\":{\"defaultAction\":\"SCMP_ACT_ALLOW\"},\"mountLabel\":\"x\"");
	trial_plan(&t);
	assert_int_equal(t.r, 0);
	assert_int_equal(t.p.nr_notes, 2);
	assert_non_null(strstr(t.p.notes[1], "linux.seccomp is not applied"));
	trial_end(&t);
}

/* Only a console that is asked for by its name speaks. */
static void test_cmdline(void **state)
{
	struct trial t;

	(void)state;
	for (int i = 0; i < 4; i++) {
		bool debug = i & 1, terminal = i & 2;

		trial_parse(&t, "", "");
		t.options.debug = debug;
		t.b->process.terminal = terminal;
		trial_plan(&t);
		assert_int_equal(t.r, 0);
		assert_string_equal(t.p.cmdline, !debug	  ? "quiet" :
						 terminal ? "loglevel=7 console=hvc0" :
							    "loglevel=7 console=nabla");
		trial_end(&t);
	}
}

/* A quota of less than a CPU is the program's, not the idle guest's. */
static void test_cmdline_quota(void **state)
{
	static const struct {
		const char *cpu;
		bool polls;
	} rows[] = {
		{ "\"shares\":512", true },
		{ "\"quota\":50000", false },
		{ "\"quota\":99999", false },
		{ "\"quota\":100000", true },
		{ "\"quota\":-1", true },
		{ "\"quota\":0", true },
		{ "\"quota\":100000,\"period\":200000", false },
		{ "\"quota\":50000,\"period\":20000", true },
	};
	char resources[128];
	struct trial t;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		snprintf(resources, sizeof(resources), "\"resources\":{\"cpu\":{%s}}",
			 rows[i].cpu);
		trial_parse(&t, "", resources);
		trial_plan(&t);
		assert_int_equal(t.r, 0);
		assert_string_equal(t.p.cmdline,
				    rows[i].polls ? "quiet" : "quiet nabla_poll_us=0");
		trial_end(&t);
	}
}

/* ---- the network --------------------------------------------------------------------------- */

/* Are the interfaces kept for others? */
static bool keeps(struct net_survey survey, const char *annotations, const char *mode)
{
	struct trial t;
	bool kept;

	trial_parse(&t, annotations, "");
	t.options.net_mode = mode;
	trial_plan(&t);
	assert_int_equal(t.r, 0);
	t.p.net_request.host = (struct net_host){ .tun = true, .clsact = true };
	assert_int_equal(plan_set_network(&t.p, &survey, &t.e), 0);
	kept = t.p.net_request.shared;
	if (kept)
		assert_int_equal(t.p.net_request.mode, NET_MODE_TC);
	trial_end(&t);
	return kept;
}

/* Unless somebody says otherwise, who else is in the namespace keeps the interfaces. */
static void test_keep(void **state)
{
	const struct net_survey survey = { .loopback = { .known = true } };
	const struct net_survey unknown = { .loopback = { .known = false } };
	struct net_survey unsupported = { .loopback = { .known = true, .unsupported = -EPERM } };

	(void)state;
	assert_true(keeps(survey, "", NULL));
	assert_true(keeps(survey, "", "auto"));
	assert_true(keeps(survey, "\"annotations\":{" KEEP "}", NULL));
	assert_false(keeps(survey, "\"annotations\":{\"org.runnc.net.sidecars\":\"none\"}", NULL));
	assert_false(keeps(survey, "\"annotations\":{\"org.runnc.net.mac\":\"random\"}", NULL));
	assert_false(keeps(survey, "", "bridge"));
	/* Without the loopback, alone in a new namespace, or on a kernel that cannot. */
	assert_false(keeps(unknown, "", NULL));
	assert_false(keeps(unsupported, "", NULL));
}

static void test_network(void **state)
{
	struct net_link links[] = { {
		.index = 2,
		.type = 1,
		.carrier = true,
		.flags = 0x11043,
		.mtu = 1400,
		.has_mac = true,
		.mac = { 2, 0, 0, 0, 0, 1 },
		.name = "eth0",
		.kind = "veth",
	} };
	struct net_addr addrs[] = { { .addr = {
					      .link = 2,
					      .family = 2,
					      .prefix = 32,
					      .valid_lft = UINT32_MAX,
					      .preferred_lft = UINT32_MAX,
					      .local = { 10, 1, 2, 3 },
					      .peer = { 10, 1, 2, 3 },
				      } } };
	struct net_survey survey = { .links = links, .nr_links = 1, .addrs = addrs, .nr_addrs = 1 };
	struct trial t;

	(void)state;
	trial_parse(&t, "", "");
	trial_plan(&t);
	assert_int_equal(plan_set_network(&t.p, &survey, &t.e), 0);
	assert_int_equal(t.p.network, PLAN_NETWORK_SURVEYED);
	assert_int_equal(t.p.net.nr_ports, 1);
	assert_int_equal(t.p.net.links[0].mtu, 1400);
	assert_memory_equal(t.p.net.links[0].mac, links[0].mac, 6);
	/* Again: the former one is freed. */
	assert_int_equal(plan_set_network(&t.p, &survey, &t.e), 0);
	trial_end(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_memory),
		cmocka_unit_test(test_memory_annotation),
		cmocka_unit_test(test_memory_too_small),
		cmocka_unit_test(test_memory_of_parent),
		cmocka_unit_test(test_user_namespace),
		cmocka_unit_test(test_annotations),
		cmocka_unit_test(test_sidecars),
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_guard),
		cmocka_unit_test(test_no_network),
		cmocka_unit_test(test_podman_pod),
		cmocka_unit_test(test_hostname),
		cmocka_unit_test(test_guest_mounts),
		cmocka_unit_test(test_bind_file),
		cmocka_unit_test(test_bind_dir),
		cmocka_unit_test(test_copy_volume),
		cmocka_unit_test(test_bind_other),
		cmocka_unit_test(test_devices),
		cmocka_unit_test(test_notes),
		cmocka_unit_test(test_cmdline),
		cmocka_unit_test(test_cmdline_quota),
		cmocka_unit_test(test_keep),
		cmocka_unit_test(test_network),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

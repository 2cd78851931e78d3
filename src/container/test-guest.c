/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which guest it is, and what a unikernel is told: made-up bundles, facts and networks; and looking
 * into a root that tries to lead out of itself.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/path.h"
#include "base/str.h"
#include "container/plan.h"
#include "container/solo5_args.h"

#define MIB (UINT64_C(1) << 20)

struct trial {
	struct bundle *b;
	struct facts facts;
	struct plan p;
	struct err e;
	int r;
};

/* @args: of the process, as JSON; @annotations: of the bundle, as JSON, or "". */
static void trial_parse(struct trial *t, const char *args, const char *annotations)
{
	char json[8192];

	memset(t, 0, sizeof(*t));
	snprintf(json, sizeof(json),
		 "{\"ociVersion\":\"1.0.2\",\"process\":{\"args\":[%s],\"env\":[\"A=b "
		 "c\",\"N=\\\"\"],"
		 "\"cwd\":\"/\",\"user\":{\"uid\":0,\"gid\":0}},\"root\":{\"path\":\"rootfs\"},"
		 "\"annotations\":{%s},\"linux\":{\"namespaces\":[{\"type\":\"network\"}]}}",
		 args, annotations);
	if (bundle_parse(json, strlen(json), "/bundle", &t->b, &t->e) < 0)
		fail_msg("%s", t->e.text);
	t->facts.host_memory = UINT64_C(16) << 30;
}

/* The image's file is a unikernel with these devices: "n" a network device, "b" a disk. */
static void trial_unikernel(struct trial *t, const char *binary, const char *devices, ...)
{
	struct guest_facts *f = &t->facts.guest;
	va_list names;

	f->file = GUEST_FILE_SOLO5;
	f->abi = (struct solo5_abi){ .target = SOLO5_SPT, .version = 2 };
	f->binary = strdup(binary);
	f->manifest = calloc(1, sizeof(*f->manifest));
	assert_non_null(f->manifest);
	f->manifest->entry[0].type = SOLO5_RESERVED_FIRST;
	f->manifest->entries = 1;
	va_start(names, devices);
	for (; *devices; devices++) {
		struct solo5_manifest_entry *entry = &f->manifest->entry[f->manifest->entries++];

		entry->type = *devices == 'n' ? SOLO5_NET : SOLO5_BLOCK;
		strcpy(entry->name, va_arg(names, const char *));
	}
	va_end(names);
}

static void trial_urunc(struct trial *t, enum urunc_key key, const char *value)
{
	t->facts.guest.urunc.value[key] = strdup(value);
}

static void trial_plan(struct trial *t)
{
	t->r = plan_make(t->b, &t->facts, &(struct plan_options){ .net_mode = NULL }, &t->p, &t->e);
}

static void trial_end(struct trial *t)
{
	plan_free(&t->p);
	guest_facts_free(&t->facts.guest);
	bundle_free(t->b);
}

static void planned(struct trial *t, enum guest_kind kind, const char *why)
{
	trial_plan(t);
	if (t->r < 0)
		fail_msg("%s", t->e.text);
	assert_int_equal(t->p.guest.kind, kind);
	assert_string_equal(t->p.guest.why, why);
}

/* The plan is refused with a text that begins so. */
static void refused(struct trial *t, const char *text)
{
	trial_plan(t);
	assert_int_equal(t->r, -EINVAL);
	if (strncmp(t->e.text, text, strlen(text)) != 0)
		fail_msg("'%s' does not begin with '%s'", t->e.text, text);
	trial_end(t);
}

/* ---- which guest ---------------------------------------------------------------------------- */

static void test_linux(void **state)
{
	struct trial t;

	(void)state;
	trial_parse(&t, "\"/bin/sh\"", "");
	t.facts.guest.file = GUEST_FILE_OTHER;
	t.facts.guest.binary = strdup("/bin/sh");
	planned(&t, GUEST_LINUX, "the image says nothing else");
	trial_end(&t);

	trial_parse(&t, "\"/hello.spt\"", "\"org.runnc.guest\":\"linux\"");
	trial_unikernel(&t, "/hello.spt", "");
	planned(&t, GUEST_LINUX, "annotation org.runnc.guest=linux");
	trial_end(&t);

	trial_parse(&t, "\"/hello.spt\"", "\"org.runnc.guest\":\"bsd\"");
	refused(&t, "annotation org.runnc.guest: 'bsd' is not linux or solo5");
}

static void test_entry_point(void **state)
{
	struct trial t;

	(void)state;
	trial_parse(&t, "\"/hello.spt\"", "");
	trial_unikernel(&t, "/hello.spt", "");
	planned(&t, GUEST_SOLO5, "the entry point '/hello.spt' is a Solo5 unikernel");
	assert_int_equal(t.p.guest.type, GUEST_RAW);
	assert_int_equal(t.p.mem_size, 512 * MIB);
	assert_int_equal(t.p.network, PLAN_NETWORK_NONE);
	trial_end(&t);

	trial_parse(&t, "\"/node.nabla\"", "");
	trial_unikernel(&t, "/node.nabla", "");
	planned(&t, GUEST_SOLO5, "the entry point '/node.nabla' is a Solo5 unikernel");
	assert_int_equal(t.p.guest.type, GUEST_RUMPRUN);
	trial_end(&t);

	trial_parse(&t, "\"/node.nabla\"", "");
	t.facts.guest.file = GUEST_FILE_OTHER;
	t.facts.guest.binary = strdup("/node.nabla");
	refused(&t,
		"unikernel '/node.nabla' has no Solo5 note: it is of the nabla ABI before Solo5");

	trial_parse(&t, "\"/hello.hvt\"", "");
	trial_unikernel(&t, "/hello.hvt", "");
	t.facts.guest.abi.target = SOLO5_HVT;
	refused(&t,
		"unikernel '/hello.hvt' is built for Solo5's target hvt (1), which needs another");

	trial_parse(&t, "\"/hello.spt\"", "");
	t.facts.guest.file = GUEST_FILE_BAD;
	t.facts.guest.binary = strdup("/hello.spt");
	t.facts.guest.bad = strdup("its note is cut short");
	refused(&t, "unikernel '/hello.spt': its note is cut short");

	trial_parse(&t, "\"/bin/sh\"", "\"org.runnc.guest\":\"solo5\"");
	t.facts.guest.file = GUEST_FILE_OTHER;
	t.facts.guest.binary = strdup("/bin/sh");
	refused(&t, "unikernel '/bin/sh' has no Solo5 note: build the unikernel for Solo5's target "
		    "spt");

	trial_parse(&t, "\"/no\"", "\"org.runnc.guest\":\"solo5\"");
	t.facts.guest.binary = strdup("/no");
	refused(&t, "unikernel '/no': there is no such file in the image");
}

static void urunc_trial(struct trial *t, const char *args, const char *type, const char *hypervisor)
{
	trial_parse(t, args, "");
	trial_urunc(t, URUNC_TYPE, type);
	trial_urunc(t, URUNC_HYPERVISOR, hypervisor);
	trial_urunc(t, URUNC_BINARY, "/unikernel/app");
}

static void test_urunc(void **state)
{
	struct trial t;

	(void)state;
	urunc_trial(&t, "\"app\",\"x\"", "mirage", "spt");
	trial_unikernel(&t, "/unikernel/app", "");
	planned(&t, GUEST_SOLO5, "annotations com.urunc.unikernel.*: type mirage on spt");
	assert_int_equal(t.p.guest.type, GUEST_MIRAGE);
	trial_end(&t);

	/* What it is built for is told by the file. */
	urunc_trial(&t, "\"app\"", "rumprun", "hvt");
	trial_unikernel(&t, "/unikernel/app", "");
	t.facts.guest.urunc_file = true;
	planned(&t, GUEST_SOLO5, "/urunc.json: type rumprun on hvt");
	trial_end(&t);
	urunc_trial(&t, "\"app\"", "mirage", "spt");
	trial_unikernel(&t, "/unikernel/app", "");
	t.facts.guest.abi.target = SOLO5_VIRTIO;
	refused(&t, "unikernel '/unikernel/app' is built for Solo5's target virtio (3)");

	urunc_trial(&t, "\"app\"", "unikraft", "qemu");
	refused(&t, "image for urunc of type 'unikraft' on 'qemu': this runtime runs mirage and "
		    "rumprun");
	urunc_trial(&t, "\"app\"", "mirage", "spt");
	trial_urunc(&t, URUNC_INITRD, "/initrd");
	trial_unikernel(&t, "/unikernel/app", "");
	refused(&t, "unikernel '/unikernel/app': com.urunc.unikernel.initrd '/initrd': a Solo5");
}

static void test_urunc_linux(void **state)
{
	struct trial t;

	(void)state;
	urunc_trial(&t, "\"/urunit\",\"/bin/app\",\"x\"", "linux", "qemu");
	trial_urunc(&t, URUNC_MOUNT_ROOTFS, "true");
	planned(&t, GUEST_LINUX, "annotations com.urunc.unikernel.*: type linux on qemu");
	assert_int_equal(t.p.guest.skip_args, 1);
	trial_end(&t);
	urunc_trial(&t, "\"/bin/app\"", "linux", "firecracker");
	trial_urunc(&t, URUNC_DM_BLOCK, "true");
	planned(&t, GUEST_LINUX, "annotations com.urunc.unikernel.*: type linux on firecracker");
	assert_int_equal(t.p.guest.skip_args, 0);
	trial_end(&t);
	urunc_trial(&t, "\"/bin/app\"", "linux", "qemu");
	refused(&t, "image for urunc of type 'linux' without mountRootfs=true");
}

/* ---- disks and memory ----------------------------------------------------------------------- */

static void disk_refused(const char *value)
{
	struct trial t;
	char annotations[256];

	snprintf(annotations, sizeof(annotations), "\"org.runnc.block.storage\":\"%s\"", value);
	trial_parse(&t, "\"/a.spt\"", annotations);
	trial_unikernel(&t, "/a.spt", "b", "storage");
	refused(&t, "annotation org.runnc.block.storage: '");
}

static void test_disks(void **state)
{
	struct trial t;

	(void)state;
	trial_parse(&t, "\"/a.spt\"", "\"org.runnc.block.data\":\"/d.img,sector=4096,mount=/data\","
		    "\"org.runnc.block.rootfs\":\"root:iso9660\"");
	trial_unikernel(&t, "/a.spt", "bb", "rootfs", "data");
	planned(&t, GUEST_SOLO5, "the entry point '/a.spt' is a Solo5 unikernel");
	assert_int_equal(t.p.solo5.nr_disks, 2);
	assert_int_equal(t.p.solo5.disks[0].kind, PLAN_DISK_ISO9660);
	assert_true(t.p.solo5.disks[0].readonly);
	assert_int_equal(t.p.solo5.disks[0].sector, 512);
	assert_string_equal(t.p.solo5.disks[1].path, "/d.img");
	assert_string_equal(t.p.solo5.disks[1].mount, "/data");
	assert_int_equal(t.p.solo5.disks[1].sector, 4096);
	assert_false(t.p.solo5.disks[1].readonly);
	trial_end(&t);

	trial_parse(&t, "\"/a.spt\"", "");
	trial_unikernel(&t, "/a.spt", "b", "storage");
	refused(&t, "the unikernel has a disk 'storage': say what it is by annotation "
		"org.runnc.block.storage=PATH");
	trial_parse(&t, "\"/a.spt\"", "\"org.runnc.block.other\":\"/x\"");
	trial_unikernel(&t, "/a.spt", "");
	refused(&t, "annotation org.runnc.block.other: the unikernel has no such disk");
	disk_refused("");
	disk_refused("/d,rw");
	disk_refused("/d,sector=");
	disk_refused("/d,sector=513");
	disk_refused("/d,sector=256");
	disk_refused("/d,sector=65536");
	disk_refused("/d,mount=data");
	disk_refused("root:ext4");

	urunc_trial(&t, "\"app\"", "rumprun", "spt");
	trial_urunc(&t, URUNC_MOUNT_ROOTFS, "true");
	trial_unikernel(&t, "/unikernel/app", "b", "rootfs");
	planned(&t, GUEST_SOLO5, "annotations com.urunc.unikernel.*: type rumprun on spt");
	assert_int_equal(t.p.solo5.disks[0].kind, PLAN_DISK_ISO9660);
	assert_string_equal(t.p.solo5.disks[0].mount, "/");
	trial_end(&t);

	/* Of two disks, the one that urunc would take. */
	urunc_trial(&t, "\"app\"", "mirage", "spt");
	trial_urunc(&t, URUNC_BLOCK, "/disk.img");
	trial_unikernel(&t, "/unikernel/app", "bb", "one", "storage");
	refused(&t, "the unikernel has a disk 'one'");
}

static void test_memory(void **state)
{
	struct trial t;

	(void)state;
	trial_parse(&t, "\"/a.spt\"", "\"org.runnc.memory\":\"3M\"");
	trial_unikernel(&t, "/a.spt", "");
	planned(&t, GUEST_SOLO5, "the entry point '/a.spt' is a Solo5 unikernel");
	assert_int_equal(t.p.mem_size, 3 * MIB);
	trial_end(&t);
	trial_parse(&t, "\"/a.spt\"", "\"org.runnc.memory\":\"1M\"");
	trial_unikernel(&t, "/a.spt", "");
	refused(&t, "annotation org.runnc.memory: '1M' is not between 2 and 32768 MiB");
	/* 64 MiB of the cgroup above: less 1 MiB and 64/512. */
	trial_parse(&t, "\"/a.spt\"", "");
	t.facts.memory_limit = 64 * MIB;
	trial_unikernel(&t, "/a.spt", "");
	planned(&t, GUEST_SOLO5, "the entry point '/a.spt' is a Solo5 unikernel");
	assert_int_equal(t.p.mem_size, 62 * MIB);
	trial_end(&t);
}

/* ---- the command line ----------------------------------------------------------------------- */

/* One interface with a /32, its gateway outside of it, as in the post; and an IPv6 address. */
static void trial_network(struct trial *t)
{
	struct net_plan *n = &t->p.net;

	t->p.network = PLAN_NETWORK_SURVEYED;
	n->nr_ports = 1;
	strcpy(n->ports[0].name, "eth0");
	memcpy(n->ports[0].guest_mac, "\x02\x00\x00\xaa\xbb\xcc", 6);
	n->links[0].mtu = 1450;
	n->addrs = calloc(3, sizeof(n->addrs[0]));
	n->routes = calloc(3, sizeof(n->routes[0]));
	n->hops = calloc(3, sizeof(n->hops[0]));
	assert_true(n->addrs && n->routes && n->hops);
	n->nr_addrs = n->nr_routes = n->nr_hops = 3;
	n->addrs[0] = (struct gcfg_addr){ .family = AF_INET6, .prefix = 64, .scope = 253 };
	inet_pton(AF_INET6, "fe80::1", n->addrs[0].local);
	n->addrs[1] = (struct gcfg_addr){ .family = AF_INET, .prefix = 32 };
	inet_pton(AF_INET, "192.168.10.11", n->addrs[1].local);
	n->addrs[2] = (struct gcfg_addr){ .family = AF_INET6, .prefix = 128 };
	inet_pton(AF_INET6, "fd00::11", n->addrs[2].local);
	/* The route to the gateway, then the default ones. */
	n->routes[0] = (struct gcfg_route){ .family = AF_INET, .dst_prefix = 32, .nr_hops = 1 };
	n->routes[1] = (struct gcfg_route){ .family = AF_INET, .nr_hops = 1 };
	n->hops[1].gateway_family = AF_INET;
	inet_pton(AF_INET, "169.254.1.1", n->hops[1].gateway);
	n->routes[2] = (struct gcfg_route){ .family = AF_INET6, .nr_hops = 1 };
	n->hops[2].gateway_family = AF_INET6;
	inet_pton(AF_INET6, "fe80::ee", n->hops[2].gateway);
}

static void line_is(const char *args, const char *annotations, const char *device,
		    const char *wanted)
{
	struct trial t;
	char *line = NULL;

	trial_parse(&t, args, annotations);
	trial_unikernel(&t, "/a.spt", "n", device);
	strcpy(t.facts.guest.dns, "10.0.0.53");
	trial_plan(&t);
	if (t.r < 0)
		fail_msg("%s", t.e.text);
	trial_network(&t);
	t.r = solo5_cmdline(&t.p, &line, &t.e);
	if (t.r < 0)
		fail_msg("%s", t.e.text);
	assert_string_equal(line, wanted);
	free(line);
	trial_end(&t);
}

#define MIRAGE "\"org.runnc.solo5.type\":\"mirage\""
#define RUMPRUN "\"org.runnc.solo5.type\":\"rumprun\""
#define SUBSTITUTE "\"org.runnc.solo5.substitute\":\"true\""
#define IPV6 "\"org.runnc.solo5.ipv6\":\"true\""

static void test_mirage(void **state)
{
	(void)state;
	line_is("\"/a.spt\"", MIRAGE, "service",
		"--ipv4=192.168.10.11/32 --ipv4-gateway=169.254.1.1");
	line_is("\"/a.spt\",\"--hello=a b\",\"q\\\"\\\\'\",\"\"", MIRAGE, "service",
		"--ipv4=192.168.10.11/32 --ipv4-gateway=169.254.1.1 \"--hello=a b\" "
		"\"q\\\"\\\\\\'\" \"\"");
	line_is("\"/a.spt\",\"x\"", MIRAGE "," IPV6, "management",
		"--management-ipv4=192.168.10.11/32 --management-ipv4-gateway=169.254.1.1 "
		"--management-ipv6=fd00::11/128 --management-ipv6-gateway=fe80::ee x");
}

static void test_rumprun(void **state)
{
	(void)state;
	line_is("\"/a.spt\",\"x y\"", RUMPRUN, "tap",
		"{\"cmdline\":\"/a.spt \\\"x y\\\"\",\"env\":\"A=b c\",\"env\":\"N=\\\"\",\"net\":"
		"{\"if\":\"ukvmif0\",\"cloner\":\"True\",\"type\":\"inet\",\"method\":\"static\","
		"\"addr\":\"192.168.10.11\",\"mask\":\"32\",\"gw\":\"169.254.1.1\"}}");
	line_is("\"/a.spt\",\"{\\\"cmdline\\\":\\\"x y\\\"}\"", RUMPRUN, "tap",
		"{\"cmdline\":\"x y\"}");
}

/* A survey of one interface: /32 with a gateway outside; 10.0.0.2/16 with one inside. */
static void gateway_note_is(const char *type, const char *address, uint8_t prefix,
			    const char *gateway, bool noted)
{
	struct net_link link = { .index = 2, .type = 1, .carrier = true, .flags = 0x10041,
				 .mtu = 1500, .has_mac = true, .mac = { 2 }, .name = "eth0" };
	struct net_addr addr = { .addr = { .link = 2, .family = AF_INET, .prefix = prefix,
					   .valid_lft = UINT32_MAX } };
	struct gcfg_hop hop = { .link = 2, .gateway_family = AF_INET };
	struct net_route route = {
		.hops = &hop,
		.route = { .family = AF_INET, .type = 1, .table = 254, .protocol = 3, .nr_hops = 1 }
	};
	struct net_survey survey = { .links = &link, .nr_links = 1, .addrs = &addr, .nr_addrs = 1,
				     .routes = &route, .nr_routes = 1 };
	struct trial t;
	bool found = false;

	inet_pton(AF_INET, address, addr.addr.local);
	inet_pton(AF_INET, address, addr.addr.peer);
	inet_pton(AF_INET, gateway, hop.gateway);
	trial_parse(&t, "\"/a.spt\"", type);
	trial_unikernel(&t, "/a.spt", "n", "tap");
	trial_plan(&t);
	assert_int_equal(t.r, 0);
	t.r = plan_set_network(&t.p, &survey, &t.e);
	if (t.r < 0)
		fail_msg("%s", t.e.text);
	for (size_t i = 0; i < t.p.nr_notes; i++)
		found |= strstr(t.p.notes[i], "rumprun cannot use it") != NULL;
	assert_int_equal(found, noted);
	trial_end(&t);
}

static void test_gateway(void **state)
{
	(void)state;
	gateway_note_is(RUMPRUN, "192.168.10.11", 32, "169.254.1.1", true);
	gateway_note_is(RUMPRUN, "10.0.0.2", 16, "10.0.1.1", false);
	gateway_note_is(MIRAGE, "192.168.10.11", 32, "169.254.1.1", false);
}

static void test_raw(void **state)
{
	(void)state;
	line_is("\"/a.spt\",\"one\",\"two  ${ip}\",\"${x}\"", "", "net0", "one two  ${ip} ${x}");
	line_is("\"/a.spt\",\"${ip}/${prefix}\",\"${gw} ${mac} "
		"${mtu}\",\"${dns}\",\"${ip6}/${prefix6}\","
		"\"$${ip} ${nope} $\"",
		SUBSTITUTE, "net0",
		"192.168.10.11/32 169.254.1.1 02:00:00:aa:bb:cc 1450 10.0.0.53 fd00::11/128 "
		"$192.168.10.11 ${nope} $");
}

static void test_urunc_cmdline(void **state)
{
	struct trial t;
	char *line = NULL;

	(void)state;
	urunc_trial(&t, "\"ignored\"", "mirage", "spt");
	trial_urunc(&t, URUNC_CMDLINE, "--hello=\"a b\"");
	trial_unikernel(&t, "/unikernel/app", "");
	planned(&t, GUEST_SOLO5, "annotations com.urunc.unikernel.*: type mirage on spt");
	assert_int_equal(solo5_cmdline(&t.p, &line, &t.e), 0);
	assert_string_equal(line, "--hello=\"a b\"");
	free(line);
	trial_end(&t);
}

static void test_too_long(void **state)
{
	struct trial t;
	char args[9000 / 2], *line = NULL;

	(void)state;
	memset(args, 'x', sizeof(args));
	memcpy(args, "\"/a.spt\",\"", 10);
	memcpy(args + 3900, "\"", 2);
	trial_parse(&t, args, SUBSTITUTE);
	trial_unikernel(&t, "/a.spt", "");
	trial_plan(&t);
	assert_int_equal(t.r, 0);
	assert_int_equal(solo5_cmdline(&t.p, &line, &t.e), 0);
	assert_int_equal(strlen(line), 3890);
	free(line);
	trial_end(&t);

	urunc_trial(&t, "\"x\"", "mirage", "spt");
	t.facts.guest.urunc.value[URUNC_CMDLINE] = calloc(1, SOLO5_CMDLINE_MAX + 2);
	assert_non_null(t.facts.guest.urunc.value[URUNC_CMDLINE]);
	memset(t.facts.guest.urunc.value[URUNC_CMDLINE], 'y', SOLO5_CMDLINE_MAX + 1);
	trial_unikernel(&t, "/unikernel/app", "");
	trial_plan(&t);
	assert_int_equal(t.r, 0);
	assert_int_equal(solo5_cmdline(&t.p, &line, &t.e), -E2BIG);
	assert_string_equal(t.e.text, "command line: a unikernel's is at most 8191 bytes");
	trial_end(&t);
}

static void test_argv(void **state)
{
	const int nets[] = { 4 }, disks[] = { 20 };
	struct trial t;
	char **argv = NULL;
	static const char *const wanted[] = {
		"nabla-run",
		"--mem=512",
		"--error-status=125",
		"--net:service=@4",
		"--net-mac:service=02:00:00:aa:bb:cc",
		"--net-mtu:service=1450",
		"--block:storage=@20",
		"--block-sector-size:storage=4096",
		"--",
		"@3",
		"one two",
	};

	(void)state;
	trial_parse(&t, "\"/a.spt\",\"one two\"", "\"org.runnc.block.storage\":\"/d,sector=4096\"");
	trial_unikernel(&t, "/a.spt", "nb", "service", "storage");
	trial_plan(&t);
	assert_int_equal(t.r, 0);
	assert_int_equal(solo5_argv(&t.p, 3, nets, disks, &argv, &t.e), -EINVAL);
	trial_network(&t);
	assert_int_equal(solo5_argv(&t.p, 3, nets, disks, &argv, &t.e), 0);
	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
		assert_string_equal(argv[i], wanted[i]);
	assert_null(argv[sizeof(wanted) / sizeof(wanted[0])]);
	str_vector_free(argv);
	trial_end(&t);
}

/* ---- looking into the root ------------------------------------------------------------------ */

static void put(int root, const char *name, const char *text)
{
	int fd = openat(root, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

static void look(struct trial *t, int root)
{
	guest_facts_free(&t->facts.guest);
	t->r = guest_look(t->b, root, &t->facts.guest, &t->e);
}

static void test_look(void **state)
{
	char dir[] = "/tmp/test-guest-XXXXXX";
	struct err e = ERR_INIT;
	struct trial t;
	int root;

	(void)state;
	assert_non_null(mkdtemp(dir));
	root = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	assert_true(root >= 0);
	trial_parse(&t, "\"app\"", "");
	look(&t, root);
	assert_int_equal(t.r, 0);
	assert_null(t.facts.guest.binary);

	/* A link out of the root ends inside of it, a FIFO is not opened, text is no unikernel. */
	assert_int_equal(mkdirat(root, "bin", 0755), 0);
	assert_int_equal(symlinkat("/etc/passwd", root, "bin/app"), 0);
	look(&t, root);
	assert_int_equal(t.r, 0);
	assert_null(t.facts.guest.binary);
	assert_int_equal(unlinkat(root, "bin/app", 0), 0);
	assert_int_equal(mkfifoat(root, "bin/app", 0644), 0);
	assert_int_equal(mkfifoat(root, "urunc.json", 0644), 0);
	look(&t, root);
	assert_int_equal(t.r, 0);
	assert_null(t.facts.guest.binary);
	assert_int_equal(unlinkat(root, "bin/app", 0), 0);
	put(root, "bin/app", "\177ELF not really");
	look(&t, root);
	assert_int_equal(t.r, 0);
	assert_string_equal(t.facts.guest.binary, "/bin/app");
	assert_int_equal(t.facts.guest.file, GUEST_FILE_OTHER);

	/* urunc.json: incomplete is none; damaged is an error unless an annotation decides. */
	assert_int_equal(unlinkat(root, "urunc.json", 0), 0);
	put(root, "urunc.json", "{\"com.urunc.unikernel.binary\":\"/x\"}");
	look(&t, root);
	assert_int_equal(t.r, 0);
	assert_false(t.facts.guest.urunc_file);
	put(root, "urunc.json", "{");
	look(&t, root);
	assert_int_equal(t.r, -EINVAL);
	put(root, "urunc.json",
	    "{\"com.urunc.unikernel.binary\":\"/bin/app\","
	    "\"com.urunc.unikernel.hypervisor\":\"spt\",\"com.urunc.unikernel.unikernelType\":"
	    "\"mirage\"}");
	look(&t, root);
	assert_int_equal(t.r, 0);
	assert_true(t.facts.guest.urunc_file);
	assert_string_equal(t.facts.guest.binary, "/bin/app");
	trial_end(&t);

	trial_parse(&t, "\"app\"", "\"org.runnc.guest\":\"linux\"");
	put(root, "urunc.json", "{");
	look(&t, root);
	assert_int_equal(t.r, 0);
	trial_end(&t);
	close(root);
	assert_int_equal(path_remove_tree(AT_FDCWD, dir, &e), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_linux),
		cmocka_unit_test(test_entry_point),
		cmocka_unit_test(test_urunc),
		cmocka_unit_test(test_urunc_linux),
		cmocka_unit_test(test_disks),
		cmocka_unit_test(test_memory),
		cmocka_unit_test(test_mirage),
		cmocka_unit_test(test_rumprun),
		cmocka_unit_test(test_gateway),
		cmocka_unit_test(test_raw),
		cmocka_unit_test(test_urunc_cmdline),
		cmocka_unit_test(test_too_long),
		cmocka_unit_test(test_argv),
		cmocka_unit_test(test_look),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

// SPDX-License-Identifier: GPL-2.0-only
/* The reader of the guest configuration: what it accepts, and that it refuses all else. */
#include "guest/init/config.h"
#include "guest/init/process.h"
#include "guest/init/test-build.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include <cmocka.h>

static void add_network(struct build *b)
{
	struct gcfg_link link = {
		.index = 3, .mtu = 1500, .flags = GCFG_LINK_ANNOUNCE, .name = "eth0"
	};
	struct gcfg_addr addr = { .link = 3, .family = 2, .prefix = 32, .local = { 10, 0, 0, 1 } };
	struct gcfg_route route = {
		.family = 2, .dst_prefix = 0, .type = 1, .nr_hops = 2, .table = 254
	};
	struct gcfg_hop hops[2] = {
		{ .link = 3, .gateway_family = 2, .gateway = { 169, 254, 1, 1 } }, { .link = 3 },
	};
	struct gcfg_neigh neigh = { .link = 3, .family = 2, .state = 0x80 };

	/* The link comes last: references look forwards too. */
	build_add(b, GCFG_ADDR, &addr, sizeof(addr));
	build_add2(b, GCFG_ROUTE, &route, sizeof(route), hops, sizeof(hops));
	build_add(b, GCFG_NEIGH, &neigh, sizeof(neigh));
	build_add(b, GCFG_LINK, &link, sizeof(link));
}

/* One of everything. */
static void add_all(struct build *b)
{
	const uint32_t groups[3] = { 5, 6, 7 };
	struct gcfg_user user = { .uid = 1, .gid = 2, .umask = 022, .nr_groups = 3 };
	struct gcfg_rlimit limit = { .resource = 7, .soft = 1, .hard = 2 };
	struct gcfg_caps caps = { .bounding = 1 };
	struct gcfg_flags flags = { .flags = GCFG_FLAG_NO_NEW_PRIVS };
	struct gcfg_oom oom = { .adj = -7 };
	struct gcfg_root root = { .flags = GCFG_ROOT_READONLY };

	build_string(b, GCFG_ARG, "/bin/true");
	build_string(b, GCFG_ARG, "");
	build_string(b, GCFG_ENV, "A=B");
	build_string(b, GCFG_CWD, "/tmp");
	build_add2(b, GCFG_USER, &user, sizeof(user), groups, sizeof(groups));
	build_add(b, GCFG_RLIMIT, &limit, sizeof(limit));
	build_add(b, GCFG_CAPS, &caps, sizeof(caps));
	build_add(b, GCFG_FLAGS, &flags, sizeof(flags));
	build_add(b, GCFG_OOM_SCORE_ADJ, &oom, sizeof(oom));
	build_string(b, GCFG_HOSTNAME, "h");
	build_string(b, GCFG_DOMAINNAME, "d");
	build_string(b, GCFG_SYSCTL, "net.ipv4.ip_forward=1");
	build_layer(b, 0);
	build_layer(b, 1);
	build_add(b, GCFG_ROOT, &root, sizeof(root));
	build_mount(b, "proc", "proc", "/proc", "", 14);
	build_file(b, "/etc/hosts", "127.0.0.1 localhost\n", 0644, 0, GCFG_FILE_READONLY);
	build_device(b, "/dev/fuse", S_IFCHR | 0666, 10, 229);
	build_string(b, GCFG_MASKED_PATH, "/proc/kcore");
	build_string(b, GCFG_READONLY_PATH, "/proc/sys");
	add_network(b);
}

static void test_everything(void **state)
{
	struct init_config c = INIT_CONFIG_NONE;
	const struct gcfg_record *r;
	struct init_config_mount m;
	static struct build b;
	struct err e = ERR_INIT;

	(void)state;
	build_start(&b);
	add_all(&b);
	assert_int_equal(init_config_parse(b.bytes, b.size, &c, &e), 0);
	assert_string_equal(c.argv[0], "/bin/true");
	assert_string_equal(c.argv[1], "");
	assert_null(c.argv[2]);
	assert_string_equal(c.envp[0], "A=B");
	assert_null(c.envp[1]);
	assert_null(c.envp[2]);
	assert_string_equal(c.cwd, "/tmp");
	assert_int_equal(c.user->nr_groups, 3);
	assert_int_equal(((const uint32_t *)(c.user + 1))[2], 7);
	assert_int_equal(c.oom->adj, -7);
	assert_int_equal(c.nr_layers, 2);
	assert_int_equal(c.flags, GCFG_FLAG_NO_NEW_PRIVS);

	r = init_config_next(&c, GCFG_LAYER, NULL);
	assert_int_equal(((const struct gcfg_layer *)init_config_payload(r))->image, 0);
	r = init_config_next(&c, GCFG_LAYER, r);
	assert_int_equal(((const struct gcfg_layer *)init_config_payload(r))->image, 1);
	assert_null(init_config_next(&c, GCFG_LAYER, r));

	m = init_config_mount(init_config_next(&c, GCFG_MOUNT, NULL));
	assert_string_equal(m.type, "proc");
	assert_string_equal(m.source, "proc");
	assert_string_equal(m.destination, "/proc");
	assert_string_equal(m.data, "");
	assert_int_equal(m.flags, 14);

	r = init_config_next(&c, GCFG_FILE, NULL);
	assert_string_equal(init_config_file_path(r), "/etc/hosts");
	assert_memory_equal(init_config_file_contents(r), "127.0.0.1", 9);
	r = init_config_next(&c, GCFG_DEVICE, NULL);
	assert_string_equal(init_config_device_path(r), "/dev/fuse");
	assert_string_equal(init_config_link(&c, 3)->name, "eth0");
	assert_null(init_config_link(&c, 0));
	init_config_free(&c);
}

/*
 * Parse the first @size bytes from a block of just that size, so that a sanitizer sees any overrun.
 */
static int parse_exactly(const void *bytes, size_t size, struct err *e)
{
	struct init_config c = INIT_CONFIG_NONE;
	void *copy = malloc(size ? size : 1);
	int r;

	memcpy(copy, bytes, size);
	r = init_config_parse(copy, size, &c, e);
	init_config_free(&c);
	free(copy);
	return r;
}

static void test_truncated(void **state)
{
	static struct build b;

	(void)state;
	build_start(&b);
	add_all(&b);
	for (size_t size = 0; size < b.size; size++) {
		struct err e = ERR_INIT;

		/* As it is, the header tells; with an honest header, the records must. */
		assert_int_equal(parse_exactly(b.bytes, size, &e), -EINVAL);
		if (size >= sizeof(struct gcfg_header)) {
			struct build cut = b;

			build_header(&cut)->size = (uint32_t)size;
			e.text[0] = '\0';
			assert_int_equal(parse_exactly(cut.bytes, size, &e), -EINVAL);
		}
		assert_string_not_equal(e.text, "");
	}
}

/*
 * Any length in any record but its own: refused, or (where only padding moves) read within bounds.
 */
static void test_lengths(void **state)
{
	static const uint32_t lengths[] = {
		0, 1, 2, 7, 8, 9, 23, 24, 25, 31, 33, 39, 41, 64, 100, 65535, 1u << 20, 0x7fffffff,
		0xfffffff0, 0xfffffff8, 0xfffffff9, 0xffffffff,
	};
	static struct build b;
	size_t at = sizeof(struct gcfg_header);
	int refused = 0;

	(void)state;
	build_start(&b);
	add_all(&b);
	while (at < b.size) {
		const struct gcfg_record *record = (const void *)(b.bytes + at);

		for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
			struct build changed = b;
			struct err e = ERR_INIT;

			((struct gcfg_record *)(void *)(changed.bytes + at))->len = lengths[i];
			refused += parse_exactly(changed.bytes, b.size, &e) == -EINVAL;
		}
		at += sizeof(*record) + ((record->len + 7) & ~7u);
	}
	/* Nearly all of them: a payload's own length is in the list for some. */
	assert_true(refused > 450);
}

struct bad {
	const char *says;
	void (*add)(struct build *b);
};

static void bad_magic(struct build *b) { b->bytes[0] = 'N'; }
static void bad_version(struct build *b) { build_header(b)->version = 2; }
static void bad_count(struct build *b) { build_header(b)->count++; }
static void bad_type(struct build *b) { build_string(b, 31, "x"); }
static void bad_far_type(struct build *b) { build_string(b, 65535, "x"); }
static void bad_string(struct build *b) { build_add(b, GCFG_ARG, "abc", 3); }
static void bad_inner_nul(struct build *b) { build_add(b, GCFG_ARG, "a\0c", 4); }
static void bad_empty_env(struct build *b) { build_string(b, GCFG_ENV, ""); }
static void bad_cwd(struct build *b) { build_string(b, GCFG_CWD, "tmp"); }

static void bad_second_cwd(struct build *b)
{
	build_string(b, GCFG_CWD, "/a");
	build_string(b, GCFG_CWD, "/b");
}

static void bad_groups(struct build *b)
{
	/* 2^30 groups of 4 bytes are 0 bytes to arithmetic of 32 bits. */
	build_add(b, GCFG_USER, &(struct gcfg_user){ .nr_groups = 1u << 30 },
		  sizeof(struct gcfg_user));
}

static void bad_flag(struct build *b)
{
	build_add(b, GCFG_FLAGS, &(struct gcfg_flags){ .flags = 8 }, sizeof(struct gcfg_flags));
}

static void bad_image(struct build *b) { build_layer(b, 128); }

static void bad_layers(struct build *b)
{
	for (int i = 0; i < 128; i++)
		build_layer(b, 0);
}

static void bad_mount(struct build *b)
{
	char payload[sizeof(struct gcfg_mount) + 8] = { 0 };

	memcpy(payload + sizeof(struct gcfg_mount), "a\0b\0/c\0", 8);
	build_add(b, GCFG_MOUNT, payload, sizeof(payload) - 1);
}

static void bad_destination(struct build *b) { build_mount(b, "proc", "proc", "proc", "", 0); }

static void bad_file_size(struct build *b)
{
	static const char path[] = "/f";

	build_add2(b, GCFG_FILE, &(struct gcfg_file){ .size = UINT64_MAX },
		   sizeof(struct gcfg_file), path, sizeof(path));
}

static void bad_device(struct build *b) { build_device(b, "/d", S_IFREG | 0666, 1, 1); }
static void bad_masked(struct build *b) { build_string(b, GCFG_MASKED_PATH, "proc"); }

static void bad_link_name(struct build *b)
{
	build_add(b, GCFG_LINK, &(struct gcfg_link){ .name = "a/b" }, sizeof(struct gcfg_link));
}

static void bad_long_name(struct build *b)
{
	struct gcfg_link link = { .index = 0 };

	memset(link.name, 'x', sizeof(link.name));
	build_add(b, GCFG_LINK, &link, sizeof(link));
}

static void bad_link_index(struct build *b)
{
	build_add(b, GCFG_LINK, &(struct gcfg_link){ .index = 16, .name = "a" },
		  sizeof(struct gcfg_link));
}

static void bad_second_index(struct build *b)
{
	const struct gcfg_link link = { .index = 3, .name = "eth1" };

	build_add(b, GCFG_LINK, &link, sizeof(link));
	build_add(b, GCFG_LINK, &link, sizeof(link));
}

static void bad_prefix(struct build *b)
{
	build_add(b, GCFG_ADDR, &(struct gcfg_addr){ .family = 2, .prefix = 33 },
		  sizeof(struct gcfg_addr));
}

static void bad_family(struct build *b)
{
	build_add(b, GCFG_NEIGH, &(struct gcfg_neigh){ .family = 3 }, sizeof(struct gcfg_neigh));
}

static void bad_rule_prefix(struct build *b)
{
	build_add(b, GCFG_RULE, &(struct gcfg_rule){ .family = 2, .src_prefix = 33 },
		  sizeof(struct gcfg_rule));
}

static void bad_rule_name(struct build *b)
{
	struct gcfg_rule rule = { .family = 2 };

	memset(rule.oif, 'x', sizeof(rule.oif));
	build_add(b, GCFG_RULE, &rule, sizeof(rule));
}

static void bad_reference(struct build *b)
{
	build_add(b, GCFG_ADDR, &(struct gcfg_addr){ .link = 0, .family = 2 },
		  sizeof(struct gcfg_addr));
}

static void bad_route_reference(struct build *b)
{
	build_add2(b, GCFG_ROUTE, &(struct gcfg_route){ .family = 2, .nr_hops = 1 },
		   sizeof(struct gcfg_route), &(struct gcfg_hop){ .link = 0xffffffff },
		   sizeof(struct gcfg_hop));
}

static void bad_hops(struct build *b)
{
	build_add(b, GCFG_ROUTE, &(struct gcfg_route){ .family = 2, .nr_hops = 1 },
		  sizeof(struct gcfg_route));
}

static const struct bad bad_ones[] = {
	{ "wrong magic", bad_magic },
	{ "version 2, not 1", bad_version },
	{ "2 records, not 3 as it says", bad_count },
	{ "record 2 has the unknown type 31", bad_type },
	{ "record 2 has the unknown type 65535", bad_far_type },
	{ "record 2 (argument): not one terminated string", bad_string },
	{ "record 2 (argument): not one terminated string", bad_inner_nul },
	{ "record 2 (environment): empty", bad_empty_env },
	{ "record 2 (cwd): not an absolute path", bad_cwd },
	{ "record 3 (cwd): given twice", bad_second_cwd },
	{ "record 2 (user): wrong number of groups", bad_groups },
	{ "record 2 (flags): unknown flag", bad_flag },
	{ "record 2 (layer): image out of range", bad_image },
	{ "record 129 (layer): too many layers", bad_layers },
	{ "record 2 (mount): a string does not end", bad_mount },
	{ "record 2 (mount): destination is not absolute", bad_destination },
	{ "record 2 (file): wrong size of the contents", bad_file_size },
	{ "record 2 (device): neither a device nor a FIFO", bad_device },
	{ "record 2 (masked path): not an absolute path", bad_masked },
	{ "record 2 (link): bad name", bad_link_name },
	{ "record 2 (link): bad name", bad_long_name },
	{ "record 2 (link): index out of range", bad_link_index },
	{ "record 3 (link): index given twice", bad_second_index },
	{ "record 2 (address): bad family or prefix", bad_prefix },
	{ "record 2 (neighbour): bad family", bad_family },
	{ "record 2 (policy rule): bad family or prefix", bad_rule_prefix },
	{ "record 2 (policy rule): an interface's name does not end", bad_rule_name },
	{ "an address refers to link 0", bad_reference },
	{ "a route refers to link 4294967295", bad_route_reference },
	{ "record 2 (route): wrong number of hops", bad_hops },
};

static void test_bad(void **state)
{
	static struct build b;

	(void)state;
	for (size_t i = 0; i < sizeof(bad_ones) / sizeof(bad_ones[0]); i++) {
		struct err e = ERR_INIT;

		build_start(&b);
		build_string(&b, GCFG_ARG, "/bin/true");
		build_layer(&b, 0);
		bad_ones[i].add(&b);
		assert_int_equal(parse_exactly(b.bytes, b.size, &e), -EINVAL);
		assert_string_equal(e.text, bad_ones[i].says);
	}
}

static void test_nothing_to_run(void **state)
{
	static struct build b;
	struct err e = ERR_INIT;

	(void)state;
	build_start(&b);
	build_layer(&b, 0);
	assert_int_equal(parse_exactly(b.bytes, b.size, &e), -EINVAL);
	assert_string_equal(e.text, "no argument: nothing to run");
	build_start(&b);
	build_string(&b, GCFG_ARG, "a");
	assert_int_equal(parse_exactly(b.bytes, b.size, &e), -EINVAL);
	assert_string_equal(e.text, "no layer: nothing to run from");
}

static void test_home(void **state)
{
	static const char passwd[] = "root:x:0:0:root:/root:/bin/sh\n"
				     "short:x:7\n"
				     "empty:x:8:8:::\n"
				     "odd:x:12x:1::/odd:\n"
				     "big:x:4294967297:1::/big:\n"
				     ":::\n\n"
				     "last:x:12:1::/home/last";
	const char *home;
	size_t len;

	(void)state;
	assert_int_equal(init_account_home(passwd, strlen(passwd), 0, &home, &len), 0);
	assert_int_equal(len, 5);
	assert_memory_equal(home, "/root", 5);
	assert_int_equal(init_account_home(passwd, strlen(passwd), 12, &home, &len), 0);
	assert_int_equal(len, 10);
	assert_memory_equal(home, "/home/last", 10);
	assert_int_equal(init_account_home(passwd, strlen(passwd), 7, &home, &len), -ENOENT);
	assert_int_equal(init_account_home(passwd, strlen(passwd), 8, &home, &len), -ENOENT);
	assert_int_equal(init_account_home(passwd, strlen(passwd), 1, &home, &len), -ENOENT);
	assert_int_equal(init_account_home(passwd, 0, 0, &home, &len), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_everything),
		cmocka_unit_test(test_truncated),
		cmocka_unit_test(test_lengths),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_nothing_to_run),
		cmocka_unit_test(test_home),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

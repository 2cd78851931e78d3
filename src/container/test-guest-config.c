/* SPDX-License-Identifier: GPL-2.0-only */
/* The stream is decoded again, record by record, by the rules of abi/guest_config.h. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "abi/guest_config.h"
#include "base/fd.h"
#include "container/guest_config.h"

/* The records in order; payloads point into the stream. */
struct decoded {
	char *data;
	size_t len;
	size_t n;
	struct { unsigned int type; const char *payload; size_t len; } record[512];
};

static void decode(struct decoded *d)
{
	struct gcfg_header header;
	size_t at = sizeof(header);

	assert_true(d->len >= sizeof(header));
	memcpy(&header, d->data, sizeof(header));
	assert_memory_equal(header.magic, "nablacf", 8);
	assert_int_equal(header.version, GCFG_VERSION);
	assert_int_equal(header.size, d->len);
	assert_int_equal(header.reserved, 0);
	assert_true(header.count <= 512);
	d->n = header.count;
	for (size_t i = 0; i < d->n; i++) {
		struct gcfg_record r;

		assert_true(d->len - at >= sizeof(r));
		memcpy(&r, d->data + at, sizeof(r));
		at += sizeof(r);
		assert_true(d->len - at >= r.len);
		d->record[i].type = r.type;
		d->record[i].payload = d->data + at;
		d->record[i].len = r.len;
		at += r.len;
		for (; at % 8 != 0; at++)
			assert_int_equal(d->data[at], 0);
	}
	assert_int_equal(at, d->len);
}

static size_t count(const struct decoded *d, unsigned int type)
{
	size_t n = 0;

	for (size_t i = 0; i < d->n; i++)
		n += d->record[i].type == type;
	return n;
}

/* The @nth record of the type; its payload must have @len bytes, unless that is 0. */
static const void *nth(const struct decoded *d, unsigned int type, size_t n, size_t len)
{
	for (size_t i = 0; i < d->n; i++) {
		if (d->record[i].type != type || n-- > 0)
			continue;
		if (len > 0)
			assert_int_equal(d->record[i].len, len);
		return d->record[i].payload;
	}
	fail_msg("no record of type %u", type);
	return NULL;
}

static const char *text(const struct decoded *d, unsigned int type, size_t n)
{
	const char *s = nth(d, type, n, 0);

	return nth(d, type, n, strlen(s) + 1);
}

static const char json[] =
	"{\"ociVersion\":\"1.0.2\",\"root\":{\"path\":\"r\",\"readonly\":true},"
	"\"process\":{\"args\":[\"/bin/sh\",\"-c\",\"\"],\"env\":[\"A=1\",\"B=\"],"
	"\"cwd\":\"/tmp\",\"terminal\":true,"
	"\"user\":{\"uid\":1000,\"gid\":1001,\"umask\":63,\"additionalGids\":[4,5,6]},"
	"\"rlimits\":[{\"type\":\"RLIMIT_NOFILE\",\"soft\":10,\"hard\":18446744073709551615}],"
	"\"capabilities\":{\"bounding\":[\"CAP_KILL\"],\"effective\":[\"CAP_CHOWN\"]},"
	"\"noNewPrivileges\":true,\"oomScoreAdj\":-5},\"hostname\":\"h\",\"domainname\":\"d\","
	"\"mounts\":[{\"destination\":\"/p\",\"type\":\"proc\",\"source\":\"s\","
	"\"options\":[\"ro\",\"hidepid=2\"]}],"
	"\"linux\":{\"sysctl\":{\"net.core.somaxconn\":\"7\"},\"maskedPaths\":[\"/m\"],"
	"\"readonlyPaths\":[\"/o\"],"
	"\"devices\":[{\"path\":\"/f\",\"type\":\"p\",\"fileMode\":384,\"uid\":9}]}}";

struct sample {
	struct bundle *b;
	struct facts_mount mounts[1];
	struct plan p;
};

static void sample_make(struct sample *s)
{
	const struct plan_options options = { .debug = false };
	struct facts facts = { .host_memory = 1u << 30, .mounts = s->mounts, .nr_mounts = 1 };
	struct err e = ERR_INIT;

	memset(s, 0, sizeof(*s));
	if (bundle_parse(json, sizeof(json) - 1, "/b", &s->b, &e) < 0 ||
	    plan_make(s->b, &facts, &options, &s->p, &e) < 0)
		fail_msg("%s", e.text);
}

static void sample_free(struct sample *s)
{
	plan_free(&s->p);
	bundle_free(s->b);
}

static void encode(const struct sample *s, struct decoded *d)
{
	struct err e = ERR_INIT;

	memset(d, 0, sizeof(*d));
	if (guest_config_encode(&s->p, &d->data, &d->len, &e) < 0)
		fail_msg("%s", e.text);
	decode(d);
}

static void test_process(void **state)
{
	struct sample s;
	struct decoded d;
	const struct gcfg_user *user;
	const struct gcfg_rlimit *limit;
	const struct gcfg_caps *caps;
	const uint32_t *groups;

	(void)state;
	sample_make(&s);
	encode(&s, &d);
	assert_int_equal(count(&d, GCFG_ARG), 3);
	assert_string_equal(text(&d, GCFG_ARG, 0), "/bin/sh");
	assert_string_equal(text(&d, GCFG_ARG, 2), "");
	assert_string_equal(text(&d, GCFG_ENV, 1), "B=");
	assert_string_equal(text(&d, GCFG_CWD, 0), "/tmp");

	user = nth(&d, GCFG_USER, 0, sizeof(*user) + 3 * sizeof(uint32_t));
	assert_int_equal(user->uid, 1000);
	assert_int_equal(user->gid, 1001);
	assert_int_equal(user->umask, 077);
	assert_int_equal(user->nr_groups, 3);
	groups = (const uint32_t *)(user + 1);
	assert_int_equal(groups[2], 6);

	limit = nth(&d, GCFG_RLIMIT, 0, sizeof(*limit));
	assert_int_equal(limit->resource, 7);
	assert_int_equal(limit->soft, 10);
	assert_true(limit->hard == UINT64_MAX);
	caps = nth(&d, GCFG_CAPS, 0, sizeof(*caps));
	assert_int_equal(caps->bounding, 1 << 5);
	assert_int_equal(caps->effective, 1);
	assert_int_equal(((const struct gcfg_flags *)nth(&d, GCFG_FLAGS, 0, 8))->flags,
			 GCFG_FLAG_NO_NEW_PRIVS | GCFG_FLAG_TERMINAL);
	assert_int_equal(((const struct gcfg_oom *)nth(&d, GCFG_OOM_SCORE_ADJ, 0, 8))->adj, -5);
	free(d.data);
	sample_free(&s);
}

static void test_system(void **state)
{
	struct sample s;
	struct decoded d;
	const struct gcfg_device *device;
	const struct gcfg_mount *mount;
	const char *strings;

	(void)state;
	sample_make(&s);
	encode(&s, &d);
	assert_string_equal(text(&d, GCFG_HOSTNAME, 0), "h");
	assert_string_equal(text(&d, GCFG_DOMAINNAME, 0), "d");
	assert_string_equal(text(&d, GCFG_SYSCTL, 0), "net.core.somaxconn=7");
	assert_int_equal(((const struct gcfg_layer *)nth(&d, GCFG_LAYER, 0, 8))->image, 0);
	assert_int_equal(((const struct gcfg_root *)nth(&d, GCFG_ROOT, 0, 16))->flags,
			 GCFG_ROOT_READONLY);
	mount = nth(&d, GCFG_MOUNT, 0, sizeof(*mount) + sizeof("proc\0s\0/p\0hidepid=2"));
	assert_int_equal(mount->flags, 1);
	strings = (const char *)(mount + 1);
	assert_memory_equal(strings, "proc\0s\0/p\0hidepid=2", sizeof("proc\0s\0/p\0hidepid=2"));
	assert_string_equal(text(&d, GCFG_MASKED_PATH, 0), "/m");
	assert_string_equal(text(&d, GCFG_READONLY_PATH, 0), "/o");
	device = nth(&d, GCFG_DEVICE, 0, sizeof(*device) + 3);
	assert_int_equal(device->mode, 0010600);
	assert_int_equal(device->uid, 9);
	assert_string_equal((const char *)(device + 1), "/f");
	free(d.data);
	sample_free(&s);
}

/* Files are read when the stream is made: the size is that of the contents, not of the facts. */
static void test_file(void **state)
{
	char source[] = "/tmp/rnc-test-guest-config-XXXXXX";
	char destination[] = "/etc/hosts";
	_autoclose_ int fd = mkstemp(source);
	struct plan_file file = {
		.destination = destination, .source = source, .mode = 0644, .readonly = true
	};
	const struct gcfg_file *got;
	struct err e = ERR_INIT;
	struct sample s;
	struct decoded d;

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(write(fd, "a\0b", 3), 3);
	sample_make(&s);
	s.p.files = &file;
	s.p.nr_files = 1;
	encode(&s, &d);
	got = nth(&d, GCFG_FILE, 0, sizeof(*got) + sizeof(destination) + 3);
	assert_int_equal(got->size, 3);
	assert_int_equal(got->mode, 0644);
	assert_int_equal(got->flags, GCFG_FILE_READONLY);
	assert_memory_equal((const char *)(got + 1), "/etc/hosts\0a\0b", 14);
	free(d.data);

	unlink(source);
	d.data = NULL;
	assert_int_equal(guest_config_encode(&s.p, &d.data, &d.len, &e), -ENOENT);
	assert_non_null(strstr(e.text, "mount '/etc/hosts': "));
	assert_null(d.data);
	s.p.files = NULL;
	s.p.nr_files = 0;
	sample_free(&s);
}

static void test_too_long(void **state)
{
	char source[] = "/tmp/rnc-test-guest-config-XXXXXX";
	char destination[] = "/x";
	_autoclose_ int fd = mkstemp(source);
	struct plan_file files[3];
	struct err e = ERR_INIT;
	struct sample s;
	char *data = NULL;
	size_t len;

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, 6 << 20), 0);
	for (int i = 0; i < 3; i++)
		files[i] = (struct plan_file){ .destination = destination, .source = source };
	sample_make(&s);
	s.p.files = files;
	s.p.nr_files = 3;
	assert_int_equal(guest_config_encode(&s.p, &data, &len, &e), -EFBIG);
	assert_string_equal(e.text, "guest configuration of at most 16 MiB: File too large");
	assert_null(data);
	s.p.files = NULL;
	s.p.nr_files = 0;
	sample_free(&s);
	unlink(source);
}

static void test_network(void **state)
{
	struct gcfg_addr addr = { .link = 0, .family = 2, .prefix = 32, .local = { 10, 0, 0, 1 } };
	struct gcfg_route routes[] = {
		{ .family = 2, .dst_prefix = 32, .nr_hops = 1 }, { .family = 2, .nr_hops = 2 },
		{ .family = 2, .dst_prefix = 8, .type = 6, .nr_hops = 0 },
	};
	struct gcfg_hop hops[] = { { .weight = 1 }, { .weight = 2 }, { .weight = 3 } };
	struct gcfg_neigh neigh = { .family = 2, .state = 0x80 };
	const struct gcfg_route *route;
	const struct gcfg_link *link;
	const struct gcfg_addr *own;
	const struct gcfg_hop *hop;
	struct sample s;
	struct decoded d;
	struct gcfg_rule rule = { .family = 2, .table = 7 };

	(void)state;
	sample_make(&s);
	s.p.net.nr_ports = 1;
	s.p.net.links[0] = (struct gcfg_link){ .mtu = 1450, .name = "eth0" };
	s.p.net.addrs = &addr;
	s.p.net.nr_addrs = 1;
	s.p.net.routes = routes;
	s.p.net.nr_routes = 3;
	s.p.net.hops = hops;
	s.p.net.nr_hops = 3;
	s.p.net.neighs = &neigh;
	s.p.net.nr_neighs = 1;
	s.p.net.rules = &rule;
	s.p.net.nr_rules = 1;
	encode(&s, &d);
	assert_int_equal(((const struct gcfg_link *)nth(&d, GCFG_LINK, 0, 40))->mtu, 1450);
	assert_int_equal(((const struct gcfg_addr *)nth(&d, GCFG_ADDR, 0, 72))->prefix, 32);
	route = nth(&d, GCFG_ROUTE, 0, sizeof(*route) + sizeof(*hop));
	assert_int_equal(((const struct gcfg_hop *)(route + 1))->weight, 1);
	route = nth(&d, GCFG_ROUTE, 1, sizeof(*route) + 2 * sizeof(*hop));
	hop = (const struct gcfg_hop *)(route + 1);
	assert_int_equal(hop[0].weight, 2);
	assert_int_equal(hop[1].weight, 3);
	nth(&d, GCFG_ROUTE, 2, sizeof(*route));
	assert_int_equal(((const struct gcfg_neigh *)nth(&d, GCFG_NEIGH, 0, 32))->state, 0x80);
	assert_int_equal(((const struct gcfg_rule *)nth(&d, GCFG_RULE, 0, 120))->table, 7);
	free(d.data);

	/* The pod's loopback comes behind: a link, its own address, routes of one hop. */
	s.p.net.forward = (struct net_forward){
		.on = true, .link = { .index = 1, .flags = GCFG_LINK_POD, .name = "pod0" },
		.own = { .link = 1, .family = 10, .prefix = 128 }, .nr_routes = 2,
		.routes = { { .dst_prefix = 16, .nr_hops = 1 },
			    { .dst_prefix = 32, .nr_hops = 1 } },
		.hops = { { .link = 1 }, { .link = 1, .weight = 7 } },
	};
	encode(&s, &d);
	link = nth(&d, GCFG_LINK, 1, sizeof(*link));
	assert_string_equal(link->name, "pod0");
	own = nth(&d, GCFG_ADDR, 1, sizeof(*own));
	assert_int_equal(own->family, 10);
	route = nth(&d, GCFG_ROUTE, 4, sizeof(*route) + sizeof(*hop));
	assert_int_equal(route->dst_prefix, 32);
	assert_int_equal(((const struct gcfg_hop *)(route + 1))->weight, 7);
	free(d.data);
	memset(&s.p.net, 0, sizeof(s.p.net));
	sample_free(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_process),
		cmocka_unit_test(test_system),
		cmocka_unit_test(test_file),
		cmocka_unit_test(test_too_long),
		cmocka_unit_test(test_network),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

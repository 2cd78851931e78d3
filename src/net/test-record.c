/* SPDX-License-Identifier: GPL-2.0-only */
/* The record, from recorded replies (the folder in argv[1]). */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/fd.h"
#include "base/io.h"
#include "net/parse.h"
#include "net/record.h"
#include "net/replay.h"
#include "net/test-plan-help.h"

static const char *recorded;

/* ---- the record --------------------------------------------------------------------------- */

static void survey(const char *name, struct net_survey *s)
{
	struct err e = ERR_INIT;
	_autofree_ char *data = NULL;
	char path[512];
	size_t len;

	snprintf(path, sizeof(path), "%s/%s", recorded, name);
	assert_int_equal(io_read_file(AT_FDCWD, path, 1 << 20, &data, &len, &e), 0);
	memset(s, 0, sizeof(*s));
	assert_int_equal(net_parse_buffer(s, data, len), 0);
	net_parse_finish(s);
	s->netns = 4026531840;
	s->boottime_ms = 123456789;
}

static void test_record(void **state)
{
	struct net_request request = { .mode = NET_MODE_BRIDGE };
	_autofree_ char *json = NULL;
	struct err e = ERR_INIT;
	struct net_survey s;
	struct net_record r;
	struct net_plan p;

	(void)state;
	survey("furnished", &s);
	assert_int_equal(net_plan(&s, &request, &p, &e), 0);
	assert_int_equal(net_record(&s, &p, &json, &e), 0);
	assert_int_equal(net_record_read(json, &r, &e), 0);
	assert_int_equal(r.was.netns, 4026531840);
	assert_int_equal(r.was.boottime_ms, 123456789);
	assert_int_equal(r.was.nr_links, 1);
	assert_memory_equal(r.was.links[0].mac, s.links[1].mac, 6);
	assert_int_equal(r.was.links[0].txqlen, 333);
	assert_string_equal(r.ports[0].tap, "rnct2");
	assert_string_equal(r.ports[0].bridge, "rncb2");
	assert_int_equal(r.was.nr_routes, s.nr_routes);
	for (size_t i = 0; i < s.nr_routes; i++)
		assert_true(net_replay_same_route(&s.routes[i], &r.was.routes[i]));
	/* All but the loopback's two. */
	assert_int_equal(r.was.nr_addrs, s.nr_addrs - 2);
	assert_int_equal(r.was.nr_neighs, 4);
	net_record_free(&r);
	net_plan_free(&p);
	net_survey_free(&s);
}

static void test_shared_record(void **state)
{
	static const char *const ranges[] = { "32768 60999", "", NULL };
	struct net_request request = { .shared = true };
	struct err e = ERR_INIT;
	struct net_survey s;
	struct net_plan p;

	(void)state;
	survey("furnished", &s);
	for (size_t i = 0; i < 3; i++) {
		_autofree_ char *json = NULL;
		struct net_record r;

		request.shared = ranges[i] != NULL;
		assert_int_equal(net_plan(&s, &request, &p, &e), 0);
		p.share.split &= ranges[i] && ranges[i][0];
		assert_int_equal(net_record(&s, &p, &json, &e), 0);
		assert_int_equal(net_record_read(json, &r, &e), 0);
		assert_int_equal(r.shared, ranges[i] != NULL);
		assert_int_equal(r.ports[0].shared, r.shared);
		assert_int_equal(r.split, i == 0);
		if (r.split)
			assert_int_equal(r.range.last, 60999);
		net_record_free(&r);
		net_plan_free(&p);
	}
	net_survey_free(&s);
}

static void refuse(const char *json)
{
	struct err e = ERR_INIT;
	struct net_record r;

	assert_int_equal(net_record_read(json, &r, &e), -EINVAL);
	assert_non_null(strstr(e.text, "read the network's record"));
	assert_int_equal(net_restore(json, false, &e), -EINVAL);
}

#define HEAD "{\"version\":1,\"netns\":1,\"boottime_ms\":1,"
#define LINK(name, mac, tap) "\"links\":[{\"index\":2,\"name\":\"" name "\",\"kind\":\"veth\"," \
	"\"type\":1,\"mac\":\"" mac "\",\"mtu\":1500,\"txqueuelen\":0,\"flags\":1,\"ipv6\":true," \
	"\"disable_ipv6\":0,\"accept_dad\":1,\"clsact\":false,\"mode\":\"tc\"," \
	"\"tap\":\"" tap "\",\"bridge\":\"\"}]"

static void test_bad_records(void **state)
{
	struct err e = ERR_INIT;
	struct net_record r;

	(void)state;
	assert_int_equal(net_record_read(HEAD LINK("eth0", "020000000001", "rnct2") "}", &r, &e),
			 0);
	net_record_free(&r);
	refuse("");
	refuse("[]");
	refuse("{}");
	refuse("{\"version\":2,\"netns\":1,\"boottime_ms\":1,\"links\":[]}");
	refuse(HEAD "\"links\":[{}]}");
	refuse(HEAD LINK("../eth0", "020000000001", "rnct2") "}");
	refuse(HEAD LINK("", "020000000001", "rnct2") "}");
	refuse(HEAD LINK("eth0", "02000000000", "rnct2") "}");
	refuse(HEAD LINK("eth0", "0200000000xx", "rnct2") "}");
	refuse(HEAD LINK("eth0", "020000000001", "a-name-that-is-too-long") "}");
	refuse(HEAD "\"links\":[],\"addresses\":[{\"message\":\"00\"}]}");
	refuse(HEAD "\"links\":[],\"addresses\":[{}]}");
	refuse(HEAD "\"links\":[],\"shared\":true}");
	refuse(HEAD "\"links\":[],\"shared\":{}}");
	refuse(HEAD "\"links\":[],\"shared\":{\"port_range\":\"2 1\"}}");
	refuse(HEAD "\"links\":[],\"shared\":{\"port_range\":\"\",\"number\":0}}");
	refuse(HEAD "\"links\":[],\"shared\":{\"port_range\":\"\",\"number\":9}}");
	refuse(HEAD "\"links\":[],\"shared\":{\"port_range\":\"\",\"alone\":1}}");
	/* 16 bytes that say they are a message of another type. */
	refuse(HEAD "\"links\":[],\"routes\":"
	       "[{\"message\":\"10000000140000000000000000000000\"}]}");
	/* An address message without its header. */
	refuse(HEAD "\"links\":[],\"addresses\":"
	       "[{\"message\":\"10000000140000000000000000000000\"}]}");
}

/* For an empty plan there is a record, and restoring it needs no privilege. */
static void test_empty_record(void **state)
{
	_autofree_ char *json = NULL;
	struct err e = ERR_INIT;
	struct net_plan p;
	struct hand h;

	(void)state;
	hand_init(&h);
	hand_plan(&h, NET_MODE_TC, NET_MAC_ADOPT, &p);
	assert_int_equal(net_record(&h.s, &p, &json, &e), 0);
	assert_int_equal(net_restore(json, false, &e), 0);
	net_plan_free(&p);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_record), cmocka_unit_test(test_shared_record),
		cmocka_unit_test(test_bad_records), cmocka_unit_test(test_empty_record),
	};

	if (argc != 2) {
		fprintf(stderr, "usage: %s FOLDER-OF-RECORDED-REPLIES\n", argv[0]);
		return 2;
	}
	recorded = argv[1];
	return cmocka_run_group_tests_name("net/record", tests, NULL, NULL);
}

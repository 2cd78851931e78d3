/* SPDX-License-Identifier: GPL-2.0-only */
/* The plan for an interface that the namespace keeps, with one guest or several. */
#include <errno.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "base/fd.h"
#include "net/ports_table.h"
#include "net/record.h"
#include "net/test-plan-help.h"

/* ---- an interface for two ----------------------------------------------------------------- */

static void test_shared(void **state)
{
	char text[] = "net/ipv4/ip_local_port_range=1000\t1999";
	struct net_setting setting = { .text = text };
	struct net_plan p;
	struct hand h;

	(void)state;
	hand_init(&h);
	hand_plan_shared(&h, &p);
	/* Without an interface there is nothing to share. */
	assert_false(p.share.on);
	net_plan_free(&p);

	hand_link(&h, 2, "eth0")->accept_dad = 1;
	hand_addr(&h, 2, "10.1.2.3", 24);
	hand_link(&h, 3, "eth1")->disable_ipv6 = 1;
	h.links[1].accept_dad = 1;
	hand_addr(&h, 3, "10.2.2.3", 24);
	hand_plan_shared(&h, &p);
	assert_int_equal(p.nr_ports, 2);
	assert_true(p.ports[0].shared && p.ports[0].accept_dad);
	assert_true(p.ports[1].shared && !p.ports[1].accept_dad);
	assert_true(p.share.on && p.share.split);
	assert_int_equal(hand_count_sysctls(&p, "net/ipv4/ip_local_port_range=36296 50407"), 1);
	net_plan_free(&p);

	/* The namespace's own range is divided, and not handed over as it was. */
	h.s.settings = &setting;
	h.s.nr_settings = 1;
	hand_plan_shared(&h, &p);
	assert_int_equal(hand_count_sysctls(&p, "port_range"), 1);
	assert_int_equal(hand_count_sysctls(&p, "net/ipv4/ip_local_port_range=1124 1619"), 1);
	net_plan_free(&p);
	strcpy(text, "net/ipv4/ip_local_port_range=1000\t1003");
	hand_plan_shared(&h, &p);
	assert_true(p.share.on && !p.share.split);
	assert_true(hand_has_notice(&p, "too small to be divided"));
	/* Then it is the guest's as well, as ever. */
	assert_int_equal(hand_count_sysctls(&p, "-net/ipv4/ip_local_port_range=1000\t1003"), 1);
	net_plan_free(&p);

	hand_plan(&h, NET_MODE_TC, NET_MAC_ADOPT, &p);
	assert_false(p.share.on || p.ports[0].shared);
	net_plan_free(&p);
}

/* The ports that the namespace has reserved, and what its sockets have of the guest's part. */
static void test_shared_reserved(void **state)
{
	char text[] = "net/ipv4/ip_local_reserved_ports=8080";
	struct net_setting setting = { .text = text };
	struct net_plan p;
	struct hand h;

	(void)state;
	hand_init(&h);
	hand_link(&h, 2, "eth0");
	hand_addr(&h, 2, "10.1.2.3", 24);
	hand_plan_shared(&h, &p);
	assert_int_equal(hand_count_sysctls(&p, "reserved"), 0);
	net_plan_free(&p);

	h.s.settings = &setting;
	h.s.nr_settings = 1;
	/* One that the namespace keeps, the guest's first, and its last. */
	h.s.ports.busy[36295 / 64] |= UINT64_C(1) << 36295 % 64;
	h.s.ports.busy[36296 / 64] |= UINT64_C(1) << 36296 % 64;
	h.s.ports.busy[50407 / 64] |= UINT64_C(1) << 50407 % 64;
	hand_plan_shared(&h, &p);
	assert_int_equal(hand_count_sysctls(&p, "reserved"), 1);
	assert_int_equal(hand_count_sysctls(&p, "ports=8080,36296,50407"), 1);
	net_plan_free(&p);

	h.s.ports.unknown = true;
	hand_plan_shared(&h, &p);
	assert_true(hand_has_notice(&p, "does not list the namespace's sockets"));
	net_plan_free(&p);

	hand_plan(&h, NET_MODE_TC, NET_MAC_ADOPT, &p);
	assert_int_equal(hand_count_sysctls(&p, "-net/ipv4/ip_local_reserved_ports=8080"), 1);
	assert_int_equal(hand_count_sysctls(&p, "reserved"), 1);
	net_plan_free(&p);
}

/* ---- several guests ------------------------------------------------------------------------- */

/* The record of a guest that shares @h; it is then there: eth0 and lo carry filters. */
static char *come(struct hand *h)
{
	struct net_request request = { .shared = true };
	struct err e = ERR_INIT;
	struct net_plan p;
	char *record = NULL;

	assert_int_equal(net_plan(&h->s, &request, &p, &e), 0);
	assert_int_equal(net_record(&h->s, &p, &record, &e), 0);
	net_plan_free(&p);
	h->links[0].plumbed = h->links[1].plumbed = true;
	h->links[0].clsact = h->links[1].clsact = true;
	h->links[0].flags |= IFF_UP;
	h->links[1].flags |= IFF_ALLMULTI;
	h->links[1].accept_dad = 0;
	h->links[1].txqlen = h->links[1].txqlen ? h->links[1].txqlen : 1000;
	h->s.loopback.ours = true;
	h->s.loopback.route_localnet = h->s.loopback.accept_local = 1;
	return record;
}

/* 10.1.2.3/24 of link 2, as the kernel tells it. */
static struct {
	struct nlmsghdr head;
	struct ifaddrmsg addr;
	struct nlattr attr;
	uint8_t address[4];
} addr_message = {
	.head = { .nlmsg_len = sizeof(addr_message), .nlmsg_type = RTM_NEWADDR },
	.addr = { .ifa_family = AF_INET, .ifa_prefixlen = 24, .ifa_index = 2 },
	.attr = { .nla_len = 8, .nla_type = IFA_ADDRESS }, .address = { 10, 1, 2, 3 },
};

/* lo, which is down, and eth0 with an address. */
static void hand_pod(struct hand *h)
{
	hand_init(h);
	h->s.netns = 7;
	h->s.cookie = 9;
	h->s.loopback = (struct net_forward_facts){ .known = true };
	hand_link(h, 1, "lo")->flags = IFF_LOOPBACK;
	hand_link(h, 2, "eth0")->accept_dad = 1;
	h->links[1].txqlen = 0;
	hand_addr(h, 2, "10.1.2.3", 24);
	h->addrs[0].raw = (struct net_raw){ &addr_message, addr_message.head.nlmsg_len };
}

static void adopt(struct hand *h, const char *record)
{
	struct err e = ERR_INIT;

	if (net_survey_adopt(&h->s, record, &e) < 0)
		fail_msg("%s: %s", e.text, record);
}

/* Who comes second is told what was there before the first, so that it can restore that. */
static void test_second(void **state)
{
	_autofree_ char *first = NULL, *second = NULL;
	struct net_record r;
	struct net_plan p;
	struct err e = ERR_INIT;
	struct hand h;

	(void)state;
	hand_pod(&h);
	hand_plan_shared(&h, &p);
	assert_true(p.forward.on && p.share.alone && p.share.number == 1);
	assert_true(p.forward.table.alone && p.forward.table.number == 1);
	net_plan_free(&p);
	first = come(&h);
	/* Not told, it takes nothing. */
	hand_plan_shared(&h, &p);
	assert_true(p.nr_ports == 0 && !p.forward.on);
	assert_true(hand_has_notice(&p, "still carries the redirect of another container"));
	net_plan_free(&p);

	adopt(&h, first);
	assert_int_equal(h.s.guests.numbers, 2);
	hand_plan_shared(&h, &p);
	assert_int_equal(p.nr_ports, 1);
	assert_true(p.share.on && !p.share.alone && p.share.number == 2);
	assert_true(p.forward.on && !p.forward.table.alone && p.forward.table.number == 2);
	assert_int_equal(hand_count_sysctls(&p, "net/ipv4/ip_local_port_range=50408 53935"), 1);
	assert_int_equal(net_record(&h.s, &p, &second, &e), 0);
	net_plan_free(&p);

	assert_int_equal(net_record_read(second, &r, &e), 0);
	assert_true(r.shared && !r.alone && r.number == 2 && r.split);
	assert_int_equal(r.range.last, 60999);
	assert_int_equal(r.was.nr_links, 1);
	assert_false(r.was.links[0].clsact);
	assert_int_equal(r.was.links[0].accept_dad, 1);
	assert_int_equal(r.was.links[0].txqlen, 0);
	assert_int_equal(r.was.links[0].flags & IFF_ALLMULTI, 0);
	assert_true(json_is_false(json_object_get(r.loopback, "up")));
	assert_true(json_is_true(json_object_get(r.loopback, "new")));
	assert_true(json_is_false(json_object_get(r.loopback, "clsact")));
	assert_int_equal(json_integer_value(json_object_get(r.loopback, "route_localnet")), 0);
	net_record_free(&r);
	assert_int_equal(net_record_meeting(first, second), NET_MEETING_SHARED);
}

/* Who would have it alone does not get what others share. */
static void test_alone(void **state)
{
	_autofree_ char *first = NULL;
	struct net_plan p;
	struct hand h;

	(void)state;
	hand_pod(&h);
	first = come(&h);
	adopt(&h, first);
	for (enum net_mode mode = NET_MODE_TC; mode <= NET_MODE_PACKET; mode++) {
		hand_plan(&h, mode, NET_MAC_ADOPT, &p);
		assert_true(p.nr_ports == 0 && !p.forward.on);
		assert_true(hand_has_notice(&p, "is shared by the guest of another container"));
		assert_true(hand_has_notice(&p, "leads to another container's guest already"));
		net_plan_free(&p);
	}
}

/* The lowest number that is free; after the first one has gone, nobody is alone. */
static void test_numbers(void **state)
{
	_autofree_ char *first = NULL;
	struct net_request request = { .shared = true };
	struct err e = ERR_INIT;
	struct net_plan p;
	struct hand h;

	(void)state;
	hand_pod(&h);
	first = come(&h);
	adopt(&h, first);
	h.s.guests.numbers = 1 << 2 | 1 << 3;
	hand_plan_shared(&h, &p);
	assert_true(p.share.number == 1 && !p.share.alone);
	net_plan_free(&p);
	h.s.guests.numbers = 1 << 1 | 1 << 2 | 1 << 4;
	hand_plan_shared(&h, &p);
	assert_int_equal(p.share.number, 3);
	net_plan_free(&p);
	h.s.guests.numbers = ((1 << NET_PORTS_GUESTS) - 1) << 1;
	assert_int_equal(net_plan(&h.s, &request, &p, &e), -EBUSY);
	assert_string_equal(e.text, "plan the network: 8 guests share the namespace already");
	h.s.guests = (struct net_share_guests){ .numbers = 2, .split = true, .was = { 100, 110 } };
	assert_int_equal(net_plan(&h.s, &request, &p, &e), -EBUSY);
	assert_non_null(strstr(e.text, "too small to be divided"));
}

/* Another namespace's, one that has the interface for itself, and one without the loopback. */
static void test_strangers(void **state)
{
	_autofree_ char *record = NULL, *alone = NULL, *changed = NULL;
	struct net_request request = { .mode = NET_MODE_TC };
	struct err e = ERR_INIT;
	struct net_plan p;
	struct hand h;

	(void)state;
	hand_pod(&h);
	h.s.boottime_ms = 100;
	assert_int_equal(net_plan(&h.s, &request, &p, &e), 0);
	assert_int_equal(net_record(&h.s, &p, &alone, &e), 0);
	net_plan_free(&p);
	h.s.boottime_ms = 200;
	record = come(&h);
	/* Who has got the interface since has found nothing of who had it alone. */
	assert_int_equal(net_record_meeting(alone, record), NET_MEETING_OVER);
	assert_int_equal(net_record_meeting(record, alone), NET_MEETING_NONE);
	assert_int_equal(net_record_meeting(record, record), NET_MEETING_SHARED);
	/* But not where it found what the first one had changed. */
	h.links[0].disable_ipv6 = 1;
	changed = come(&h);
	assert_int_equal(net_record_meeting(alone, changed), NET_MEETING_NONE);
	h.links[0].disable_ipv6 = 0;
	assert_int_equal(net_record_meeting(record, ""), NET_MEETING_NONE);
	assert_int_equal(net_record_meeting("{", record), NET_MEETING_NONE);
	adopt(&h, alone);
	assert_int_equal(h.s.guests.numbers, 0);
	h.s.cookie = 10;
	adopt(&h, record);
	assert_int_equal(h.s.guests.numbers, 0);
	h.s.cookie = 9;
	h.s.netns = 8;
	adopt(&h, record);
	assert_int_equal(h.s.guests.numbers, 0);
	h.s.netns = 7;
	assert_int_equal(net_survey_adopt(&h.s, "{}", &e), -EINVAL);
	assert_int_equal(h.s.guests.numbers, 0);
	adopt(&h, record);
	assert_int_equal(h.s.guests.numbers, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_shared), cmocka_unit_test(test_shared_reserved),
		cmocka_unit_test(test_second), cmocka_unit_test(test_alone),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_strangers),
	};

	return cmocka_run_group_tests_name("net/plan-shared", tests, NULL, NULL);
}

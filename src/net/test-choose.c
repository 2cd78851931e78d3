/* SPDX-License-Identifier: GPL-2.0-only */
/* The choice of a mode, and who has an interface already: from links made by hand. */
#include <errno.h>
#include <net/if.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "net/choose.h"

#define ALL { .tun = true, .clsact = true, .bridge = true, .macvtap = true, .packet = true }

static struct net_link links[4];
static struct net_survey s = { .links = links, .nr_links = 1 };

static int reset(void **state)
{
	(void)state;
	memset(links, 0, sizeof(links));
	s.nr_links = 1;
	links[0] = (struct net_link){ .index = 2, .name = "eth0", .kind = "veth" };
	return 0;
}

static struct net_link *add(int index, const char *name, const char *kind)
{
	struct net_link *l = &links[s.nr_links++];

	*l = (struct net_link){ .index = index };
	snprintf(l->name, sizeof(l->name), "%s", name);
	snprintf(l->kind, sizeof(l->kind), "%s", kind);
	return l;
}

/* Choose for eth0; @why tells whether a reason must be given. */
static enum net_mode choose(struct net_request r, bool why, const char *doubt)
{
	const char *given_why, *given_doubt;
	enum net_mode mode = NET_MODE_AUTO;
	struct err e = ERR_INIT;

	assert_int_equal(net_choose(&s, &links[0], &r, &mode, &given_why, &given_doubt, &e), 0);
	assert_int_equal(given_why != NULL, why);
	assert_int_equal(given_doubt != NULL, doubt != NULL);
	if (doubt)
		assert_non_null(strstr(given_doubt, doubt));
	return mode;
}

static void refuses(struct net_request r, const char *part)
{
	const char *why, *doubt;
	enum net_mode mode;
	struct err e = ERR_INIT;

	assert_int_equal(net_choose(&s, &links[0], &r, &mode, &why, &doubt, &e), -EOPNOTSUPP);
	if (!strstr(e.text, part))
		fail_msg("'%s' is not in '%s'", part, e.text);
}

static void test_asked_for(void **state)
{
	(void)state;
	for (enum net_mode mode = NET_MODE_TC; mode < NET_MODE_AUTO; mode++)
		assert_int_equal(choose((struct net_request){ .mode = mode }, false, NULL), mode);
}

static void test_auto(void **state)
{
	struct net_request r = { .mode = NET_MODE_AUTO, .host = ALL };

	(void)state;
	assert_int_equal(choose(r, true, NULL), NET_MODE_TC);
	r.host.tun = false;
	assert_int_equal(choose(r, true, NULL), NET_MODE_PACKET);
	r.bare_frames = true;
	assert_int_equal(choose(r, true, NULL), NET_MODE_MACVTAP);
	r.bare_frames = false;
	r.host.tun = true;
	r.host.clsact = false;
	assert_int_equal(choose(r, true, NULL), NET_MODE_MACVTAP);
	r.host.macvtap = false;
	assert_int_equal(choose(r, true, NULL), NET_MODE_BRIDGE);
	r.host.tun = false;
	refuses(r, "interface 'eth0': mode auto: neither tc, packet, macvtap nor bridge works here "
		   "(taps: no, clsact: no, macvtap: no");
}

/* What one mode cannot do, mode auto does not choose. */
static void test_macvlan(void **state)
{
	struct net_request r = { .mode = NET_MODE_AUTO, .host = { .tun = true, .bridge = true,
								  .macvtap = true } };

	(void)state;
	strcpy(links[0].kind, "macvlan");
	refuses(r, "mode auto");
	refuses((struct net_request){ .mode = NET_MODE_MACVTAP },
		"on the host's link; use mode tc");
	assert_int_equal(choose((struct net_request){ .mode = NET_MODE_BRIDGE }, false,
				"only what is sent to its own MAC"), NET_MODE_BRIDGE);
}

static void test_occupied(void **state)
{
	(void)state;
	add(3, "mv0", "macvlan")->lower = 2;
	refuses((struct net_request){ .mode = NET_MODE_MACVTAP }, "must be alone");
	refuses((struct net_request){ .mode = NET_MODE_BRIDGE }, "bridge's port as well");
	reset(NULL);
	/* A VLAN takes its own frames only. */
	add(3, "eth0.5", "vlan")->lower = 2;
	assert_int_equal(choose((struct net_request){ .mode = NET_MODE_MACVTAP }, false, NULL),
			 NET_MODE_MACVTAP);
	reset(NULL);
	links[0].clsact = links[0].ingress = links[0].filtered = true;
	refuses((struct net_request){ .mode = NET_MODE_PACKET }, "a qdisc 'ingress'");
	assert_int_equal(choose((struct net_request){ .mode = NET_MODE_MACVTAP }, false,
				"filters of others"), NET_MODE_MACVTAP);
	reset(NULL);
	refuses((struct net_request){ .mode = NET_MODE_PACKET, .bare_frames = true },
		"no virtio headers");
}

static void taken(const char *part)
{
	char text[NET_TAKEN_TEXT];

	assert_true(net_taken(&s, &links[0], false, text));
	if (!strstr(text, part))
		fail_msg("'%s' is not in '%s'", part, text);
	reset(NULL);
}

static void test_taken(void **state)
{
	char text[NET_TAKEN_TEXT];
	struct net_link *l;

	(void)state;
	assert_false(net_taken(&s, &links[0], false, text));
	links[0].plumbed = true;
	taken("was never deleted");
	add(3, "rncm2", "macvtap")->lower = 2;
	taken("was never deleted");
	add(3, "rncb2", "bridge");
	links[0].master = 3;
	taken("was never deleted");

	l = add(3, "tap0_urunc", "tun");
	links[0].redirected = 3;
	/* Nobody holds it: it has no carrier. */
	assert_false(net_taken(&s, &links[0], false, text));
	l->carrier = true;
	taken("redirected to 'tap0_urunc'");

	add(3, "br0", "bridge");
	add(4, "tap0", "tun")->master = 3;
	links[0].master = 3;
	taken("port of bridge 'br0' beside 'tap0'");
	/* Somebody's bridge without a tap is none of a guest's. */
	add(3, "br0", "bridge");
	links[0].master = 3;
	assert_false(net_taken(&s, &links[0], false, text));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_asked_for, reset),
		cmocka_unit_test_setup(test_auto, reset),
		cmocka_unit_test_setup(test_macvlan, reset),
		cmocka_unit_test_setup(test_occupied, reset),
		cmocka_unit_test_setup(test_taken, reset),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

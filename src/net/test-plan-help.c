/* SPDX-License-Identifier: GPL-2.0-only */
/* Surveys made by hand. */
#include "net/test-plan-help.h"

#include <arpa/inet.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

void hand_init(struct hand *h)
{
	memset(h, 0, sizeof(*h));
	h->s = (struct net_survey){ .links = h->links, .addrs = h->addrs, .routes = h->routes,
				    .neighs = h->neighs, .rules = h->rules };
}

struct net_link *hand_link(struct hand *h, int index, const char *name)
{
	struct net_link *l = &h->links[h->s.nr_links++];

	*l = (struct net_link){ .index = index, .type = ARPHRD_ETHER, .carrier = true, .ipv6 = true,
				.accept_ra = 1, .flags = IFF_UP | IFF_BROADCAST, .mtu = 1450,
				.txqlen = 1000, .has_mac = true,
				.mac = { 0x0a, 0x58, 10, 1, 2, (uint8_t)index } };
	snprintf(l->name, sizeof(l->name), "%s", name);
	return l;
}

struct gcfg_addr *hand_addr(struct hand *h, int link, const char *text, uint8_t prefix)
{
	struct gcfg_addr *a = &h->addrs[h->s.nr_addrs++].addr;

	a->link = (uint32_t)link;
	a->family = strchr(text, ':') ? AF_INET6 : AF_INET;
	a->prefix = prefix;
	a->flags = IFA_F_PERMANENT;
	a->valid_lft = a->preferred_lft = UINT32_MAX;
	assert_int_equal(inet_pton(a->family, text, a->local), 1);
	memcpy(a->peer, a->local, sizeof(a->peer));
	return a;
}

struct net_route *hand_route(struct hand *h, int link, const char *dst, uint8_t prefix,
				    const char *gateway)
{
	struct gcfg_hop *hop = &h->hops[h->s.nr_routes];
	struct net_route *r = &h->routes[h->s.nr_routes++];

	r->route = (struct gcfg_route){ .family = strchr(dst, ':') ? AF_INET6 : AF_INET,
					.dst_prefix = prefix, .type = RTN_UNICAST, .nr_hops = 1,
					.protocol = RTPROT_BOOT, .table = RT_TABLE_MAIN };
	assert_int_equal(inet_pton(r->route.family, dst, r->route.dst), 1);
	r->hops = hop;
	hop->link = (uint32_t)link;
	if (gateway) {
		hop->gateway_family = r->route.family;
		assert_int_equal(inet_pton(r->route.family, gateway, hop->gateway), 1);
	}
	return r;
}

void hand_kernel(struct hand *h, int link, const char *dst, uint8_t prefix)
{
	struct net_route *r = hand_route(h, link, dst, prefix, NULL);

	r->kernel_made = true;
	r->route.protocol = RTPROT_KERNEL;
}

void hand_plan(const struct hand *h, enum net_mode mode, enum net_mac mac, struct net_plan *p)
{
	struct net_request request = { .mode = mode, .mac = mac, .entropy = "0123456789abcde" };
	struct err e = ERR_INIT;

	assert_int_equal(net_plan(&h->s, &request, p, &e), 0);
}

bool hand_has_notice(const struct net_plan *p, const char *part)
{
	for (size_t i = 0; i < p->nr_notices; i++)
		if (strstr(p->notices[i], part))
			return true;
	return false;
}

size_t hand_count_sysctls(const struct net_plan *p, const char *part)
{
	size_t nr = 0;

	for (size_t i = 0; i < p->nr_sysctls; i++)
		nr += strstr(p->sysctls[i], part) != NULL;
	return nr;
}

void hand_plan_shared(const struct hand *h, struct net_plan *p)
{
	struct net_request request = { .shared = true };
	struct err e = ERR_INIT;

	assert_int_equal(net_plan(&h->s, &request, p, &e), 0);
}

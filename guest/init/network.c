// SPDX-License-Identifier: GPL-2.0-only
/* The guest's network, as the runtime found it on the host. */
#include "guest/init/network.h"

#include "abi/launch.h"
#include "guest/init/netlink.h"
#include "guest/init/pod.h"
#include "guest/init/routes.h"
#include "guest/init/system.h"

#include <errno.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <net/if.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#define LOOPBACK_INDEX 1		/* of the kernel, in every network namespace */

/* What the addresses and routes need to know of the links, by gcfg_link.index. */
struct network {
	const struct init_config *config;
	struct init_netlink nl;
	int ifindex[NABLA_LAUNCH_NETS];
};

/* @flags: of IFF_*, beside IFF_UP. */
static int set_up(struct network *net, int ifindex, unsigned int flags)
{
	struct init_request request;
	struct ifinfomsg *body = init_request_start(&request, RTM_NEWLINK, 0, sizeof(*body));

	body->ifi_index = ifindex;
	body->ifi_flags = IFF_UP | flags;
	body->ifi_change = IFF_UP | flags;
	return init_netlink_send(&net->nl, &request);
}

/*
 * Find the device by its name. Returns its index or -errno; @mac is its MAC (zeros if it has none).
 */
static int find_device(struct network *net, const char *name, uint8_t mac[6])
{
	struct init_request request, answer;
	struct ifinfomsg *body = init_request_start(&request, RTM_GETLINK, 0, sizeof(*body));
	struct ifinfomsg *info;
	int left;

	init_request_add(&request, IFLA_IFNAME, name, strlen(name) + 1);
	/* Without it the answer carries statistics of every kind. */
	init_request_add_u32(&request, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
	left = init_netlink_ask(&net->nl, &request, RTM_NEWLINK, &answer);
	if (left < 0)
		return left;
	if (left < (int)NLMSG_LENGTH(sizeof(*info)))
		return -EBADMSG;
	info = NLMSG_DATA(&answer.header);
	left -= (int)NLMSG_LENGTH(sizeof(*info));
	memset(mac, 0, 6);
	for (struct rtattr *a = IFLA_RTA(info); RTA_OK(a, left); a = RTA_NEXT(a, left))
		if (a->rta_type == IFLA_ADDRESS && RTA_PAYLOAD(a) == 6)
			memcpy(mac, RTA_DATA(a), 6);
	return info->ifi_index;
}

/* Whether the configuration brings the link's own link-local address. */
static bool has_link_local(const struct init_config *config, uint32_t link)
{
	const struct gcfg_record *record = NULL;

	while ((record = init_config_next(config, GCFG_ADDR, record))) {
		const struct gcfg_addr *addr = init_config_payload(record);

		if (addr->link == link && addr->family == AF_INET6 && addr->local[0] == 0xfe &&
		    (addr->local[1] & 0xc0) == 0x80)
			return true;
	}
	return false;
}

/* Then the kernel must not make one too, and wait a second for duplicates of it. */
static int keep_from_generating(struct network *net, int ifindex)
{
	const uint8_t mode = IN6_ADDR_GEN_MODE_NONE;
	struct init_request request;
	struct ifinfomsg *body = init_request_start(&request, RTM_NEWLINK, 0, sizeof(*body));
	size_t families, inet6;

	body->ifi_index = ifindex;
	families = init_request_open(&request, IFLA_AF_SPEC);
	inet6 = init_request_open(&request, AF_INET6);
	init_request_add(&request, IFLA_INET6_ADDR_GEN_MODE, &mode, sizeof(mode));
	init_request_close(&request, inet6);
	init_request_close(&request, families);
	return init_netlink_send(&net->nl, &request);
}

static int set_ipv6(const char *name, const char *key, const char *value, int proc)
{
	char path[64];
	int r;

	snprintf(path, sizeof(path), "sys/net/ipv6/conf/%s/%s", name, key);
	r = init_system_write(proc, path, value);
	/* A kernel without IPv6 has nothing to set. */
	return r == -ENOENT ? 0 : r;
}

/*
 * All sysctls are set after the network (container.c), but this one decides what the link does the
 * moment it is up: whether it asks for routers and believes them.
 */
static int set_accept_ra(const struct init_config *config, const char *name, int proc)
{
	const struct gcfg_record *record = NULL;
	char start[64];
	int r = 0;

	snprintf(start, sizeof(start), "net/ipv6/conf/%s/accept_ra=", name);
	while (!r && (record = init_config_next(config, GCFG_SYSCTL, record))) {
		const char *setting = init_config_payload(record);

		if (!strncmp(setting, start, strlen(start)))
			r = init_system_set_sysctl(setting, proc);
	}
	return r;
}

static int set_link(struct network *net, const struct gcfg_link *link, int proc, struct err *e)
{
	struct init_request request;
	struct ifinfomsg *body;
	uint8_t mac[6];
	int r = find_device(net, link->name, mac);

	if (r < 0)
		return err_set(e, r, "find interface '%s'", link->name);
	net->ifindex[link->index] = r;

	body = init_request_start(&request, RTM_NEWLINK, 0, sizeof(*body));
	body->ifi_index = net->ifindex[link->index];
	if (memcmp(mac, link->mac, sizeof(mac)) != 0)
		init_request_add(&request, IFLA_ADDRESS, link->mac, sizeof(link->mac));
	if (link->mtu)
		init_request_add_u32(&request, IFLA_MTU, link->mtu);
	if (link->txqlen)
		init_request_add_u32(&request, IFLA_TXQLEN, link->txqlen);
	r = init_netlink_send(&net->nl, &request);
	if (r < 0)
		return err_set(e, r, "set MAC, MTU %u and queue length %u of '%s'", link->mtu,
			       link->txqlen, link->name);

	if (link->flags & GCFG_LINK_NO_IPV6)
		r = set_ipv6(link->name, "disable_ipv6", "1", proc);
	else if ((link->flags & GCFG_LINK_POD) || has_link_local(net->config, link->index))
		r = keep_from_generating(net, net->ifindex[link->index]);
	/*
	 * The pod has had its addresses, the link-local one as well, since before the guest: with a
	 * detection of duplicates it would be without for a second, or for good if somebody else
	 * claims it. The configuration's own value is set later, as all sysctls are.
	 */
	if (!r)
		r = set_ipv6(link->name, "accept_dad", "0", proc);
	if (!r)
		r = set_accept_ra(net->config, link->name, proc);
	if (r < 0)
		return err_set(e, r, "set IPv6 of '%s'", link->name);
	if (link->flags & GCFG_LINK_POD) {
		r = init_pod_set_up(net->config, link, net->ifindex[link->index], proc, e);
		if (r < 0)
			return r;
	}

	r = set_up(net, net->ifindex[link->index], link->flags & GCFG_LINK_POD ? IFF_NOARP : 0);
	return r < 0 ? err_set(e, r, "set '%s' up", link->name) : 0;
}

static int add_address(struct network *net, const struct gcfg_addr *addr)
{
	size_t size = init_address_size(addr->family);
	uint32_t flags = addr->flags | (addr->family == AF_INET6 ? IFA_F_NODAD : 0);
	struct ifa_cacheinfo lifetime = {
		.ifa_prefered = addr->preferred_lft, .ifa_valid = addr->valid_lft,
	};
	struct init_request request;
	struct ifaddrmsg *body;

	body = init_request_start(&request, RTM_NEWADDR, NLM_F_CREATE | NLM_F_REPLACE,
				  sizeof(*body));
	body->ifa_family = addr->family;
	body->ifa_prefixlen = addr->prefix;
	body->ifa_scope = addr->scope;
	body->ifa_index = (uint32_t)net->ifindex[addr->link];
	init_request_add(&request, IFA_LOCAL, addr->local, size);
	init_request_add(&request, IFA_ADDRESS, addr->peer, size);
	if (addr->family == AF_INET && init_address_given(addr->broadcast))
		init_request_add(&request, IFA_BROADCAST, addr->broadcast, size);
	if (addr->metric)
		init_request_add_u32(&request, IFA_RT_PRIORITY, addr->metric);
	init_request_add_u32(&request, IFA_FLAGS, flags);
	init_request_add(&request, IFA_CACHEINFO, &lifetime, sizeof(lifetime));
	return init_netlink_send(&net->nl, &request);
}

static int add_neighbour(struct network *net, const struct gcfg_neigh *neigh)
{
	struct init_request request;
	struct ndmsg *body;

	body = init_request_start(&request, RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_REPLACE,
				  sizeof(*body));
	body->ndm_family = neigh->family;
	body->ndm_ifindex = net->ifindex[neigh->link];
	body->ndm_state = neigh->state;
	init_request_add(&request, NDA_DST, neigh->addr, init_address_size(neigh->family));
	init_request_add(&request, NDA_LLADDR, neigh->mac, sizeof(neigh->mac));
	return init_netlink_send(&net->nl, &request);
}

static int set_links(struct network *net, int proc, struct err *e)
{
	const struct gcfg_record *record = NULL;
	int r = 0;

	while (!r && (record = init_config_next(net->config, GCFG_LINK, record)))
		r = set_link(net, init_config_payload(record), proc, e);
	return r;
}

static int add_addresses(struct network *net, struct err *e)
{
	const struct gcfg_record *record = NULL;
	char text[40];

	while ((record = init_config_next(net->config, GCFG_ADDR, record))) {
		const struct gcfg_addr *addr = init_config_payload(record);
		int r = add_address(net, addr);

		if (r < 0)
			return err_set(e, r, "add address %s/%u to '%s'",
				       init_address_text(addr->family, addr->local, text),
				       addr->prefix,
				       init_config_link(net->config, addr->link)->name);
	}
	return 0;
}

static int add_neighbours(struct network *net, struct err *e)
{
	const struct gcfg_record *record = NULL;
	char text[40];

	while ((record = init_config_next(net->config, GCFG_NEIGH, record))) {
		const struct gcfg_neigh *neigh = init_config_payload(record);
		int r = add_neighbour(net, neigh);

		if (r < 0)
			return err_set(e, r, "add neighbour %s to '%s'",
				       init_address_text(neigh->family, neigh->addr, text),
				       init_config_link(net->config, neigh->link)->name);
	}
	return 0;
}

/*
 * Neighbours that knew the address under another MAC learn the new one now instead of at the end of
 * their cache's time. A courtesy: that it could not be sent must not keep the container from
 * running.
 */
static void announce(struct network *net)
{
	const struct gcfg_record *record = NULL;

	while ((record = init_config_next(net->config, GCFG_ADDR, record))) {
		const struct gcfg_addr *addr = init_config_payload(record);
		const struct gcfg_link *link = init_config_link(net->config, addr->link);

		if (link->flags & GCFG_LINK_ANNOUNCE)
			init_announce(net->ifindex[addr->link], link->mac, addr);
	}
}

int init_network_set_up(const struct init_config *config, int proc, struct err *e)
{
	struct network net = { .config = config, .nl = INIT_NETLINK_NONE };
	const struct init_routes routes = {
		.config = config, .nl = &net.nl, .ifindex = net.ifindex,
	};
	int r = init_netlink_open(&net.nl);

	if (r < 0)
		return err_set(e, r, "open netlink");
	r = set_up(&net, LOOPBACK_INDEX, 0);
	if (r < 0)
		err_set(e, r, "set 'lo' up");
	if (!r)
		r = set_links(&net, proc, e);
	if (!r)
		r = add_addresses(&net, e);
	if (!r)
		r = add_neighbours(&net, e);
	if (!r)
		r = init_routes_add(&routes, e);
	if (!r)
		r = init_rules_add(&routes, e);
	if (!r)
		announce(&net);
	init_netlink_close(&net.nl);
	return r < 0 ? err_wrap(e, r, "network") : 0;
}

/* SPDX-License-Identifier: GPL-2.0-only */
/* Changes to links. */
#include "net/link.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <string.h>

static struct ifinfomsg *link_request(union net_msg *m, uint16_t type, uint16_t flags, int index)
{
	struct ifinfomsg *head = net_nl_request(m, type, flags, sizeof(*head));

	head->ifi_index = index;
	return head;
}

int net_link_flags(struct net_nl *nl, int index, uint32_t flags, uint32_t mask, struct err *e)
{
	union net_msg m;
	struct ifinfomsg *head = link_request(&m, RTM_NEWLINK, 0, index);

	head->ifi_flags = flags & mask;
	head->ifi_change = mask;
	return net_nl_change(nl, &m.head, e);
}

int net_link_mtu(struct net_nl *nl, int index, uint32_t mtu, struct err *e)
{
	union net_msg m;

	link_request(&m, RTM_NEWLINK, 0, index);
	mnl_attr_put_u32(&m.head, IFLA_MTU, mtu);
	return net_nl_change(nl, &m.head, e);
}

int net_link_txqlen(struct net_nl *nl, int index, uint32_t txqlen, struct err *e)
{
	union net_msg m;

	link_request(&m, RTM_NEWLINK, 0, index);
	mnl_attr_put_u32(&m.head, IFLA_TXQLEN, txqlen);
	return net_nl_change(nl, &m.head, e);
}

int net_link_mac(struct net_nl *nl, int index, const uint8_t mac[6], struct err *e)
{
	union net_msg m;

	link_request(&m, RTM_NEWLINK, 0, index);
	mnl_attr_put(&m.head, IFLA_ADDRESS, 6, mac);
	return net_nl_change(nl, &m.head, e);
}

int net_link_master(struct net_nl *nl, int index, int master, struct err *e)
{
	union net_msg m;

	link_request(&m, RTM_NEWLINK, 0, index);
	mnl_attr_put_u32(&m.head, IFLA_MASTER, (uint32_t)master);
	return net_nl_change(nl, &m.head, e);
}

int net_link_no_learning(struct net_nl *nl, int index, struct err *e)
{
	struct nlattr *info, *data;
	union net_msg m;

	link_request(&m, RTM_NEWLINK, 0, index);
	info = mnl_attr_nest_start(&m.head, IFLA_LINKINFO);
	mnl_attr_put_strz(&m.head, IFLA_INFO_SLAVE_KIND, "bridge");
	data = mnl_attr_nest_start(&m.head, IFLA_INFO_SLAVE_DATA);
	mnl_attr_put_u8(&m.head, IFLA_BRPORT_LEARNING, 0);
	mnl_attr_nest_end(&m.head, data);
	mnl_attr_nest_end(&m.head, info);
	return net_nl_change(nl, &m.head, e);
}

int net_link_bridge(struct net_nl *nl, const char *name, const uint8_t mac[6], uint32_t mtu,
		    struct err *e)
{
	struct nlattr *info, *data;
	union net_msg m;

	link_request(&m, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, 0);
	mnl_attr_put_strz(&m.head, IFLA_IFNAME, name);
	mnl_attr_put(&m.head, IFLA_ADDRESS, 6, mac);
	mnl_attr_put_u32(&m.head, IFLA_MTU, mtu);
	info = mnl_attr_nest_start(&m.head, IFLA_LINKINFO);
	mnl_attr_put_strz(&m.head, IFLA_INFO_KIND, "bridge");
	data = mnl_attr_nest_start(&m.head, IFLA_INFO_DATA);
	mnl_attr_put_u32(&m.head, IFLA_BR_STP_STATE, 0);
	mnl_attr_put_u32(&m.head, IFLA_BR_FORWARD_DELAY, 0);
	mnl_attr_put_u8(&m.head, IFLA_BR_MCAST_SNOOPING, 0);
	mnl_attr_nest_end(&m.head, data);
	mnl_attr_nest_end(&m.head, info);
	return net_nl_change(nl, &m.head, e);
}

int net_link_delete(struct net_nl *nl, int index, struct err *e)
{
	union net_msg m;
	int rc;

	link_request(&m, RTM_DELLINK, 0, index);
	rc = net_nl_change(nl, &m.head, e);
	return rc == -ENODEV ? 0 : rc;
}

int net_link_index(const char *name, int *index, struct err *e)
{
	unsigned int found = if_nametoindex(name);

	if (!found)
		return err_set(e, -errno, "find link '%s'", name);
	*index = (int)found;
	return 0;
}

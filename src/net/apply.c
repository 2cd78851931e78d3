/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Apply: connect each planned interface to a descriptor.
 *
 * The order is what loses no frame and leaks none (measured by capture on the host end):
 *
 * 1. The descriptor is opened and kept: without one a tap has no carrier, and what is redirected to
 *    it is lost. In modes macvtap and packet, what arrives from now on waits there.
 * 2. IPv6 is disabled on each device touched, before it can come up or change its MAC. Otherwise
 *    the host's kernel sends router solicitations, detections of duplicates and MLD reports with
 *    the guest's MAC or with a foreign one.
 * 3. tc: the way out (tap to interface) is there before the way in. bridge: the addresses go before
 *    the MAC changes, so that nothing is ever said under the new MAC; and the MAC changes before
 *    the interface joins, because a bridge keeps for itself what is sent to a port's own MAC.
 *    macvtap: the device is open before the link is up. packet: the socket is bound before the
 *    namespace's kernel is cut off.
 * 4. The guards come last: nobody writes to the descriptor before it is handed out.
 * 5. The guest announces itself when it is up.
 *
 * An interface that the namespace's kernel shares (net/share.h) keeps its addresses and IPv6. The
 * ports are divided before anything can arrive at the guest. Of several guests the first one alone
 * redirects what the programs leave.
 */
#include <errno.h>
#include <net/if.h>
#include <string.h>

#include "base/fd.h"
#include "net/addr.h"
#include "net/guard.h"
#include "net/link.h"
#include "net/macvtap.h"
#include "net/net.h"
#include "net/netlink.h"
#include "net/packet.h"
#include "net/ports.h"
#include "net/sysctl.h"
#include "net/tap.h"
#include "net/tc.h"

/* The guest's end of a port. */
struct apply_end {
	int fd;
	uint8_t flags;			/* NABLA_NET_* */
};

static int apply_no_ipv6(const char *link, struct err *e)
{
	int rc = net_sysctl_ipv6(link, "disable_ipv6", 1, e);

	/* A kernel without IPv6, or an interface too small for it: there is nothing to disable. */
	return rc == NET_SYSCTL_NONE ? 0 : rc;
}

/*
 * The namespace's kernel and the guest have the same addresses: neither is to take the other for a
 * duplicate, whose words a host end in hairpin mode returns.
 */
static int apply_no_dad(const struct net_port *p, struct err *e)
{
	int rc = p->accept_dad ? net_sysctl_ipv6(p->name, "accept_dad", 0, e) : 0;

	return rc == NET_SYSCTL_NONE ? 0 : rc;
}

static int apply_tap(struct net_nl *nl, const struct net_port *p, int *tap, int *index,
		     uint8_t *flags, struct err *e)
{
	_autoclose_ int fd = -1;
	int rc = net_tap_open(p->tap, p->bare_frames, &fd, flags, e);

	if (rc == 0)
		rc = net_link_index(p->tap, index, e);
	if (rc == 0)
		rc = apply_no_ipv6(p->tap, e);
	if (rc == 0)
		rc = p->shared ? apply_no_dad(p, e) : apply_no_ipv6(p->name, e);
	if (rc < 0)
		return rc;
	rc = net_link_mtu(nl, *index, p->mtu, e);
	if (rc < 0)
		return err_wrap(e, rc, "set the MTU of tap '%s' to %u", p->tap, p->mtu);
	*tap = take_fd(&fd);
	return 0;
}

static int apply_up(struct net_nl *nl, const char *name, int index, struct err *e)
{
	int rc = net_link_flags(nl, index, IFF_UP, IFF_UP, e);

	return rc < 0 ? err_wrap(e, rc, "set '%s' up", name) : 0;
}

/*
 * An interface may filter multicast by what its own kernel has joined (macvlan does; then no
 * neighbour solicitation reaches the guest), and unicast by its own MAC.
 */
static int apply_take_all(struct net_nl *nl, const struct net_port *p, struct err *e)
{
	uint32_t take = IFF_ALLMULTI | (p->mac_mode == NET_MAC_RANDOM ? IFF_PROMISC : 0);

	return net_link_flags(nl, p->index, take, take, e);
}

/* Before the redirect: there is no moment in which the namespace's kernel gets nothing. */
static int apply_share(struct net_nl *nl, const struct net_plan *plan, size_t i, int tap, int ports,
		       struct err *e)
{
	struct net_share_table table;
	int rc = net_share_table(plan, i, tap, &table, e);

	return rc < 0 ? rc : net_share_add(nl, plan->ports[i].index, &table, ports, e);
}

/* Returns 0 or -errno; a failure is told as one of redirecting @p's frames. */
static int apply_redirects(struct net_nl *nl, const struct net_plan *plan, size_t i, int tap,
			   int ports, struct err *e)
{
	const struct net_port *p = &plan->ports[i];
	int rc = p->clsact ? 0 : net_tc_clsact_add(nl, p->index, e);

	if (rc == 0)
		rc = net_tc_clsact_add(nl, tap, e);
	if (rc == 0)
		rc = net_tc_redirect_add(nl, tap, p->index, false, e);
	if (rc == 0)
		rc = apply_take_all(nl, p, e);
	if (rc == 0 && p->shared)
		rc = apply_share(nl, plan, i, tap, ports, e);
	if (rc == 0 && (!p->shared || plan->share.alone))
		rc = net_tc_redirect_add(nl, p->index, tap, p->vlans, e);
	return rc < 0 ? err_wrap(e, rc, "redirect between '%s' and '%s'", p->name, p->tap) : 0;
}

static int apply_flush(struct net_nl *nl, const struct net_port *p, struct err *e)
{
	int rc = net_addr_flush(nl, p->index, e);

	return rc < 0 ? err_wrap(e, rc, "take the addresses off '%s'", p->name) : 0;
}

static int apply_tc(struct net_nl *nl, const struct net_plan *plan, size_t i, int ports,
		    struct apply_end *end, struct err *e)
{
	const struct net_port *p = &plan->ports[i];
	int tap = 0;
	int rc = apply_tap(nl, p, &end->fd, &tap, &end->flags, e);

	if (rc == 0)
		rc = apply_up(nl, p->tap, tap, e);
	if (rc == 0)
		rc = apply_redirects(nl, plan, i, tap, ports, e);
	if (rc == 0 && !p->shared)
		rc = apply_flush(nl, p, e);
	return rc;
}

/*
 * Broadcasts still reach the namespace's kernel by this link. It has no address here, but answers
 * ARP for those of any other link: the pod's own, which lo has (net/forward.h).
 */
static int apply_silent(struct net_nl *nl, const char *name, int index, struct err *e)
{
	int rc = net_link_flags(nl, index, IFF_NOARP, IFF_NOARP, e);

	return rc < 0 ? err_wrap(e, rc, "keep '%s' from answering ARP", name) : 0;
}

static int apply_bridge(struct net_nl *nl, const struct net_port *p, int *index, struct err *e)
{
	int rc = net_link_bridge(nl, p->bridge, p->bridge_mac, p->mtu, e);

	if (rc < 0)
		return err_wrap(e, rc, "create bridge '%s'", p->bridge);
	rc = net_link_index(p->bridge, index, e);
	if (rc == 0)
		rc = apply_no_ipv6(p->bridge, e);
	if (rc == 0)
		rc = apply_silent(nl, p->bridge, *index, e);
	if (rc == 0)
		rc = apply_up(nl, p->bridge, *index, e);
	return rc;
}

static int apply_join(struct net_nl *nl, const char *name, int index, int bridge, struct err *e)
{
	int rc = net_link_master(nl, index, bridge, e);

	return rc < 0 ? err_wrap(e, rc, "make '%s' a port of the bridge", name) : 0;
}

static int apply_bridged(struct net_nl *nl, const struct net_port *p, struct apply_end *end,
			 struct err *e)
{
	int bridge = 0, tap = 0;
	int rc = apply_tap(nl, p, &end->fd, &tap, &end->flags, e);

	if (rc == 0)
		rc = apply_bridge(nl, p, &bridge, e);
	if (rc == 0)
		rc = apply_up(nl, p->tap, tap, e);
	if (rc == 0)
		rc = apply_join(nl, p->tap, tap, bridge, e);
	if (rc == 0)
		rc = apply_flush(nl, p, e);
	if (rc == 0 && p->mac_mode == NET_MAC_ADOPT) {
		rc = net_link_mac(nl, p->index, p->new_mac, e);
		if (rc < 0)
			err_wrap(e, rc, "give '%s' another MAC", p->name);
	}
	if (rc == 0)
		rc = apply_join(nl, p->name, p->index, bridge, e);
	/* A host end in hairpin mode (CNI, Docker) sends the guest's own broadcasts back. */
	if (rc == 0 && (rc = net_link_no_learning(nl, p->index, e)) < 0)
		rc = err_wrap(e, rc, "set up port '%s' of the bridge", p->name);
	return rc;
}

static int apply_macvtap(struct net_nl *nl, const struct net_port *p, struct apply_end *end,
			 struct err *e)
{
	int index = 0;
	int rc = apply_no_ipv6(p->name, e);

	if (rc == 0)
		rc = apply_silent(nl, p->name, p->index, e);
	if (rc == 0) {
		rc = net_macvtap_create(nl, p->tap, p->index, e);
		if (rc < 0)
			return err_wrap(e, rc, "create macvtap '%s'", p->tap);
	}
	if (rc == 0)
		rc = net_link_index(p->tap, &index, e);
	if (rc == 0)
		rc = apply_no_ipv6(p->tap, e);
	if (rc == 0)
		rc = net_macvtap_open(p->tap, index, p->bare_frames, &end->fd, &end->flags, e);
	if (rc == 0) {
		/*
		 * Otherwise it filters multicast by what the namespace's kernel has joined there.
		 * While it is still down: on a link that is up, the kernel counts the flag at the
		 * interface below as well, and in mode passthru forgets to count down again.
		 */
		rc = net_link_flags(nl, index, IFF_ALLMULTI, IFF_ALLMULTI, e);
		if (rc < 0)
			return err_wrap(e, rc, "let '%s' take all multicasts", p->tap);
	}
	if (rc == 0)
		rc = apply_up(nl, p->tap, index, e);
	if (rc == 0)
		rc = apply_flush(nl, p, e);
	return rc;
}

static int apply_packet(struct net_nl *nl, const struct net_port *p, struct apply_end *end,
			struct err *e)
{
	int rc = apply_no_ipv6(p->name, e);

	if (rc == 0)
		rc = net_packet_open(p->index, &end->fd, &end->flags, e);
	if (rc == 0 && !p->clsact)
		rc = net_tc_clsact_add(nl, p->index, e);
	if (rc == 0)
		rc = apply_take_all(nl, p, e);
	if (rc == 0)
		rc = net_tc_drop_add(nl, p->index, p->vlans, e);
	if (rc < 0)
		return err_wrap(e, rc, "take the frames of '%s' by a packet socket", p->name);
	return apply_flush(nl, p, e);
}

static int apply_mode(struct net_nl *nl, const struct net_plan *plan, size_t i, int ports,
		      struct apply_end *end, struct err *e)
{
	const struct net_port *p = &plan->ports[i];

	switch (p->mode) {
	case NET_MODE_TC:
		return apply_tc(nl, plan, i, ports, end, e);
	case NET_MODE_BRIDGE:
		return apply_bridged(nl, p, end, e);
	case NET_MODE_MACVTAP:
		return apply_macvtap(nl, p, end, e);
	case NET_MODE_PACKET:
		return apply_packet(nl, p, end, e);
	case NET_MODE_AUTO:
		break;
	}
	return err_say(e, -EINVAL, "no mode was chosen");
}

static int apply_port(struct net_nl *nl, const struct net_plan *plan, size_t i, int ports,
		      struct nabla_net *net, struct err *e)
{
	const struct net_port *p = &plan->ports[i];
	struct apply_end end = { .fd = -1 };
	int rc = apply_mode(nl, plan, i, ports, &end, e);

	if (rc == 0)
		rc = net_guard_port(nl, plan, i, end.fd, e);
	if (rc < 0) {
		fd_close(&end.fd);
		return rc;
	}
	*net = (struct nabla_net){
		.fd = end.fd, .mtu = p->mtu, .flags = end.flags,
		.vnet_hdr_len = p->bare_frames ? 0 : NET_TAP_HDR_LEN,
	};
	memcpy(net->mac, p->guest_mac, sizeof(net->mac));
	memcpy(net->name, plan->links[i].name, sizeof(net->name));
	return 0;
}

/* The table of the pod's ports, for the programs that read it: that of the guests before. */
static int apply_ports(struct net_nl *nl, const struct net_plan *p, int *ports, struct err *e)
{
	int rc;

	if (!p->share.on && !p->forward.on)
		return 0;
	if (!p->share.on || p->share.alone)
		return net_ports_create(ports, e);
	rc = net_ports_open(nl, (int)p->forward.lo, ports, e);
	return rc > 0 ? err_say(e, -EBUSY, "the guest that shares the namespace was made by an "
				"older runnc, or is going: delete it, or try again") : rc;
}

/*
 * Others are there, and the number is free; but a guest that had it may have gone without being
 * restored, as one does whose namespace was its own and lives on because others have joined it.
 */
static int apply_room(struct net_nl *nl, const struct net_plan *p, int ports, struct err *e)
{
	const struct net_tc_place at = { (int)p->forward.lo, NET_TC_EGRESS,
					 NET_TC_PRIORITY_FORWARD, p->share.number };
	int rc = 0;

	if (!p->share.on || p->share.alone)
		return 0;
	rc = net_ports_alive(nl, (int)p->forward.lo, p->share.number, e);
	if (rc > 0)
		return err_say(e, -EBUSY, "a guest with number %u shares the namespace, and no "
			       "container's state says whose it is (delete --force removes one "
			       "that is damaged)", p->share.number);
	for (size_t i = 0; rc == 0 && i < p->nr_ports; i++)
		rc = net_tc_ours_remove(nl, p->ports[i].index, p->share.number,
					p->share.number == 1, e);
	if (rc == 0)
		rc = net_tc_remove(nl, &at, e);
	return rc == 0 ? net_ports_set(ports, p->share.number, NULL, e) : rc;
}

int net_apply(const struct net_plan *p, struct nabla_net nets[NABLA_LAUNCH_NETS], unsigned int *nr,
	      struct err *e)
{
	_autonl_ struct net_nl nl = NET_NL_INIT;
	_autoclose_ int ports = -1;
	unsigned int made = 0;
	int rc = p->nr_ports || p->forward.on ? net_nl_open(&nl, e) : 0;

	if (rc == 0)
		rc = apply_ports(&nl, p, &ports, e);
	if (rc == 0)
		rc = apply_room(&nl, p, ports, e);
	if (rc == 0 && p->share.split)
		rc = net_share_set(p->share.kept, e);

	for (; rc == 0 && made < p->nr_ports; made++) {
		rc = apply_port(&nl, p, made, ports, &nets[made], e);
		if (rc < 0) {
			err_wrap(e, rc, "connect interface '%s' to the guest (mode %s)",
				 p->ports[made].name, net_mode_name(p->ports[made].mode));
			break;
		}
	}
	/* Last: it takes the addresses that the interfaces have given up. */
	if (rc == 0 && p->forward.on) {
		rc = net_forward_apply(&nl, &p->forward, &p->share, ports, &nets[made], e);
		made += rc == 0;
	}
	if (rc < 0) {
		while (made-- > 0)
			fd_close(&nets[made].fd);
		return rc;
	}
	*nr = made;
	return 0;
}

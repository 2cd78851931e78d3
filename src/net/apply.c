/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Apply: connect each planned interface to a tap.
 *
 * The order is what loses no frame and leaks none (measured by capture on the host end):
 *
 * 1. The tap is opened and its descriptor kept: without one it has no carrier, and what is
 *    redirected to it is lost.
 * 2. IPv6 is disabled on each device touched, before it can come up or change its MAC. Otherwise
 *    the host's kernel sends router solicitations, detections of duplicates and MLD reports with
 *    the guest's MAC or with a foreign one.
 * 3. tc: the way out (tap to interface) is there before the way in. bridge: the addresses go before
 *    the MAC changes, so that nothing is ever said under the new MAC; and the MAC changes before
 *    the interface joins, because a bridge keeps for itself what is sent to a port's own MAC.
 * 4. The guest announces itself when it is up.
 */
#include <errno.h>
#include <net/if.h>
#include <string.h>

#include "base/fd.h"
#include "net/addr.h"
#include "net/link.h"
#include "net/net.h"
#include "net/netlink.h"
#include "net/sysctl.h"
#include "net/tap.h"
#include "net/tc.h"

static int apply_no_ipv6(const char *link, struct err *e)
{
	int rc = net_sysctl_ipv6(link, "disable_ipv6", 1, e);

	/* A kernel without IPv6, or an interface too small for it: there is nothing to disable. */
	return rc == NET_SYSCTL_NONE ? 0 : rc;
}

static int apply_tap(struct net_nl *nl, const struct net_port *p, int *tap, int *index,
		     uint8_t *flags,
		     struct err *e)
{
	_autoclose_ int fd = -1;
	int rc = net_tap_open(p->tap, p->bare_frames, &fd, flags, e);

	if (rc == 0)
		rc = net_link_index(p->tap, index, e);
	if (rc == 0)
		rc = apply_no_ipv6(p->tap, e);
	if (rc == 0)
		rc = apply_no_ipv6(p->name, e);
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

/* Returns 0 or -errno; a failure is told as one of redirecting @p's frames. */
static int apply_redirects(struct net_nl *nl, const struct net_port *p, int tap, struct err *e)
{
	/*
	 * An interface may filter multicast by what its own kernel has joined (macvlan does; then
	 * no neighbour solicitation reaches the guest), and unicast by its own MAC.
	 */
	uint32_t take = IFF_ALLMULTI | (p->mac_mode == NET_MAC_RANDOM ? IFF_PROMISC : 0);
	int rc = p->clsact ? 0 : net_tc_clsact_add(nl, p->index, e);

	if (rc == 0)
		rc = net_tc_clsact_add(nl, tap, e);
	if (rc == 0)
		rc = net_tc_redirect_add(nl, tap, p->index, false, e);
	if (rc == 0)
		rc = net_link_flags(nl, p->index, take, take, e);
	if (rc == 0)
		rc = net_tc_redirect_add(nl, p->index, tap, p->vlans, e);
	return rc < 0 ? err_wrap(e, rc, "redirect between '%s' and '%s'", p->name, p->tap) : 0;
}

static int apply_flush(struct net_nl *nl, const struct net_port *p, struct err *e)
{
	int rc = net_addr_flush(nl, p->index, e);

	return rc < 0 ? err_wrap(e, rc, "take the addresses off '%s'", p->name) : 0;
}

static int apply_tc(struct net_nl *nl, const struct net_port *p, int tap, struct err *e)
{
	int rc = apply_up(nl, p->tap, tap, e);

	if (rc == 0)
		rc = apply_redirects(nl, p, tap, e);
	if (rc == 0)
		rc = apply_flush(nl, p, e);
	return rc;
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
		rc = apply_up(nl, p->bridge, *index, e);
	return rc;
}

static int apply_join(struct net_nl *nl, const char *name, int index, int bridge, struct err *e)
{
	int rc = net_link_master(nl, index, bridge, e);

	return rc < 0 ? err_wrap(e, rc, "make '%s' a port of the bridge", name) : 0;
}

static int apply_bridged(struct net_nl *nl, const struct net_port *p, int tap, struct err *e)
{
	int bridge = 0;
	int rc = apply_bridge(nl, p, &bridge, e);

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
	return rc;
}

static int apply_port(struct net_nl *nl, const struct net_port *p, const struct gcfg_link *l,
		      struct nabla_net *net, struct err *e)
{
	struct nabla_net made = { .fd = -1, .mtu = p->mtu,
				  .vnet_hdr_len = p->bare_frames ? 0 : NET_TAP_HDR_LEN };
	_autoclose_ int fd = -1;
	int tap = 0;
	int rc = apply_tap(nl, p, &fd, &tap, &made.flags, e);

	if (rc == 0 && p->mode == NET_MODE_TC)
		rc = apply_tc(nl, p, tap, e);
	else if (rc == 0)
		rc = apply_bridged(nl, p, tap, e);
	if (rc < 0)
		return rc;
	memcpy(made.mac, p->guest_mac, sizeof(made.mac));
	memcpy(made.name, l->name, sizeof(made.name));
	made.fd = take_fd(&fd);
	*net = made;
	return 0;
}

int net_apply(const struct net_plan *p, struct nabla_net nets[NABLA_LAUNCH_NETS], unsigned int *nr,
	      struct err *e)
{
	_autonl_ struct net_nl nl = NET_NL_INIT;
	unsigned int made = 0;
	int rc = p->nr_ports ? net_nl_open(&nl, e) : 0;

	for (; rc == 0 && made < p->nr_ports; made++) {
		rc = apply_port(&nl, &p->ports[made], &p->links[made], &nets[made], e);
		if (rc < 0) {
			err_wrap(e, rc, "connect interface '%s' to the guest (mode %s)",
				 p->ports[made].name, net_mode_name(p->ports[made].mode));
			break;
		}
	}
	if (rc < 0) {
		while (made-- > 0)
			fd_close(&nets[made].fd);
		return rc;
	}
	*nr = made;
	return 0;
}

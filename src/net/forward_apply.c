// SPDX-License-Identifier: GPL-2.0-only
/*
 * The pod's loopback, connected and disconnected.
 *
 * Order of apply: the tap, silent (no IPv6, no ARP); its program, before it is up, so that what a
 * guest sends never reaches the namespace's own stack; then lo: settings, up, addresses; last its
 * program. Restore goes the other way.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <string.h>
#include <sys/socket.h>

#include "base/fd.h"
#include "net/forward.h"
#include "net/forward_load.h"
#include "net/forward_parts.h"
#include "net/link.h"
#include "net/net.h"
#include "net/netlink.h"
#include "net/ports.h"
#include "net/sysctl.h"
#include "net/tap.h"
#include "net/tc.h"

/* The pod's addresses are on lo only as long as the guest is there. */
static int change_address(struct net_nl *nl, uint16_t type, uint16_t flags, uint32_t lo,
			  const struct gcfg_addr *a, struct err *e)
{
	size_t size = a->family == AF_INET ? 4 : 16;
	struct ifaddrmsg *head;
	union net_msg m;

	head = net_nl_request(&m, type, flags, sizeof(*head));
	head->ifa_family = a->family;
	head->ifa_prefixlen = a->prefix;
	head->ifa_scope = a->scope;
	head->ifa_index = lo;
	mnl_attr_put(&m.head, IFA_LOCAL, size, a->local);
	mnl_attr_put(&m.head, IFA_ADDRESS, size, a->local);
	if (type == RTM_NEWADDR && a->family == AF_INET6)
		mnl_attr_put_u32(&m.head, IFA_FLAGS, IFA_F_NODAD);
	return net_nl_change(nl, &m.head, e);
}

/* ---- apply ---------------------------------------------------------------------------------- */

static int apply_tap(struct net_nl *nl, int index, const char *name, int from_guest, struct err *e)
{
	const struct net_tc_place at = { index, NET_TC_INGRESS, NET_TC_PRIORITY_FORWARD, 0 };
	int rc = net_sysctl_ipv6(name, "disable_ipv6", 1, e);

	if (rc >= 0)
		rc = net_tc_clsact_add(nl, index, e);
	if (rc == 0)
		rc = net_tc_program_add(nl, &at, from_guest, "runnc_from_guest", e);
	if (rc == 0)
		rc = net_link_flags(nl, index, IFF_UP | IFF_NOARP, IFF_UP | IFF_NOARP, e);
	return rc < 0 ? err_wrap(e, rc, "set up tap '%s'", name) : 0;
}

static int apply_lo(struct net_nl *nl, const struct net_forward *f, int to_guest, struct err *e)
{
	const struct net_tc_place at = { (int)f->lo, NET_TC_EGRESS, NET_TC_PRIORITY_FORWARD,
					 f->table.number };
	int rc = 0;

	if (f->lo_route_localnet != 1)
		rc = net_sysctl_ipv4("lo", "route_localnet", 1, e);
	if (rc == 0 && f->lo_accept_local != 1)
		rc = net_sysctl_ipv4("lo", "accept_local", 1, e);
	if (rc == 0 && !f->lo_up)
		rc = net_link_flags(nl, (int)f->lo, IFF_UP, IFF_UP, e);
	for (size_t i = 0; rc == 0 && i < f->nr_addrs; i++)
		rc = change_address(nl, RTM_NEWADDR, NLM_F_CREATE | NLM_F_REPLACE, f->lo,
				    &f->addrs[i], e);
	if (rc == 0)
		rc = net_tc_clsact_add(nl, (int)f->lo, e);
	if (rc == 0)
		rc = net_tc_program_add(nl, &at, to_guest, "runnc_to_guest", e);
	return rc < 0 ? err_wrap(e, rc, "set up the loopback") : 0;
}

/* Before its programs are asked: whose tap it is, and which ports. */
static int apply_ports(int ports, const struct net_forward_table *t, const struct net_share *share,
		       struct err *e)
{
	struct net_ports_guest guest = { .tap = t->tap };

	if (share->split) {
		guest.first = share->given.first;
		guest.last = share->given.last;
	}
	return net_ports_set(ports, t->number, &guest, e);
}

int net_forward_apply(struct net_nl *nl, const struct net_forward *f,
		      const struct net_share *share, int ports, struct nabla_net *net,
		      struct err *e)
{
	struct nabla_net made = { .mtu = f->link.mtu, .vnet_hdr_len = NET_TAP_HDR_LEN };
	struct net_forward_table table = f->table;
	_autoclose_ int from = -1;
	_autoclose_ int tap = -1;
	_autoclose_ int to = -1;
	int index;
	int rc = net_tap_open(f->tap, false, &tap, &made.flags, e);

	if (rc == 0)
		rc = net_link_index(f->tap, &index, e);
	if (rc == 0) {
		table.tap = (uint32_t)index;
		rc = net_forward_load(&table, ports, &to, &from, e);
	}
	if (rc == 0)
		rc = apply_ports(ports, &table, share, e);
	if (rc == 0)
		rc = apply_tap(nl, index, f->tap, from, e);
	if (rc == 0)
		rc = apply_lo(nl, f, to, e);
	if (rc < 0)
		return err_wrap(e, rc, "connect the pod's loopback to the guest");
	memcpy(made.mac, f->link.mac, sizeof(made.mac));
	memcpy(made.name, f->link.name, sizeof(made.name));
	if (share->on)
		made.flags |= NABLA_NET_PORTS;
	made.fd = take_fd(&tap);
	*net = made;
	return 0;
}

/* ---- restore -------------------------------------------------------------------------------- */

struct undo {
	struct net_nl *nl;
	int rc;				/* the first failure, told in *e */
	struct err *e;
};

static void note(struct undo *u, int rc, struct err *e)
{
	if (rc >= 0 || u->rc < 0)
		return;
	u->rc = rc;
	*u->e = *e;
}

static void remove_address(struct undo *u, uint32_t lo, const struct gcfg_addr *a)
{
	struct err e = ERR_INIT;
	int rc = change_address(u->nl, RTM_DELADDR, 0, lo, a, &e);

	/* Not there yet, or no longer. */
	if (rc != -EADDRNOTAVAIL && rc != -ENODEV)
		note(u, rc, &e);
}

static void remove_recorded(struct undo *u, uint32_t lo, const char *text)
{
	struct gcfg_addr a = { .family = AF_INET, .prefix = 32 };
	struct err e = ERR_INIT;

	if (strchr(text, ':'))
		a.family = AF_INET6, a.prefix = 128;
	if (inet_pton(a.family, text, a.local) != 1)
		note(u, err_say(&e, -EINVAL, "'%s' is no address", text), &e);
	else
		remove_address(u, lo, &a);
}

/* The kernel gave it an address when it went up for the first time, and keeps that. */
static void restore_down(struct undo *u, int lo, bool new)
{
	const struct gcfg_addr one = { .family = AF_INET, .prefix = 8, .local = { 127, 0, 0, 1 } };
	struct err e = ERR_INIT;

	note(u, net_link_flags(u->nl, lo, 0, IFF_UP, &e), &e);
	if (new)
		remove_address(u, (uint32_t)lo, &one);
}

static void remove_tap(struct undo *u, const char *name)
{
	struct err e = ERR_INIT;
	int index;

	/* It ends with the guest, mostly before this. */
	if (if_nametoindex(name) == 0)
		return;
	if (net_link_index(name, &index, &e) == 0)
		note(u, net_link_delete(u->nl, index, &e), &e);
}

static void restore_setting(struct undo *u, const char *key, int was)
{
	struct err e = ERR_INIT;
	int32_t now;
	int rc = net_sysctl_ipv4_get("lo", key, &now, &e);

	if (rc == 0 && now != was)
		rc = net_sysctl_ipv4("lo", key, was, &e);
	note(u, rc, &e);
}

/* Its ports are others' to claim; the table is found as long as a filter has it. */
static void give_back_ports(struct undo *u, int lo, unsigned int number)
{
	struct err e = ERR_INIT;
	_autoclose_ int ports = -1;
	int rc = net_ports_open(u->nl, lo, &ports, &e);

	if (rc == 0)
		rc = net_ports_set(ports, number, NULL, &e);
	note(u, rc, &e);
}

static void restore_lo(struct undo *u, const struct net_forward_lo *lo)
{
	struct err e = ERR_INIT;
	const json_t *addr;
	size_t i;

	if (!lo->clsact)
		note(u, net_tc_clsact_remove(u->nl, lo->index, &e), &e);
	json_array_foreach(lo->addrs, i, addr)
		if (json_is_string(addr))
			remove_recorded(u, (uint32_t)lo->index, json_string_value(addr));
	restore_setting(u, "route_localnet", lo->route_localnet);
	restore_setting(u, "accept_local", lo->accept_local);
	if (!lo->up)
		restore_down(u, lo->index, lo->new);
}

int net_forward_restore(struct net_nl *nl, const json_t *record, unsigned int number, bool others,
			struct err *e)
{
	struct net_tc_place at = { 0, NET_TC_EGRESS, NET_TC_PRIORITY_FORWARD, 0 };
	struct undo u = { .nl = nl, .e = e };
	struct err own = ERR_INIT;
	struct net_forward_lo lo;
	int rc = net_forward_read(record, &lo, e);

	if (rc < 0)
		return rc;
	at.index = lo.index;
	if (others) {
		at.handle = number;
		give_back_ports(&u, lo.index, number);
	}
	note(&u, net_tc_remove(nl, &at, &own), &own);
	if (!others) {
		remove_tap(&u, lo.tap);
		restore_lo(&u, &lo);
	}
	return u.rc < 0 ? err_wrap(e, u.rc, "restore the loopback") : 0;
}

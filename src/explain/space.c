/* SPDX-License-Identifier: GPL-2.0-only */
/* Entering namespaces and reading them, by netlink. */
#include "explain/space.h"

#include <errno.h>
#include <fcntl.h>
#include <libmnl/libmnl.h>
#include <linux/net_namespace.h>
#include <linux/netconf.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/neighbour.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/io.h"
#include "base/log.h"
#include "net/attr.h"
#include "net/netlink.h"

/* Somebody else may be changing the namespace; a listing that is torn this often is an error. */
#define SPACE_TRIES 16

/* ---- entering ------------------------------------------------------------------------------- */

int space_leave(struct space_home *home, struct err *e)
{
	home->fd = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	if (home->fd < 0)
		return err_set(e, -errno, "open /proc/thread-self/ns/net");
	return 0;
}

void space_return(struct space_home *home)
{
	if (home->fd < 0)
		return;
	if (setns(home->fd, CLONE_NEWNET) < 0) {
		log_error("return to the own network namespace: %s", strerror(errno));
		_exit(EXIT_FAILURE);
	}
	fd_close(&home->fd);
}

int space_enter(int fd, const char *name, struct err *e)
{
	if (setns(fd, CLONE_NEWNET) < 0)
		return err_set(e, -errno, "enter network namespace '%s'", name);
	return 0;
}

/* ---- listing -------------------------------------------------------------------------------- */

struct listing {
	struct explain_space *x;
	bool egress;
};

static int list_message(const struct nlmsghdr *m, void *context)
{
	const struct listing *l = context;

	return explain_parse_message(l->x, m, l->egress);
}

static int list_chain(const struct nlmsghdr *m, void *context)
{
	const struct listing *l = context;

	return explain_parse_chain(l->x, m);
}

static int list(struct net_nl *nl, union net_msg *m, struct listing *l, struct err *e)
{
	return net_nl_dump(nl, &m->head, list_message, l, e);
}

static int list_netconf(struct net_nl *nl, struct listing *l, struct err *e)
{
	union net_msg m;
	struct netconfmsg *head = net_nl_request(&m, RTM_GETNETCONF, 0, sizeof(*head));

	head->ncm_family = AF_INET;
	return list(nl, &m, l, e);
}

static int list_forwarding(struct net_nl *nl, struct listing *l, struct err *e)
{
	union net_msg m;
	struct ndmsg *head = net_nl_request(&m, RTM_GETNEIGH, 0, sizeof(*head));
	int rc;

	head->ndm_family = AF_BRIDGE;
	rc = list(nl, &m, l, e);
	/* A kernel without bridges. */
	return rc == -EOPNOTSUPP || rc == -EINVAL ? 0 : rc;
}

static int list_filters(struct net_nl *nl, int index, struct listing *l, struct err *e)
{
	static const uint32_t sides[] = { TC_H_MIN_INGRESS, TC_H_MIN_EGRESS };
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < 2; i++) {
		union net_msg m;
		struct tcmsg *head = net_nl_request(&m, RTM_GETTFILTER, 0, sizeof(*head));

		head->tcm_ifindex = index;
		head->tcm_parent = TC_H_MAKE(TC_H_CLSACT, sides[i]);
		l->egress = sides[i] == TC_H_MIN_EGRESS;
		rc = list(nl, &m, l, e);
		/* The older qdisc "ingress" has no egress side. */
		if (l->egress && rc == -EINVAL)
			rc = 0;
	}
	return rc;
}

static int list_once(struct net_nl *nl, struct explain_space *x, struct err *e)
{
	struct listing l = { .x = x };
	int rc = net_nl_dump_interfaces(nl, list_message, &l, e);

	if (rc == 0)
		rc = list_netconf(nl, &l, e);
	if (rc == 0)
		rc = list_forwarding(nl, &l, e);
	for (size_t i = 0; rc == 0 && i < x->all.nr_links; i++)
		if (x->all.links[i].clsact)
			rc = list_filters(nl, x->all.links[i].index, &l, e);
	return rc;
}

/* ---- the firewall --------------------------------------------------------------------------- */

/* nftables has a netlink of its own; a kernel without it has no chains. */
static int list_chains(struct explain_space *x, struct err *e)
{
	_autonl_ struct net_nl nl = NET_NL_INIT;
	struct listing l = { .x = x };
	union net_msg m;
	struct nfgenmsg *head;
	int rc = net_nl_open_bus(&nl, NETLINK_NETFILTER, e);

	if (rc < 0)
		return rc == -EPROTONOSUPPORT ? 0 : rc;
	head = net_nl_request(&m, NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_GETCHAIN, 0, sizeof(*head));
	head->nfgen_family = AF_UNSPEC;
	head->version = NFNETLINK_V0;
	rc = net_nl_dump(&nl, &m.head, list_chain, &l, e);
	return rc == -EINVAL || rc == -EOPNOTSUPP || rc == -EPERM ? 0 : rc;
}

/* Only /proc has it. Not there: bridged frames do not pass the firewall. */
static void read_nf_call(struct explain_space *x)
{
	_autofree_ char *text = NULL;
	struct err ignored = ERR_INIT;

	if (io_read_file(AT_FDCWD, "/proc/sys/net/bridge/bridge-nf-call-iptables", 64, &text, NULL,
			 &ignored) == 0)
		x->nf_call = text[0] != '0';
}

/* ---- reading -------------------------------------------------------------------------------- */

/* For another try: keeps what the caller has set. */
static void space_clear(struct explain_space *x)
{
	struct explain_space kept = { .fd = x->fd, .inode = x->inode };

	memcpy(kept.name, x->name, sizeof(kept.name));
	explain_space_free(x);
	*x = kept;
}

int space_read(struct explain_space *x, struct err *e)
{
	_autonl_ struct net_nl nl = NET_NL_INIT;
	int rc = net_nl_open(&nl, e);

	for (int i = 0; rc == 0 && i < SPACE_TRIES; i++) {
		space_clear(x);
		rc = list_once(&nl, x, e);
		if (rc == 0)
			rc = list_chains(x, e);
		if (rc == 0) {
			x->all.netns = x->inode;
			read_nf_call(x);
			return 0;
		}
		if (rc == NET_NL_AGAIN)
			rc = 0;
	}
	if (rc == 0)
		rc = err_say(e, -EAGAIN, "it does not stop changing");
	return err_wrap(e, rc, "read network namespace '%s'", x->name);
}

int space_number(int fd, int32_t *id, struct err *e)
{
	const struct nlattr *tb[NETNSA_NSID + 1];
	struct mnl_socket *sock = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
	union net_msg m, answer;
	ssize_t got;
	int rc = 0;

	*id = -1;
	net_nl_request(&m, RTM_GETNSID, 0, sizeof(struct rtgenmsg));
	mnl_attr_put_u32(&m.head, NETNSA_FD, (uint32_t)fd);
	if (!sock || mnl_socket_bind(sock, 0, MNL_SOCKET_AUTOPID) < 0 ||
	    mnl_socket_sendto(sock, &m, m.head.nlmsg_len) < 0)
		rc = err_set(e, -errno, "ask for a network namespace's number");
	got = rc < 0 ? 0 : mnl_socket_recvfrom(sock, &answer, sizeof(answer));
	if (got < 0)
		rc = err_set(e, -errno, "ask for a network namespace's number");
	if (sock)
		mnl_socket_close(sock);
	if (rc < 0 || (size_t)got < sizeof(answer.head) || answer.head.nlmsg_len > (size_t)got ||
	    answer.head.nlmsg_type != RTM_NEWNSID ||
	    !net_head(&answer.head, sizeof(struct rtgenmsg), tb, NETNSA_NSID))
		return rc;
	return net_attr_get(tb[NETNSA_NSID], id, sizeof(*id)) < 0
		       ? err_say(e, -EBADMSG, "a network namespace's number is malformed") : 0;
}

// SPDX-License-Identifier: GPL-2.0-only
/* Local ports that the namespace's sockets have already: the guest is not to choose them. */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/inet_diag.h>
#include <netinet/in.h>
#include <string.h>

#include "base/buf.h"
#include "net/net.h"
#include "net/share.h"
#include "net/sockets.h"

/* A setting is written by one call, of which the kernel takes a page. */
#define RESERVED_MAX 4095

/* ---- survey -------------------------------------------------------------------------------- */

void net_share_busy(struct net_share_ports *p, uint16_t port)
{
	p->busy[port / 64] |= UINT64_C(1) << port % 64;
}

bool net_share_parse_socket(const struct nlmsghdr *m, struct net_share_ports *p)
{
	const struct inet_diag_msg *socket = net_sockets_read(m);
	uint16_t port = socket ? ntohs(socket->id.idiag_sport) : 0;

	if (port == 0)
		return false;
	net_share_busy(p, port);
	return true;
}

static int ports_socket(const struct nlmsghdr *m, void *context)
{
	net_share_parse_socket(m, context);
	return 0;
}

int net_share_survey(struct net_share_ports *out, struct err *e)
{
	static const uint8_t families[] = { AF_INET, AF_INET6 };
	static const uint8_t protocols[] = { IPPROTO_TCP, IPPROTO_UDP };
	_autonl_ struct net_nl nl = NET_NL_INIT;
	int rc = net_nl_open_bus(&nl, NETLINK_SOCK_DIAG, e);

	*out = (struct net_share_ports){ .unknown = rc == -EPROTONOSUPPORT };
	if (out->unknown)
		return 0;
	for (size_t i = 0; rc == 0 && i < sizeof(families) * sizeof(protocols); i++) {
		/* A listing that was torn has all sockets that were there from begin to end. */
		rc = net_sockets_dump(&nl, families[i / 2], protocols[i % 2], NET_SOCKETS_ALL,
				      ports_socket, out, e);
		if (rc == NET_SOCKETS_NONE)
			out->unknown = true;
		if (rc > 0)
			rc = 0;
	}
	return rc < 0 ? err_wrap(e, rc, "survey the namespace's sockets") : 0;
}

/* ---- what the guest is told ---------------------------------------------------------------- */

static bool is_busy(const struct net_share_ports *p, uint32_t port)
{
	return p->busy[port / 64] >> port % 64 & 1;
}

/* The first run from @from to @last on: busy ports, with @gap free ones between two at most. */
static bool find_run(const struct net_share_ports *p, uint32_t from, uint32_t last, uint32_t gap,
		     struct net_share_range *run)
{
	uint32_t end;

	while (from <= last && !is_busy(p, from))
		from++;
	if (from > last)
		return false;
	end = from;
	for (uint32_t next = from + 1; next <= last && next - end <= gap + 1; next++)
		if (is_busy(p, next))
			end = next;
	*run = (struct net_share_range){ (uint16_t)from, (uint16_t)end };
	return true;
}

/* Returns how many ports that are. */
static uint32_t add_runs(const struct net_share_ports *p, struct net_share_range range,
			 uint32_t gap, struct buf *out)
{
	struct net_share_range run;
	uint32_t from = range.first, nr = 0;

	for (; find_run(p, from, range.last, gap, &run); from = run.last + 1u) {
		buf_printf(out, "%s%u", out->len ? "," : "", run.first);
		if (run.last != run.first)
			buf_printf(out, "-%u", run.last);
		nr += run.last - run.first + 1u;
	}
	return nr;
}

/*
 * A list that is too long has the free ports in the smallest gaps as well, but no more than half of
 * all: the guest needs some, too.
 */
char *net_share_reserved(const struct net_share_ports *p, struct net_share_range range,
			 const char *also, const char **why)
{
	uint32_t all = range.last - range.first + 1u;
	struct net_share_range run;

	*why = p->unknown ? "the host's kernel does not list the namespace's sockets "
			    "(CONFIG_INET_DIAG, CONFIG_INET_UDP_DIAG): the guest may choose a port "
			    "that one has" : NULL;
	if (!find_run(p, range.first, range.last, 0, &run))
		return strdup(also);
	for (uint32_t gap = 0; gap < all; gap = gap * 2 + 1) {
		_autobuf_ struct buf text = BUF_INIT(RESERVED_MAX);
		uint32_t nr;

		buf_add_str(&text, also);
		nr = add_runs(p, range, gap, &text);
		if (buf_error(&text) == -ENOMEM)
			return NULL;
		if (nr > all / 2)
			break;
		if (!buf_error(&text))
			return buf_take(&text, NULL);
	}
	*why = "too many local ports are in use in the namespace: the guest may choose one of them";
	return strdup(also);
}

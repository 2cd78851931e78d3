// SPDX-License-Identifier: GPL-2.0-only
/* What a namespace's loopback is like, and what its kernel can do. */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/inet_diag.h>
#include <net/if.h>
#include <netinet/in.h>
#include <string.h>

#include "base/fd.h"
#include "base/log.h"
#include "net/forward.h"
#include "net/forward_load.h"
#include "net/forward_parts.h"
#include "net/netlink.h"
#include "net/ports.h"
#include "net/sockets.h"
#include "net/sysctl.h"
#include "net/tc.h"

bool net_forward_parse_socket(const struct nlmsghdr *m, struct net_forward_facts *f,
			      uint8_t protocol)
{
	const struct inet_diag_msg *socket = net_sockets_read(m);
	uint16_t port;

	if (!socket)
		return false;
	port = ntohs(socket->id.idiag_sport);
	if (socket->idiag_family != AF_INET || socket->id.idiag_dport != 0 ||
	    socket->id.idiag_src[0] != htonl(NET_FORWARD_RESOLVER))
		return false;
	if (protocol == IPPROTO_TCP)
		f->resolver_tcp = port;
	else
		f->resolver_udp = port;
	return true;
}

struct sockets {
	struct net_forward_facts *facts;
	uint8_t protocol;
};

static int survey_socket(const struct nlmsghdr *m, void *context)
{
	struct sockets *sockets = context;

	net_forward_parse_socket(m, sockets->facts, sockets->protocol);
	return 0;
}

/*
 * Docker's resolver listens at 127.0.0.11, at ports that nobody chose; what is sent to port 53 is
 * translated by rules for what the namespace itself sends, which the guest's packets never meet.
 */
static int survey_resolver(struct net_nl *nl, struct net_forward_facts *f, uint8_t protocol,
			   uint32_t state, struct err *e)
{
	struct sockets sockets = { .facts = f, .protocol = protocol };
	int rc = net_sockets_dump(nl, AF_INET, protocol, state, survey_socket, &sockets, e);

	/* A listing that was torn, and a kernel without sock_diag: no resolver is found. */
	return rc > 0 ? 0 : rc;
}

static int survey_sockets(struct net_forward_facts *f, struct err *e)
{
	_autonl_ struct net_nl nl = NET_NL_INIT;
	int rc = net_nl_open_bus(&nl, NETLINK_SOCK_DIAG, e);

	if (rc == -EPROTONOSUPPORT)
		return 0;
	if (rc == 0)
		rc = survey_resolver(&nl, f, IPPROTO_TCP, NET_SOCKETS_LISTEN, e);
	if (rc == 0)
		rc = survey_resolver(&nl, f, IPPROTO_UDP, NET_SOCKETS_CLOSE, e);
	return rc;
}

static int survey_settings(struct net_forward_facts *f, struct err *e)
{
	int rc = net_sysctl_ipv4_get("lo", "route_localnet", &f->route_localnet, e);

	if (rc == 0)
		rc = net_sysctl_ipv4_get("lo", "accept_local", &f->accept_local, e);
	return rc;
}

/* Is there a filter of ours on lo? */
static int survey_filter(struct net_forward_facts *f, struct err *e)
{
	const struct net_tc_place at = { .index = (int)if_nametoindex("lo"), .side = NET_TC_EGRESS,
					 .priority = NET_TC_PRIORITY_FORWARD };
	_autonl_ struct net_nl nl = NET_NL_INIT;
	uint32_t id;
	int rc = net_nl_open(&nl, e);

	if (rc == 0)
		rc = net_tc_program_id(&nl, &at, &id, e);
	f->ours = rc == 0;
	return rc == NET_TC_NONE ? 0 : rc;
}

/* Why the programs cannot be loaded: 0 or -errno. */
static int survey_programs(void)
{
	const struct net_forward_table none = { .tap = 0 };
	_autoclose_ int ports = -1;
	_autoclose_ int to = -1;
	_autoclose_ int from = -1;
	struct err why = ERR_INIT;
	int rc = net_ports_create(&ports, &why);

	if (rc == 0)
		rc = net_forward_load(&none, ports, &to, &from, &why);
	if (rc < 0)
		log_debug("the pod's loopback: %s", why.text);
	return rc;
}

int net_forward_survey(struct net_forward_facts *f, struct err *e)
{
	int rc;

	memset(f, 0, sizeof(*f));
	f->known = true;
	f->unsupported = survey_programs();
	rc = survey_settings(f, e);
	if (rc == 0)
		rc = survey_sockets(f, e);
	if (rc == 0)
		rc = survey_filter(f, e);
	return rc < 0 ? err_wrap(e, rc, "survey the loopback") : 0;
}

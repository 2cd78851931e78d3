/* SPDX-License-Identifier: GPL-2.0-only */
/* The guard's place in each mode; and, for guests that can only ask, the answers behind it. */
#include <errno.h>
#include <string.h>

#include "net/answer.h"
#include "net/guard.h"
#include "net/link.h"

/* This kernel or this host cannot do it, whatever is asked. */
static bool guard_impossible(int rc)
{
	return rc == -ENOENT || rc == -EOPNOTSUPP || rc == -EPERM || rc == -ENOSYS;
}

static int guard_hint(int rc, const char *name, struct err *e)
{
	err_wrap(e, rc, "guard interface '%s' against spoofing", name);
	if (guard_impossible(rc)) {
		struct err why = *e;

		err_say(e, rc, "%s (the host's kernel needs cls_bpf and bpf(2); docs/spoofing.md "
			"says how to do without)", why.text);
	}
	return rc;
}

/* The place that all of the guest's frames pass, and nobody else's. */
static int guard_outbound(struct net_nl *nl, const struct net_plan *p, size_t i, int device,
			  struct err *e)
{
	const struct net_port *port = &p->ports[i];
	bool tap = port->mode == NET_MODE_TC || port->mode == NET_MODE_BRIDGE;
	int index = port->mode == NET_MODE_PACKET ? port->index : device;
	/* Behind the guard stand the answers for a guest with bare frames. */
	int redirect = port->mode == NET_MODE_TC && !port->bare_frames ? port->index : 0;
	struct net_guard_rules rules;
	int rc = net_guard_rules(p, i, &rules, e);

	if (rc == 0)
		rc = net_tc_clsact_add(nl, index, e);
	if (rc == 0)
		rc = net_guard_add(nl, index, tap ? NET_TC_INGRESS : NET_TC_EGRESS, &rules,
				   redirect, e);
	net_guard_rules_free(&rules);
	return rc;
}

static int guard_inbound(struct net_nl *nl, const struct net_plan *p, size_t i, int device, int fd,
			 struct err *e)
{
	const struct net_port *port = &p->ports[i];
	/*
	 * What has a tag is for a VLAN interface, and some is for the namespace's own kernel: the
	 * filters behind this one know.
	 */
	int redirect = port->mode == NET_MODE_TC && !port->vlans && !port->shared ? device : 0;
	int rc;

	if (port->mode == NET_MODE_PACKET)
		return net_guard_inbound_socket(fd, e);
	rc = net_tc_clsact_add(nl, port->index, e);
	return rc < 0 ? rc : net_guard_inbound_add(nl, port->index, p->share.number,
						      redirect, e);
}

int net_guard_port(struct net_nl *nl, const struct net_plan *p, size_t i, int fd, struct err *e)
{
	const struct net_port *port = &p->ports[i];
	bool tap = port->mode == NET_MODE_TC || port->mode == NET_MODE_BRIDGE;
	int device = 0, rc = 0;

	if (port->tap[0])
		rc = net_link_index(port->tap, &device, e);
	if (rc == 0 && !port->unguarded)
		rc = guard_outbound(nl, p, i, device, e);
	if (rc == 0) {
		rc = guard_inbound(nl, p, i, device, fd, e);
		/* Whoever does without the guard has accepted a host that cannot do this. */
		if (port->unguarded && guard_impossible(rc))
			rc = 0;
	}
	if (rc < 0)
		return guard_hint(rc, port->name, e);
	if (!port->bare_frames || !tap)
		return 0;
	rc = net_answer_add(nl, device, p->neighs, p->nr_neighs, (uint32_t)i, e);
	return rc < 0 ? err_wrap(e, rc, "answer for the neighbours of '%s'", port->name) : 0;
}

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The path of a guest's frames, found in the facts. Pure.
 *
 *     guest - tap - the pod's interface - host end - [bridge - other ports] - router
 */
#ifndef RUNNC_EXPLAIN_PATH_H
#define RUNNC_EXPLAIN_PATH_H

#include "abi/launch.h"
#include "explain/facts.h"

/* A link in a namespace. link 0: not there, or not to be seen from here. */
struct explain_place {
	size_t space;			/* index in explain_facts.spaces */
	int link;			/* its index there */
};

/* Whom the path is about. Everything is borrowed. */
struct explain_subject {
	const char *id;			/* of the container; NULL: one that is not there yet */
	int pid;			/* 0: its process is gone, or there is none */
	/* Not Linux: it may know no IPv6, and refuse nothing that nobody wants. */
	bool unikernel;
	/* What the guest was given or, without a container, would get: ports, links, addresses. */
	const struct net_plan *plan;
};

#define EXPLAIN_MAX_OTHERS 256

/* Of one of the guest's interfaces: subject.plan->ports[N]. */
struct explain_path {
	struct explain_place pod;	/* the interface of the namespace */
	struct explain_place tap;	/* what the guest's process holds */
	struct explain_place bridge;	/* mode bridge: between the two */
	struct explain_place host;	/* the veth's other end, or what a macvlan lies upon */
	struct explain_place segment;	/* the bridge that the host end is a port of */
	struct explain_place others[EXPLAIN_MAX_OTHERS];	/* who else is on the segment */
	size_t nr_others;
	/* Who routes for the pod, on its segment or as its host end; and how this is known. */
	struct explain_place router;
	const char *router_by;		/* "has the gateway's address", ...; a constant */
};

/* The path of port @i. *@p needs no freeing. */
void explain_path_find(const struct explain_facts *f, const struct explain_subject *s, size_t i,
		       struct explain_path *p);

/* The link at @place, or NULL. Borrowed from @f. */
const struct net_link *explain_at(const struct explain_facts *f, struct explain_place place);

/* The guest's first address of @family on port @i, or NULL; link-local ones do not count. */
const struct gcfg_addr *explain_guest_addr(const struct explain_subject *s, size_t i,
					   uint8_t family);

/* Where port @i's default route of @family leads; NULL: it has none, or none with a gateway. */
const struct gcfg_hop *explain_guest_gateway(const struct explain_subject *s, size_t i,
					     uint8_t family);

/* Does the guest have a default route of @family through port @i? */
bool explain_guest_default(const struct explain_subject *s, size_t i, uint8_t family);

/* What @place's namespace knows of @addr on that link, or NULL. Entries without MAC: none. */
const struct net_neigh *explain_neigh(const struct explain_facts *f, struct explain_place place,
				      uint8_t family, const uint8_t *addr);

/* Does the link at @place have the address? */
bool explain_has_addr(const struct explain_facts *f, struct explain_place place, uint8_t family,
		      const uint8_t *addr);

/* The route of table main that @x's kernel would take to @addr: the longest prefix, or NULL. */
const struct net_route *explain_route(const struct explain_space *x, uint8_t family,
				      const uint8_t *addr);

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What has to be tried, and what the answers mean.
 *
 * In this order, so that a failure's sense is clear: the gateway and the guest's own address are
 * asked for on the pod's interface, as the guest would ask; the guest is asked for on the host end;
 * the same in frames of full length; then the router's kernel pings, and sends what has checksums.
 */
#include <linux/if_ether.h>
#include <linux/neighbour.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "explain/probe.h"
#include "explain/report.h"
#include "explain/words.h"

struct check {
	const struct explain_facts *f;
	const struct explain_subject *s;
	size_t i;
	const struct explain_path *p;
	struct explain_report *r;
	const struct net_port *port;
	const struct net_link *pod, *host, *router;
	uint32_t mtu;
	uint8_t family;			/* of the round */
	const struct gcfg_addr *addr;	/* the guest's, of that family */
	const struct gcfg_hop *gateway;	/* NULL: none */
	struct err *e;
};

/* What it means that the guest does not do what a host does. */
static enum explain_verdict silence(const struct check *c)
{
	return c->s->unikernel && c->family == AF_INET6 ? EXPLAIN_NOTE : EXPLAIN_BROKEN;
}

static const char *protocol(uint8_t family)
{
	return family == AF_INET ? "ARP" : "neighbour discovery";
}

static bool is_guest(const struct check *c, const uint8_t mac[6])
{
	return memcmp(mac, c->port->guest_mac, 6) == 0;
}

/* The link of the pod's namespace that has this MAC; link 0: none. */
static struct explain_place pod_link(const struct check *c, const uint8_t mac[6])
{
	const struct net_survey *all = &c->f->spaces[0].all;

	for (size_t i = 0; i < all->nr_links; i++)
		if (all->links[i].has_mac && memcmp(all->links[i].mac, mac, 6) == 0)
			return (struct explain_place){ .link = all->links[i].index };
	return (struct explain_place){ .link = 0 };
}

/* A link that is seen on the segment and has this MAC; link 0: nobody known. */
static struct explain_place owner_of(const struct check *c, const uint8_t mac[6])
{
	const struct explain_place none = { .link = 0 };
	const struct net_link *l;

	for (size_t i = 0; i < c->p->nr_others; i++) {
		l = explain_at(c->f, c->p->others[i]);
		if (l && memcmp(l->mac, mac, 6) == 0)
			return c->p->others[i];
	}
	if (c->host && memcmp(c->host->mac, mac, 6) == 0)
		return c->p->host;
	l = explain_at(c->f, c->p->segment);
	return l && memcmp(l->mac, mac, 6) == 0 ? c->p->segment : none;
}

static struct words with_owner(const struct check *c, const uint8_t mac[6])
{
	struct explain_place owner = owner_of(c, mac);
	struct words w = words_mac(mac);

	if (owner.link)
		snprintf(w.text, sizeof(w.text), "%.17s (%.120s)", words_mac(mac).text,
			 words_place(c->f, owner).text);
	return w;
}

/* The longest frame that is answered, by halving; 0: not even a short one. Returns -errno or 0. */
static int find_longest(struct check *c, struct explain_place at, const struct frame_question *q,
			uint32_t *longest)
{
	uint32_t low = 64, high = c->mtu;

	while (low < high) {
		uint32_t middle = (low + high + 1) / 2;
		struct probe_answers answers;
		int rc = probe_ask(c->f, at, q, middle + ETH_HLEN, false, &answers, c->e);

		if (rc < 0)
			return rc;
		if (answers.nr)
			low = middle;
		else
			high = middle - 1;
	}
	*longest = low;
	return 0;
}

/* The question was answered in a short frame: is it in one of the guest's full length? */
static int check_length(struct check *c, struct explain_place at, const struct frame_question *q,
			enum explain_hop hop, const char *way)
{
	struct probe_answers answers;
	uint32_t longest = 0;
	int rc = probe_ask(c->f, at, q, c->mtu + ETH_HLEN, false, &answers, c->e);

	if (rc == 0 && answers.nr) {
		explain_say(c->r, hop, EXPLAIN_WORKS, NULL, "packets of %u bytes pass %s (%s)",
			    c->mtu, way, protocol(q->family));
		return 0;
	}
	if (rc == 0)
		rc = find_longest(c, at, q, &longest);
	if (rc == 0)
		explain_say(c->r, hop, EXPLAIN_BROKEN,
			    "give all links of the path one MTU, then create the container again",
			    "MTU: the guest sends and expects packets of up to %u bytes, but none "
			    "longer than %u pass %s", c->mtu, longest, way);
	return rc;
}

/* ---- as the guest would ask ----------------------------------------------------------------- */

static bool knows_gateway(const struct check *c)
{
	for (size_t i = 0; i < c->s->plan->nr_neighs; i++) {
		const struct gcfg_neigh *n = &c->s->plan->neighs[i];

		if (n->link == c->i && n->family == c->gateway->gateway_family &&
		    (n->state & NUD_PERMANENT) &&
		    memcmp(n->addr, c->gateway->gateway, sizeof(n->addr)) == 0)
			return true;
	}
	return false;
}

/* An address that the router does have in the guest's subnet, or NULL. */
static const struct gcfg_addr *better_gateway(const struct check *c)
{
	const struct net_survey *all = &c->f->spaces[c->p->router.space].all;

	for (size_t i = 0; c->router && i < all->nr_addrs; i++) {
		const struct gcfg_addr *a = &all->addrs[i].addr;
		unsigned int bytes = c->addr->prefix / 8;

		if (a->link == (uint32_t)c->p->router.link && a->family == c->family && bytes &&
		    bytes < (a->family == AF_INET ? 4u : 16u) &&
		    memcmp(a->local, c->addr->local, bytes) == 0)
			return a;
	}
	return NULL;
}

static void no_gateway(struct check *c)
{
	const struct gcfg_addr *better = better_gateway(c);
	struct words gateway = words_ip(c->gateway->gateway_family, c->gateway->gateway);

	if (knows_gateway(c))
		explain_say(c->r, EXPLAIN_HOP_GATEWAY, EXPLAIN_NOTE, NULL,
			    "nobody answers %s for the gateway %s; the guest does not ask, it has "
			    "a permanent neighbour", protocol(c->gateway->gateway_family),
			    gateway.text);
	else if (better)
		explain_say(c->r, EXPLAIN_HOP_GATEWAY, EXPLAIN_BROKEN,
			    "correct the pod's default route, then create the container again",
			    "wrong gateway: nobody answers %s for %s; the router (%s) is %s",
			    protocol(c->gateway->gateway_family), gateway.text,
			    words_place(c->f, c->p->router).text,
			    words_ip(better->family, better->local).text);
	else
		explain_say(c->r, EXPLAIN_HOP_GATEWAY, EXPLAIN_BROKEN,
			    c->family == AF_INET
				    ? "look at the router: is it up, has it the address, or "
				      "proxy_arp and a default route of its own?"
				    : "look at the router: is it up, has it the address, is IPv6 "
				      "enabled there?",
			    "nobody answers %s for the gateway %s",
			    protocol(c->gateway->gateway_family), gateway.text);
}

static int check_gateway(struct check *c)
{
	struct frame_question q = { .family = c->gateway->gateway_family };
	const struct gcfg_addr *sender = explain_guest_addr(c->s, c->i, q.family);
	struct probe_answers answers;
	int rc;

	/* An IPv6 gateway of IPv4 routes, and the guest has no IPv6 address to ask with. */
	if (!sender)
		return 0;
	memcpy(q.mac, c->port->guest_mac, sizeof(q.mac));
	memcpy(q.sender, sender->local, sizeof(q.sender));
	memcpy(q.target, c->gateway->gateway, sizeof(q.target));
	rc = probe_ask(c->f, c->p->pod, &q, 0, false, &answers, c->e);
	if (rc < 0)
		return rc;
	if (!answers.nr) {
		no_gateway(c);
		return 0;
	}
	explain_say(c->r, EXPLAIN_HOP_GATEWAY, EXPLAIN_WORKS, NULL,
		    "the gateway %s answers %s: %s", words_ip(q.family, q.target).text,
		    protocol(q.family), with_owner(c, answers.macs[0]).text);
	return check_length(c, c->p->pod, &q, EXPLAIN_HOP_GATEWAY, "from the pod to the gateway");
}

static int check_duplicate(struct check *c)
{
	struct frame_question q = { .family = c->family };
	struct probe_answers answers;
	int rc;

	memcpy(q.mac, c->port->guest_mac, sizeof(q.mac));
	memcpy(q.target, c->addr->local, sizeof(q.target));
	rc = probe_ask(c->f, c->p->pod, &q, 0, true, &answers, c->e);
	for (unsigned int i = 0; rc == 0 && i < answers.nr; i++)
		if (!is_guest(c, answers.macs[i]))
			explain_say(c->r, EXPLAIN_HOP_SEGMENT, EXPLAIN_BROKEN,
				    "give one of the two another address",
				    "duplicate address: %s is answered by %s as well; the guest is "
				    "%s", words_ip(c->family, c->addr->local).text,
				    with_owner(c, answers.macs[i]).text,
				    words_mac(c->port->guest_mac).text);
	if (rc == 0 && !answers.nr)
		explain_say(c->r, EXPLAIN_HOP_SEGMENT, EXPLAIN_WORKS, NULL,
			    "nobody else answers for %s",
			    words_ip(c->family, c->addr->local).text);
	return rc;
}

/* ---- from the host's side ------------------------------------------------------------------- */

static int check_guest(struct check *c)
{
	struct frame_question q = { .family = c->family };
	struct probe_answers answers;
	const char *who = c->s->id ? "guest" : "pod";
	struct explain_place own;
	int rc;

	memcpy(q.mac, c->host->mac, sizeof(q.mac));
	memcpy(q.target, c->addr->local, sizeof(q.target));
	rc = probe_ask(c->f, c->p->host, &q, 0, false, &answers, c->e);
	if (rc < 0)
		return rc;
	if (!answers.nr) {
		explain_say(c->r, EXPLAIN_HOP_BACK, silence(c),
			    "see what is wrong before this; if nothing is, look at the guest",
			    "asked on %s, the %s does not answer %s for %s",
			    words_place(c->f, c->p->host).text, who, protocol(c->family),
			    words_ip(c->family, c->addr->local).text);
		return 0;
	}
	own = pod_link(c, answers.macs[0]);
	if (!is_guest(c, answers.macs[0]) && own.link) {
		explain_say(
			c->r, EXPLAIN_HOP_BACK, EXPLAIN_BROKEN,
			"in the pod's namespace, keep that link from answering ARP (ip link set "
			"... arp off), or take the address away",
			"asked on %s, %s is answered by the pod's own kernel, as %s with MAC "
			"%s; the guest's is %s",
			words_place(c->f, c->p->host).text,
			words_ip(c->family, c->addr->local).text, words_place(c->f, own).text,
			words_mac(answers.macs[0]).text, words_mac(c->port->guest_mac).text);
		return 0;
	}
	if (!is_guest(c, answers.macs[0])) {
		explain_say(c->r, EXPLAIN_HOP_BACK, EXPLAIN_BROKEN,
			    "find out who that is: the guest must be the only one",
			    "asked on %s, %s is answered by MAC %s, the guest's is %s",
			    words_place(c->f, c->p->host).text,
			    words_ip(c->family, c->addr->local).text,
			    words_mac(answers.macs[0]).text, words_mac(c->port->guest_mac).text);
		return 0;
	}
	explain_say(c->r, EXPLAIN_HOP_BACK, EXPLAIN_WORKS, NULL,
		    "asked on %s, the %s answers for %s with MAC %s",
		    words_place(c->f, c->p->host).text, who,
		    words_ip(c->family, c->addr->local).text, words_mac(answers.macs[0]).text);
	return check_length(c, c->p->host, &q, EXPLAIN_HOP_BACK, "from the host end to the pod");
}

static int check_segments(struct check *c, bool pinged)
{
	const char *name = c->f->spaces[c->p->router.space].name;
	bool udp = false, tcp = false;
	int rc = probe_segments(c->f, c->p->router.space, c->family, c->addr->local, &udp, &tcp,
				c->e);

	if (rc < 0 || (!udp && !tcp && !pinged))
		return rc;
	if (udp || tcp)
		explain_say(c->r, EXPLAIN_HOP_BACK, EXPLAIN_WORKS, NULL,
			    "%s from %s arrive with good checksums: the %s answers them",
			    udp && tcp ? "UDP and TCP" : udp ? "UDP" : "TCP", name,
			    c->s->id ? "guest" : "pod");
	if ((udp && tcp) || c->s->unikernel)
		return 0;
	explain_say(c->r, EXPLAIN_HOP_BACK, udp || tcp ? EXPLAIN_NOTE : EXPLAIN_BROKEN,
		    udp || tcp ? NULL
			       : "see whether something on the way changes packets without their "
				 "checksums; where these are left to the receiver, 'ethtool -K' "
				 "of the host end with 'tx off' shows it",
		    "%s from %s to a closed port of %s get no refusal%s",
		    udp ? "TCP segments" : tcp ? "UDP datagrams" : "UDP and TCP segments", name,
		    words_ip(c->family, c->addr->local).text,
		    udp || tcp ? "" : ", though ping is answered: their checksums are wrong when "
				      "they arrive, or a firewall drops them");
	return 0;
}

static int check_router(struct check *c)
{
	const char *name = c->f->spaces[c->p->router.space].name;
	bool small = false, large = false;
	int rc = probe_ping(c->f, c->p->router.space, c->family, c->addr->local, 84, &small, c->e);

	if (rc == 0 && small)
		rc = probe_ping(c->f, c->p->router.space, c->family, c->addr->local, c->mtu,
				&large, c->e);
	if (rc < 0)
		return rc;
	if (large)
		explain_say(c->r, EXPLAIN_HOP_BACK, EXPLAIN_WORKS, NULL,
			    "%s pings %s, also with %u bytes both ways", name,
			    words_ip(c->family, c->addr->local).text, c->mtu);
	else if (small)
		explain_say(c->r, EXPLAIN_HOP_BACK, EXPLAIN_BROKEN,
			    "give all links of the path one MTU, then create the container again",
			    "MTU: %s pings %s, but not with the guest's full %u bytes", name,
			    words_ip(c->family, c->addr->local).text, c->mtu);
	else
		explain_say(c->r, EXPLAIN_HOP_BACK, silence(c),
			    c->port->mode == NET_MODE_BRIDGE && c->f->spaces[0].nf_call
				    ? "see what is wrong before this; if nothing is, look at the "
				      "firewall rules in the pod's namespace: "
				      "bridge-nf-call-iptables is 1, so they see what crosses the "
				      "bridge; mode tc avoids them"
				    : "see what is wrong before this; if nothing is, look at the "
				      "firewalls of router and pod, and at the routes",
			    "ping from %s to %s is not answered", name,
			    words_ip(c->family, c->addr->local).text);
	return check_segments(c, small);
}

static int check_family(struct check *c)
{
	int rc = 0;

	c->addr = explain_guest_addr(c->s, c->i, c->family);
	c->gateway = explain_guest_gateway(c->s, c->i, c->family);
	if (!c->addr)
		return 0;
	if (c->pod->flags & IFF_UP) {
		if (c->gateway)
			rc = check_gateway(c);
		if (rc == 0)
			rc = check_duplicate(c);
	}
	/* What a macvlan lies upon sends to the outside, not to its macvlans. */
	if (rc == 0 && c->host && (c->host->flags & IFF_UP) && strcmp(c->pod->kind, "veth") == 0)
		rc = check_guest(c);
	if (rc == 0 && c->router)
		rc = check_router(c);
	else if (rc == 0)
		explain_say(c->r, EXPLAIN_HOP_BACK, EXPLAIN_UNKNOWN, NULL,
			    "no router in reach: nobody could ping %s",
			    words_ip(c->family, c->addr->local).text);
	return rc;
}

int explain_probe(const struct explain_facts *f, const struct explain_subject *s, size_t i,
		  const struct explain_path *p, struct explain_report *r, struct err *e)
{
	struct check c = {
		.f = f, .s = s, .i = i, .p = p, .r = r, .port = &s->plan->ports[i],
		.pod = explain_at(f, p->pod), .host = explain_at(f, p->host),
		.router = explain_at(f, p->router), .mtu = s->plan->links[i].mtu, .e = e,
	};
	int rc;

	if (!c.pod)
		return 0;
	c.family = AF_INET;
	rc = check_family(&c);
	c.family = AF_INET6;
	if (rc == 0)
		rc = check_family(&c);
	return rc < 0 ? err_wrap(e, rc, "check the network") : 0;
}

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * For the network tests: src/net from the command line, with a guest's stand-in.
 *
 *	net-tool plan [MODE MAC]		survey and plan, printed
 *	net-tool guest RECORD MODE MAC		survey, plan, write RECORD, apply, then be the guest
 *	net-tool restore RECORD			restore
 *	net-tool capture LINK			until SIGTERM; then "MAC ETHERTYPE" of what came in
 *	net-tool drops LINK ingress|egress	what the guard dropped: "REASON COUNT", or "none"
 *
 * The stand-in is a second network namespace of this process: a real kernel's stack behind a tap
 * with the same vnet header and offloads, configured with the plan's structures and nothing else,
 * as the guest's init does. This process pumps frames between the two taps, vnet headers and all.
 * It prints "ready PID" and runs until SIGTERM or SIGKILL; `nsenter -t PID -n` is inside the guest.
 *
 * The linker redirects the five functions by which src/net changes anything (--wrap). With
 * NET_TOOL_KILL_AT=N in the environment this process dies by SIGKILL just before the Nth change;
 * "steps N" on the standard error says how many there were. With NET_TOOL_NO_BPF set the kernel
 * seems to have no cls_bpf; NET_TOOL_LACKS names more that mode auto does not find (see below).
 * NET_TOOL_REFUSE="address4 neighbour" lists what the kernel seems to refuse to make.
 * With NET_TOOL_UNGUARDED set the guest may send what it likes.
 * With NET_TOOL_LOOPBACK set the pod's loopback is connected as well, up to the tap.
 * With NET_TOOL_REPLIES=FILE each of the
 * kernel's messages that reaches the parser is also appended to FILE: so the recorded replies of
 * the unit tests and the fuzz corpus were made.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <libmnl/libmnl.h>
#include <linux/if_addr.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/io.h"
#include "net/guard.h"
#include "net/link.h"
#include "net/net.h"
#include "net/netlink.h"
#include "net/parse.h"
#include "net/sysctl.h"
#include "net/tap.h"

static unsigned long steps, kill_at;
static bool counting;
static volatile sig_atomic_t stop;
static FILE *replies;

/* ---- the changes, counted ----------------------------------------------------------------- */

int __real_net_nl_change(struct net_nl *nl, struct nlmsghdr *m, struct err *e);
int __wrap_net_nl_change(struct net_nl *nl, struct nlmsghdr *m, struct err *e);
int __real_net_sysctl_ipv6(const char *link, const char *key, int32_t value, struct err *e);
int __wrap_net_sysctl_ipv6(const char *link, const char *key, int32_t value, struct err *e);
int __real_net_sysctl_ipv4(const char *link, const char *key, int32_t value, struct err *e);
int __wrap_net_sysctl_ipv4(const char *link, const char *key, int32_t value, struct err *e);
int __real_net_sysctl_set(const char *key, const char *value, struct err *e);
int __wrap_net_sysctl_set(const char *key, const char *value, struct err *e);
int __real_net_tap_open(const char *name, bool bare, int *tap, uint8_t *flags, struct err *e);
int __wrap_net_tap_open(const char *name, bool bare, int *tap, uint8_t *flags, struct err *e);

static void step(void)
{
	if (counting && ++steps == kill_at)
		raise(SIGKILL);
}

static bool is_refused(const struct nlmsghdr *m)
{
	const char *list = getenv("NET_TOOL_REFUSE");
	const struct rtgenmsg *head = mnl_nlmsg_get_payload(m);

	return list && ((m->nlmsg_type == RTM_NEWNEIGH && strstr(list, "neighbour")) ||
			(m->nlmsg_type == RTM_NEWADDR && head->rtgen_family == AF_INET &&
			 strstr(list, "address4")));
}

int __wrap_net_nl_change(struct net_nl *nl, struct nlmsghdr *m, struct err *e)
{
	step();
	if (is_refused(m))
		return err_set(e, -EPERM, "refused");
	if (m->nlmsg_type == RTM_NEWTFILTER && getenv("NET_TOOL_NO_BPF") &&
	    memmem(m, m->nlmsg_len, "bpf", 4))
		return err_set(e, -ENOENT, "TC classifier not found");
	return __real_net_nl_change(nl, m, e);
}

int __wrap_net_sysctl_ipv6(const char *link, const char *key, int32_t value, struct err *e)
{
	step();
	return __real_net_sysctl_ipv6(link, key, value, e);
}

int __wrap_net_sysctl_set(const char *key, const char *value, struct err *e)
{
	step();
	return __real_net_sysctl_set(key, value, e);
}

int __wrap_net_sysctl_ipv4(const char *link, const char *key, int32_t value, struct err *e)
{
	step();
	return __real_net_sysctl_ipv4(link, key, value, e);
}

int __wrap_net_tap_open(const char *name, bool bare, int *tap, uint8_t *flags, struct err *e)
{
	step();
	return __real_net_tap_open(name, bare, tap, flags, e);
}

int __real_net_parse_message(struct net_survey *s, const struct nlmsghdr *m);
int __wrap_net_parse_message(struct net_survey *s, const struct nlmsghdr *m);

int __wrap_net_parse_message(struct net_survey *s, const struct nlmsghdr *m)
{
	if (replies)
		fwrite(m, NLMSG_ALIGN(m->nlmsg_len), 1, replies);
	return __real_net_parse_message(s, m);
}

/* ---- helpers ------------------------------------------------------------------------------ */

static void die(int rc, const struct err *e)
{
	if (rc >= 0)
		return;
	fprintf(stderr, "net-tool: %s\n", e->text);
	exit(1);
}

static void on_term(int signal)
{
	(void)signal;
	stop = 1;
}

static void catch_term(void)
{
	struct sigaction action = { .sa_handler = on_term };

	sigaction(SIGTERM, &action, NULL);
}

static const char *ip(uint8_t family, const uint8_t *addr)
{
	static char text[4][INET6_ADDRSTRLEN];
	static unsigned int turn;

	return inet_ntop(family, addr, text[turn++ % 4], INET6_ADDRSTRLEN);
}

static const char *mac_text(const uint8_t mac[6])
{
	static char text[4][18];
	static unsigned int turn;
	char *out = text[turn++ % 4];

	snprintf(out, 18, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3], mac[4],
		 mac[5]);
	return out;
}

/* ---- plan --------------------------------------------------------------------------------- */

static void print_routes(const struct net_plan *p)
{
	const struct gcfg_hop *hop = p->hops;

	for (size_t i = 0; i < p->nr_routes; i++) {
		const struct gcfg_route *r = &p->routes[i];

		printf("route %s/%u table %u metric %u type %u scope %u proto %u mtu %u",
		       ip(r->family, r->dst), r->dst_prefix, r->table, r->metric, r->type, r->scope,
		       r->protocol, r->mtu);
		for (unsigned int h = 0; h < r->nr_hops; h++, hop++)
			printf(" [%s dev %s%s]",
			       hop->gateway_family ? ip(hop->gateway_family, hop->gateway) : "-",
			       p->links[hop->link].name,
			       hop->flags & RTNH_F_ONLINK ? " onlink" : "");
		printf("\n");
	}
}

static void print_plan(const struct net_plan *p)
{
	for (size_t i = 0; i < p->nr_ports; i++)
		printf("link %s mode %s%s mac %s guest-mac %s mtu %u tap %s bridge '%s' flags %u\n",
		       p->links[i].name, net_mode_name(p->ports[i].mode),
		       p->ports[i].why ? " (auto)" : "",
		       mac_text(p->ports[i].host_mac), mac_text(p->links[i].mac), p->links[i].mtu,
		       p->ports[i].tap, p->ports[i].bridge, p->links[i].flags);
	for (size_t i = 0; i < p->nr_addrs; i++)
		printf("addr %s/%u dev %s flags %#x\n", ip(p->addrs[i].family, p->addrs[i].local),
		       p->addrs[i].prefix, p->links[p->addrs[i].link].name, p->addrs[i].flags);
	print_routes(p);
	for (size_t i = 0; i < p->nr_neighs; i++)
		printf("neigh %s lladdr %s dev %s state %#x\n",
		       ip(p->neighs[i].family, p->neighs[i].addr), mac_text(p->neighs[i].mac),
		       p->links[p->neighs[i].link].name, p->neighs[i].state);
	for (size_t i = 0; i < p->nr_sysctls; i++)
		printf("sysctl %s\n", p->sysctls[i]);
	for (size_t i = 0; i < p->nr_notices; i++)
		printf("notice %s\n", p->notices[i]);
	printf("ports %zu\n", p->nr_ports);
}

/* A kernel that lacks something: NET_TOOL_LACKS="tun clsact ..." */
static void take_away(struct net_host *h)
{
	const char *lacks = getenv("NET_TOOL_LACKS");

	if (!lacks)
		return;
	h->tun &= !strstr(lacks, "tun");
	h->clsact &= !strstr(lacks, "clsact");
	h->bridge &= !strstr(lacks, "bridge");
	h->macvtap &= !strstr(lacks, "macvtap");
	h->packet &= !strstr(lacks, "packet");
}

static void make_plan(const char *mode, const char *mac, struct net_survey *s, struct net_plan *p)
{
	struct net_request request;
	struct err e = ERR_INIT;

	die(net_request_init(&request, &e), &e);
	request.unguarded = getenv("NET_TOOL_UNGUARDED") != NULL;
	/* Mode tc, and the namespace keeps its part of it. */
	request.shared = strcmp(mode, "keep") == 0;
	if (request.shared)
		mode = "tc";
	if (!net_mode_parse(mode, &request.mode) || !net_mac_parse(mac, &request.mac)) {
		fprintf(stderr, "net-tool: mode '%s', mac '%s'?\n", mode, mac);
		exit(2);
	}
	if (request.mode == NET_MODE_AUTO)
		die(net_probe(&request.host, &e), &e);
	take_away(&request.host);
	die(net_survey(s, &e), &e);
	if (getenv("NET_TOOL_LOOPBACK"))
		die(net_forward_survey(&s->loopback, &e), &e);
	die(net_plan(s, &request, p, &e), &e);
}

static int cmd_plan(const char *mode, const char *mac)
{
	struct net_survey s;
	struct net_plan p;

	make_plan(mode, mac, &s, &p);
	print_plan(&p);
	net_plan_free(&p);
	net_survey_free(&s);
	return 0;
}

/* ---- the guest's own configuration -------------------------------------------------------- */

static size_t addr_len(uint8_t family)
{
	return family == AF_INET ? 4 : 16;
}

static void guest_addr(struct net_nl *nl, const struct gcfg_addr *a, int index)
{
	static const uint8_t none[16];
	struct err e = ERR_INIT;
	union net_msg m;
	struct ifaddrmsg *head = net_nl_request(&m, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL,
						sizeof(*head));

	head->ifa_family = a->family;
	head->ifa_prefixlen = a->prefix;
	head->ifa_scope = a->scope;
	head->ifa_index = (uint32_t)index;
	mnl_attr_put(&m.head, IFA_LOCAL, addr_len(a->family), a->local);
	mnl_attr_put(&m.head, IFA_ADDRESS, addr_len(a->family), a->peer);
	if (memcmp(a->broadcast, none, sizeof(none)) != 0)
		mnl_attr_put(&m.head, IFA_BROADCAST, addr_len(a->family), a->broadcast);
	mnl_attr_put_u32(&m.head, IFA_FLAGS, a->flags | IFA_F_NODAD);
	die(net_nl_change(nl, &m.head, &e), &e);
}

static void put_gateway(union net_msg *m, const struct gcfg_hop *h)
{
	if (h->gateway_family)
		mnl_attr_put(&m->head, RTA_GATEWAY, addr_len(h->gateway_family), h->gateway);
}

static void put_hops(union net_msg *m, struct rtmsg *head, const struct gcfg_route *r,
		     const struct gcfg_hop *hops, const int *index)
{
	struct nlattr *multipath;

	if (r->nr_hops == 1) {
		head->rtm_flags = hops->flags;
		mnl_attr_put_u32(&m->head, RTA_OIF, (uint32_t)index[hops->link]);
		put_gateway(m, hops);
		return;
	}
	multipath = mnl_attr_nest_start(&m->head, RTA_MULTIPATH);
	for (unsigned int i = 0; i < r->nr_hops; i++) {
		struct rtnexthop *nh = mnl_nlmsg_get_payload_tail(&m->head);

		nh->rtnh_flags = (uint8_t)hops[i].flags;
		nh->rtnh_hops = (uint8_t)(hops[i].weight - 1);
		nh->rtnh_ifindex = index[hops[i].link];
		m->head.nlmsg_len += sizeof(*nh);
		put_gateway(m, &hops[i]);
		nh->rtnh_len =
			(uint16_t)((char *)mnl_nlmsg_get_payload_tail(&m->head) - (char *)nh);
	}
	mnl_attr_nest_end(&m->head, multipath);
}

static void guest_route(struct net_nl *nl, const struct gcfg_route *r, const struct gcfg_hop *hops,
			const int *index)
{
	static const uint8_t none[16];
	struct err e = ERR_INIT;
	union net_msg m;
	struct rtmsg *head = net_nl_request(&m, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL,
					    sizeof(*head));

	head->rtm_family = r->family;
	head->rtm_dst_len = r->dst_prefix;
	head->rtm_tos = r->tos;
	head->rtm_type = r->type;
	head->rtm_scope = r->scope;
	head->rtm_protocol = r->protocol;
	mnl_attr_put_u32(&m.head, RTA_TABLE, r->table);
	if (r->metric)
		mnl_attr_put_u32(&m.head, RTA_PRIORITY, r->metric);
	if (r->dst_prefix)
		mnl_attr_put(&m.head, RTA_DST, addr_len(r->family), r->dst);
	if (memcmp(r->prefsrc, none, sizeof(none)) != 0)
		mnl_attr_put(&m.head, RTA_PREFSRC, addr_len(r->family), r->prefsrc);
	if (r->nr_hops)
		put_hops(&m, head, r, hops, index);
	if (net_nl_change(nl, &m.head, &e) < 0) {
		fprintf(stderr, "net-tool: guest route %s/%u: %s\n", ip(r->family, r->dst),
			r->dst_prefix, e.text);
		exit(1);
	}
}

static void guest_neigh(struct net_nl *nl, const struct gcfg_neigh *n, int index)
{
	struct err e = ERR_INIT;
	union net_msg m;
	struct ndmsg *head = net_nl_request(&m, RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_REPLACE,
					    sizeof(*head));

	head->ndm_family = n->family;
	head->ndm_ifindex = index;
	head->ndm_state = n->state;
	mnl_attr_put(&m.head, NDA_DST, addr_len(n->family), n->addr);
	mnl_attr_put(&m.head, NDA_LLADDR, sizeof(n->mac), n->mac);
	die(net_nl_change(nl, &m.head, &e), &e);
}

/* Gratuitous ARP, as GCFG_LINK_ANNOUNCE asks for; by this process instead of the guest's init. */
static void announce(const struct gcfg_link *l, const struct gcfg_addr *a, int host)
{
	uint8_t frame[NET_TAP_HDR_LEN + 42] = { 0 }, *arp = frame + NET_TAP_HDR_LEN;
	static const uint8_t head[] = { 8, 6, 0, 1, 8, 0, 6, 4, 0, 1 };

	if (a->family != AF_INET)
		return;
	memset(arp, 0xff, 6);
	memcpy(arp + 6, l->mac, 6);
	memcpy(arp + 12, head, sizeof(head));
	memcpy(arp + 22, l->mac, 6);
	memcpy(arp + 28, a->local, 4);
	memcpy(arp + 38, a->local, 4);
	if (write(host, frame, sizeof(frame)) < 0)
		perror("net-tool: announce");
}

static void guest_link(struct net_nl *nl, const struct gcfg_link *l, int *index)
{
	struct err e = ERR_INIT;

	die(net_link_index(l->name, index, &e), &e);
	if (l->flags & GCFG_LINK_NO_IPV6)
		net_sysctl_ipv6(l->name, "disable_ipv6", 1, &e);
	net_sysctl_ipv6(l->name, "accept_dad", 0, &e);
	die(net_link_mac(nl, *index, l->mac, &e), &e);
	die(net_link_mtu(nl, *index, l->mtu, &e), &e);
	die(net_link_flags(nl, *index, IFF_UP, IFF_UP, &e), &e);
}

/* In the guest's namespace. taps[i] is the guest's end for p->links[i]. */
static void guest_configure(const struct net_plan *p)
{
	const struct gcfg_hop *hop = p->hops;
	int index[NABLA_LAUNCH_NETS];
	struct err e = ERR_INIT;
	struct net_nl nl;

	die(net_nl_open(&nl, &e), &e);
	for (size_t i = 0; i < p->nr_ports; i++)
		guest_link(&nl, &p->links[i], &index[i]);
	die(net_link_flags(&nl, 1, IFF_UP, IFF_UP, &e), &e);
	for (size_t i = 0; i < p->nr_addrs; i++)
		guest_addr(&nl, &p->addrs[i], index[p->addrs[i].link]);
	for (size_t i = 0; i < p->nr_routes; hop += p->routes[i++].nr_hops)
		guest_route(&nl, &p->routes[i], hop, index);
	for (size_t i = 0; i < p->nr_neighs; i++)
		guest_neigh(&nl, &p->neighs[i], index[p->neighs[i].link]);
	net_nl_close(&nl);
}

/* ---- the pump ----------------------------------------------------------------------------- */

static void pump(int from, int to)
{
	static char frame[70000];

	for (int i = 0; i < 64; i++) {
		ssize_t len = read(from, frame, sizeof(frame));

		if (len < 0 && errno != EAGAIN && errno != EINTR) {
			perror("net-tool: read from a tap");
			exit(1);
		}
		if (len <= 0)
			return;
		/*
		 * EIO: the other end is not up yet. EAGAIN: its queue is full. ENOBUFS: a filter of
		 * a packet socket's link did not let it out. All lose a frame.
		 */
		if (write(to, frame, (size_t)len) < 0 && errno != EIO && errno != EAGAIN &&
		    errno != ENOBUFS) {
			perror("net-tool: write to a tap");
			exit(1);
		}
	}
}

static void pump_all(const struct nabla_net *nets, const int *taps, unsigned int nr)
{
	struct pollfd poll_fds[2 * NABLA_LAUNCH_NETS];

	for (unsigned int i = 0; i < nr; i++) {
		poll_fds[2 * i] = (struct pollfd){ .fd = nets[i].fd, .events = POLLIN };
		poll_fds[2 * i + 1] = (struct pollfd){ .fd = taps[i], .events = POLLIN };
	}
	while (!stop) {
		if (poll(poll_fds, 2 * nr, 1000) <= 0)
			continue;
		for (unsigned int i = 0; i < 2 * nr; i++)
			if (poll_fds[i].revents)
				pump(poll_fds[i].fd, poll_fds[i ^ 1].fd);
	}
}

/* ---- guest -------------------------------------------------------------------------------- */

static int header_size(int fd, enum net_mode mode)
{
	int size = 0;
	socklen_t len = sizeof(size);

	if (mode != NET_MODE_PACKET)
		return ioctl(fd, TUNGETVNETHDRSZ, &size) < 0 ? -1 : size;
	if (getsockopt(fd, SOL_PACKET, PACKET_VNET_HDR, &size, &len) < 0)
		return -1;
	return size ? NET_TAP_HDR_LEN : 0;
}

static void check_net(const struct nabla_net *net, const struct net_port *port)
{
	int flags = fcntl(net->fd, F_GETFL), fd_flags = fcntl(net->fd, F_GETFD);

	if (!(flags & O_NONBLOCK) || !(fd_flags & FD_CLOEXEC) ||
	    header_size(net->fd, port->mode) != net->vnet_hdr_len ||
	    !(net->flags & NABLA_NET_CSUM) || memcmp(net->mac, port->guest_mac, 6) != 0 ||
	    net->mtu != port->mtu) {
		fprintf(stderr, "net-tool: the launch record's entry for '%s' is wrong\n",
			net->name);
		exit(1);
	}
}

static int cmd_guest(const char *file, const char *mode, const char *mac)
{
	struct nabla_net nets[NABLA_LAUNCH_NETS];
	int taps[NABLA_LAUNCH_NETS];
	struct err e = ERR_INIT;
	struct net_survey s;
	struct net_plan p;
	unsigned int nr = 0;
	uint8_t flags;
	char *record;

	make_plan(mode, mac, &s, &p);
	die(net_record(&s, &p, &record, &e), &e);
	die(io_write_atomic(AT_FDCWD, file, record, strlen(record), 0600, &e), &e);
	counting = true;
	die(net_apply(&p, nets, &nr, &e), &e);
	counting = false;
	fprintf(stderr, "steps %lu\n", steps);

	catch_term();
	if (unshare(CLONE_NEWNET) < 0) {
		perror("net-tool: unshare");
		return 1;
	}
	/* The pod's loopback is connected, if it is, to nothing: the stand-in has no init. */
	nr = (unsigned int)p.nr_ports;
	for (unsigned int i = 0; i < nr; i++) {
		check_net(&nets[i], &p.ports[i]);
		die(net_tap_open(p.links[i].name, false, &taps[i], &flags, &e), &e);
	}
	guest_configure(&p);
	for (size_t i = 0; i < p.nr_addrs; i++)
		announce(&p.links[p.addrs[i].link], &p.addrs[i], nets[p.addrs[i].link].fd);
	printf("ready %d\n", getpid());
	fflush(stdout);
	pump_all(nets, taps, nr);
	free(record);
	net_plan_free(&p);
	net_survey_free(&s);
	return 0;
}

static int cmd_restore(const char *file)
{
	struct err e = ERR_INIT;
	char *record;

	die(io_read_file(AT_FDCWD, file, 64u << 20, &record, NULL, &e), &e);
	counting = true;
	die(net_restore(record, false, &e), &e);
	fprintf(stderr, "steps %lu\n", steps);
	free(record);
	return 0;
}

/* ---- capture ------------------------------------------------------------------------------ */

struct seen {
	uint8_t mac[6];
	uint16_t type;
};

static int cmd_capture(const char *link)
{
	struct sockaddr_ll from = { .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL) };
	static struct seen seen[256];
	unsigned int nr = 0;
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);

	from.sll_ifindex = (int)if_nametoindex(link);
	if (fd < 0 || !from.sll_ifindex || bind(fd, (struct sockaddr *)&from, sizeof(from)) < 0) {
		perror("net-tool: capture");
		return 1;
	}
	catch_term();
	printf("ready %d\n", getpid());
	fflush(stdout);
	while (!stop) {
		struct pollfd p = { .fd = fd, .events = POLLIN };
		socklen_t size = sizeof(from);
		struct seen now;
		uint8_t frame[64];
		unsigned int i;

		/* A short timeout instead of a race between SIGTERM and the call. */
		if (poll(&p, 1, 50) <= 0 ||
		    recvfrom(fd, frame, sizeof(frame), 0, (struct sockaddr *)&from, &size) < 14 ||
		    from.sll_pkttype == PACKET_OUTGOING)
			continue;
		memcpy(now.mac, frame + 6, 6);
		memcpy(&now.type, frame + 12, 2);
		for (i = 0; i < nr && memcmp(&seen[i], &now, sizeof(now)) != 0; i++)
			;
		if (i == nr && nr < sizeof(seen) / sizeof(seen[0]))
			seen[nr++] = now;
	}
	for (unsigned int i = 0; i < nr; i++)
		printf("%s %04x\n", mac_text(seen[i].mac), ntohs(seen[i].type));
	return 0;
}

/* ---- drops -------------------------------------------------------------------------------- */

static int cmd_drops(const char *link, const char *side)
{
	struct net_guard_stats stats;
	struct err e = ERR_INIT;
	int rc = net_guard_stats((int)if_nametoindex(link), strcmp(side, "egress") == 0 ?
				 NET_TC_EGRESS : NET_TC_INGRESS, 0, &stats, &e);

	die(rc, &e);
	if (rc == NET_GUARD_NONE)
		printf("none\n");
	for (int i = 0; i < NET_GUARD_REASONS; i++)
		if (stats.drops[i])
			printf("%s %llu\n", net_guard_reason_name(i),
			       (unsigned long long)stats.drops[i]);
	return 0;
}

int main(int argc, char **argv)
{
	const char *at = getenv("NET_TOOL_KILL_AT");

	kill_at = at ? strtoul(at, NULL, 10) : 0;
	replies = getenv("NET_TOOL_REPLIES") ? fopen(getenv("NET_TOOL_REPLIES"), "ab") : NULL;
	if (argc >= 2 && strcmp(argv[1], "plan") == 0)
		return cmd_plan(argc > 2 ? argv[2] : "tc", argc > 3 ? argv[3] : "adopt");
	if (argc == 5 && strcmp(argv[1], "guest") == 0)
		return cmd_guest(argv[2], argv[3], argv[4]);
	if (argc == 3 && strcmp(argv[1], "restore") == 0)
		return cmd_restore(argv[2]);
	if (argc == 3 && strcmp(argv[1], "capture") == 0)
		return cmd_capture(argv[2]);
	if (argc == 4 && strcmp(argv[1], "drops") == 0)
		return cmd_drops(argv[2], argv[3]);
	fprintf(stderr,
		"usage: net-tool plan [MODE MAC] | guest RECORD MODE MAC | restore RECORD | "
			"capture LINK | drops LINK SIDE\n");
	return 2;
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * The network of the configuration, set up in a network namespace of the test's own and read back
 * with ip(8). Needs root. Frames are caught on the other end of the veth pair.
 */
#include "guest/init/network.h"
#include "guest/init/test-build.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/rtnetlink.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netpacket/packet.h>
#include <poll.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#define SKIPPED 77			/* meson's status for it */

static const uint8_t mac[6] = { 0x02, 0x42, 0xac, 0x11, 0x00, 0x02 };

static void run(const char *command)
{
	if (system(command) != 0)
		fail_msg("%s", command);
}

/* What @command prints, in one buffer. */
static const char *output(const char *command)
{
	static char text[16384];
	FILE *f = popen(command, "r");
	size_t len;

	assert_non_null(f);
	len = fread(text, 1, sizeof(text) - 1, f);
	text[len] = '\0';
	pclose(f);
	return text;
}

static void assert_prints(const char *command, const char *part)
{
	const char *text = output(command);

	if (!strstr(text, part))
		fail_msg("'%s' does not print '%s' but:\n%s", command, part, text);
}

static void assert_prints_not(const char *command, const char *part)
{
	const char *text = output(command);

	if (strstr(text, part))
		fail_msg("'%s' prints '%s':\n%s", command, part, text);
}

/* A fresh namespace for each test, with the pairs eth0-peer0 and eth1-peer1. */
static int new_namespace(void **state)
{
	(void)state;
	/* The mount namespace: /proc/sys/net shows the namespace of who mounted, or reads, it. */
	if (unshare(CLONE_NEWNET | CLONE_NEWNS) < 0)
		return -1;
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return -1;
	return system("ip link add eth0 type veth peer name peer0 && "
		      "ip link add eth1 type veth peer name peer1 && "
		      "ip link set peer0 up && ip link set peer1 up");
}

static void add_link(struct build *b, uint32_t index, const char *name, uint32_t flags)
{
	struct gcfg_link link = { .index = index, .mtu = 1400, .txqlen = 333, .flags = flags };

	memcpy(link.mac, mac, sizeof(mac));
	link.mac[5] = (uint8_t)(2 + index);
	memcpy(link.name, name, strlen(name) + 1);
	build_add(b, GCFG_LINK, &link, sizeof(link));
}

static void add_addr(struct build *b, uint32_t link, const char *text, uint8_t prefix,
		     uint8_t scope)
{
	struct gcfg_addr addr = {
		.link = link, .family = strchr(text, ':') ? AF_INET6 : AF_INET, .prefix = prefix,
		.scope = scope, .valid_lft = UINT32_MAX, .preferred_lft = UINT32_MAX, .flags = 0x80,
	};

	assert_int_equal(inet_pton(addr.family, text, addr.local), 1);
	memcpy(addr.peer, addr.local, sizeof(addr.peer));
	build_add(b, GCFG_ADDR, &addr, sizeof(addr));
}

static struct gcfg_hop hop_to(uint32_t link, const char *gateway, uint32_t flags)
{
	struct gcfg_hop hop = { .link = link, .weight = 1, .flags = flags };

	if (gateway) {
		hop.gateway_family = strchr(gateway, ':') ? AF_INET6 : AF_INET;
		assert_int_equal(inet_pton(hop.gateway_family, gateway, hop.gateway), 1);
	}
	return hop;
}

static struct gcfg_route route_to(const char *dst, uint8_t prefix, uint8_t nr_hops)
{
	struct gcfg_route route = {
		.family = strchr(dst, ':') ? AF_INET6 : AF_INET, .dst_prefix = prefix, .type = 1,
		.protocol = 4, .nr_hops = nr_hops, .table = 254,
	};

	assert_int_equal(inet_pton(route.family, dst, route.dst), 1);
	return route;
}

static void add_route(struct build *b, const struct gcfg_route *route, const struct gcfg_hop *hops)
{
	build_add2(b, GCFG_ROUTE, route, sizeof(*route), hops, route->nr_hops * sizeof(*hops));
}

static void start(struct build *b)
{
	build_start(b);
	build_string(b, GCFG_ARG, "/x");
	build_layer(b, 0);
}

static int set_up(struct build *b, struct err *e)
{
	struct init_config c = INIT_CONFIG_NONE;
	int proc = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	int r = init_config_parse(b->bytes, b->size, &c, e);

	if (!r)
		r = init_network_set_up(&c, proc, e);
	init_config_free(&c);
	close(proc);
	return r;
}

static void assert_set_up(struct build *b)
{
	struct err e = ERR_INIT;

	if (set_up(b, &e) != 0)
		fail_msg("%s", e.text);
}

/* The blog's second cluster: a /32 address, a gateway outside of it, a permanent neighbour. */
static void test_slash_32(void **state)
{
	struct gcfg_neigh neigh = { .family = AF_INET, .addr = { 169, 254, 1, 1 }, .state = 0x80 };
	struct gcfg_hop to_gateway = hop_to(0, "169.254.1.1", 0), on_link = hop_to(0, NULL, 0);
	struct gcfg_route deflt = route_to("0.0.0.0", 0, 1),
			  gateway = route_to("169.254.1.1", 32, 1);
	static struct build b;

	(void)state;
	gateway.scope = 253;
	memset(neigh.mac, 0xee, sizeof(neigh.mac));
	start(&b);
	add_link(&b, 0, "eth0", 0);
	add_addr(&b, 0, "10.244.1.7", 32, 0);
	/* As the kernel lists them: the default first, the way to its gateway after it. */
	add_route(&b, &deflt, &to_gateway);
	add_route(&b, &gateway, &on_link);
	build_add(&b, GCFG_NEIGH, &neigh, sizeof(neigh));
	assert_set_up(&b);

	assert_prints("ip link show eth0", "mtu 1400");
	assert_prints("ip link show eth0", "qlen 333");
	assert_prints("ip link show eth0", "link/ether 02:42:ac:11:00:02");
	assert_prints("ip link show eth0", ",UP");
	assert_prints("ip link show lo", ",UP");
	assert_prints("ip -4 addr show eth0", "inet 10.244.1.7/32 scope global eth0");
	assert_prints("ip -4 route", "default via 169.254.1.1 dev eth0 proto static");
	assert_prints("ip -4 route", "169.254.1.1 dev eth0 proto static scope link");
	assert_prints("ip neigh", "169.254.1.1 dev eth0 lladdr ee:ee:ee:ee:ee:ee PERMANENT");
}

/* The same with an on-link gateway in place of the second route. */
static void test_on_link(void **state)
{
	/*
	 * RTNH_F_LINKDOWN (16) is a state that a survey may have seen: not for the kernel's ears.
	 */
	struct gcfg_hop hop = hop_to(0, "169.254.1.1", 4 | 16);
	struct gcfg_route deflt = route_to("0.0.0.0", 0, 1);
	static struct build b;

	(void)state;
	deflt.metric = 100;
	deflt.mtu = 1300;
	memcpy(deflt.prefsrc, (uint8_t[]){ 10, 244, 1, 7 }, 4);
	start(&b);
	add_link(&b, 0, "eth0", 0);
	add_addr(&b, 0, "10.244.1.7", 32, 0);
	add_route(&b, &deflt, &hop);
	assert_set_up(&b);
	assert_prints("ip -4 route", "default via 169.254.1.1 dev eth0 proto static src 10.244.1.7 "
		      "metric 100 onlink mtu 1300");
}

static void test_multipath_and_tables(void **state)
{
	struct gcfg_hop hops[2] = { hop_to(0, "10.0.0.1", 0), hop_to(1, "10.1.0.1", 0) };
	struct gcfg_route both = route_to("192.0.2.0", 24, 2),
			  hole = route_to("198.51.100.0", 24, 0);
	struct gcfg_route other = route_to("203.0.113.0", 24, 1), own = route_to("10.0.0.0", 24, 1);
	struct gcfg_hop plain = hop_to(0, NULL, 0);
	static struct build b;

	(void)state;
	hops[1].weight = 3;
	hole.type = 6;
	other.table = 1000;
	own.protocol = 2;
	own.scope = 253;
	memcpy(own.prefsrc, (uint8_t[]){ 10, 0, 0, 2 }, 4);
	start(&b);
	add_link(&b, 0, "eth0", 0);
	add_link(&b, 1, "eth1", 0);
	add_addr(&b, 0, "10.0.0.2", 24, 0);
	add_addr(&b, 1, "10.1.0.2", 24, 0);
	add_route(&b, &both, hops);
	add_route(&b, &hole, NULL);
	add_route(&b, &other, &hops[0]);
	/* The kernel's own route, surveyed and sent along. */
	add_route(&b, &own, &plain);
	assert_set_up(&b);
	assert_prints("ip -4 -o route show 192.0.2.0/24", "nexthop via 10.0.0.1 dev eth0 weight 1");
	assert_prints("ip -4 -o route show 192.0.2.0/24", "nexthop via 10.1.0.1 dev eth1 weight 3");
	assert_prints("ip -4 route", "blackhole 198.51.100.0/24");
	assert_prints("ip -4 route show table 1000", "203.0.113.0/24 via 10.0.0.1 dev eth0");
	assert_prints("ip -4 route show 10.0.0.0/24 | wc -l", "1\n");
}

static void test_ipv6(void **state)
{
	struct gcfg_route deflt = route_to("::", 0, 1), local = route_to("fe80::", 64, 1);
	struct gcfg_hop via = hop_to(0, "fe80::1", 0),
			plain[2] = { hop_to(0, NULL, 0), hop_to(1, NULL, 0) };
	static struct build b;

	(void)state;
	deflt.metric = 1024;
	local.metric = 256;
	local.protocol = 2;
	start(&b);
	add_link(&b, 0, "eth0", 0);
	add_link(&b, 1, "eth1", GCFG_LINK_NO_IPV6);
	add_addr(&b, 0, "fe80::42:acff:fe11:2", 64, 253);
	add_addr(&b, 0, "2001:db8::7", 128, 0);
	add_addr(&b, 1, "10.1.0.2", 24, 0);
	add_route(&b, &deflt, &via);
	add_route(&b, &local, &plain[0]);
	build_string(&b, GCFG_SYSCTL, "net/ipv6/conf/eth0/accept_ra=0");
	assert_set_up(&b);
	assert_prints("cat /proc/sys/net/ipv6/conf/eth0/accept_ra", "0\n");
	/* Usable at once: neither tentative nor a second link-local address that is. */
	assert_prints("ip -6 addr show eth0", "inet6 2001:db8::7/128 scope global nodad");
	assert_prints("ip -6 addr show eth0 | grep -c fe80", "1\n");
	assert_prints_not("ip -6 addr show eth0", "tentative");
	assert_prints("ip -6 route", "default via fe80::1 dev eth0");
	assert_prints("ip -6 route show fe80::/64 dev eth0 | wc -l", "1\n");
	assert_prints_not("ip -6 addr show eth1", "inet6");
	assert_prints("cat /proc/sys/net/ipv6/conf/eth1/disable_ipv6", "1\n");
	assert_prints("cat /proc/sys/net/ipv6/conf/eth0/disable_ipv6", "0\n");
}

/* IPv4 through an IPv6 gateway. */
static void test_via_other_family(void **state)
{
	struct gcfg_route deflt = route_to("0.0.0.0", 0, 1);
	struct gcfg_hop via = hop_to(0, "fe80::1", 0);
	static struct build b;

	(void)state;
	start(&b);
	add_link(&b, 0, "eth0", 0);
	add_addr(&b, 0, "10.0.0.2", 32, 0);
	add_route(&b, &deflt, &via);
	assert_set_up(&b);
	assert_prints("ip -4 route", "default via inet6 fe80::1 dev eth0");
}

static void test_metrics(void **state)
{
	struct gcfg_route four = route_to("192.0.2.0", 24, 1),
			  six = route_to("2001:db8:9::", 48, 1);
	struct gcfg_hop hop = hop_to(0, NULL, 0);
	static struct build b;

	(void)state;
	four.mtu = 1300;
	four.metrics[RTAX_LOCK] = 1u << RTAX_MTU;
	four.metrics[RTAX_ADVMSS] = 1200;
	four.metrics[RTAX_INITCWND] = 20;
	six.metrics[RTAX_HOPLIMIT] = 9;
	six.lifetime = 90000;
	six.pref = 1;
	start(&b);
	add_link(&b, 0, "eth0", 0);
	add_addr(&b, 0, "10.0.0.2", 24, 0);
	add_addr(&b, 0, "2001:db8::7", 64, 0);
	add_route(&b, &four, &hop);
	add_route(&b, &six, &hop);
	assert_set_up(&b);
	assert_prints("ip -4 route show 192.0.2.0/24", "mtu lock 1300 advmss 1200");
	assert_prints("ip -4 route show 192.0.2.0/24", "initcwnd 20");
	assert_prints("ip -6 route show 2001:db8:9::/48", "hoplimit 9");
	assert_prints("ip -6 route show 2001:db8:9::/48", "expires 89");
	assert_prints("ip -6 route show 2001:db8:9::/48", "pref high");
}

/* The link-local address that the kernel makes is usable at once, too. */
static void test_no_detection(void **state)
{
	static struct build b;

	(void)state;
	start(&b);
	add_link(&b, 0, "eth0", 0);
	add_addr(&b, 0, "2001:db8::7", 64, 0);
	assert_set_up(&b);
	assert_prints("ip -6 addr show eth0", "inet6 fe80::42:acff:fe11:2/64 scope link");
	assert_prints_not("ip -6 addr show eth0", "tentative");
}

static void add_rule(struct build *b, struct gcfg_rule rule)
{
	rule.suppress_prefix = rule.suppress_prefix ? rule.suppress_prefix - 1 : UINT32_MAX;
	build_add(b, GCFG_RULE, &rule, sizeof(rule));
}

/* The kernel's rule for table main is not among them, so it is none of the namespace's. */
static void test_rules(void **state)
{
	static struct build b;

	(void)state;
	start(&b);
	add_link(&b, 0, "eth0", 0);
	add_addr(&b, 0, "10.0.0.2", 24, 0);
	add_rule(&b, (struct gcfg_rule){ .family = AF_INET, .action = 1, .table = 255 });
	add_rule(&b, (struct gcfg_rule){
		.family = AF_INET, .action = 1, .table = 1000, .priority = 100, .src_prefix = 8,
		.src = { 10 }, .has = GCFG_RULE_MARK | GCFG_RULE_DPORT, .mark = 7, .mask = 255,
		.ip_proto = 6, .dport_first = 80, .dport_last = 90, .iif = "lo" });
	add_rule(&b, (struct gcfg_rule){
		.family = AF_INET, .action = 1, .table = 254, .priority = 200, .flags = 2,
		.dst_prefix = 16, .dst = { 192, 168 }, .suppress_prefix = 1, .oif = "eth9" });
	add_rule(&b, (struct gcfg_rule){ .family = AF_INET, .action = 2, .priority = 300,
					 .target = 32767, .has = GCFG_RULE_UIDS, .uid_last = 5 });
	add_rule(&b, (struct gcfg_rule){ .family = AF_INET, .action = 7, .priority = 400 });
	add_rule(&b, (struct gcfg_rule){ .family = AF_INET, .action = 1, .table = 253,
					 .priority = 32767 });
	assert_set_up(&b);
	assert_prints("ip rule", "0:\tfrom all lookup local");
	assert_prints("ip rule", "100:\tfrom 10.0.0.0/8 fwmark 0x7/0xff iif lo ipproto tcp "
				 "dport 80-90 lookup 1000");
	assert_prints("ip rule", "200:\tnot from all to 192.168.0.0/16 oif eth9 [detached] lookup "
				 "main suppress_prefixlength 0");
	assert_prints("ip rule", "300:\tfrom all uidrange 0-5 goto 32767");
	assert_prints("ip rule", "400:\tfrom all unreachable");
	assert_prints("ip rule", "32767:\tfrom all lookup default");
	assert_prints_not("ip rule", "32766:");
	/* Nothing was told about IPv6. */
	assert_prints("ip -6 rule", "32766:\tfrom all lookup main");
}

static void test_address_metric(void **state)
{
	struct gcfg_addr addr = {
		.family = AF_INET, .prefix = 24, .local = { 10, 0, 0, 2 }, .peer = { 10, 0, 0, 2 },
		.valid_lft = UINT32_MAX, .preferred_lft = UINT32_MAX, .metric = 77,
	};
	static struct build b;

	(void)state;
	start(&b);
	add_link(&b, 0, "eth0", 0);
	build_add(&b, GCFG_ADDR, &addr, sizeof(addr));
	assert_set_up(&b);
	assert_prints("ip route show 10.0.0.0/24", "metric 77");
}

/* Receive on @fd until a frame starts with @expected at offset @at. */
static void assert_frame(int fd, size_t at, const uint8_t *expected, size_t size)
{
	struct pollfd ready = { .fd = fd, .events = POLLIN };
	uint8_t frame[2048];

	while (poll(&ready, 1, 2000) > 0) {
		ssize_t n = recv(fd, frame, sizeof(frame), 0);

		if (n >= (ssize_t)(at + size) && !memcmp(frame + at, expected, size))
			return;
	}
	fail_msg("the expected frame did not come");
}

static void test_announce(void **state)
{
	static const uint8_t arp[] = {
		0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02, 0x42, 0xac, 0x11, 0x00, 0x02, 0x08, 0x06,
		0, 1, 8, 0, 6, 4, 0, 1, 0x02, 0x42, 0xac, 0x11, 0x00, 0x02, 10, 244, 1, 7,
		0, 0, 0, 0, 0, 0, 10, 244, 1, 7,
	};
	/* The checksum 0x4cca: worked out apart from the code, by RFC 4443's rule. */
	static const uint8_t na[] = {
		0x33, 0x33, 0, 0, 0, 1, 0x02, 0x42, 0xac, 0x11, 0x00, 0x02, 0x86, 0xdd,
		0x60, 0, 0, 0, 0, 32, 58, 255,
		0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7,
		0xff, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1,
		136, 0, 0x4c, 0xca, 0x20, 0, 0, 0,
		0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7,
		2, 1, 0x02, 0x42, 0xac, 0x11, 0x00, 0x02,
	};
	struct sockaddr_ll at = { .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL) };
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	static struct build b;

	(void)state;
	at.sll_ifindex = (int)if_nametoindex("peer0");
	assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	start(&b);
	add_link(&b, 0, "eth0", GCFG_LINK_ANNOUNCE);
	add_addr(&b, 0, "10.244.1.7", 32, 0);
	add_addr(&b, 0, "2001:db8::7", 128, 0);
	assert_set_up(&b);
	assert_frame(fd, 0, arp, sizeof(arp));
	assert_frame(fd, 0, na, sizeof(na));
	close(fd);
}

static void test_errors(void **state)
{
	struct gcfg_route deflt = route_to("0.0.0.0", 0, 1);
	struct gcfg_hop via = hop_to(0, "192.0.2.1", 0);
	static struct build b;
	struct err e = ERR_INIT;

	(void)state;
	start(&b);
	add_link(&b, 0, "eth7", 0);
	assert_int_equal(set_up(&b, &e), -ENODEV);
	assert_string_equal(e.text, "network: find interface 'eth7': No such device");
	start(&b);
	add_link(&b, 0, "eth0", 0);
	add_route(&b, &deflt, &via);
	assert_int_equal(set_up(&b, &e), -ENETUNREACH);
	assert_string_equal(e.text, "network: add route to 0.0.0.0/0: Network is unreachable");
}

static void test_nothing(void **state)
{
	static struct build b;

	(void)state;
	start(&b);
	assert_set_up(&b);
	assert_prints("ip link show lo", ",UP");
	run("ip link show eth0 | grep -q DOWN");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_slash_32, new_namespace),
		cmocka_unit_test_setup(test_on_link, new_namespace),
		cmocka_unit_test_setup(test_multipath_and_tables, new_namespace),
		cmocka_unit_test_setup(test_ipv6, new_namespace),
		cmocka_unit_test_setup(test_via_other_family, new_namespace),
		cmocka_unit_test_setup(test_metrics, new_namespace),
		cmocka_unit_test_setup(test_no_detection, new_namespace),
		cmocka_unit_test_setup(test_rules, new_namespace),
		cmocka_unit_test_setup(test_address_metric, new_namespace),
		cmocka_unit_test_setup(test_announce, new_namespace),
		cmocka_unit_test_setup(test_errors, new_namespace),
		cmocka_unit_test_setup(test_nothing, new_namespace),
	};

	if (geteuid() != 0) {
		puts("needs root for network namespaces");
		return SKIPPED;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}

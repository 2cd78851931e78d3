/* SPDX-License-Identifier: GPL-2.0-only */
/* An interface for several: the division of the ports, and the program's place. */
#include "net/share.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/fd.h"
#include "base/io.h"
#include "net/bpf.h"
#include "net/net.h"
#include "net/netlink.h"
#include "net/ports_table.h"
#include "net/sysctl.h"
#include "net/tc.h"
#include "share.bpf.h"

#define SHARE_NAME "runnc_share"
#define SHARE_MIN 80u			/* ports; fewer are not worth dividing */

/* The kernel's default: a survey tells only others. */
static const struct net_share_range standard = { 32768, 60999 };

/* ---- ports -------------------------------------------------------------------------------- */

static bool read_port(const char **text, uint16_t *port)
{
	unsigned long value;
	char *end;

	*text += strspn(*text, " \t");
	if (**text < '0' || **text > '9')
		return false;
	errno = 0;
	value = strtoul(*text, &end, 10);
	if (errno || value > UINT16_MAX)
		return false;
	*text = end;
	*port = (uint16_t)value;
	return true;
}

bool net_share_parse(const char *text, struct net_share_range *range)
{
	struct net_share_range found;

	if (!read_port(&text, &found.first) || !read_port(&text, &found.last) ||
	    text[strspn(text, " \t\n")] != '\0' || found.first > found.last)
		return false;
	*range = found;
	return true;
}

static struct net_share_range range_of(const struct net_survey *s)
{
	static const char key[] = NET_SHARE_RANGE "=";
	struct net_share_range range = standard;

	for (size_t i = 0; i < s->nr_settings; i++)
		if (!s->settings[i].link && strncmp(s->settings[i].text, key, strlen(key)) == 0)
			net_share_parse(s->settings[i].text + strlen(key), &range);
	return range;
}

/* The lowest number that no guest has; beyond NET_PORTS_GUESTS: none. */
static unsigned int free_number(const struct net_share_guests *g)
{
	unsigned int number = 1;

	while (g->numbers >> number & 1)
		number++;
	return number;
}

static struct net_share_range part(unsigned int first, unsigned int nr)
{
	return (struct net_share_range){ (uint16_t)first, (uint16_t)(first + nr - 1) };
}

/*
 * In eighths: one stays the namespace's, four are the first guest's, one each the second's and the
 * third's, and the last is divided among the others. All even: the kernel wants one of the two
 * limits to be odd.
 */
static void divide(struct net_share *share)
{
	unsigned int eighth = (share->was.last - share->was.first + 1u) / 8 & ~1u;
	unsigned int each = eighth / (NET_PORTS_GUESTS - 3) & ~1u;
	unsigned int at = share->was.first;

	share->kept = part(at, eighth);
	at += eighth;
	if (share->number == 1)
		share->given = part(at, 4 * eighth);
	else if (share->number <= 3)
		share->given = part(at + (share->number + 2) * eighth, eighth);
	else
		share->given = part(at + 6 * eighth + (share->number - 4) * each, each);
}

int net_share_plan(const struct net_survey *s, struct net_share *out, const char **why,
		   struct err *e)
{
	struct net_share_range was = s->guests.split ? s->guests.was : range_of(s);

	*out = (struct net_share){ .on = true, .number = free_number(&s->guests), .was = was,
				   .alone = s->guests.numbers == 0,
				   .split = was.last - was.first + 1u >= SHARE_MIN };
	*why = NULL;
	if (out->number > NET_PORTS_GUESTS)
		return err_say(e, -EBUSY, "%d guests share the namespace already",
			       NET_PORTS_GUESTS);
	if (out->split)
		divide(out);
	else if (out->alone)
		*why = "net.ipv4.ip_local_port_range is too small to be divided: the guest and the "
		       "namespace may choose the same port for one peer";
	else
		return err_say(e, -EBUSY, "another guest shares the namespace already, and "
			       "net.ipv4.ip_local_port_range is too small to be divided");
	return 0;
}

int net_share_set(struct net_share_range range, struct err *e)
{
	static const char path[] = "/proc/sys/" NET_SHARE_RANGE;
	struct net_share_range now = { 0, 0 };
	_autofree_ char *text = NULL;
	char wanted[16];
	int rc = io_read_file(AT_FDCWD, path, 64, &text, NULL, e);

	if (rc < 0)
		return rc;
	if (net_share_parse(text, &now) && now.first == range.first && now.last == range.last)
		return 0;
	snprintf(wanted, sizeof(wanted), "%u %u", range.first, range.last);
	return net_sysctl_set(NET_SHARE_RANGE, wanted, e);
}

/* ---- the program -------------------------------------------------------------------------- */

static int table_add(struct net_share_table *t, uint8_t family, const uint8_t addr[16])
{
	uint32_t *nr = family == AF_INET ? &t->nr4 : &t->nr6;

	if (*nr == NET_SHARE_ADDRS)
		return -E2BIG;
	if (family == AF_INET)
		memcpy(&t->addr4[(*nr)++], addr, sizeof(t->addr4[0]));
	else
		memcpy(t->addr6[(*nr)++], addr, sizeof(t->addr6[0]));
	return 0;
}

int net_share_table(const struct net_plan *p, size_t port, int tap, struct net_share_table *out,
		    struct err *e)
{
	const uint8_t *mac = p->ports[port].guest_mac;
	/* The link-local address that both make of their MAC; a plan does not name it. */
	const uint8_t eui64[16] = { 0xfe, 0x80, 0, 0, 0, 0, 0, 0, mac[0] ^ 2, mac[1], mac[2], 0xff,
				    0xfe, mac[3], mac[4], mac[5] };
	int rc;

	memset(out, 0, sizeof(*out));
	out->tap = (uint32_t)tap;
	out->number = (uint8_t)p->share.number;
	out->alone = p->share.alone;
	memcpy(out->mac, mac, sizeof(out->mac));
	rc = table_add(out, AF_INET6, eui64);
	for (size_t i = 0; rc == 0 && i < p->nr_addrs; i++)
		rc = table_add(out, p->addrs[i].family, p->addrs[i].local);
	return rc < 0 ? err_say(e, rc, "share '%s': more than %d addresses of one family",
				p->ports[port].name, NET_SHARE_ADDRS) : 0;
}

int net_share_load(const struct net_share_table *t, int ports, int *prog, struct err *e)
{
	_autoclose_ int map = -1;
	int rc = net_bpf_table(SHARE_NAME, t, sizeof(*t), &map, e);

	return rc < 0 ? rc : net_bpf_compiled(SHARE_NAME, code_share, sizeof(code_share) / 8, map,
					      ports, prog, e);
}

int net_share_add(struct net_nl *nl, int index, const struct net_share_table *t, int ports,
		  struct err *e)
{
	const struct net_tc_place at = { index, NET_TC_INGRESS, NET_TC_PRIORITY_SHARE, t->number };
	_autoclose_ int prog = -1;
	int rc = net_share_load(t, ports, &prog, e);

	if (rc < 0) {
		struct err why = *e;

		return err_say(e, rc, "%s (to share the interface takes Linux 5.3 with "
			       "CONFIG_BPF_SYSCALL and CONFIG_NET_CLS_BPF on the host; "
			       "org.runnc.net.sidecars=none does without)", why.text);
	}
	return net_tc_program_add(nl, &at, prog, NET_TC_SHARE_NAME, e);
}

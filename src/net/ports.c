/* SPDX-License-Identifier: GPL-2.0-only */
/* The pod's local ports: their table, found and written. */
#include "net/ports.h"

#include <errno.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/fd.h"
#include "net/bpf.h"
#include "net/share.h"
#include "net/tc.h"

#define PORTS_NAME "runnc_ports"
#define ENOTSUPP_KERNEL 524		/* the kernel's own ENOTSUPP, which some calls let out */

int net_ports_create(int *map, struct err *e)
{
	return net_bpf_shared_table(PORTS_NAME, sizeof(struct net_ports_table), map, e);
}

int net_ports_open(struct net_nl *nl, int lo, int *map, struct err *e)
{
	const struct net_tc_place at = { .index = lo, .side = NET_TC_EGRESS,
					 .priority = NET_TC_PRIORITY_FORWARD };
	uint32_t id;
	int rc = net_tc_program_id(nl, &at, &id, e);

	if (rc == 0)
		rc = net_bpf_map_of(id, PORTS_NAME, sizeof(struct net_ports_table), map, e);
	return rc < 0 ? err_wrap(e, rc, "find the table of the pod's ports") :
	       rc ? NET_PORTS_NONE : 0;
}

/* ---- writing ------------------------------------------------------------------------------ */

static struct net_ports_table *ports_map(int map)
{
	void *table = mmap(NULL, sizeof(struct net_ports_table), PROT_READ | PROT_WRITE, MAP_SHARED,
			   map, 0);

	return table == MAP_FAILED ? NULL : table;
}

/*
 * The claims first: nobody is to be told that they are the next one's. Others may be taking them
 * at this moment.
 */
static void ports_vacate(struct net_ports_table *t, unsigned int number)
{
	uint8_t *claims = &t->claims[0][0];

	for (size_t i = 0; i < sizeof(t->claims); i++) {
		uint8_t was = (uint8_t)number;

		__atomic_compare_exchange_n(&claims[i], &was, 0, false, __ATOMIC_RELAXED,
					    __ATOMIC_RELAXED);
	}
	t->guests[number - 1] = (struct net_ports_guest){ .tap = 0 };
}

/* Not for want of memory, but because the kernel cannot map such a table (before Linux 5.5). */
static bool is_unmappable(int error)
{
	return error == EINVAL || error == ENODEV || error == ENOTSUPP_KERNEL;
}

/* On a kernel that cannot map it: there is no guest yet whose claims could be lost. */
static int ports_write_first(int map, const struct net_ports_guest *guest, struct err *e)
{
	_autofree_ struct net_ports_table *t = calloc(1, sizeof(*t));

	if (!t)
		return err_set(e, -ENOMEM, "write down the guest's ports");
	if (guest)
		t->guests[0] = *guest;
	return net_bpf_set(map, t, e);
}

int net_ports_set(int map, unsigned int number, const struct net_ports_guest *guest, struct err *e)
{
	struct net_ports_table *t = ports_map(map);

	if (!t && !is_unmappable(errno))
		return err_set(e, -errno, "map the table of the pod's ports");
	if (!t && number == 1)
		return ports_write_first(map, guest, e);
	if (!t)
		return err_say(e, -EOPNOTSUPP, "several guests in one namespace take Linux 5.5");
	if (guest)
		t->guests[number - 1] = *guest;
	else
		ports_vacate(t, number);
	munmap(t, sizeof(*t));
	return 0;
}

/* ---- reading ------------------------------------------------------------------------------ */

/* The table that the filter at @lo has; *@t is NULL where there is none, or none to be mapped. */
static int ports_find(struct net_nl *nl, int lo, struct net_ports_table **t, struct err *e)
{
	_autoclose_ int map = -1;
	int rc = net_ports_open(nl, lo, &map, e);

	*t = rc == 0 ? ports_map(map) : NULL;
	return rc < 0 ? rc : 0;
}

int net_ports_alive(struct net_nl *nl, int lo, unsigned int number, struct err *e)
{
	struct net_ports_table *t;
	char name[IF_NAMESIZE];
	uint32_t tap;
	int rc = ports_find(nl, lo, &t, e);

	if (!t)
		return rc;
	tap = t->guests[number - 1].tap;
	munmap(t, sizeof(*t));
	return tap && if_indextoname(tap, name) ? NET_PORTS_ALIVE : 0;
}

int net_ports_survey(struct net_share_ports *out, struct err *e)
{
	_autonl_ struct net_nl nl = NET_NL_INIT;
	struct net_ports_table *t = NULL;
	int rc = net_nl_open(&nl, e);

	if (rc == 0)
		rc = ports_find(&nl, (int)if_nametoindex("lo"), &t, e);
	if (!t)
		return rc;
	for (size_t i = 0; i < sizeof(t->claims); i++)
		if (((const uint8_t *)t->claims)[i])
			net_share_busy(out, (uint16_t)i);
	munmap(t, sizeof(*t));
	return 0;
}

// SPDX-License-Identifier: GPL-2.0-only
/* Loading the programs of loopback.bpf.c with their table. */
#include "net/forward_load.h"

#include "base/fd.h"
#include "loopback.bpf.h"
#include "net/bpf.h"

#define NR(code) (sizeof(code) / sizeof((code)[0]))

int net_forward_load(const struct net_forward_table *t, int ports, int *to_guest, int *from_guest,
		     struct err *e)
{
	_autoclose_ int map = -1;
	_autoclose_ int to = -1;
	_autoclose_ int from = -1;
	int r = net_bpf_table("runnc_pod", t, sizeof(*t), &map, e);

	if (r == 0)
		r = net_bpf_compiled("runnc_to_guest", code_to_guest, NR(code_to_guest), map, ports,
				     &to, e);
	if (r == 0)
		r = net_bpf_compiled("runnc_from_gst", code_from_guest, NR(code_from_guest), map,
				     ports, &from, e);
	if (r < 0)
		return r;
	*to_guest = take_fd(&to);
	*from_guest = take_fd(&from);
	return 0;
}

/* SPDX-License-Identifier: GPL-2.0-only */
/* What this host's kernel can do: tried out in a network namespace that nobody else sees. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "net/link.h"
#include "net/macvtap.h"
#include "net/net.h"
#include "net/netlink.h"
#include "net/packet.h"
#include "net/tap.h"
#include "net/tc.h"

#define PROBE_LOOPBACK 1		/* its index in every namespace */

static bool probe_clsact(struct net_nl *nl)
{
	struct err e = ERR_INIT;

	return net_tc_clsact_add(nl, PROBE_LOOPBACK, &e) == 0 &&
	       net_tc_redirect_add(nl, PROBE_LOOPBACK, PROBE_LOOPBACK, false, &e) == 0;
}

static bool probe_bridge(struct net_nl *nl)
{
	static const uint8_t mac[6] = { 2, 0, 0, 0, 0, 1 };
	struct err e = ERR_INIT;

	return net_link_bridge(nl, "bridge", mac, 1500, &e) == 0;
}

/* On any Ethernet link: the bridge or the tap. */
static bool probe_macvtap(struct net_nl *nl, const char *lower)
{
	struct err e = ERR_INIT;
	uint8_t flags = 0;
	int below = 0, index = 0, fd = -1;
	bool works = net_link_index(lower, &below, &e) == 0 &&
		     net_macvtap_create(nl, "macvtap", below, &e) == 0 &&
		     net_link_index("macvtap", &index, &e) == 0 &&
		     net_macvtap_open("macvtap", index, false, &fd, &flags, &e) == 0;

	fd_close(&fd);
	return works;
}

static void probe_all(struct net_host *h)
{
	_autonl_ struct net_nl nl = NET_NL_INIT;
	_autoclose_ int tap = -1;
	_autoclose_ int packet = -1;
	struct err e = ERR_INIT;
	uint8_t flags = 0;

	h->tun = net_tap_open("tap", false, &tap, &flags, &e) == 0;
	h->packet = net_packet_open(PROBE_LOOPBACK, &packet, &flags, &e) == 0;
	if (net_nl_open(&nl, &e) < 0)
		return;
	h->clsact = probe_clsact(&nl);
	h->bridge = probe_bridge(&nl);
	h->macvtap = probe_macvtap(&nl, h->tun ? "tap" : "bridge");
}

/* The child: everything that it made is gone when it ends. */
static void probe_child(int out)
{
	struct net_host found = { .tun = false };

	if (unshare(CLONE_NEWNET) < 0)
		_exit(errno);
	probe_all(&found);
	_exit(write(out, &found, sizeof(found)) == sizeof(found) ? 0 : EIO);
}

static int probe_wait(pid_t child)
{
	int status;

	while (waitpid(child, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	return WIFEXITED(status) ? -WEXITSTATUS(status) : -EIO;
}

int net_probe(struct net_host *host, struct err *e)
{
	_autoclose_ int in = -1;
	_autoclose_ int out = -1;
	int ends[2], rc;
	ssize_t len;
	pid_t child;

	memset(host, 0, sizeof(*host));
	if (pipe2(ends, O_CLOEXEC) < 0)
		return err_set(e, -errno, "try what the kernel can do");
	in = ends[0];
	out = ends[1];
	child = fork();
	if (child < 0)
		return err_set(e, -errno, "try what the kernel can do");
	if (child == 0)
		probe_child(out);
	fd_close(&out);
	do {
		len = read(in, host, sizeof(*host));
	} while (len < 0 && errno == EINTR);
	rc = probe_wait(child);
	if (rc == 0 && len != sizeof(*host))
		rc = -EIO;
	if (rc < 0)
		memset(host, 0, sizeof(*host));
	return rc < 0 ? err_set(e, rc, "try what the kernel can do in a network namespace") : 0;
}

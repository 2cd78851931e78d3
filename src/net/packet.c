/* SPDX-License-Identifier: GPL-2.0-only */
/* Packet sockets. */
#include "net/packet.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <sys/socket.h>

#include "abi/launch.h"
#include "base/fd.h"
#include "net/tap.h"

/*
 * What may wait for the guest, and for the link: some dozens of the longest segments. A tap has a
 * queue of a thousand frames of any length.
 */
#define PACKET_BUFFER (4 << 20)

/*
 * As long as it is not bound, and protocol 0 is none, it receives nothing: options first. What was
 * left to the receiver is then told in the header of each frame.
 */
static int packet_options(int fd, struct err *e)
{
	static const struct sock_filter untagged[] = {
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS,
			 (uint32_t)(SKF_AD_OFF + SKF_AD_VLAN_TAG_PRESENT)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, 0),
		BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
	};
	const struct sock_fprog program = {
		.len = sizeof(untagged) / sizeof(untagged[0]),
		.filter = (struct sock_filter *)(uintptr_t)untagged,
	};
	const int on = 1, size = PACKET_BUFFER;

	if (setsockopt(fd, SOL_PACKET, PACKET_VNET_HDR, &on, sizeof(on)) < 0)
		return err_set(e, -errno, "give a packet socket virtio headers");
	if (setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &on, sizeof(on)) < 0)
		return err_set(e, -errno, "keep outgoing frames from a packet socket");
	if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) < 0)
		return err_set(e, -errno, "keep tagged frames from a packet socket");
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size)) < 0)
		return err_set(e, -errno, "set the buffers of a packet socket");
	return 0;
}

int net_packet_open(int index, int *fd, uint8_t *flags, struct err *e)
{
	const struct sockaddr_ll at = {
		.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL), .sll_ifindex = index,
	};
	_autoclose_ int made = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int rc;

	if (made < 0)
		return err_set(e, -errno, "open a packet socket");
	rc = packet_options(made, e);
	if (rc < 0)
		return rc;
	if (bind(made, (const struct sockaddr *)&at, sizeof(at)) < 0)
		return err_set(e, -errno, "bind a packet socket");
	*flags = NABLA_NET_CSUM | NABLA_NET_TSO4 | NABLA_NET_TSO6;
	*fd = take_fd(&made);
	return 0;
}

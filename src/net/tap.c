/* SPDX-License-Identifier: GPL-2.0-only */
/* Taps. */
#include "net/tap.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>

#include "abi/launch.h"
#include "base/fd.h"

/* A kernel without segmentation offload in a driver still has checksums, or nothing: all work. */
static int tap_offload(int fd, uint8_t *flags)
{
	static const struct {
		unsigned int tun;
		uint8_t flags;
	} offers[] = {
		{ TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6,
		  NABLA_NET_CSUM | NABLA_NET_TSO4 | NABLA_NET_TSO6 },
		{ TUN_F_CSUM, NABLA_NET_CSUM },
		{ 0, 0 },
	};

	for (size_t i = 0; i < sizeof(offers) / sizeof(offers[0]); i++)
		if (ioctl(fd, TUNSETOFFLOAD, offers[i].tun) == 0) {
			*flags = offers[i].flags;
			return 0;
		}
	return -errno;
}

/* The header's size, and what the guest takes and gives with it. */
static int tap_header(int fd, const char *name, uint8_t *flags, struct err *e)
{
	int hdr_len = NET_TAP_HDR_LEN, rc;

	if (ioctl(fd, TUNSETVNETHDRSZ, &hdr_len) < 0)
		return err_set(e, -errno, "set the vnet header size of tap '%s'", name);
	rc = tap_offload(fd, flags);
	return rc < 0 ? err_set(e, rc, "set the offloads of tap '%s'", name) : 0;
}

/* A new tap has no offloads: the kernel completes checksums and cuts segments before it. */
int net_tap_attach(int fd, const char *name, bool bare, uint8_t *flags, struct err *e)
{
	struct ifreq ifr = { .ifr_flags = IFF_TAP | IFF_NO_PI };

	if (strlen(name) >= sizeof(ifr.ifr_name))
		return err_set(e, -ENAMETOOLONG, "tap '%s'", name);
	memcpy(ifr.ifr_name, name, strlen(name) + 1);
	if (!bare)
		ifr.ifr_flags |= IFF_VNET_HDR;
	if (ioctl(fd, TUNSETIFF, &ifr) < 0)
		return err_set(e, -errno, "create tap '%s'", name);
	*flags = 0;
	return bare ? 0 : tap_header(fd, name, flags, e);
}

int net_tap_open(const char *name, bool bare, int *tap, uint8_t *flags, struct err *e)
{
	_autoclose_ int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK);
	int rc;

	/*
	 * udev makes the node, of which the first opening loads the module; elsewhere nobody does.
	 */
	if (fd < 0 && (errno == ENOENT || errno == ENODEV || errno == ENXIO))
		return err_say(e, -errno, "open /dev/net/tun: the kernel's module 'tun' is not "
					  "loaded; modprobe tun loads it");
	if (fd < 0)
		return err_set(e, -errno, "open /dev/net/tun");
	rc = net_tap_attach(fd, name, bare, flags, e);
	if (rc < 0)
		return rc;
	*tap = take_fd(&fd);
	return 0;
}

/* SPDX-License-Identifier: GPL-2.0-only */
/* A network device: a TAP by name, or a descriptor that somebody opened already. */
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/io.h"
#include "tender/device.h"

#define MTU_DEFAULT 1500u
#define LOCAL_BIT 0x02u
#define GROUP_BIT 0x01u

/*
 * The interface's MTU in this network namespace. Returns 0 or -errno, -ENODEV if it is not there.
 */
static int interface_mtu(const char *name, uint32_t *mtu)
{
	struct ifreq ifr = { .ifr_mtu = 0 };
	_autoclose_ int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	strcpy(ifr.ifr_name, name);
	if (ioctl(fd, SIOCGIFMTU, &ifr) < 0)
		return -errno;
	*mtu = ifr.ifr_mtu < 68 ? 68 : ifr.ifr_mtu > 65535 ? 65535 : (uint32_t)ifr.ifr_mtu;
	return 0;
}

static int open_tap(const char *name, int *tap, uint32_t *mtu, struct err *e)
{
	struct ifreq ifr = { .ifr_flags = IFF_TAP | IFF_NO_PI };
	_autoclose_ int fd = -1;
	int ret;

	if (strlen(name) >= sizeof(ifr.ifr_name))
		return err_set(e, -ENAMETOOLONG, "interface '%s'", name);
	/* TUNSETIFF would make an interface of that name: a wrong name must not. */
	ret = interface_mtu(name, mtu);
	if (ret == -ENODEV)
		return err_say(e, ret, "there is no interface '%s'; ip tuntap add %s mode tap "
				       "makes one", name, name);
	if (ret < 0)
		return err_set(e, ret, "MTU of interface '%s'", name);
	strcpy(ifr.ifr_name, name);
	fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return err_set(e, -errno, "open /dev/net/tun");
	if (ioctl(fd, TUNSETIFF, &ifr) < 0) {
		if (errno == EBUSY)
			return err_say(e, -EBUSY, "interface '%s' is in use by another process",
				       name);
		if (errno == EINVAL)
			return err_say(e, -EINVAL, "interface '%s' is no TAP of one queue", name);
		return err_set(e, -errno, "open TAP '%s'", name);
	}
	*tap = take_fd(&fd);
	return 0;
}

/* A descriptor that is no TAP is fine too, if it keeps frames apart; only its user knows. */
static int check_descriptor(int fd, uint32_t *mtu, struct err *e)
{
	struct ifreq ifr = { .ifr_flags = 0 };
	struct stat st;

	if (fstat(fd, &st) < 0)
		return err_set(e, -errno, "descriptor %d", fd);
	if (S_ISREG(st.st_mode) || S_ISDIR(st.st_mode))
		return err_say(e, -EINVAL, "descriptor %d is a file, not a network device", fd);
	if (ioctl(fd, TUNGETIFF, &ifr) < 0) {
		*mtu = MTU_DEFAULT;
		return 0;
	}
	ifr.ifr_name[sizeof(ifr.ifr_name) - 1] = '\0';
	if (!(ifr.ifr_flags & IFF_TAP))
		return err_say(e, -EINVAL, "descriptor %d is a TUN, not a TAP: it has no Ethernet "
					   "frames", fd);
	if (ifr.ifr_flags & IFF_VNET_HDR)
		return err_say(e, -EINVAL, "the TAP of descriptor %d puts a header before frames; "
					   "open it without IFF_VNET_HDR", fd);
	/* IFF_NO_PI cannot be told: IFF_NOFILTER, which has the same bit, is set here too. */
	if (interface_mtu(ifr.ifr_name, mtu) < 0)
		*mtu = MTU_DEFAULT;		/* of another network namespace */
	return 0;
}

static int random_mac(uint8_t mac[6], struct err *e)
{
	int ret = io_random(mac, 6, e);

	mac[0] = (uint8_t)((mac[0] & ~GROUP_BIT) | LOCAL_BIT);
	return ret;
}

int tender_net_open(const struct tender_device *d, int *fd, struct solo5_manifest_net *net,
		    struct err *e)
{
	uint32_t mtu = MTU_DEFAULT;
	int tap = d->fd, flags;
	int ret = d->path ? open_tap(d->path, &tap, &mtu, e) : check_descriptor(tap, &mtu, e);

	if (ret < 0)
		return ret;
	flags = fcntl(tap, F_GETFL);
	if (flags < 0 || fcntl(tap, F_SETFL, flags | O_NONBLOCK) < 0)
		return err_set(e, -errno, "make descriptor %d non-blocking", tap);
	/*
	 * Frames come whole, with checksums, and no longer than the MTU. What is no TAP has no such
	 * setting: ENOTTY, EINVAL or the like.
	 */
	if (ioctl(tap, TUNSETOFFLOAD, 0) < 0 && d->path)
		return err_set(e, -errno, "switch off the offloads of '%s'", d->path);
	memcpy(net->mac, d->mac, sizeof(net->mac));
	ret = d->has_mac ? 0 : random_mac(net->mac, e);
	net->mtu = (uint16_t)(d->mtu ? d->mtu : mtu);
	*fd = tap;
	return ret;
}

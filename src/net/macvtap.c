/* SPDX-License-Identifier: GPL-2.0-only */
/* Macvtaps. */
#include "net/macvtap.h"

#include <errno.h>
#include <fcntl.h>
#include <libmnl/libmnl.h>
#include <linux/if_link.h>
#include <linux/mount.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/io.h"
#include "net/tap.h"

int net_macvtap_create(struct net_nl *nl, const char *name, int lower, struct err *e)
{
	struct nlattr *info, *data;
	union net_msg m;

	net_nl_request(&m, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, sizeof(struct ifinfomsg));
	mnl_attr_put_strz(&m.head, IFLA_IFNAME, name);
	mnl_attr_put_u32(&m.head, IFLA_LINK, (uint32_t)lower);
	info = mnl_attr_nest_start(&m.head, IFLA_LINKINFO);
	mnl_attr_put_strz(&m.head, IFLA_INFO_KIND, "macvtap");
	data = mnl_attr_nest_start(&m.head, IFLA_INFO_DATA);
	mnl_attr_put_u32(&m.head, IFLA_MACVLAN_MODE, MACVLAN_MODE_PASSTHRU);
	mnl_attr_nest_end(&m.head, data);
	mnl_attr_nest_end(&m.head, info);
	return net_nl_change(nl, &m.head, e);
}

/* A new file system, mounted nowhere: it ends with *@mount. 0 or -errno. */
static int macvtap_mount(const char *type, int *mount, struct err *e)
{
	_autoclose_ int fs = (int)syscall(SYS_fsopen, type, FSOPEN_CLOEXEC);
	int made;

	if (fs < 0 || syscall(SYS_fsconfig, fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return err_set(e, -errno, "make a file system of type %s", type);
	made = (int)syscall(SYS_fsmount, fs, FSMOUNT_CLOEXEC, 0);
	if (made < 0)
		return err_set(e, -errno, "mount a file system of type %s", type);
	*mount = made;
	return 0;
}

/* A sysfs shows the network namespace of who made it. */
static int macvtap_number(const char *name, int index, dev_t *number, struct err *e)
{
	_autoclose_ int sysfs = -1;
	_autofree_ char *text = NULL;
	unsigned int major, minor;
	char path[80];
	int rc = macvtap_mount("sysfs", &sysfs, e);

	if (rc < 0)
		return rc;
	snprintf(path, sizeof(path), "class/net/%s/tap%d/dev", name, index);
	rc = io_read_file(sysfs, path, 64, &text, NULL, e);
	if (rc < 0) {
		/* Kernels differ in whether the class has a folder of its own. */
		snprintf(path, sizeof(path), "class/net/%s/macvtap/tap%d/dev", name, index);
		rc = io_read_file(sysfs, path, 64, &text, NULL, e);
	}
	if (rc < 0)
		return rc;
	if (sscanf(text, "%u:%u", &major, &minor) != 2)
		return err_say(e, -EBADMSG, "'%s' holds no device number", path);
	*number = makedev(major, minor);
	return 0;
}

static int macvtap_device(dev_t number, int *fd, struct err *e)
{
	_autoclose_ int tmpfs = -1;
	int rc = macvtap_mount("tmpfs", &tmpfs, e);

	if (rc < 0)
		return rc;
	if (mknodat(tmpfs, "tap", S_IFCHR | 0600, number) < 0)
		return err_set(e, -errno, "make device node %u:%u", major(number), minor(number));
	*fd = openat(tmpfs, "tap", O_RDWR | O_CLOEXEC | O_NONBLOCK);
	if (*fd < 0)
		return err_set(e, -errno, "open device %u:%u", major(number), minor(number));
	return 0;
}

int net_macvtap_open(const char *name, int index, bool bare, int *fd, uint8_t *flags,
		     struct err *e)
{
	_autoclose_ int opened = -1;
	dev_t number = 0;
	int rc = macvtap_number(name, index, &number, e);

	if (rc == 0)
		rc = macvtap_device(number, &opened, e);
	if (rc == 0)
		rc = net_tap_attach(opened, name, bare, flags, e);
	if (rc < 0)
		return err_wrap(e, rc, "open macvtap '%s'", name);
	*fd = take_fd(&opened);
	return 0;
}

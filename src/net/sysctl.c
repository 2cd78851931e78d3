/* SPDX-License-Identifier: GPL-2.0-only */
/* IPv6 settings of an interface. */
#include "net/sysctl.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"

int net_sysctl_ipv6(const char *link, const char *key, int32_t value, struct err *e)
{
	_autoclose_ int fd = -1;
	char path[96], text[16];
	int len;

	snprintf(path, sizeof(path), "/proc/sys/net/ipv6/conf/%s/%s", link, key);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT)
		return NET_SYSCTL_NONE;
	if (fd < 0)
		return err_set(e, -errno, "open '%s'", path);
	len = snprintf(text, sizeof(text), "%d\n", value);
	if (write(fd, text, (size_t)len) != len)
		return err_set(e, -errno, "write %d to '%s'", value, path);
	return 0;
}

/* SPDX-License-Identifier: GPL-2.0-only */
/* Settings of an interface, and of the namespace. */
#include "net/sysctl.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/io.h"

/* @family: "ipv4" or "ipv6". */
static int sysctl_set(const char *family, const char *link, const char *key, int32_t value,
		      struct err *e)
{
	_autoclose_ int fd = -1;
	char path[96], text[16];
	int len;

	snprintf(path, sizeof(path), "/proc/sys/net/%s/conf/%s/%s", family, link, key);
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

int net_sysctl_set(const char *key, const char *value, struct err *e)
{
	size_t first = strcspn(key, "./");
	char path[256];
	int len = snprintf(path, sizeof(path), "/proc/sys/%s", key);

	if (key[first] == '.')
		for (char *c = path + strlen("/proc/sys/"); *c; c++)
			*c = *c == '.' ? '/' : *c == '/' ? '.' : *c;
	if (len < 0 || (size_t)len >= sizeof(path) || strstr(path, "..") ||
	    strncmp(path, "/proc/sys/net/", strlen("/proc/sys/net/")) != 0)
		return err_say(e, -EINVAL, "setting '%s' is none of a network namespace", key);
	return io_write_existing(AT_FDCWD, path, value, strlen(value), e);
}

int net_sysctl_ipv6(const char *link, const char *key, int32_t value, struct err *e)
{
	return sysctl_set("ipv6", link, key, value, e);
}

int net_sysctl_ipv4(const char *link, const char *key, int32_t value, struct err *e)
{
	return sysctl_set("ipv4", link, key, value, e);
}

int net_sysctl_ipv4_get(const char *link, const char *key, int32_t *value, struct err *e)
{
	_autoclose_ int fd = -1;
	char path[96], text[16];
	ssize_t len;

	snprintf(path, sizeof(path), "/proc/sys/net/ipv4/conf/%s/%s", link, key);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	len = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	if (len < 0)
		return err_set(e, -errno, "read '%s'", path);
	text[len] = '\0';
	*value = (int32_t)strtol(text, NULL, 10);
	return 0;
}

// SPDX-License-Identifier: GPL-2.0-only
/* Host name, domain name and kernel parameters of the guest. */
#include "guest/init/system.h"

#include "base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int init_system_set_names(const struct init_config *config, struct err *e)
{
	if (config->hostname && sethostname(config->hostname, strlen(config->hostname)) < 0)
		return err_set(e, -errno, "set host name '%s'", config->hostname);
	if (config->domainname && setdomainname(config->domainname, strlen(config->domainname)) < 0)
		return err_set(e, -errno, "set domain name '%s'", config->domainname);
	return 0;
}

int init_system_write(int dir, const char *path, const char *text)
{
	_autoclose_ int fd = openat(dir, path, O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	return write(fd, text, strlen(text)) < 0 ? -errno : 0;
}

/*
 * The name of a parameter as a path below /proc/sys. As for sysctl(8), the first separator decides:
 * in "net.ipv4.conf.eth0/1.forwarding" a slash stands for a dot, in
 * "net/ipv4/conf/eth0.1/forwarding" nothing is to be done.
 */
static int parameter_path(const char *name, size_t len, char *path, size_t size)
{
	size_t first = strcspn(name, "./");
	int n = snprintf(path, size, "sys/%.*s", (int)len, name);

	if (n < 0 || (size_t)n >= size)
		return -ENAMETOOLONG;
	if (first < len && name[first] == '.')
		for (char *c = path + 4; *c; c++)
			*c = *c == '.' ? '/' : *c == '/' ? '.' : *c;
	return strstr(path, "..") ? -EINVAL : 0;
}

int init_system_set_sysctl(const char *setting, int proc)
{
	const char *equals = strchr(setting, '=');
	char path[256];
	int r;

	if (!equals || equals == setting)
		return -EINVAL;
	r = parameter_path(setting, (size_t)(equals - setting), path, sizeof(path));
	return r < 0 ? r : init_system_write(proc, path, equals + 1);
}

int init_system_set_sysctls(const struct init_config *config, int proc, struct err *e)
{
	const struct gcfg_record *record = NULL;

	while ((record = init_config_next(config, GCFG_SYSCTL, record))) {
		const char *setting = init_config_payload(record);
		bool must = setting[0] != '-';
		int r = init_system_set_sysctl(must ? setting : setting + 1, proc);

		if (r < 0 && must)
			return err_set(e, r, "set sysctl '%s'", setting);
	}
	return 0;
}

/* SPDX-License-Identifier: GPL-2.0-only */
/* Host name, domain name and kernel parameters of the guest. */
#ifndef NABLA_INIT_SYSTEM_H
#define NABLA_INIT_SYSTEM_H

#include "guest/init/config.h"

int init_system_set_names(const struct init_config *config, struct err *e);

/* Every GCFG_SYSCTL; @proc is a descriptor of a mounted proc. After the network is up. */
int init_system_set_sysctls(const struct init_config *config, int proc, struct err *e);

/* Set one, "name=value"; 0 or -errno. */
int init_system_set_sysctl(const char *setting, int proc);

/* Write @text into @path below @dir, which must exist, in one write. Returns 0 or -errno. */
int init_system_write(int dir, const char *path, const char *text);

#endif

// SPDX-License-Identifier: GPL-2.0-only
/*
 * The container: everything from a configuration to the running program.
 *
 * The stages, in the order of init_container_run():
 * 1. proc of this pid namespace on the initramfs's /proc, kept by descriptor: for sysctls, for
 *    paths of descriptors, for oom_score_adj; nothing relies on the user's own /proc.
 * 2. the network, then names and sysctls (net.ipv6.conf.all.disable_ipv6=1 may take addresses away
 *    again, but must not make adding them fail);
 * 3. the root at /root, and everything mounted in it, found by descriptor (path.h);
 * 4. the root becomes /: from here on no path of the initramfs can be reached, only descriptors;
 * 5. session, streams, limits, identity, program.
 */
#include "guest/init/container.h"

#include "base/fd.h"
#include "guest/init/control.h"
#include "guest/init/mounts.h"
#include "guest/init/network.h"
#include "guest/init/path.h"
#include "guest/init/root.h"
#include "guest/init/system.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

static int mount_proc(int *proc, struct err *e)
{
	int fd;

	if (mount("proc", "/proc", "proc", 0, NULL) < 0)
		return err_set(e, -errno, "mount proc");
	fd = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return err_set(e, -errno, "open '/proc'");
	*proc = fd;
	return 0;
}

static int set_up_guest(const struct init_config *config, int proc, struct err *e)
{
	int r = init_network_set_up(config, proc, e);

	if (!r)
		r = init_system_set_names(config, e);
	if (!r)
		r = init_system_set_sysctls(config, proc, e);
	return r;
}

/* The working directory is made if missing, as runc does, while the root can still be written. */
static int make_cwd(const struct init_config *config, int root, struct err *e)
{
	_autoclose_ int cwd = init_path_make_dir(root, config->cwd, e);

	return cwd < 0 ? cwd : 0;
}

static int set_up_root(const struct init_config *config, struct err *e)
{
	_autoclose_ int root = -1;
	int r = init_root_build(config, &root, e);

	if (!r)
		r = init_mounts_make(config, root, e);
	if (!r)
		r = init_devices_make(config, root, e);
	if (!r)
		r = init_files_make(config, root, e);
	if (!r)
		r = make_cwd(config, root, e);
	if (!r)
		r = init_mounts_seal(config, root, e);
	if (!r)
		r = init_root_enter(root, config->root, e);
	return r;
}

/*
 * Open the terminal anew as /dev/console, the name by which programs find it in the container. If
 * that cannot be opened, it works under no name.
 */
static void reopen_terminal(struct init_stdio *stdio)
{
	int fd = open("/dev/console", O_RDWR | O_NOCTTY | O_CLOEXEC);

	if (fd >= 0)
		stdio->in = stdio->out = stdio->err = fd;
}

int init_container_run(struct init_config *config, const struct init_stdio *given, struct err *e)
{
	/* A copy: the caller may share this memory, but it does not share descriptors. */
	struct init_stdio stdio = *given;
	_autoclose_ int proc = -1;
	int r;

	/* Modes given to mkdir and mknod are meant. */
	umask(0);
	r = mount_proc(&proc, e);
	if (!r)
		r = set_up_guest(config, proc, e);
	if (!r)
		r = set_up_root(config, e);
	if (!r && stdio.terminal)
		reopen_terminal(&stdio);
	if (!r)
		r = init_process_become(config, &stdio, proc, e);
	if (r < 0)
		return INIT_STATUS_FAILED;
	init_control_forget();
	return init_process_exec(config, e);
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * The identity of the user's process.
 *
 * Order matters: what needs privileges (limits, oom_score_adj, the bounding set, groups) comes
 * before they are given up; the bounding set can be dropped only while CAP_SETPCAP is effective;
 * the permitted set survives setresuid() because of PR_SET_KEEPCAPS; ambient capabilities can be
 * raised only once they are both permitted and inheritable.
 */
#include "guest/init/process.h"

#include "guest/init/system.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define UMASK_DEFAULT 0022

static const struct gcfg_user root_user = { .umask = UINT32_MAX };
static const struct gcfg_caps no_caps;

static int take_session(const struct init_stdio *stdio, struct err *e)
{
	if (setsid() < 0)
		return err_set(e, -errno, "start a session");
	if (dup2(stdio->in, 0) < 0 || dup2(stdio->out, 1) < 0 || dup2(stdio->err, 2) < 0)
		return err_set(e, -errno, "attach the standard streams");
	if (stdio->terminal && ioctl(0, TIOCSCTTY, 0) < 0)
		return err_set(e, -errno, "take the controlling terminal");
	return 0;
}

/* /dev/stdout leads to the stream's node, and must open for the user too (nginx logs to it). */
static int own_streams(uint32_t uid, struct err *e)
{
	struct stat st;

	for (int fd = 0; fd <= 2; fd++) {
		if (fstat(fd, &st) < 0)
			return err_set(e, -errno, "look at stream %d", fd);
		if (st.st_uid != uid && fchown(fd, uid, (gid_t)-1) < 0)
			return err_set(e, -errno, "give stream %d to user %u", fd, uid);
	}
	return 0;
}

static int set_limits(const struct init_config *config, struct err *e)
{
	const struct gcfg_record *record = NULL;

	while ((record = init_config_next(config, GCFG_RLIMIT, record))) {
		const struct gcfg_rlimit *limit = init_config_payload(record);
		/* As in the kernel, all ones is unlimited. */
		const uint64_t value[2] = { limit->soft, limit->hard };

		if (syscall(SYS_prlimit64, 0, limit->resource, value, NULL) < 0)
			return err_set(e, -errno, "set resource limit %u", limit->resource);
	}
	return 0;
}

static int set_oom_score_adj(const struct init_config *config, int proc, struct err *e)
{
	char text[16];
	int r;

	if (!config->oom)
		return 0;
	snprintf(text, sizeof(text), "%d", config->oom->adj);
	r = init_system_write(proc, "self/oom_score_adj", text);
	return r < 0 ? err_set(e, r, "set oom_score_adj %s", text) : 0;
}

static int drop_bounding(uint64_t keep, struct err *e)
{
	for (unsigned long cap = 0; cap < 64; cap++) {
		if (keep & 1ull << cap)
			continue;
		if (prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) == 0)
			continue;
		/* Behind the last one that the kernel knows. */
		if (errno == EINVAL)
			return 0;
		return err_set(e, -errno, "drop capability %lu from the bounding set", cap);
	}
	return 0;
}

static int set_ids(const struct gcfg_user *user, struct err *e)
{
	const uint32_t *groups = (const void *)(user + 1);

	if (syscall(SYS_setgroups, (size_t)user->nr_groups, user->nr_groups ? groups : NULL) < 0)
		return err_set(e, -errno, "set %u groups", user->nr_groups);
	if (syscall(SYS_setresgid, user->gid, user->gid, user->gid) < 0)
		return err_set(e, -errno, "become group %u", user->gid);
	if (syscall(SYS_setresuid, user->uid, user->uid, user->uid) < 0)
		return err_set(e, -errno, "become user %u", user->uid);
	return 0;
}

static int set_caps(const struct gcfg_caps *caps, struct err *e)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2];

	for (int i = 0; i < 2; i++) {
		data[i].effective = (uint32_t)(caps->effective >> 32 * i);
		data[i].permitted = (uint32_t)(caps->permitted >> 32 * i);
		data[i].inheritable = (uint32_t)(caps->inheritable >> 32 * i);
	}
	if (syscall(SYS_capset, &header, data) < 0)
		return err_set(e, -errno, "set capabilities");
	for (unsigned long cap = 0; cap < 64; cap++)
		if (caps->ambient & 1ull << cap &&
		    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, cap, 0, 0) < 0)
			return err_set(e, -errno, "raise ambient capability %lu", cap);
	return 0;
}

static int become_user(const struct init_config *config, const struct gcfg_user *user,
		       struct err *e)
{
	const struct gcfg_caps *caps = config->caps;
	int r;

	if (!caps || (config->flags & GCFG_FLAG_NO_CAPS))
		caps = &no_caps;
	r = drop_bounding(caps->bounding, e);
	if (r < 0)
		return r;
	if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0)
		return err_set(e, -errno, "keep capabilities");
	r = set_ids(user, e);
	if (r < 0)
		return r;
	if (prctl(PR_SET_KEEPCAPS, 0, 0, 0, 0) < 0)
		return err_set(e, -errno, "stop keeping capabilities");
	return set_caps(caps, e);
}

int init_process_become(const struct init_config *config, const struct init_stdio *stdio, int proc,
			struct err *e)
{
	const struct gcfg_user *user = config->user ? config->user : &root_user;
	int r;

	r = take_session(stdio, e);
	if (!r)
		r = own_streams(user->uid, e);
	if (!r)
		r = set_limits(config, e);
	if (!r)
		r = set_oom_score_adj(config, proc, e);
	if (r < 0)
		return r;
	/* With all privileges, as runc does: the directory may be closed to the user. */
	if (chdir(config->cwd) < 0)
		return err_set(e, -errno, "change to directory '%s'", config->cwd);
	r = become_user(config, user, e);
	if (r < 0)
		return r;
	if (config->flags & GCFG_FLAG_NO_NEW_PRIVS && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return err_set(e, -errno, "set no_new_privs");
	umask(user->umask == UINT32_MAX ? UMASK_DEFAULT : user->umask & 0777);
	return 0;
}

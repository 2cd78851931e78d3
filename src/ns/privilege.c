/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Giving up privileges for good.
 *
 * The order: what needs CAP_SETPCAP first (bounding set, securebits), then the groups, then the gid
 * and the uid (each needs its capability), then the capability sets, then no_new_privs, at last a
 * look at what came of it.
 */
#include "ns/privilege.h"

#include <errno.h>
#include <grp.h>
#include <inttypes.h>
#include <linux/securebits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

static const struct {
	int resource;
	const char *name;
} limit_names[] = {
	{ RLIMIT_AS, "RLIMIT_AS" },
	{ RLIMIT_CORE, "RLIMIT_CORE" },
	{ RLIMIT_CPU, "RLIMIT_CPU" },
	{ RLIMIT_DATA, "RLIMIT_DATA" },
	{ RLIMIT_FSIZE, "RLIMIT_FSIZE" },
	{ RLIMIT_LOCKS, "RLIMIT_LOCKS" },
	{ RLIMIT_MEMLOCK, "RLIMIT_MEMLOCK" },
	{ RLIMIT_MSGQUEUE, "RLIMIT_MSGQUEUE" },
	{ RLIMIT_NICE, "RLIMIT_NICE" },
	{ RLIMIT_NOFILE, "RLIMIT_NOFILE" },
	{ RLIMIT_NPROC, "RLIMIT_NPROC" },
	{ RLIMIT_RSS, "RLIMIT_RSS" },
	{ RLIMIT_RTPRIO, "RLIMIT_RTPRIO" },
	{ RLIMIT_RTTIME, "RLIMIT_RTTIME" },
	{ RLIMIT_SIGPENDING, "RLIMIT_SIGPENDING" },
	{ RLIMIT_STACK, "RLIMIT_STACK" },
};

const char *ns_limit_name(int resource)
{
	for (size_t i = 0; i < sizeof(limit_names) / sizeof(limit_names[0]); i++)
		if (limit_names[i].resource == resource)
			return limit_names[i].name;
	return NULL;
}

#define LIMIT_TEXT 24

static const char *limit_text(uint64_t value, char text[LIMIT_TEXT])
{
	if (value == RLIM_INFINITY)
		return "unlimited";
	snprintf(text, LIMIT_TEXT, "%" PRIu64, value);
	return text;
}

int ns_limit_set(int resource, uint64_t soft, uint64_t hard, struct err *e)
{
	const char *name = ns_limit_name(resource);
	struct rlimit wanted = { .rlim_cur = soft, .rlim_max = hard };
	struct rlimit now = { .rlim_cur = RLIM_INFINITY, .rlim_max = RLIM_INFINITY };
	char text[4][LIMIT_TEXT];
	int error;

	if (!name)
		return err_say(e, -EINVAL, "resource limit %d is unknown", resource);
	if (setrlimit(resource, &wanted) == 0)
		return 0;

	error = -errno;
	getrlimit(resource, &now);
	err_set(e, error, "set %s to soft %s, hard %s (it is soft %s, hard %s)", name,
		limit_text(soft, text[0]), limit_text(hard, text[1]),
		limit_text(now.rlim_cur, text[2]), limit_text(now.rlim_max, text[3]));
	if (error == -EPERM && hard > now.rlim_max)
		return err_wrap(e, error, "raising a hard limit needs CAP_SYS_RESOURCE");
	return error;
}

/* Best effort: without CAP_SETPCAP the set stays, and no_new_privs makes it meaningless. */
static int drop_bounding(struct err *e)
{
	/* cap_get_bound() fails behind the last capability that the kernel knows. */
	for (cap_value_t cap = 0; cap_get_bound(cap) >= 0; cap++)
		if (cap_drop_bound(cap) < 0 && errno != EPERM)
			return err_set(e, -errno, "drop capability %d from the bounding set", cap);
	return 0;
}

static int lock_securebits(struct err *e)
{
	static const unsigned long bits =
		SECBIT_NOROOT | SECBIT_NOROOT_LOCKED |
		SECBIT_NO_SETUID_FIXUP_LOCKED |
		SECBIT_KEEP_CAPS_LOCKED |
		SECBIT_NO_CAP_AMBIENT_RAISE | SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED;

	if (prctl(PR_SET_SECUREBITS, bits, 0, 0, 0) < 0 && errno != EPERM)
		return err_set(e, -errno, "lock the securebits");
	return 0;
}

static int drop_groups(struct err *e)
{
	if (setgroups(0, NULL) == 0)
		return 0;
	/*
	 * A user namespace whose setgroups file says "deny", or no CAP_SETGID: fine if there are
	 * none.
	 */
	if (errno == EPERM && getgroups(0, NULL) == 0)
		return 0;
	return err_set(e, -errno, "drop the supplementary groups");
}

static int change_ids(uid_t uid, gid_t gid, struct err *e)
{
	struct rlimit nproc = { .rlim_cur = RLIM_INFINITY };
	char text[LIMIT_TEXT];
	int r;

	if (setresgid(gid, gid, gid) < 0) {
		r = err_set(e, -errno, "become gid %u", gid);
		return r == -EINVAL ? err_wrap(e, r, "not mapped in this user namespace") : r;
	}
	if (setresuid(uid, uid, uid) == 0)
		return 0;
	r = err_set(e, -errno, "become uid %u", uid);
	if (r == -EINVAL)
		return err_wrap(e, r, "not mapped in this user namespace");
	if (r == -EAGAIN) {
		getrlimit(RLIMIT_NPROC, &nproc);
		return err_wrap(e, r, "more processes than RLIMIT_NPROC, %s",
				limit_text(nproc.rlim_cur, text));
	}
	return r;
}

static int drop_capabilities(struct err *e)
{
	cap_t none;
	int r = 0;

	if (cap_reset_ambient() < 0)
		return err_set(e, -errno, "empty the ambient capabilities");
	none = cap_init();
	if (!none)
		return err_set(e, -ENOMEM, "drop the capabilities");
	if (cap_set_proc(none) < 0)
		r = err_set(e, -errno, "drop the capabilities");
	cap_free(none);
	return r;
}

static bool capabilities_empty(void)
{
	cap_t now = cap_get_proc();
	cap_t none = cap_init();
	bool empty = now && none && cap_compare(now, none) == 0;

	for (cap_value_t cap = 0; empty && cap_get_bound(cap) >= 0; cap++)
		empty = cap_get_ambient(cap) == 0;
	cap_free(now);
	cap_free(none);
	return empty;
}

static int look_again(uid_t uid, gid_t gid, struct err *e)
{
	uid_t u[3];
	gid_t g[3];

	if (getresuid(&u[0], &u[1], &u[2]) < 0 || getresgid(&g[0], &g[1], &g[2]) < 0)
		return err_set(e, -errno, "read the identity");
	for (int i = 0; i < 3; i++)
		if (u[i] != uid || g[i] != gid)
			return err_say(e, -EPERM, "uid %u, gid %u did not take effect", uid, gid);
	if (getgroups(0, NULL) != 0)
		return err_say(e, -EPERM, "supplementary groups are left");
	if (!capabilities_empty())
		return err_say(e, -EPERM, "capabilities are left");
	if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1)
		return err_say(e, -EPERM, "no_new_privs did not take effect");
	if (prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) != 0)
		return err_say(e, -EPERM, "the process is still dumpable");
	return 0;
}

int ns_privilege_drop(uid_t uid, gid_t gid, struct err *e)
{
	int r;

	r = drop_bounding(e);
	if (r == 0)
		r = lock_securebits(e);
	if (r == 0)
		r = drop_groups(e);
	if (r == 0)
		r = change_ids(uid, gid, e);
	if (r == 0)
		r = drop_capabilities(e);
	if (r < 0)
		return r;

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return err_set(e, -errno, "set no_new_privs");
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return err_set(e, -errno, "make the process not dumpable");
	/* The container outlives the command that made it. */
	if (prctl(PR_SET_PDEATHSIG, 0, 0, 0, 0) < 0)
		return err_set(e, -errno, "clear the parent-death signal");
	return look_again(uid, gid, e);
}

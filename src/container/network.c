/* SPDX-License-Identifier: GPL-2.0-only */
/* Between the container's life and src/net: entering its network namespace and coming back. */
#include "container/network.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "container/tenants.h"
#include "net/net.h"
#include "net/sysctl.h"

#define NETWORK_OWN "/proc/self/ns/net"

/* What to do inside the namespace. */
typedef int network_work(void *arg, struct err *e);

/* network_inside(): @path is the namespace that we are in already; nothing was done. */
#define NETWORK_SAME 1

static int network_open(const char *path, int *fd, struct stat *st, struct err *e)
{
	_autoclose_ int opened = open(path, O_RDONLY | O_CLOEXEC);

	if (opened < 0 || fstat(opened, st) < 0)
		return err_set(e, -errno, "open network namespace '%s'", path);
	*fd = take_fd(&opened);
	return 0;
}

static int network_inside(const char *path, network_work *work, void *arg, struct err *e)
{
	_autoclose_ int home = -1;
	_autoclose_ int there = -1;
	struct stat st_home, st_there;
	int r;

	r = network_open(NETWORK_OWN, &home, &st_home, e);
	if (r < 0)
		return r;
	r = network_open(path, &there, &st_there, e);
	if (r < 0)
		return r;
	if (st_home.st_dev == st_there.st_dev && st_home.st_ino == st_there.st_ino)
		return NETWORK_SAME;

	if (setns(there, CLONE_NEWNET) < 0)
		return err_set(e, -errno, "enter network namespace '%s'", path);
	r = work(arg, e);
	if (setns(home, CLONE_NEWNET) < 0) {
		log_error("return to the runtime's network namespace: %s", strerror(errno));
		_exit(EXIT_FAILURE);
	}
	return r;
}

/*
 * Somebody else may be in the namespace, or come into it. A new one that no hook has put an
 * interface into is the container's alone.
 */
static bool network_is_shared(const struct plan *p, const struct net_survey *survey)
{
	return p->bundle->ns[BUNDLE_NS_NETWORK].path || survey->nr_links > 1;
}

/* @root: where other containers' states are; @own: the id of this one, if it has one. */
static int network_decide(struct plan *p, const char *root, const char *own,
			  struct net_survey *survey, struct err *e)
{
	struct net_request fresh;
	int r = net_request_init(&fresh, e);

	if (r < 0)
		return r;
	memcpy(p->net_request.entropy, fresh.entropy, sizeof(fresh.entropy));
	if (p->net_request.mode == NET_MODE_AUTO) {
		r = net_probe(&p->net_request.host, e);
		if (r < 0)
			return r;
	}
	r = net_survey(survey, e);
	if (r == 0 && p->loopback && network_is_shared(p, survey))
		r = net_forward_survey(&survey->loopback, e);
	/*
	 * Also of one whose create was killed before its filter was there: what it found first. Not
	 * where a namespace is told by its inode alone (before Linux 5.14), which another one may
	 * have had.
	 */
	if (r == 0 && (survey->loopback.ours || (survey->loopback.known && survey->cookie)))
		r = tenants_adopt(root, own, survey, e);
	/* It may be that nobody needs it; who keeps the interfaces does. */
	if (r == 0 && (p->net_request.shared || survey->loopback.known))
		r = net_share_survey(&survey->ports, e);
	if (r == 0 && survey->guests.numbers)
		r = net_ports_survey(&survey->ports, e);
	if (r < 0)
		return r;
	return plan_set_network(p, survey, e);
}

/* ---- prepare ------------------------------------------------------------------------------ */

struct network_preparation {
	struct plan *p;
	struct state *s;
	const struct state_lock *lock;
	struct nabla_net *nets;
	unsigned int *nr;
};

static int network_write_down(struct network_preparation *n, const struct net_survey *survey,
			      struct err *e)
{
	_autofree_ char *record = NULL;
	json_error_t where;
	int r = net_record(survey, &n->p->net, &record, e);

	if (r < 0)
		return r;
	json_decref(n->s->net);
	n->s->net = json_loads(record, 0, &where);
	if (!n->s->net)
		return err_say(e, -EINVAL, "network record: %s", where.text);
	return state_save(n->lock, n->s, e);
}

/*
 * Restore what the record says, and forget it, all under the namespace's lock: of two containers
 * that are deleted at once the second one sees that it is the last.
 */
static int network_undo(struct state *s, const struct state_lock *lock, struct err *e)
{
	_autofree_ char *record = json_dumps(s->net, JSON_COMPACT);
	bool others = false, over = false;
	int r;

	if (!record)
		return err_set(e, -ENOMEM, "network record");
	r = tenants_remain(lock->root, s, &others, &over, e);
	if (r == 0 && !over)
		r = net_restore(record, others, e);
	if (r < 0)
		return r;
	json_decref(s->net);
	s->net = NULL;
	return state_save(lock, s, e);
}

static int network_prepare_inside(void *arg, struct err *e)
{
	__attribute__((cleanup(net_survey_free))) struct net_survey survey = { .netns = 0 };
	struct network_preparation *n = arg;
	struct err undone = ERR_INIT;
	_autoclose_ int lock = -1;
	int r;

	r = tenants_lock(n->lock->root, &lock, e);
	if (r == 0)
		r = network_decide(n->p, n->lock->root, n->s->id, &survey, e);
	if (r == 0 && survey.guests.numbers && !survey.loopback.ours)
		r = err_say(e, -EBUSY, "a container that shared this namespace was killed before "
			    "it was restored: delete that one, or try again");
	if (r < 0)
		return r;
	for (size_t i = 0; i < n->p->net.nr_notices; i++)
		log_warning("network: %s", n->p->net.notices[i]);
	if (n->p->net.nr_ports == 0 && !n->p->net.forward.on)
		return 0;
	r = network_write_down(n, &survey, e);
	if (r < 0)
		return r;
	r = net_apply(&n->p->net, n->nets, n->nr, e);
	/* Before anybody comes who would get the same number; what fails is left to delete. */
	if (r < 0 && network_undo(n->s, n->lock, &undone) < 0)
		log_warning("%s", undone.text);
	return r;
}

/*
 * A pod's sandbox has no network of its own, but its config.json is where the pod's settings stand
 * (containerd's unprivileged ports and pings, a pod's sysctls): the namespace gets them, and the
 * pod's containers find them there. As any runtime, they are not taken back.
 */
static int network_set_inside(void *arg, struct err *e)
{
	const struct bundle_pairs *all = arg;

	for (size_t i = 0; i < all->n; i++) {
		int r = strncmp(all->v[i].key, "net", 3) == 0 ?
			net_sysctl_set(all->v[i].key, all->v[i].value, e) : 0;

		if (r < 0)
			return err_wrap(e, r, "set sysctl '%s' of the pod", all->v[i].key);
	}
	return 0;
}

int network_prepare(pid_t pid, struct plan *p, struct state *s, const struct state_lock *lock,
		    struct nabla_net nets[NABLA_LAUNCH_NETS], unsigned int *nr, struct err *e)
{
	struct network_preparation n = { .p = p, .s = s, .lock = lock, .nets = nets, .nr = nr };
	char path[40];
	int r;

	*nr = 0;
	snprintf(path, sizeof(path), "/proc/%d/ns/net", (int)pid);
	if (p->network == PLAN_NETWORK_NONE) {
		struct bundle_pairs settings = p->bundle->sysctl;

		if (!p->bundle->ns[BUNDLE_NS_NETWORK].present)
			return 0;
		r = network_inside(path, network_set_inside, &settings, e);
		return r < 0 ? r : 0;
	}
	r = network_inside(path, network_prepare_inside, &n, e);
	if (r == NETWORK_SAME) {
		log_warning("the container's network namespace is the host's: it runs without a "
			    "network");
		p->network = PLAN_NETWORK_NONE;
		return 0;
	}
	return r < 0 ? err_wrap(e, r, "network") : 0;
}

/* ---- look --------------------------------------------------------------------------------- */

struct network_view {
	struct plan *p;
	const char *root;
};

static int network_look_inside(void *arg, struct err *e)
{
	__attribute__((cleanup(net_survey_free))) struct net_survey survey = { .netns = 0 };
	struct network_view *v = arg;

	return network_decide(v->p, v->root, NULL, &survey, e);
}

int network_look(const char *path, const char *root, struct plan *p, struct err *e)
{
	struct network_view v = { .p = p, .root = root };
	int r = network_inside(path, network_look_inside, &v, e);

	if (r == NETWORK_SAME)
		p->network = PLAN_NETWORK_NONE;
	return r < 0 ? err_wrap(e, r, "network") : 0;
}

/* ---- restore ------------------------------------------------------------------------------ */

struct network_restoration {
	struct state *s;
	const struct state_lock *lock;
};

static int network_restore_inside(void *arg, struct err *e)
{
	struct network_restoration *n = arg;
	_autoclose_ int lock = -1;
	int r = tenants_lock(n->lock->root, &lock, e);

	return r < 0 ? r : network_undo(n->s, n->lock, e);
}

/*
 * Who ends a pod unmounts its namespace and removes the file; between the two it is an empty one.
 */
static bool network_is_gone(const char *path)
{
	struct statfs fs;

	return statfs(path, &fs) < 0 ? errno == ENOENT : fs.f_type != NSFS_MAGIC;
}

int network_restore(struct state *s, const struct state_lock *lock, struct err *e)
{
	struct network_restoration n = { .s = s, .lock = lock };
	const char *path = NULL;
	int r;

	for (size_t i = 0; i < s->nr_namespaces; i++)
		if (strcmp(s->namespaces[i].type, "network") == 0)
			path = s->namespaces[i].path;
	if (!s->net || !path || network_is_gone(path))
		return 0;

	r = network_inside(path, network_restore_inside, &n, e);
	if (r < 0)
		return err_wrap(e, r, "restore the network");
	/* NETWORK_SAME: the pod's namespace is gone and its path means another one now. */
	return 0;
}

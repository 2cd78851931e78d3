/* SPDX-License-Identifier: GPL-2.0-only */
/* The containers whose guests share one network namespace. */
#include "container/tenants.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"
#include "base/lock.h"
#include "base/log.h"
#include "base/str.h"

#define TENANTS_LOCK_MS 30000

/* A few milliseconds for each of them: one lock for all namespaces, which leaves no file behind. */
int tenants_lock(const char *root, int *fd, struct err *e)
{
	_autoclose_ int own = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r;

	if (own < 0)
		return err_set(e, -errno, "open '%s'", root);
	r = lock_exclusive(own, TENANTS_LOCK_MS);
	if (r == -ETIMEDOUT)
		return err_say(e, r, "another container's network is being made or restored, and "
			       "that does not end");
	if (r < 0)
		return err_set(e, r, "lock '%s'", root);
	*fd = take_fd(&own);
	return 0;
}

/* Returns what is to be told on: 0 goes on, anything else ends. */
typedef int tenants_look(const char *record, void *context, struct err *e);

/* A container that is damaged, or gone meanwhile, is nobody to look at. */
static int tenants_one(const char *root, const char *id, tenants_look *look, void *context,
		       struct err *e)
{
	_autostate_ struct state s = STATE_INIT;
	_autofree_ char *record = NULL;
	struct err why = ERR_INIT;

	if (state_read(root, id, &s, &why) != 0 || !s.net)
		return 0;
	record = json_dumps(s.net, JSON_COMPACT);
	return record ? look(record, context, e) : err_set(e, -ENOMEM, "read '%s'", id);
}

static int tenants_each(const char *root, const char *own, tenants_look *look, void *context,
			struct err *e)
{
	char **ids = NULL;
	int r = state_list(root, &ids, e);

	for (size_t i = 0; r == 0 && ids[i]; i++)
		if (!own || strcmp(ids[i], own) != 0)
			r = tenants_one(root, ids[i], look, context, e);
	str_vector_free(ids);
	return r;
}

/* A record that is none is told, and is its own container's trouble. */
static int adopt_record(const char *record, void *context, struct err *e)
{
	int r = net_survey_adopt(context, record, e);

	if (r == -EINVAL)
		log_warning("%s", e->text);
	return r == -EINVAL ? 0 : r;
}

int tenants_adopt(const char *root, const char *own, struct net_survey *survey, struct err *e)
{
	return tenants_each(root, own, adopt_record, survey, e);
}

struct tenants_search {
	const char *own;
	bool others;
	bool over;
};

static int find_record(const char *record, void *context, struct err *e)
{
	struct tenants_search *search = context;
	enum net_meeting meeting = net_record_meeting(search->own, record);

	(void)e;
	search->others |= meeting == NET_MEETING_SHARED;
	search->over |= meeting == NET_MEETING_OVER;
	return 0;
}

int tenants_remain(const char *root, const struct state *s, bool *others, bool *over,
		   struct err *e)
{
	_autofree_ char *own = json_dumps(s->net, JSON_COMPACT);
	struct tenants_search search = { .own = own };
	int r = own ? tenants_each(root, s->id, find_record, &search, e) :
		      err_set(e, -ENOMEM, "read the network's record");

	*others = search.others;
	*over = search.over;
	return r;
}

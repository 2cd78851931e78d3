/* SPDX-License-Identifier: GPL-2.0-only */
/* Whom `runnc net` is about: a container and its record, or a namespace without one. */
#include "cli/net_subject.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/str.h"
#include "container/network.h"
#include "net/record.h"

#define SUBJECT_NAMED_DIR "/run/netns/"

void net_subject_free(struct net_subject *s)
{
	state_free(&s->state);
	free(s->path);
	plan_free(&s->plan);
	memset(s, 0, sizeof(*s));
}

/* ---- the namespace -------------------------------------------------------------------------- */

static int take_path(struct net_subject *s, char *path, struct err *e)
{
	if (!path)
		return err_set(e, -ENOMEM, "find the network namespace");
	free(s->path);
	s->path = path;
	return 0;
}

/* The namespace of a container: of its process or, after that, the one that it had joined. */
static int path_of_state(struct net_subject *s, struct err *e)
{
	const char *joined = NULL;

	if (s->alive)
		return take_path(s, str_printf("/proc/%d/ns/net", (int)s->state.pid), e);
	for (size_t i = 0; i < s->state.nr_namespaces; i++)
		if (strcmp(s->state.namespaces[i].type, "network") == 0)
			joined = s->state.namespaces[i].path;
	if (!joined || access(joined, F_OK) < 0)
		return err_say(e, -ENOENT, "container '%s' has no process, and its network "
					   "namespace is gone", s->state.id);
	return take_path(s, str_printf("%s", joined), e);
}

static bool is_same_file(const char *a, const char *b)
{
	struct stat st_a, st_b;

	return stat(a, &st_a) == 0 && stat(b, &st_b) == 0 && st_a.st_dev == st_b.st_dev &&
	       st_a.st_ino == st_b.st_ino;
}

static void ids_free(char ***ids)
{
	str_vector_free(*ids);
}

/*
 * A container whose network namespace is s->path, and which holds its interfaces, or none: of
 * several one that runs.
 */
static int find_container(const struct lifecycle *l, struct net_subject *s, struct err *e)
{
	__attribute__((cleanup(ids_free))) char **ids = NULL;
	int r = state_list(l->root, &ids, e);

	for (char **id = ids; r == 0 && *id && !s->alive; id++) {
		_autosubject_ struct net_subject other = NET_SUBJECT_INIT;
		struct err ignored = ERR_INIT;

		if (state_read(l->root, *id, &other.state, &ignored) != 0 || !other.state.net)
			continue;
		other.alive = state_alive(&other.state);
		if (path_of_state(&other, &ignored) < 0 || !is_same_file(other.path, s->path) ||
		    (s->has_container && !other.alive))
			continue;
		state_free(&s->state);
		s->state = other.state;
		s->alive = other.alive;
		s->has_container = true;
		other.state = (struct state)STATE_INIT;
	}
	return r;
}

static int find_path(const struct lifecycle *l, const char *operand, struct net_subject *s,
		     struct err *e)
{
	struct err no_state = ERR_INIT;
	int r;

	if (strchr(operand, '/')) {
		r = take_path(s, str_printf("%s", operand), e);
		return r < 0 ? r : find_container(l, s, e);
	}
	r = state_read(l->root, operand, &s->state, &no_state);
	if (r == 0) {
		s->has_container = true;
		s->alive = state_alive(&s->state);
		return path_of_state(s, e);
	}
	if (r == STATE_DAMAGED)
		return err_say(e, -EINVAL, "%s", no_state.text);
	r = take_path(s, str_printf(SUBJECT_NAMED_DIR "%s", operand), e);
	if (r < 0)
		return r;
	if (access(s->path, F_OK) < 0)
		return err_say(e, -ENOENT, "no container '%s' and no network namespace '%s' (a "
					   "path needs a slash)", operand, s->path);
	return find_container(l, s, e);
}

/* ---- the plan ------------------------------------------------------------------------------- */

/* A plan of what was recorded is what the guest was given; what the record says better is taken. */
static int plan_of_record(struct net_subject *s, struct err *e)
{
	_autofree_ char *text = json_dumps(s->state.net, JSON_COMPACT);
	struct net_request request = { .mac = NET_MAC_ADOPT };
	static const uint8_t unknown[6];
	struct net_record record;
	int r;

	if (!text)
		return err_set(e, -ENOMEM, "read the network's record");
	r = net_record_read(text, &record, e);
	if (r < 0)
		return r;
	/* Otherwise they would not have been handed over; a record does not say so. */
	for (size_t i = 0; i < record.was.nr_links; i++)
		record.was.links[i].carrier = true;
	request.mode = record.ports[0].mode;
	request.shared = record.shared;
	r = net_plan(&record.was, &request, &s->plan.net, e);
	for (size_t i = 0; r == 0 && i < s->plan.net.nr_ports; i++) {
		struct net_port *port = &s->plan.net.ports[i];

		for (size_t n = 0; n < record.was.nr_links; n++) {
			const struct net_port *was = &record.ports[n];

			if (was->index != port->index)
				continue;
			port->mode = was->mode;
			memcpy(port->tap, was->tap, sizeof(port->tap));
			memcpy(port->bridge, was->bridge, sizeof(port->bridge));
			if (memcmp(was->guest_mac, unknown, sizeof(unknown)) != 0)
				memcpy(port->guest_mac, was->guest_mac, sizeof(port->guest_mac));
		}
	}
	if (record.shared) {
		s->plan.net.share.number = record.number;
		s->plan.net.share.alone = record.alone;
	}
	net_record_free(&record);
	if (r < 0)
		return r;
	s->plan.network = PLAN_NETWORK_SURVEYED;
	/* Notices were told at create; a record is too little to find them again. */
	for (size_t i = 0; i < s->plan.net.nr_notices; i++)
		free(s->plan.net.notices[i]);
	s->plan.net.nr_notices = 0;
	return 0;
}

int net_subject_find(const struct lifecycle *l, const char *operand, struct net_subject *s,
		     struct err *e)
{
	int r = find_path(l, operand, s, e);

	if (r < 0)
		return r;
	if (s->has_container && s->state.net)
		return plan_of_record(s, e);
	if (s->has_container)
		return 0;
	if (l->net_mode && !net_mode_parse(l->net_mode, &s->plan.net_request.mode))
		return err_say(e, -EINVAL, "--net-mode: '%s' is not a mode", l->net_mode);
	return network_look(s->path, l->root, &s->plan, e);
}

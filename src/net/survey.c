/* SPDX-License-Identifier: GPL-2.0-only */
/* Survey: list everything in the network namespace. */
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>

#include "base/fd.h"
#include "net/net.h"
#include "net/netlink.h"
#include "net/parse.h"
#include "net/settings.h"

/* Somebody else may be changing the namespace; a listing that is torn this often is an error. */
#define NET_SURVEY_TRIES 16

void net_survey_free(struct net_survey *s)
{
	for (size_t i = 0; i < s->nr_addrs; i++)
		free(s->addrs[i].raw.data);
	for (size_t i = 0; i < s->nr_routes; i++) {
		free(s->routes[i].raw.data);
		free(s->routes[i].hops);
	}
	for (size_t i = 0; i < s->nr_neighs; i++)
		free(s->neighs[i].raw.data);
	free(s->links);
	free(s->addrs);
	free(s->routes);
	free(s->neighs);
	free(s->rules);
	for (size_t i = 0; i < s->nr_settings; i++)
		free(s->settings[i].text);
	free(s->settings);
	memset(s, 0, sizeof(*s));
}

bool net_survey_is_same(const struct net_survey *now, const struct net_survey *was)
{
	return now->netns == was->netns && (!was->cookie || now->cookie == was->cookie);
}

const struct net_link *net_survey_link(const struct net_survey *s, int index)
{
	for (size_t i = 0; i < s->nr_links; i++)
		if (s->links[i].index == index)
			return &s->links[i];
	return NULL;
}

static int survey_message(const struct nlmsghdr *m, void *context)
{
	return net_parse_message(context, m);
}

static int survey_filters(struct net_nl *nl, int index, struct net_survey *s, struct err *e)
{
	union net_msg m;
	struct tcmsg *head = net_nl_request(&m, RTM_GETTFILTER, 0, sizeof(*head));

	head->tcm_ifindex = index;
	head->tcm_parent = TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_INGRESS);
	return net_nl_dump(nl, &m.head, survey_message, s, e);
}

static int survey_once(struct net_nl *nl, struct net_survey *s, struct err *e)
{
	int rc = net_nl_dump_interfaces(nl, survey_message, s, e);

	for (size_t i = 0; rc == 0 && i < s->nr_links; i++)
		if (s->links[i].clsact)
			rc = survey_filters(nl, s->links[i].index, s, e);
	return rc;
}

#ifndef SO_NETNS_COOKIE
#define SO_NETNS_COOKIE 71		/* Linux 5.14 */
#endif

static uint64_t survey_cookie(void)
{
	_autoclose_ int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	uint64_t cookie = 0;
	socklen_t len = sizeof(cookie);

	if (fd < 0 || getsockopt(fd, SOL_SOCKET, SO_NETNS_COOKIE, &cookie, &len) < 0)
		return 0;
	return cookie;
}

static int survey_begin(struct net_survey *s, struct err *e)
{
	struct timespec now;
	struct stat st;

	if (stat("/proc/thread-self/ns/net", &st) < 0)
		return err_set(e, -errno, "look at /proc/thread-self/ns/net");
	clock_gettime(CLOCK_BOOTTIME, &now);
	s->netns = st.st_ino;
	s->cookie = survey_cookie();
	s->boottime_ms = (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
	return 0;
}

int net_survey(struct net_survey *out, struct err *e)
{
	_autonl_ struct net_nl nl = NET_NL_INIT;
	int rc;

	memset(out, 0, sizeof(*out));
	rc = net_nl_open(&nl, e);
	for (int i = 0; rc == 0 && i < NET_SURVEY_TRIES; i++) {
		net_survey_free(out);
		rc = survey_begin(out, e);
		if (rc == 0)
			rc = survey_once(&nl, out, e);
		if (rc == 0) {
			net_parse_finish(out);
			rc = net_settings_read(out, e);
			if (rc == 0)
				return 0;
			break;
		}
		if (rc == NET_NL_AGAIN)
			rc = 0;
	}
	net_survey_free(out);
	if (rc == 0)
		rc = err_say(e, -EAGAIN, "the network namespace does not stop changing");
	return err_wrap(e, rc, "survey the network");
}

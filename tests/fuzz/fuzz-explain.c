/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the explainer reads: the kernel's replies, and what comes back from the wire; any bytes.
 *
 * 'F' and a family's number begin a frame that may be an answer; 'N' and three bytes begin messages
 * of nftables; anything else is messages of rtnetlink. Those become two namespaces, the pod's and a
 * host's, each the other end of the other's links; a path through them is found, inspected and
 * drawn in all formats.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "explain/draw.h"
#include "explain/frame.h"

static void expect(int ok)
{
	if (!ok)
		abort();
}

static void read_frame(const uint8_t *data, size_t len)
{
	struct frame_question q = { .family = data[1] % 2 ? AF_INET6 : AF_INET };
	uint8_t mac[6];

	/* So that a fuzzer can find an answer: the question is taken from where its answer is. */
	if (q.family == AF_INET && len >= 2 + 32)
		memcpy(q.target, data + 2 + 28, 4);
	if (q.family == AF_INET6 && len >= 2 + 78)
		memcpy(q.target, data + 2 + 62, 16);
	frame_is_answer(&q, data + 2, len - 2, mac);
}

/* Returns 0, or what the parser of the first bad message did. */
static int read_messages(struct explain_space *x, const void *data, size_t len, bool chains)
{
	const char *at = data;

	while (len > 0) {
		const struct nlmsghdr *m = (const void *)at;
		size_t step;
		int rc;

		if (len < sizeof(*m) || m->nlmsg_len < sizeof(*m) || m->nlmsg_len > len)
			return -1;
		rc = chains ? explain_parse_chain(x, m) : explain_parse_message(x, m, false);
		if (rc < 0)
			return rc;
		step = NLMSG_ALIGN(m->nlmsg_len);
		if (step >= len)
			break;
		at += step;
		len -= step;
	}
	return 0;
}

static void draw(const struct explain_picture *p)
{
	struct buf text = BUF_INIT(EXPLAIN_DRAW_MAX), dot = BUF_INIT(EXPLAIN_DRAW_MAX);

	explain_draw_text(p, &text);
	explain_draw_dot(p, &dot);
	json_decref(explain_to_json(p));
	buf_free(&text);
	buf_free(&dot);
}

static void explain(struct explain_facts *f, const struct net_plan *plan, const char *id)
{
	static struct explain_path paths[NABLA_LAUNCH_NETS];
	const struct explain_subject s = { .id = id, .pid = id ? 1 : 0, .plan = plan };
	struct explain_report r = EXPLAIN_REPORT_INIT;
	const struct explain_picture p = { .facts = f, .subject = &s, .paths = paths,
					   .report = &r };

	for (size_t i = 0; i < plan->nr_ports; i++)
		explain_path_find(f, &s, i, &paths[i]);
	for (size_t i = 0; i < plan->nr_ports; i++)
		explain_inspect(f, &s, i, &paths[i], &r);
	for (size_t i = 1; i < r.nr; i++)
		expect(r.findings[i - 1].hop <= r.findings[i].hop);
	draw(&p);
	explain_report_free(&r);
}

static void name_space(struct explain_space *x, const char *name, uint64_t inode)
{
	strcpy(x->name, name);
	x->fd = -1;
	x->inode = inode;
	x->nsids = calloc(2, sizeof(*x->nsids));
	x->nsids[0] = (struct explain_nsid){ .id = 0, .inode = 2 - inode % 2 * 1 };
	x->nsids[1] = (struct explain_nsid){ .id = 1, .inode = 2 };
	x->nr_nsids = 2;
}

static void read_netlink(const void *data, size_t len)
{
	struct explain_space spaces[2] = { { .fd = -1 }, { .fd = -1 } };
	struct explain_facts f = { .spaces = spaces, .nr_spaces = 2 };
	struct net_request request = { .entropy = "0123456789abcde" };
	struct err e = ERR_INIT;
	struct net_plan plan;

	if (read_messages(&spaces[0], data, len, false) == 0 &&
	    read_messages(&spaces[1], data, len, false) == 0) {
		name_space(&spaces[0], "/run/netns/pod", 1);
		name_space(&spaces[1], "the host", 2);
		for (int mode = NET_MODE_TC; mode <= NET_MODE_BRIDGE; mode++) {
			request.mode = (enum net_mode)mode;
			if (net_plan(&spaces[0].all, &request, &plan, &e) < 0)
				continue;
			explain(&f, &plan, NULL);
			explain(&f, &plan, "c1");
			net_plan_free(&plan);
		}
	}
	explain_space_free(&spaces[0]);
	explain_space_free(&spaces[1]);
}

static void read_chains(const void *data, size_t len)
{
	struct explain_space x = { .fd = -1 };

	read_messages(&x, data, len, true);
	explain_space_free(&x);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	/* A copy of exactly this length, aligned as a receive buffer is. */
	bool chains = len >= 4 && data[0] == 'N';
	size_t skip = chains ? 4 : 0;
	void *copy;

	if (len >= 2 && data[0] == 'F') {
		read_frame(data, len);
		return 0;
	}
	copy = malloc(len - skip ? len - skip : 1);
	memcpy(copy, data + skip, len - skip);
	if (chains)
		read_chains(copy, len - skip);
	else
		read_netlink(copy, len);
	free(copy);
	return 0;
}

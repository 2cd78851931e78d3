/* SPDX-License-Identifier: GPL-2.0-only */
/* What a unikernel is told: solo5_args.h. */
#include "container/solo5_args.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/fd.h"
#include "base/str.h"

#define MIB (UINT64_C(1) << 20)

/* MirageOS's name for the network device of a unikernel that has one. */
#define MIRAGE_DEVICE	"service"

/* rumprun's names in its port to Solo5: of the interfaces, and of the disks' first partition. */
#define RUMPRUN_INTERFACE	"ukvmif%zu"
#define RUMPRUN_DISK		"/dev/ld%zua"

/* ---- the network in words ------------------------------------------------------------------ */

const struct gcfg_addr *solo5_address(const struct plan *p, size_t link, uint8_t family)
{
	for (size_t i = 0; i < p->net.nr_addrs; i++) {
		const struct gcfg_addr *a = &p->net.addrs[i];

		if (a->link == link && a->family == family &&
		    (family == AF_INET || !(a->local[0] == 0xfe && (a->local[1] & 0xc0) == 0x80)))
			return a;
	}
	return NULL;
}

const uint8_t *solo5_gateway(const struct plan *p, size_t link, uint8_t family)
{
	const struct gcfg_hop *hop = p->net.hops;

	for (size_t i = 0; i < p->net.nr_routes; i++) {
		const struct gcfg_route *route = &p->net.routes[i];

		for (unsigned int j = 0; j < route->nr_hops; j++, hop++)
			if (route->family == family && route->dst_prefix == 0 &&
			    route->src_prefix == 0 && hop->link == link &&
			    hop->gateway_family == family)
				return hop->gateway;
	}
	return NULL;
}

/* "" for NULL. */
static const char *args_text(uint8_t family, const uint8_t *address, char text[INET6_ADDRSTRLEN])
{
	if (!address || !inet_ntop(family, address, text, INET6_ADDRSTRLEN))
		text[0] = '\0';
	return text;
}

/* ---- arguments ----------------------------------------------------------------------------- */

/* White space and what MirageOS's and rumprun's splitters take for quotes. */
static void args_quote(struct buf *b, const char *arg)
{
	if (arg[0] != '\0' && arg[strcspn(arg, " \t\n\v\f\r\"'\\")] == '\0') {
		buf_add_str(b, arg);
		return;
	}
	buf_add_str(b, "\"");
	for (; *arg; arg++) {
		if (strchr("\"'\\", *arg))
			buf_add_str(b, "\\");
		buf_add(b, arg, 1);
	}
	buf_add_str(b, "\"");
}

/* The first argument behind the unikernel's own path; NULL: none. */
static const char *args_own(const struct plan *p)
{
	if (p->solo5.urunc_cmdline)
		return p->solo5.urunc_cmdline;
	return p->bundle->process.args.v[p->solo5.entry_point ? 1 : 0];
}

/* rumprun's configuration, written by the user. */
static bool args_are_json(const struct plan *p)
{
	const char *own = args_own(p);

	return p->guest.type == GUEST_RUMPRUN && own && own[0] == '{';
}

static size_t args_first(const struct plan *p)
{
	bool argv0 = p->guest.type == GUEST_RUMPRUN && !args_are_json(p);

	return p->solo5.entry_point && !argv0 ? 1 : 0;
}

/* The user's own, separated by single spaces. */
static void args_add_users(struct buf *b, const struct plan *p)
{
	const struct bundle_strings *args = &p->bundle->process.args;
	bool plain = p->guest.type == GUEST_RAW || args_are_json(p);
	size_t first = args_first(p);

	if (p->solo5.urunc_cmdline) {
		buf_add_str(b, p->solo5.urunc_cmdline);
		return;
	}
	for (size_t i = first; i < args->n; i++) {
		if (i > first)
			buf_add_str(b, " ");
		if (plain)
			buf_add_str(b, args->v[i]);
		else
			args_quote(b, args->v[i]);
	}
}

/* ---- raw ----------------------------------------------------------------------------------- */

struct args_words {
	char ip[INET6_ADDRSTRLEN], gw[INET6_ADDRSTRLEN];
	char ip6[INET6_ADDRSTRLEN], gw6[INET6_ADDRSTRLEN];
	char prefix[4], prefix6[4], mtu[12], mac[18];
};

static void words_set(const struct plan *p, struct args_words *w)
{
	const struct gcfg_addr *a = solo5_address(p, 0, AF_INET);
	const struct gcfg_addr *a6 = solo5_address(p, 0, AF_INET6);

	memset(w, 0, sizeof(*w));
	if (p->net.nr_ports == 0)
		return;
	args_text(AF_INET, a ? a->local : NULL, w->ip);
	args_text(AF_INET6, a6 ? a6->local : NULL, w->ip6);
	args_text(AF_INET, solo5_gateway(p, 0, AF_INET), w->gw);
	args_text(AF_INET6, solo5_gateway(p, 0, AF_INET6), w->gw6);
	if (a)
		snprintf(w->prefix, sizeof(w->prefix), "%u", a->prefix);
	if (a6)
		snprintf(w->prefix6, sizeof(w->prefix6), "%u", a6->prefix);
	snprintf(w->mtu, sizeof(w->mtu), "%u", p->net.links[0].mtu);
	for (size_t i = 0; i < 6; i++)
		snprintf(w->mac + 3 * i, 4, i < 5 ? "%02x:" : "%02x", p->net.ports[0].guest_mac[i]);
}

/* @text with its ${words} replaced; other ${...} are left alone. */
static void args_substitute(struct buf *b, const struct plan *p, const char *text)
{
	struct args_words w;
	const struct { const char *word, *value; } words[] = {
		{ "${ip}", w.ip }, { "${prefix}", w.prefix }, { "${gw}", w.gw },
		{ "${ip6}", w.ip6 }, { "${prefix6}", w.prefix6 }, { "${gw6}", w.gw6 },
		{ "${mac}", w.mac }, { "${mtu}", w.mtu }, { "${dns}", p->solo5.dns },
	};
	const size_t nr_words = sizeof(words) / sizeof(words[0]);

	words_set(p, &w);
	while (*text) {
		size_t i = 0;

		while (i < nr_words && !str_starts(text, words[i].word))
			i++;
		if (i < nr_words) {
			buf_add_str(b, words[i].value);
			text += strlen(words[i].word);
		} else {
			buf_add(b, text++, 1);
		}
	}
}

/* ---- MirageOS ------------------------------------------------------------------------------ */

/* "--ipv4=10.0.0.2/16 --ipv4-gateway=10.0.0.1 ", with the device's name in front if need be. */
static void mirage_add(struct buf *b, const struct plan *p, size_t link, uint8_t family)
{
	const struct gcfg_addr *a = solo5_address(p, link, family);
	const uint8_t *gateway = solo5_gateway(p, link, family);
	const char *key = family == AF_INET ? "ipv4" : "ipv6";
	const char *device = p->solo5.nets[link];
	const char *dash = "-";
	char text[INET6_ADDRSTRLEN];

	if (strcmp(device, MIRAGE_DEVICE) == 0)
		device = dash = "";
	if (a)
		buf_printf(b, "--%s%s%s=%s/%u ", device, dash, key,
			   args_text(family, a->local, text), a->prefix);
	if (a && gateway)
		buf_printf(b, "--%s%s%s-gateway=%s ", device, dash, key,
			   args_text(family, gateway, text));
}

static void mirage_line(struct buf *b, const struct plan *p)
{
	for (size_t i = 0; i < p->solo5.nr_nets && i < p->net.nr_ports; i++) {
		mirage_add(b, p, i, AF_INET);
		if (p->solo5.ipv6)
			mirage_add(b, p, i, AF_INET6);
	}
	args_add_users(b, p);
}

/* ---- rumprun ------------------------------------------------------------------------------- */

/* Its reader takes keys in order and repeated: not JSON's rules. */
static void rumprun_pair(struct buf *b, const char *key, const char *value, char before)
{
	buf_printf(b, "%c\"%s\":", before, key);
	buf_add_json(b, value);
}

static void rumprun_net(struct buf *b, const struct plan *p, size_t link, uint8_t family)
{
	const struct gcfg_addr *a = solo5_address(p, link, family);
	const uint8_t *gateway = solo5_gateway(p, link, family);
	char name[32], text[INET6_ADDRSTRLEN], prefix[4];

	if (!a)
		return;
	snprintf(name, sizeof(name), RUMPRUN_INTERFACE, link);
	snprintf(prefix, sizeof(prefix), "%u", a->prefix);
	buf_add_str(b, ",\"net\":");
	rumprun_pair(b, "if", name, '{');
	if (family == AF_INET || !solo5_address(p, link, AF_INET))
		rumprun_pair(b, "cloner", "True", ',');
	rumprun_pair(b, "type", family == AF_INET ? "inet" : "inet6", ',');
	rumprun_pair(b, "method", "static", ',');
	rumprun_pair(b, "addr", args_text(family, a->local, text), ',');
	rumprun_pair(b, "mask", prefix, ',');
	if (gateway)
		rumprun_pair(b, "gw", args_text(family, gateway, text), ',');
	buf_add_str(b, "}");
}

static void rumprun_disk(struct buf *b, const struct plan_disk *d, size_t index)
{
	char path[32];

	if (!d->mount)
		return;
	snprintf(path, sizeof(path), RUMPRUN_DISK, index);
	buf_add_str(b, ",\"blk\":");
	rumprun_pair(b, "source", "etfs", '{');
	rumprun_pair(b, "path", path, ',');
	rumprun_pair(b, "fstype", "blk", ',');
	rumprun_pair(b, "mountpoint", d->mount, ',');
	buf_add_str(b, "}");
}

static int rumprun_line(struct buf *b, const struct plan *p, struct err *e)
{
	_autobuf_ struct buf line = BUF_INIT(SOLO5_CMDLINE_MAX);

	if (args_are_json(p)) {
		args_add_users(b, p);
		return 0;
	}
	args_add_users(&line, p);
	if (buf_error(&line) < 0)
		return err_set(e, buf_error(&line) == -EFBIG ? -E2BIG : -ENOMEM, "command line");
	rumprun_pair(b, "cmdline", line.data ? line.data : "", '{');
	for (size_t i = 0; i < p->bundle->process.env.n; i++)
		rumprun_pair(b, "env", p->bundle->process.env.v[i], ',');
	for (size_t i = 0; i < p->solo5.nr_nets && i < p->net.nr_ports; i++) {
		rumprun_net(b, p, i, AF_INET);
		if (p->solo5.ipv6)
			rumprun_net(b, p, i, AF_INET6);
	}
	for (size_t i = 0; i < p->solo5.nr_disks; i++)
		rumprun_disk(b, &p->solo5.disks[i], i);
	buf_add_str(b, "}");
	return 0;
}

/* ---- the line ------------------------------------------------------------------------------ */

static int args_line(struct buf *b, const struct plan *p, struct err *e)
{
	_autobuf_ struct buf words = BUF_INIT(1u << 20);

	switch (p->guest.type) {
	case GUEST_MIRAGE:
		mirage_line(b, p);
		return 0;
	case GUEST_RUMPRUN:
		return rumprun_line(b, p, e);
	case GUEST_RAW:
		break;
	}
	args_add_users(&words, p);
	if (buf_error(&words) < 0)
		return err_set(e, buf_error(&words), "command line");
	if (words.data && p->solo5.substitute)
		args_substitute(b, p, words.data);
	else if (words.data)
		buf_add(b, words.data, words.len);
	return 0;
}

int solo5_cmdline(const struct plan *p, char **line, struct err *e)
{
	_autobuf_ struct buf b = BUF_INIT(SOLO5_CMDLINE_MAX);
	int r = args_line(&b, p, e);

	if (r < 0)
		return r;
	/* MirageOS's options end with a space for what may follow. */
	while (b.len > 0 && b.data[b.len - 1] == ' ' && p->guest.type == GUEST_MIRAGE)
		b.data[--b.len] = '\0';
	if (buf_error(&b) == -EFBIG)
		return err_say(e, -E2BIG, "command line: a unikernel's is at most %u bytes",
			       SOLO5_CMDLINE_MAX);
	if (buf_error(&b) < 0)
		return err_set(e, buf_error(&b), "command line");
	*line = b.data ? buf_take(&b, NULL) : strdup("");
	return *line ? 0 : err_set(e, -ENOMEM, "command line");
}

/* ---- nabla-run's arguments ----------------------------------------------------------------- */

struct args_vector {
	char **v;
	size_t n, size;
	bool failed;
};

/* Takes @text; NULL: no memory. */
static void vector_add(struct args_vector *a, char *text)
{
	if (a->failed || !text || a->n + 1 >= a->size) {
		free(text);
		a->failed = true;
		return;
	}
	a->v[a->n++] = text;
}

static void vector_add_net(struct args_vector *a, const struct plan *p, size_t i, int fd)
{
	const uint8_t *mac = p->net.ports[i].guest_mac;
	const char *name = p->solo5.nets[i];

	vector_add(a, str_printf("--net:%s=@%d", name, fd));
	vector_add(a, str_printf("--net-mac:%s=%02x:%02x:%02x:%02x:%02x:%02x", name, mac[0], mac[1],
				 mac[2], mac[3], mac[4], mac[5]));
	vector_add(a, str_printf("--net-mtu:%s=%u", name, p->net.links[i].mtu));
}

static void vector_add_disk(struct args_vector *a, const struct plan_disk *d, int fd)
{
	vector_add(a, str_printf("--block%s:%s=@%d", d->readonly ? "-ro" : "", d->name, fd));
	vector_add(a, str_printf("--block-sector-size:%s=%u", d->name, d->sector));
}

int solo5_argv(const struct plan *p, int kernel, const int *nets, const int *disks, char ***argv,
	       struct err *e)
{
	const struct plan_solo5 *s = &p->solo5;
	struct args_vector a = { .size = 8 + 3 * s->nr_nets + 2 * s->nr_disks };
	char *line = NULL;
	int r;

	if (p->net.nr_ports < s->nr_nets)
		return err_say(e, -EINVAL, "the unikernel has %zu network devices, and its network "
			       "namespace %zu interfaces for them", s->nr_nets, p->net.nr_ports);
	r = solo5_cmdline(p, &line, e);
	if (r < 0)
		return r;
	a.v = calloc(a.size, sizeof(a.v[0]));
	a.failed = !a.v;
	vector_add(&a, strdup(SOLO5_PROGRAM));
	vector_add(&a, str_printf("--mem=%" PRIu64, p->mem_size / MIB));
	vector_add(&a, str_printf("--error-status=%d", NABLA_EXIT_LAUNCH));
	for (size_t i = 0; i < s->nr_nets; i++)
		vector_add_net(&a, p, i, nets[i]);
	for (size_t i = 0; i < s->nr_disks; i++)
		vector_add_disk(&a, &s->disks[i], disks[i]);
	vector_add(&a, strdup("--"));
	vector_add(&a, str_printf("@%d", kernel));
	if (line[0] != '\0')
		vector_add(&a, take_ptr(line));
	free(line);
	if (a.failed) {
		str_vector_free(a.v);
		return err_set(e, -ENOMEM, "arguments of %s", SOLO5_PROGRAM);
	}
	*argv = a.v;
	return 0;
}

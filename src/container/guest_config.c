/* SPDX-License-Identifier: GPL-2.0-only */
/* The plan as the stream of records of abi/guest_config.h. */
#include "container/guest_config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "abi/guest_config.h"
#include "base/buf.h"
#include "base/fd.h"
#include "base/io.h"

/* The stream being written: @count records so far. buf's errors stick, and are looked at once. */
struct gcfg_stream {
	struct buf buf;
	uint32_t count;
	size_t start;			/* of the open record */
};

static void stream_close(struct gcfg_stream *s)
{
	buf_free(&s->buf);
}
#define _autostream_ __attribute__((cleanup(stream_close)))

/* Between open and end, the payload is appended to s->buf. */
static void stream_open(struct gcfg_stream *s, enum gcfg_type type)
{
	const struct gcfg_record record = { .type = (uint16_t)type };

	s->start = s->buf.len;
	buf_add(&s->buf, &record, sizeof(record));
}

static void stream_end(struct gcfg_stream *s)
{
	uint32_t len;

	if (buf_error(&s->buf))
		return;
	/* Bounded by the buffer's limit of GCFG_MAX_SIZE. */
	len = (uint32_t)(s->buf.len - s->start - sizeof(struct gcfg_record));
	memcpy(s->buf.data + s->start + offsetof(struct gcfg_record, len), &len, sizeof(len));
	buf_align(&s->buf, 8);
	s->count++;
}

static void stream_string(struct gcfg_stream *s, enum gcfg_type type, const char *text)
{
	stream_open(s, type);
	buf_add_strz(&s->buf, text);
	stream_end(s);
}

static void stream_strings(struct gcfg_stream *s, enum gcfg_type type,
			   const struct bundle_strings *all)
{
	for (size_t i = 0; i < all->n; i++)
		stream_string(s, type, all->v[i]);
}

static void stream_struct(struct gcfg_stream *s, enum gcfg_type type, const void *data, size_t len)
{
	stream_open(s, type);
	buf_add(&s->buf, data, len);
	stream_end(s);
}

/* ---- the process -------------------------------------------------------------------------- */

static void encode_user(struct gcfg_stream *s, const struct bundle_user *u)
{
	const struct gcfg_user user = {
		.uid = u->uid, .gid = u->gid, .umask = u->has_umask ? u->umask : UINT32_MAX,
		.nr_groups = (uint32_t)u->nr_groups,
	};

	stream_open(s, GCFG_USER);
	buf_add(&s->buf, &user, sizeof(user));
	if (u->nr_groups > 0)
		buf_add(&s->buf, u->groups, u->nr_groups * sizeof(u->groups[0]));
	stream_end(s);
}

static void encode_caps(struct gcfg_stream *s, const struct bundle_caps *c)
{
	const struct gcfg_caps caps = {
		.bounding = c->bounding, .effective = c->effective, .inheritable = c->inheritable,
		.permitted = c->permitted, .ambient = c->ambient,
	};

	if (c->present)
		stream_struct(s, GCFG_CAPS, &caps, sizeof(caps));
}

static void encode_process(struct gcfg_stream *s, const struct bundle_process *process,
			   size_t skip_args)
{
	const struct gcfg_flags flags = {
		.flags = (process->no_new_privs ? GCFG_FLAG_NO_NEW_PRIVS : 0u) |
			 (process->terminal ? GCFG_FLAG_TERMINAL : 0u) |
			 (process->caps.present ? 0u : GCFG_FLAG_NO_CAPS),
	};
	const struct gcfg_oom oom = { .adj = (int32_t)process->oom_score_adj };

	for (size_t i = skip_args; i < process->args.n; i++)
		stream_string(s, GCFG_ARG, process->args.v[i]);
	stream_strings(s, GCFG_ENV, &process->env);
	stream_string(s, GCFG_CWD, process->cwd);
	encode_user(s, &process->user);
	for (size_t i = 0; i < process->nr_rlimits; i++) {
		const struct gcfg_rlimit limit = {
			.resource = (uint32_t)process->rlimits[i].resource,
			.soft = process->rlimits[i].soft, .hard = process->rlimits[i].hard,
		};

		stream_struct(s, GCFG_RLIMIT, &limit, sizeof(limit));
	}
	encode_caps(s, &process->caps);
	stream_struct(s, GCFG_FLAGS, &flags, sizeof(flags));
	if (process->oom_score_adj != BUNDLE_UNSET)
		stream_struct(s, GCFG_OOM_SCORE_ADJ, &oom, sizeof(oom));
}

/* ---- the system, its files ---------------------------------------------------------------- */

static void encode_system(struct gcfg_stream *s, const struct plan *p)
{
	const struct bundle *b = p->bundle;

	if (p->hostname[0])
		stream_string(s, GCFG_HOSTNAME, p->hostname);
	if (b->domainname)
		stream_string(s, GCFG_DOMAINNAME, b->domainname);
	/* The network's own come first: what the bundle says has the last word. */
	for (size_t i = 0; i < p->net.nr_sysctls; i++)
		stream_string(s, GCFG_SYSCTL, p->net.sysctls[i]);
	for (size_t i = 0; i < b->sysctl.n; i++) {
		stream_open(s, GCFG_SYSCTL);
		/* A guest without a network may lack the interface that is meant. */
		if (p->network == PLAN_NETWORK_NONE && b->ns[BUNDLE_NS_NETWORK].present &&
		    strncmp(b->sysctl.v[i].key, "net", 3) == 0)
			buf_add_str(&s->buf, "-");
		buf_add_str(&s->buf, b->sysctl.v[i].key);
		buf_add_str(&s->buf, "=");
		buf_add_strz(&s->buf, b->sysctl.v[i].value);
		stream_end(s);
	}
}

static void encode_mount(struct gcfg_stream *s, const struct plan_mount *m)
{
	const struct gcfg_mount mount = { .flags = m->flags, .propagation = m->propagation };

	stream_open(s, GCFG_MOUNT);
	buf_add(&s->buf, &mount, sizeof(mount));
	buf_add_strz(&s->buf, m->type);
	buf_add_strz(&s->buf, m->source);
	buf_add_strz(&s->buf, m->destination);
	buf_add_strz(&s->buf, m->data);
	stream_end(s);
}

static int encode_file(struct gcfg_stream *s, const struct plan_file *f, struct err *e)
{
	_autofree_ char *contents = NULL;
	struct gcfg_file file = {
		.mode = f->mode, .uid = f->uid, .gid = f->gid,
		.flags = f->readonly ? GCFG_FILE_READONLY : 0u,
	};
	size_t len;
	int r = io_read_file(AT_FDCWD, f->source, PLAN_VOLUME_MAX, &contents, &len, e);

	if (r < 0)
		return err_wrap(e, r, "mount '%s'", f->destination);
	file.size = len;
	stream_open(s, GCFG_FILE);
	buf_add(&s->buf, &file, sizeof(file));
	buf_add_strz(&s->buf, f->destination);
	buf_add(&s->buf, contents, len);
	stream_end(s);
	return 0;
}

static void encode_device(struct gcfg_stream *s, const struct bundle_device *d)
{
	const struct gcfg_device device = {
		.mode = d->mode, .uid = d->uid, .gid = d->gid, .major = d->major, .minor = d->minor,
	};

	stream_open(s, GCFG_DEVICE);
	buf_add(&s->buf, &device, sizeof(device));
	buf_add_strz(&s->buf, d->path);
	stream_end(s);
}

static int encode_root(struct gcfg_stream *s, const struct plan *p, struct err *e)
{
	const uint32_t flags = p->bundle->root_readonly ? GCFG_ROOT_READONLY : 0u;
	const struct gcfg_root root = { .flags = flags };

	for (uint32_t i = 0; i < p->nr_layers; i++) {
		const struct gcfg_layer layer = { .image = i };

		stream_struct(s, GCFG_LAYER, &layer, sizeof(layer));
	}
	stream_struct(s, GCFG_ROOT, &root, sizeof(root));
	for (size_t i = 0; i < p->nr_mounts; i++)
		encode_mount(s, &p->mounts[i]);
	for (size_t i = 0; i < p->nr_files; i++) {
		int r = encode_file(s, &p->files[i], e);

		if (r < 0)
			return r;
	}
	for (size_t i = 0; i < p->nr_devices; i++)
		encode_device(s, p->devices[i]);
	stream_strings(s, GCFG_MASKED_PATH, &p->bundle->masked_paths);
	for (size_t i = 0; i < p->nr_masked; i++)
		stream_string(s, GCFG_MASKED_PATH, p->masked[i]);
	stream_strings(s, GCFG_READONLY_PATH, &p->bundle->readonly_paths);
	return 0;
}

/* ---- the network -------------------------------------------------------------------------- */

/* The device to the pod's loopback; each route has one hop. */
static void encode_forward(struct gcfg_stream *s, const struct net_forward *f)
{
	stream_struct(s, GCFG_LINK, &f->link, sizeof(f->link));
	if (f->own.family)
		stream_struct(s, GCFG_ADDR, &f->own, sizeof(f->own));
	for (size_t i = 0; i < f->nr_routes; i++) {
		stream_open(s, GCFG_ROUTE);
		buf_add(&s->buf, &f->routes[i], sizeof(f->routes[i]));
		buf_add(&s->buf, &f->hops[i], sizeof(f->hops[i]));
		stream_end(s);
	}
}

static void encode_network(struct gcfg_stream *s, const struct net_plan *n)
{
	const struct gcfg_hop *hop = n->hops;

	for (size_t i = 0; i < n->nr_ports; i++)
		stream_struct(s, GCFG_LINK, &n->links[i], sizeof(n->links[i]));
	for (size_t i = 0; i < n->nr_addrs; i++)
		stream_struct(s, GCFG_ADDR, &n->addrs[i], sizeof(n->addrs[i]));
	for (size_t i = 0; i < n->nr_routes; i++) {
		stream_open(s, GCFG_ROUTE);
		buf_add(&s->buf, &n->routes[i], sizeof(n->routes[i]));
		for (unsigned int j = 0; j < n->routes[i].nr_hops; j++)
			buf_add(&s->buf, hop++, sizeof(*hop));
		stream_end(s);
	}
	for (size_t i = 0; i < n->nr_neighs; i++)
		stream_struct(s, GCFG_NEIGH, &n->neighs[i], sizeof(n->neighs[i]));
	for (size_t i = 0; i < n->nr_rules; i++)
		stream_struct(s, GCFG_RULE, &n->rules[i], sizeof(n->rules[i]));
	if (n->forward.on)
		encode_forward(s, &n->forward);
}

int guest_config_encode(const struct plan *p, char **data, size_t *len, struct err *e)
{
	_autostream_ struct gcfg_stream s = { .buf = BUF_INIT(GCFG_MAX_SIZE) };
	struct gcfg_header header = { .magic = GCFG_MAGIC, .version = GCFG_VERSION };
	int r;

	buf_add(&s.buf, &header, sizeof(header));
	encode_process(&s, &p->bundle->process, p->guest.skip_args);
	encode_system(&s, p);
	r = encode_root(&s, p, e);
	if (r < 0)
		return r;
	encode_network(&s, &p->net);

	r = buf_error(&s.buf);
	if (r < 0)
		return err_set(e, r, "guest configuration of at most %u MiB", GCFG_MAX_SIZE >> 20);
	header.size = (uint32_t)s.buf.len;
	header.count = s.count;
	memcpy(s.buf.data, &header, sizeof(header));
	*data = buf_take(&s.buf, len);
	return 0;
}

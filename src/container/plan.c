/* SPDX-License-Identifier: GPL-2.0-only */
/* The plan: bundle and facts in, decisions out; nothing is touched. Mounts are in plan_mounts.c. */
#include "container/plan.h"

#include <errno.h>
#include <inttypes.h>
#include <linux/capability.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/str.h"
#include "container/plan_parts.h"

#define MIB (UINT64_C(1) << 20)

/* One for each of a unikernel's disks. */
static const char block_annotations[] = PLAN_ANNOTATION_BLOCK "*";

static const char *const plan_annotations[] = {
	PLAN_ANNOTATION_NET_MODE,
	PLAN_ANNOTATION_NET_MAC,
	PLAN_ANNOTATION_NET_LOOPBACK,
	PLAN_ANNOTATION_NET_SIDECARS,
	PLAN_ANNOTATION_MEMORY,
	PLAN_ANNOTATION_UID,
	PLAN_ANNOTATION_VOLUMES,
	GUEST_ANNOTATION,
	GUEST_ANNOTATION_TYPE,
	block_annotations,
	PLAN_ANNOTATION_SUBSTITUTE,
	PLAN_ANNOTATION_IPV6,
	NULL,
};

const char *plan_annotation_name(size_t index)
{
	return index < sizeof(plan_annotations) / sizeof(plan_annotations[0]) ?
		plan_annotations[index] : NULL;
}

int plan_note(struct plan *p, const char *format, ...)
{
	char **grown = reallocarray(p->notes, p->nr_notes + 1, sizeof(*grown));
	char *text = NULL;
	va_list ap;
	int r;

	if (!grown)
		return -ENOMEM;
	p->notes = grown;
	va_start(ap, format);
	r = vasprintf(&text, format, ap);
	va_end(ap);
	if (r < 0)
		return -ENOMEM;
	p->notes[p->nr_notes++] = text;
	return 0;
}

/* ---- annotations -------------------------------------------------------------------------- */

static bool plan_annotation_matches(const char *known, const char *key)
{
	size_t len = strlen(known);

	return known[len - 1] == '*' ? strncmp(key, known, len - 1) == 0 : strcmp(key, known) == 0;
}

static int plan_check_annotations(const struct bundle *b, struct err *e)
{
	for (size_t i = 0; i < b->annotations.n; i++) {
		const char *key = b->annotations.v[i].key;
		size_t known = 0;

		if (!str_starts(key, PLAN_ANNOTATION))
			continue;
		while (plan_annotations[known] &&
		       !plan_annotation_matches(plan_annotations[known], key))
			known++;
		if (!plan_annotations[known])
			return err_say(e, -EINVAL, "annotation '%s' is unknown", key);
	}
	return 0;
}

static int plan_bad_annotation(struct err *e, const char *key, const char *value, const char *want)
{
	return err_say(e, -EINVAL, "annotation %s: '%s' is not %s", key, value, want);
}

static bool plan_is_mapped(const struct bundle_id_maps *maps, uint32_t id)
{
	for (size_t i = 0; i < maps->n; i++)
		if (id >= maps->v[i].container_id && id - maps->v[i].container_id < maps->v[i].size)
			return true;
	return false;
}

/* In a user namespace with few ids, the last one that means something there. */
static uint32_t plan_default_uid(const struct bundle *b)
{
	const struct bundle_id_map *last;

	if (b->uid_maps.n == 0 || (plan_is_mapped(&b->uid_maps, PLAN_DEFAULT_UID) &&
				   plan_is_mapped(&b->gid_maps, PLAN_DEFAULT_UID)))
		return PLAN_DEFAULT_UID;
	last = &b->uid_maps.v[b->uid_maps.n - 1];
	return last->container_id + (last->size - 1);
}

static int plan_set_identity(const struct bundle *b, struct plan *p, struct err *e)
{
	const char *value = bundle_annotation(b, PLAN_ANNOTATION_UID);
	uint64_t uid = plan_default_uid(b);

	if (value && str_u64(value, UINT32_MAX - 1, &uid) < 0)
		return plan_bad_annotation(e, PLAN_ANNOTATION_UID, value, "a user id");
	p->host_uid = (uint32_t)uid;
	return 0;
}

#define PLAN_TYPE_CRIO "io.kubernetes.cri-o.ContainerType"

/* Does @s begin with the id of one of Podman's containers or pods, and @then behind it? */
static bool plan_is_podman_id(const char *s, const char *then)
{
	const size_t len = 64;

	return strspn(s, "0123456789abcdef") == len && str_starts(s + len, then);
}

/*
 * Podman says of a pod's containers that they are containers, and nothing of the pod's own process,
 * its "infra container": that is the one without a word in the cgroup of a pod, which is
 * PARENT/POD/libpod-ID, or PARENT-libpod_pod_POD.slice:libpod:ID where systemd makes it.
 */
static bool plan_is_podman_infra(const struct bundle *b)
{
	const char *manager = bundle_annotation(b, "io.container.manager");
	const char *path = b->cgroups_path, *pod, *name;

	if (!manager || strcmp(manager, "libpod") != 0 || !path ||
	    bundle_annotation(b, PLAN_TYPE_CRIO))
		return false;
	pod = strstr(path, "libpod_pod_");
	if (pod)
		return plan_is_podman_id(pod + strlen("libpod_pod_"), ".slice:libpod:");
	name = strrchr(path, '/');
	pod = name ? memrchr(path, '/', (size_t)(name - path)) : NULL;
	return pod && plan_is_podman_id(pod + 1, "/libpod-") &&
	       plan_is_podman_id(name + strlen("/libpod-"), "");
}

/*
 * A pod's own process (its "pause" container) shares the namespace with the pod's containers, and
 * needs no network: if it took the interface, they would find none. The words of containerd's CRI
 * plugin and of CRI-O; Podman has none.
 */
static bool plan_is_sandbox(const struct bundle *b)
{
	static const char *const keys[] = {
		"io.kubernetes.cri.container-type", PLAN_TYPE_CRIO,
	};

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		const char *value = bundle_annotation(b, keys[i]);

		if (value && strcmp(value, "sandbox") == 0)
			return true;
	}
	return plan_is_podman_infra(b);
}

#define PLAN_NET_MODES "tc, bridge, macvtap, packet or auto"

/*
 * A plain container with one of these sends what it likes; a guest does so only if the operator
 * says so too. Set-user-ID programs can get what is in the bounding set.
 */
static int plan_set_guard(const struct bundle *b, const struct plan_options *options,
			  struct plan *p)
{
	const struct bundle_caps *c = &b->process.caps;
	const uint64_t raw = UINT64_C(1) << CAP_NET_RAW | UINT64_C(1) << CAP_NET_ADMIN;

	p->net_request.unguarded = options->allow_spoofing && c->present &&
				   ((c->bounding | c->permitted | c->effective) & raw);
	return p->net_request.unguarded && p->network != PLAN_NETWORK_NONE ?
		plan_note(p, "network: the guest may send under any MAC and address, as the bundle "
			  "grants CAP_NET_RAW or CAP_NET_ADMIN and the operator allows it") : 0;
}

/* linux.sysctl has the last word in the guest, also about its part of the ports. */
static int plan_note_ports(const struct bundle *b, struct plan *p)
{
	static const char *const keys[] = {
		"net.ipv4.ip_local_port_range", "net/ipv4/ip_local_port_range",
		"net.ipv4.ip_local_reserved_ports", "net/ipv4/ip_local_reserved_ports",
	};

	for (size_t i = 0; i < b->sysctl.n; i++)
		for (size_t k = 0; k < sizeof(keys) / sizeof(keys[0]); k++)
			if (strcmp(b->sysctl.v[i].key, keys[k]) == 0)
				return plan_note(p, "network: linux.sysctl's %s is the guest's: "
						 "for one peer it and the namespace may choose the "
						 "same local port", b->sysctl.v[i].key);
	return 0;
}

static int plan_share(const struct bundle *b, struct plan *p)
{
	p->net_request.mode = NET_MODE_TC;
	p->net_request.shared = true;
	return plan_note_ports(b, p);
}

/* Who else is in the network namespace keeps the interfaces as well. */
static int plan_set_sidecars(const struct bundle *b, struct plan *p, struct err *e)
{
	const char *sidecars = bundle_annotation(b, PLAN_ANNOTATION_NET_SIDECARS);
	const struct net_request *r = &p->net_request;

	if (!sidecars || strcmp(sidecars, "none") == 0)
		return 0;
	if (strcmp(sidecars, "keep") != 0)
		return plan_bad_annotation(e, PLAN_ANNOTATION_NET_SIDECARS, sidecars,
					   "none or keep");
	if (p->guest.kind == GUEST_SOLO5)
		return err_say(e, -EINVAL, "annotation " PLAN_ANNOTATION_NET_SIDECARS
			       ": keep is not for unikernels");
	if (r->mode != NET_MODE_TC && r->mode != NET_MODE_AUTO)
		return err_say(e, -EINVAL, "annotation " PLAN_ANNOTATION_NET_SIDECARS
			       ": keep is for mode tc, and the mode is %s",
			       net_mode_name(r->mode));
	if (r->mac != NET_MAC_ADOPT)
		return err_say(e, -EINVAL, "annotation " PLAN_ANNOTATION_NET_SIDECARS
			       ": keep is for the interface's own MAC, and "
			       PLAN_ANNOTATION_NET_MAC " is %s", net_mac_name(r->mac));
	return plan_share(b, p);
}

static int plan_set_net_request(const struct bundle *b, const struct plan_options *options,
				struct plan *p, struct err *e)
{
	const char *mode = bundle_annotation(b, PLAN_ANNOTATION_NET_MODE);
	const char *mac = bundle_annotation(b, PLAN_ANNOTATION_NET_MAC);
	const char *loopback = bundle_annotation(b, PLAN_ANNOTATION_NET_LOOPBACK);
	int r;

	p->net_request.mode = NET_MODE_TC;
	p->net_request.mac = NET_MAC_ADOPT;
	p->network = b->ns[BUNDLE_NS_NETWORK].present && !plan_is_sandbox(b) ? PLAN_NETWORK_LATER :
									      PLAN_NETWORK_NONE;

	if (mode && !net_mode_parse(mode, &p->net_request.mode))
		return plan_bad_annotation(e, PLAN_ANNOTATION_NET_MODE, mode, PLAN_NET_MODES);
	if (mac && !net_mac_parse(mac, &p->net_request.mac))
		return plan_bad_annotation(e, PLAN_ANNOTATION_NET_MAC, mac, "adopt or random");
	/* A unikernel has no loopback that the pod's could lead to. */
	p->loopback = p->guest.kind == GUEST_LINUX &&
		      (!loopback || strcmp(loopback, "pod") == 0);
	if (loopback && strcmp(loopback, "pod") != 0 && strcmp(loopback, "none") != 0)
		return plan_bad_annotation(e, PLAN_ANNOTATION_NET_LOOPBACK, loopback,
					   "pod or none");
	if (options->net_mode && !net_mode_parse(options->net_mode, &p->net_request.mode))
		return err_say(e, -EINVAL, "--net-mode: '%s' is not " PLAN_NET_MODES,
			       options->net_mode);
	r = plan_set_sidecars(b, p, e);
	return r < 0 ? r : plan_set_guard(b, options, p);
}

/* ---- memory ------------------------------------------------------------------------------- */

static int plan_parse_size(const char *text, uint64_t *size)
{
	char digits[24];
	size_t len = strlen(text);
	unsigned int shift = 0;

	if (len == 0 || len >= sizeof(digits))
		return -EINVAL;
	memcpy(digits, text, len + 1);
	switch (digits[len - 1]) {
	case 'G': case 'g': shift = 30; break;
	case 'M': case 'm': shift = 20; break;
	case 'K': case 'k': shift = 10; break;
	}
	if (shift)
		digits[len - 1] = '\0';
	if (str_u64(digits, UINT64_MAX >> shift, size) < 0)
		return -EINVAL;
	*size <<= shift;
	return 0;
}

/* The numbers of plan.h for a kind of guest. */
struct plan_memory_rule {
	uint64_t unit, min, preset, overhead, overhead_share;
};

static const struct plan_memory_rule plan_memory_rules[] = {
	[GUEST_LINUX] = { PLAN_MEMORY_UNIT, PLAN_MEMORY_MIN, PLAN_MEMORY_DEFAULT,
			  PLAN_MEMORY_OVERHEAD, PLAN_MEMORY_OVERHEAD_SHARE },
	[GUEST_SOLO5] = { PLAN_SOLO5_MEMORY_UNIT, PLAN_SOLO5_MEMORY_MIN, PLAN_SOLO5_MEMORY_DEFAULT,
			  PLAN_SOLO5_MEMORY_OVERHEAD, PLAN_SOLO5_MEMORY_OVERHEAD_SHARE },
};

static uint64_t plan_round_memory(const struct plan_memory_rule *rule, uint64_t size)
{
	return size - size % rule->unit;
}

static int plan_memory_from_annotation(const struct plan_memory_rule *rule, const char *value,
				       struct plan *p, struct err *e)
{
	uint64_t size;

	if (plan_parse_size(value, &size) < 0)
		return plan_bad_annotation(e, PLAN_ANNOTATION_MEMORY, value,
					   "a number of bytes, or of K, M or G");
	if (size < rule->min || size > PLAN_MEMORY_MAX)
		return err_say(e, -EINVAL,
			       "annotation %s: '%s' is not between %" PRIu64 " and %" PRIu64 " MiB",
			       PLAN_ANNOTATION_MEMORY, value, rule->min / MIB,
			       PLAN_MEMORY_MAX / MIB);
	p->mem_size = plan_round_memory(rule, size);
	if (p->mem_limited && p->mem_size > p->mem_limit)
		return plan_note(p, "memory: the guest may use more than the container's limit of "
				 "%" PRIu64 " MiB, and is killed then", p->mem_limit / MIB);
	return 0;
}

static uint64_t plan_memory_overhead(const struct plan_memory_rule *rule, uint64_t limit)
{
	return rule->overhead + limit / rule->overhead_share;
}

/* What a limit of @limit bytes leaves for the guest. */
static uint64_t plan_memory_within(const struct plan_memory_rule *rule, uint64_t limit)
{
	uint64_t overhead = plan_memory_overhead(rule, limit);

	return limit > overhead ? limit - overhead : 0;
}

static uint64_t plan_min(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* @limit: the smallest one that holds, 0: none. */
static int plan_memory_from_limits(const struct plan_memory_rule *rule, const struct facts *facts,
				   uint64_t limit, struct plan *p, struct err *e)
{
	uint64_t size = p->mem_limited ? plan_min(PLAN_MEMORY_MAX, facts->host_memory) :
					 plan_min(rule->preset, facts->host_memory / 2);

	p->mem_size = plan_round_memory(rule, size);
	if (p->mem_size < rule->min)
		return err_say(e, -EINVAL, "the host's memory of %" PRIu64 " MiB is too small",
			       facts->host_memory / MIB);
	if (limit == 0)
		return 0;

	p->mem_size = plan_round_memory(rule, plan_min(size, plan_memory_within(rule, limit)));
	if (p->mem_size >= rule->min)
		return 0;
	return err_say(e, -EINVAL, "memory limit is too small: the guest needs %" PRIu64
		       " MiB, and its kernel and the runtime %" PRIu64 " MiB beside it",
		       rule->min / MIB, (plan_memory_overhead(rule, limit) + MIB - 1) / MIB);
}

static int plan_set_memory(const struct bundle *b, const struct facts *facts, struct plan *p,
			   struct err *e)
{
	const struct plan_memory_rule *rule = &plan_memory_rules[p->guest.kind];
	const char *value = bundle_annotation(b, PLAN_ANNOTATION_MEMORY);
	uint64_t limit = facts->memory_limit;

	/* 0 is what Go programs write for "not set". */
	if (b->resources.present && b->resources.memory_limit > 0) {
		p->mem_limited = true;
		p->mem_limit = (uint64_t)b->resources.memory_limit;
		limit = limit > 0 ? plan_min(limit, p->mem_limit) : p->mem_limit;
	}
	if (value)
		return plan_memory_from_annotation(rule, value, p, e);
	return plan_memory_from_limits(rule, facts, limit, p, e);
}

/* ---- devices ------------------------------------------------------------------------------ */

/* What every guest has under /dev by itself, as config-linux.md "Default Devices" asks. */
static const struct { const char *path; uint32_t major, minor; } plan_devices[] = {
	{ "/dev/null", 1, 3 },
	{ "/dev/zero", 1, 5 },
	{ "/dev/full", 1, 7 },
	{ "/dev/random", 1, 8 },
	{ "/dev/urandom", 1, 9 },
	{ "/dev/tty", 5, 0 },
	{ "/dev/console", 5, 1 },
	{ "/dev/ptmx", 5, 2 },
};
#define PLAN_NR_DEVICES (sizeof(plan_devices) / sizeof(plan_devices[0]))

/* Returns 1 if the guest has it where the bundle wants it, 0 if it must make a node, or -EINVAL. */
static int plan_look_up_device(const struct bundle_device *d, struct err *e)
{
	char type = S_ISBLK(d->mode) ? 'b' : 'c';

	if (S_ISFIFO(d->mode))
		return 0;
	for (size_t i = 0; S_ISCHR(d->mode) && i < PLAN_NR_DEVICES; i++) {
		if (plan_devices[i].major != d->major || plan_devices[i].minor != d->minor)
			continue;
		return strcmp(plan_devices[i].path, d->path) == 0;
	}
	return err_say(e, -EINVAL,
		       "device '%s' (%c %u:%u): a guest has no access to devices of the host",
		       d->path, type, d->major, d->minor);
}

static int plan_add_device(struct plan *p, const struct bundle_device *d)
{
	const struct bundle_device **grown;

	grown = reallocarray(p->devices, p->nr_devices + 1, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	p->devices = grown;
	p->devices[p->nr_devices++] = d;
	return 0;
}

static int plan_set_devices(const struct bundle *b, struct plan *p, struct err *e)
{
	for (size_t i = 0; i < b->nr_devices; i++) {
		int r = plan_look_up_device(&b->devices[i], e);

		if (r == 0)
			r = plan_add_device(p, &b->devices[i]);
		if (r == -ENOMEM)
			return err_set(e, r, "plan device '%s'", b->devices[i].path);
		if (r < 0)
			return r;
	}
	return 0;
}

/* ---- notes: what is accepted but means something else here ---------------------------------- */

static int plan_note_profiles(const struct bundle *b, struct plan *p)
{
	const char *why = "not applied: what the host confines is the guest's kernel";
	int r = 0;

	if (b->process.apparmor_profile)
		r = plan_note(p, "AppArmor profile '%s' is %s", b->process.apparmor_profile, why);
	if (r == 0 && (b->process.selinux_label || b->mount_label))
		r = plan_note(p, "SELinux labels are %s", why);
	if (r == 0 && b->has_seccomp)
		r = plan_note(p, "linux.seccomp is %s", why);
	return r;
}

static int plan_note_rest(const struct bundle *b, struct plan *p)
{
	int r = 0;

	if (!b->ns[BUNDLE_NS_NETWORK].present)
		r = plan_note(p, "no network namespace of its own: the container runs without a "
				 "network");
	else if (plan_is_sandbox(b))
		r = plan_note(p, "a pod's sandbox: runs without a network, which is for the pod's "
				 "containers");
	if (r == 0 && b->personality != BUNDLE_PERSONALITY_NONE)
		r = plan_note(p, "linux.personality is not applied");
	return r;
}

/*
 * A guest that looks for frames before it sleeps uses CPU time. With a quota below one CPU that is
 * the program's: spent, the whole guest stands still until the period is over. The period's default
 * is the kernel's (Documentation/scheduler/sched-bwc.rst).
 */
static bool plan_has_quota(const struct bundle_resources *res)
{
	uint64_t period = res->cpu_period ? res->cpu_period : 100000;

	return res->present && res->cpu_quota > 0 && (uint64_t)res->cpu_quota < period;
}

static const char *plan_cmdline(const struct bundle *b, bool debug)
{
	static const char *const lines[3][2] = {
		{ PLAN_CMDLINE, PLAN_CMDLINE PLAN_CMDLINE_NO_POLL },
		{ PLAN_CMDLINE_DEBUG, PLAN_CMDLINE_DEBUG PLAN_CMDLINE_NO_POLL },
		{ PLAN_CMDLINE_DEBUG_TTY, PLAN_CMDLINE_DEBUG_TTY PLAN_CMDLINE_NO_POLL },
	};

	return lines[!debug ? 0 : b->process.terminal ? 2 : 1][plan_has_quota(&b->resources)];
}

int plan_make(const struct bundle *b, const struct facts *facts, const struct plan_options *options,
	      struct plan *p, struct err *e)
{
	int r;

	memset(p, 0, sizeof(*p));
	p->bundle = b;
	p->nr_layers = 1;
	p->cmdline = plan_cmdline(b, options->debug);
	snprintf(p->hostname, sizeof(p->hostname), "%s",
		 b->hostname ? b->hostname : facts->hostname);

	if (!b->has_process)
		return err_say(e, -EINVAL,
			       "config.json: process: missing: there is nothing to run");
	r = plan_check_annotations(b, e);
	if (r < 0)
		return r;
	r = guest_decide(b, &facts->guest, &p->guest, e);
	if (r < 0)
		return r;
	r = plan_set_identity(b, p, e);
	if (r < 0)
		return r;
	r = plan_set_net_request(b, options, p, e);
	if (r < 0)
		return r;
	r = plan_set_memory(b, facts, p, e);
	if (r < 0)
		return r;
	r = p->guest.kind == GUEST_SOLO5 ? plan_set_solo5(b, facts, p, e) :
					   plan_set_mounts(b, facts, p, e);
	if (r < 0)
		return r;
	r = plan_set_devices(b, p, e);
	if (r < 0)
		return r;

	r = plan_note_profiles(b, p);
	if (r == 0)
		r = plan_note_rest(b, p);
	return r < 0 ? err_set(e, r, "plan") : 0;
}

bool plan_wants_trees(const struct bundle *b)
{
	const char *value = bundle_annotation(b, PLAN_ANNOTATION_VOLUMES);

	return value && strcmp(value, "copy") == 0;
}

/*
 * Unless somebody has said what is to be, the interfaces are kept for whoever else is in the
 * namespace, or comes later: other containers, of this runtime or not, the engine's own sockets
 * (Docker's resolver asks others from there), who looks for a fault. Where it cannot be, they are
 * the guest's, as they always are in the other modes.
 */
static int plan_keep(struct plan *p, const struct net_survey *survey)
{
	const struct net_request *r = &p->net_request;
	bool possible = r->mode == NET_MODE_TC ||
			(r->mode == NET_MODE_AUTO && r->host.tun && r->host.clsact);

	if (!survey->loopback.known || survey->loopback.unsupported || r->shared || !possible ||
	    bundle_annotation(p->bundle, PLAN_ANNOTATION_NET_SIDECARS) ||
	    r->mac != NET_MAC_ADOPT || p->guest.kind != GUEST_LINUX)
		return 0;
	return plan_share(p->bundle, p);
}

int plan_set_network(struct plan *p, const struct net_survey *survey, struct err *e)
{
	int r;

	if (plan_keep(p, survey) < 0)
		return err_set(e, -ENOMEM, "plan the network");
	net_plan_free(&p->net);
	memset(&p->net, 0, sizeof(p->net));
	r = net_plan(survey, &p->net_request, &p->net, e);
	if (r < 0)
		return r;
	p->network = PLAN_NETWORK_SURVEYED;
	return p->guest.kind == GUEST_SOLO5 ? plan_check_solo5_network(p, e) : 0;
}

void plan_free(struct plan *p)
{
	for (size_t i = 0; i < p->nr_mounts; i++)
		free(p->mounts[i].data);
	for (size_t i = 0; i < p->nr_files; i++) {
		free(p->files[i].destination);
		free(p->files[i].source);
	}
	for (size_t i = 0; i < p->nr_notes; i++)
		free(p->notes[i]);
	free(p->mounts);
	free(p->files);
	free(p->notes);
	free(p->devices);
	free(p->masked);
	if (p->network == PLAN_NETWORK_SURVEYED)
		net_plan_free(&p->net);
	plan_free_solo5(&p->solo5);
	guest_choice_free(&p->guest);
	memset(p, 0, sizeof(*p));
}

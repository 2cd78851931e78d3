/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A unikernel in the plan: which disk and which interface each device of its manifest is, and what
 * of the bundle has no meaning for it. It has no file system but its disks, no users and no
 * processes, so all that says something about those is noted and left out.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"
#include "base/str.h"
#include "container/plan_parts.h"
#include "container/solo5_args.h"

/* ---- flags -------------------------------------------------------------------------------- */

static int solo5_flag(const struct bundle *b, const char *key, bool *flag, struct err *e)
{
	const char *value = bundle_annotation(b, key);

	*flag = value && strcmp(value, "true") == 0;
	if (value && !*flag && strcmp(value, "false") != 0)
		return err_say(e, -EINVAL, "annotation %s: '%s' is not true or false", key, value);
	return 0;
}

/* ---- disks -------------------------------------------------------------------------------- */

static const char *const disk_roots[] = {
	[PLAN_DISK_EROFS] = "root:erofs",
	[PLAN_DISK_ISO9660] = "root:iso9660",
};

static int disk_set_source(struct plan_disk *d, const char *source, size_t len)
{
	for (size_t i = PLAN_DISK_EROFS; i <= PLAN_DISK_ISO9660; i++)
		if (strlen(disk_roots[i]) == len && strncmp(source, disk_roots[i], len) == 0) {
			d->kind = (enum plan_disk_kind)i;
			return 0;
		}
	if (len == 0 || (len > 5 && strncmp(source, "root:", 5) == 0))
		return -EINVAL;
	d->kind = PLAN_DISK_FILE;
	free(d->path);
	d->path = strndup(source, len);
	return d->path ? 0 : -ENOMEM;
}

static int disk_set_sector(struct plan_disk *d, const char *text, size_t len)
{
	char digits[8] = "";
	uint64_t sector;

	if (len == 0 || len >= sizeof(digits))
		return -EINVAL;
	memcpy(digits, text, len);
	if (str_u64(digits, PLAN_DISK_SECTOR_MAX, &sector) < 0 || sector < PLAN_DISK_SECTOR ||
	    (sector & (sector - 1)) != 0)
		return -EINVAL;
	d->sector = (uint32_t)sector;
	return 0;
}

static int disk_set_mount(struct plan_disk *d, const char *text, size_t len)
{
	if (len == 0 || text[0] != '/')
		return -EINVAL;
	free(d->mount);
	d->mount = strndup(text, len);
	return d->mount ? 0 : -ENOMEM;
}

static int disk_set_option(struct plan_disk *d, const char *option, size_t len)
{
	static const char sector[] = "sector=", mount[] = "mount=";

	if (len == 2 && strncmp(option, "ro", 2) == 0) {
		d->readonly = true;
		return 0;
	}
	if (len > strlen(sector) && str_starts(option, sector))
		return disk_set_sector(d, option + strlen(sector), len - strlen(sector));
	if (len > strlen(mount) && str_starts(option, mount))
		return disk_set_mount(d, option + strlen(mount), len - strlen(mount));
	return -EINVAL;
}

/* @value as PLAN_ANNOTATION_BLOCK says. */
static int disk_parse(struct plan_disk *d, const char *value, struct err *e)
{
	size_t len = strcspn(value, ",");
	int r = disk_set_source(d, value, len);

	for (const char *at = value + len; r == 0 && *at; at += len) {
		at++;
		len = strcspn(at, ",");
		r = disk_set_option(d, at, len);
	}
	if (r == -EINVAL)
		return err_say(
			e, r,
			"annotation " PLAN_ANNOTATION_BLOCK "%s: '%s' is not PATH, "
			"root:erofs or root:iso9660 with [,ro][,sector=N][,mount=/DIR] (N: a "
			"power of two, 512 to 32768)",
			d->name, value);
	return r;
}

/* Which disk urunc means: the one it names, or the only one, or the names that it presumes. */
static bool disk_is_urunc(const struct guest_facts *f, enum guest_type type,
			  const struct solo5_manifest_entry *entry, size_t nr_disks)
{
	const char *named = f->urunc.value[URUNC_BLOCK_DEVICE];

	if (named)
		return strcmp(named, entry->name) == 0;
	return nr_disks == 1 ||
	       strcmp(entry->name, type == GUEST_RUMPRUN ? "rootfs" : "storage") == 0;
}

static int disk_from_urunc(const struct guest_facts *f, enum guest_type type, struct plan_disk *d)
{
	const char *mount = f->urunc.value[URUNC_BLOCK_MOUNT];

	if (f->urunc.value[URUNC_BLOCK]) {
		d->kind = PLAN_DISK_FILE;
		d->path = strdup(f->urunc.value[URUNC_BLOCK]);
		if (!d->path)
			return -ENOMEM;
	} else {
		d->kind = type == GUEST_RUMPRUN ? PLAN_DISK_ISO9660 : PLAN_DISK_EROFS;
		mount = mount ? mount : "/";
	}
	return mount ? disk_set_mount(d, mount, strlen(mount)) : 0;
}

static int solo5_set_disk(const struct bundle *b, const struct guest_facts *f, struct plan *p,
			  const struct solo5_manifest_entry *entry, size_t nr_disks, struct err *e)
{
	struct plan_disk *d = &p->solo5.disks[p->solo5.nr_disks];
	char key[sizeof(PLAN_ANNOTATION_BLOCK) + SOLO5_NAME_MAX + 1] = PLAN_ANNOTATION_BLOCK;
	bool urunc = f->urunc.value[URUNC_BLOCK] || urunc_is_true(&f->urunc, URUNC_MOUNT_ROOTFS) ||
		     urunc_is_true(&f->urunc, URUNC_DM_BLOCK);
	const char *value;
	int r;

	*d = (struct plan_disk){ .name = entry->name, .sector = PLAN_DISK_SECTOR };
	p->solo5.nr_disks++;
	strcat(key, entry->name);
	value = bundle_annotation(b, key);
	if (value)
		r = disk_parse(d, value, e);
	else if (urunc && disk_is_urunc(f, p->guest.type, entry, nr_disks))
		r = disk_from_urunc(f, p->guest.type, d);
	else
		return err_say(e, -EINVAL,
			       "the unikernel has a disk '%s': say what it is by annotation "
			       "%s=PATH (or root:erofs, root:iso9660)",
			       entry->name, key);
	if (r == -EINVAL && !value)
		return err_say(e, r, URUNC_PREFIX "blkMntPoint: '%s' is not absolute",
			       f->urunc.value[URUNC_BLOCK_MOUNT]);
	if (r == -ENOMEM)
		return err_set(e, r, "plan disk '%s'", entry->name);
	d->readonly = d->readonly || d->kind != PLAN_DISK_FILE || b->root_readonly;
	return r;
}

static size_t solo5_count(const struct solo5_manifest *m, enum solo5_device type)
{
	size_t n = 0;

	for (uint32_t i = 0; i < m->entries; i++)
		n += m->entry[i].type == (uint32_t)type;
	return n;
}

/* A word for a disk that there is not is a mistake. */
static int solo5_check_names(const struct bundle *b, const struct plan_solo5 *s, struct err *e)
{
	for (size_t i = 0; i < b->annotations.n; i++) {
		const char *key = b->annotations.v[i].key;
		size_t j = 0;

		if (!str_starts(key, PLAN_ANNOTATION_BLOCK))
			continue;
		while (j < s->nr_disks &&
		       strcmp(s->disks[j].name, key + strlen(PLAN_ANNOTATION_BLOCK)) != 0)
			j++;
		if (j == s->nr_disks)
			return err_say(e, -EINVAL, "annotation %s: the unikernel has no such disk",
				       key);
	}
	return 0;
}

static int solo5_set_disks(const struct bundle *b, const struct guest_facts *f, struct plan *p,
			   struct err *e)
{
	const struct solo5_manifest *m = f->manifest;
	size_t n = solo5_count(m, SOLO5_BLOCK);

	p->solo5.disks = calloc(n + 1, sizeof(p->solo5.disks[0]));
	if (!p->solo5.disks)
		return err_set(e, -ENOMEM, "plan the disks");
	for (uint32_t i = 0; i < m->entries; i++) {
		int r;

		if (m->entry[i].type != SOLO5_BLOCK)
			continue;
		r = solo5_set_disk(b, f, p, &m->entry[i], n, e);
		if (r < 0)
			return r;
	}
	return solo5_check_names(b, &p->solo5, e);
}

/* ---- network ------------------------------------------------------------------------------ */

static int solo5_set_nets(const struct guest_facts *f, struct plan *p, struct err *e)
{
	const struct solo5_manifest *m = f->manifest;
	struct plan_solo5 *s = &p->solo5;

	if (solo5_count(m, SOLO5_NET) > NABLA_LAUNCH_NETS)
		return err_say(e, -EINVAL, "the unikernel has more than %d network devices",
			       NABLA_LAUNCH_NETS);
	for (uint32_t i = 0; i < m->entries; i++)
		if (m->entry[i].type == SOLO5_NET)
			s->nets[s->nr_nets++] = m->entry[i].name;
	p->net_request.bare_frames = true;
	p->net_request.max_ports = (uint32_t)s->nr_nets;
	if (s->nr_nets > 0 && p->network == PLAN_NETWORK_NONE)
		return err_say(e, -EINVAL,
			       "the unikernel has a network device '%s', and the container "
			       "no network namespace of its own: add one to linux.namespaces",
			       s->nets[0]);
	if (s->nr_nets > 0 || p->network == PLAN_NETWORK_NONE)
		return 0;
	p->network = PLAN_NETWORK_NONE;
	return plan_note(p, "the unikernel has no network device: the namespace stays as it is");
}

/* An address of a device that the unikernel is not told. */
static bool solo5_is_left_out(const struct plan *p, size_t index)
{
	const struct gcfg_addr *a = &p->net.addrs[index];

	if (p->guest.type == GUEST_RAW)
		return false;
	if (a->family == AF_INET6 && !p->solo5.ipv6)
		return a->scope == RT_SCOPE_UNIVERSE;
	for (size_t i = 0; i < index; i++)
		if (p->net.addrs[i].link == a->link && p->net.addrs[i].family == a->family &&
		    p->net.addrs[i].scope == a->scope)
			return true;
	return false;
}

static int solo5_note_addresses(struct plan *p)
{
	char text[INET6_ADDRSTRLEN];
	int r = 0;

	for (size_t i = 0; r == 0 && i < p->net.nr_addrs; i++) {
		const struct gcfg_addr *a = &p->net.addrs[i];

		if (!solo5_is_left_out(p, i) ||
		    !inet_ntop(a->family, a->local, text, sizeof(text)))
			continue;
		if (a->family == AF_INET6 && !p->solo5.ipv6)
			r = plan_note(p, "address %s: not told to the unikernel, which may have no "
				      "IPv6: annotation %s=true tells it", text,
				      PLAN_ANNOTATION_IPV6);
		else
			r = plan_note(p,
				      "address %s: a %s unikernel takes one of a kind and device; "
				      "left out",
				      text, guest_type_name(p->guest.type));
	}
	return r;
}

/* NetBSD has no on-link routes: such a gateway is refused by its routing table. */
static int solo5_note_gateway(struct plan *p, size_t link)
{
	const struct gcfg_addr *a = solo5_address(p, link, AF_INET);
	const uint8_t *gateway = solo5_gateway(p, link, AF_INET);
	char text[INET6_ADDRSTRLEN];
	uint32_t one, other, mask;

	if (p->guest.type != GUEST_RUMPRUN || !a || !gateway)
		return 0;
	memcpy(&one, a->local, sizeof(one));
	memcpy(&other, gateway, sizeof(other));
	mask = a->prefix == 0 ? 0 : htonl(UINT32_MAX << (32 - a->prefix));
	if (((one ^ other) & mask) == 0 || !inet_ntop(AF_INET, gateway, text, sizeof(text)))
		return 0;
	return plan_note(p,
			 "gateway %s is outside of the subnet of '%s': rumprun cannot use it, and "
			 "reaches its neighbours only",
			 text, p->solo5.nets[link]);
}

int plan_check_solo5_network(struct plan *p, struct err *e)
{
	size_t have = p->network == PLAN_NETWORK_SURVEYED ? p->net.nr_ports : 0;
	int r;

	if (have < p->solo5.nr_nets)
		return err_say(
			e, -EINVAL,
			"the unikernel has %zu network devices, and its network "
			"namespace %zu interfaces for them: '%s' needs one with carrier and an "
			"address",
			p->solo5.nr_nets, have, p->solo5.nets[have]);
	r = solo5_note_addresses(p);
	for (size_t i = 0; r == 0 && i < p->solo5.nr_nets; i++)
		r = solo5_note_gateway(p, i);
	return r < 0 ? err_set(e, r, "plan the network") : 0;
}

/* ---- what is left out --------------------------------------------------------------------- */

static int solo5_note_rest(const struct bundle *b, struct plan *p)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < b->nr_mounts; i++)
		if (strcmp(b->mounts[i].type, "bind") == 0)
			r = plan_note(
				p, "mount '%s': a unikernel has no files but its disks; left out",
				b->mounts[i].destination);
	if (r == 0 && p->guest.type != GUEST_RUMPRUN && b->process.env.n > 0)
		r = plan_note(p, "process.env: a %s unikernel has no environment; left out",
			      guest_type_name(p->guest.type));
	if (r == 0 && b->sysctl.n > 0)
		r = plan_note(p, "linux.sysctl: not applied to a unikernel");
	return r;
}

int plan_set_solo5(const struct bundle *b, const struct facts *facts, struct plan *p,
		   struct err *e)
{
	const struct guest_facts *f = &facts->guest;
	struct plan_solo5 *s = &p->solo5;
	int r = solo5_flag(b, PLAN_ANNOTATION_SUBSTITUTE, &s->substitute, e);

	if (r == 0)
		r = solo5_flag(b, PLAN_ANNOTATION_IPV6, &s->ipv6, e);
	if (r < 0)
		return r;
	s->binary = f->binary;
	s->entry_point = !f->urunc.value[URUNC_BINARY] ||
			 strcmp(b->process.args.v[0], f->binary) == 0;
	s->urunc_cmdline = f->urunc.value[URUNC_CMDLINE];
	s->dns = f->dns;
	r = solo5_set_nets(f, p, e);
	if (r == 0)
		r = solo5_set_disks(b, f, p, e);
	if (r < 0)
		return r;
	r = solo5_note_rest(b, p);
	return r < 0 ? err_set(e, r, "plan the unikernel") : 0;
}

void plan_free_solo5(struct plan_solo5 *s)
{
	for (size_t i = 0; i < s->nr_disks; i++) {
		free(s->disks[i].path);
		free(s->disks[i].mount);
	}
	free(s->disks);
	memset(s, 0, sizeof(*s));
}

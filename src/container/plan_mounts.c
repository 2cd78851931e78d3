/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Mounts in the plan. A guest never sees a file system of the host, so each of the bundle's mounts
 * becomes one of: a mount that the guest's own kernel makes (proc, tmpfs, ...), copies of files, or
 * an error that names it.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>

#include "base/path.h"
#include "base/str.h"
#include "container/plan_parts.h"

#define SHM_OPTIONS "mode=1777,size=65536k"

/* File system types that the guest's kernel has and that need nothing from the host. */
static const char *const plan_guest_types[] = {
	"proc", "sysfs", "tmpfs", "devpts", "mqueue", "devtmpfs", "ramfs",
};

/*
 * Directories of the host that engines bind for "use the host's": the guest mounts its own. An
 * empty source stands for any: /dev/shm is shared in a pod or kept by the engine, here each has its
 * own.
 */
static const struct { const char *destination, *source, *type, *data; } plan_own_mounts[] = {
	{ "/dev/shm", "", "tmpfs", SHM_OPTIONS },
	{ "/dev/mqueue", "", "mqueue", "" },
	{ "/dev/pts", "/dev/pts", "devpts", "newinstance,ptmxmode=0666,mode=0620" },
	{ "/proc", "/proc", "proc", "" },
	{ "/sys", "/sys", "sysfs", "" },
};

/* Takes @data, also on failure. */
static int plan_add_mount(struct plan *p, const struct bundle_mount *m, const char *type,
			  const char *source, char *data)
{
	struct plan_mount *grown;

	grown = data ? reallocarray(p->mounts, p->nr_mounts + 1, sizeof(*grown)) : NULL;
	if (!grown) {
		free(data);
		return -ENOMEM;
	}
	p->mounts = grown;
	p->mounts[p->nr_mounts++] = (struct plan_mount){
		.destination = m->destination,
		.type = type,
		.source = source,
		.data = data,
		.flags = m->flags & ~(unsigned long)(MS_BIND | MS_REC),
		.propagation = m->propagation,
	};
	return 0;
}

/* Takes @destination and @source, also on failure. */
static int plan_add_file(struct plan *p, const struct bundle_mount *m, char *destination,
			 char *source, const struct facts_file *file)
{
	struct plan_file *grown = NULL;

	if (destination && source)
		grown = reallocarray(p->files, p->nr_files + 1, sizeof(*grown));
	if (!grown) {
		free(destination);
		free(source);
		return -ENOMEM;
	}
	p->files = grown;
	p->files[p->nr_files++] = (struct plan_file) {
		.destination = destination, .source = source,
		.mode = file->mode, .uid = file->uid, .gid = file->gid, .size = file->size,
		.readonly = (m->flags & MS_RDONLY) != 0,
	};
	return 0;
}

static int plan_add_masked(struct plan *p, const char *path)
{
	const char **grown = reallocarray(p->masked, p->nr_masked + 1, sizeof(*grown));

	if (!grown)
		return -ENOMEM;
	p->masked = grown;
	p->masked[p->nr_masked++] = path;
	return 0;
}

/* @data without SELinux contexts, which a kernel without SELinux refuses. NULL: no memory. */
static char *plan_mount_data(const char *data)
{
	char *out = strdup(data);
	char *to = out;

	if (!out)
		return NULL;
	*to = '\0';
	while (*data) {
		size_t len = strcspn(data, ",");

		if (!str_starts(data, "context=")) {
			if (to != out)
				*to++ = ',';
			memcpy(to, data, len);
			to += len;
			*to = '\0';
		}
		data += len;
		data += *data == ',';
	}
	return out;
}

static int plan_guest_mount(const struct bundle_mount *m, struct plan *p, struct err *e)
{
	int r = 0;

	if (strcmp(m->type, "cgroup") == 0 || strcmp(m->type, "cgroup2") == 0)
		return plan_note(p, "mount '%s': the guest has no cgroups; left out",
				 m->destination);

	for (size_t i = 0; i < sizeof(plan_guest_types) / sizeof(plan_guest_types[0]); i++) {
		if (strcmp(m->type, plan_guest_types[i]) != 0)
			continue;
		r = plan_add_mount(p, m, plan_guest_types[i], m->source, plan_mount_data(m->data));
		if (r == 0 && m->tmpcopyup)
			r = plan_note(p, "mount '%s': starts empty: tmpcopyup is not supported",
				      m->destination);
		return r;
	}
	return err_say(e, -EINVAL, "mount '%s': file systems of type '%s' are not supported",
		       m->destination, m->type);
}

/* Returns 1 if it is one of plan_own_mounts, and is done. */
static int plan_own_mount(const struct bundle_mount *m, struct plan *p)
{
	for (size_t i = 0; i < sizeof(plan_own_mounts) / sizeof(plan_own_mounts[0]); i++) {
		const char *source = plan_own_mounts[i].source;
		int r;

		if (strcmp(m->destination, plan_own_mounts[i].destination) != 0 ||
		    (source[0] != '\0' && strcmp(m->source, source) != 0))
			continue;
		r = plan_add_mount(p, m, plan_own_mounts[i].type, plan_own_mounts[i].type,
				   strdup(plan_own_mounts[i].data));
		if (r == 0)
			r = plan_note(p, "mount '%s': a %s of the guest's own, not the host's '%s'",
				      m->destination, plan_own_mounts[i].type, m->source);
		return r < 0 ? r : 1;
	}
	if (path_is_below(m->destination, "/sys/fs/cgroup")) {
		int r = plan_note(p, "mount '%s': the guest has no cgroups; left out",
				  m->destination);

		return r < 0 ? r : 1;
	}
	return 0;
}

static int plan_bind_file(const struct bundle_mount *m, const struct facts_mount *f, struct plan *p,
			  struct err *e)
{
	const struct facts_file file = {
		.mode = f->mode, .uid = f->uid, .gid = f->gid, .size = f->size
	};

	if (f->size > PLAN_FILE_MAX)
		return err_say(e, -EINVAL,
			       "mount '%s': file '%s' is larger than %u KiB; bind-mounted files "
			       "are copied into the guest, volumes are not supported yet",
			       m->destination, m->source, PLAN_FILE_MAX >> 10);
	return plan_add_file(p, m, strdup(m->destination), strdup(m->source), &file);
}

static int plan_copy_volume(const struct bundle_mount *m, const struct facts_mount *f,
			    struct plan *p, struct err *e)
{
	uint64_t total = 0;
	int r;

	for (size_t i = 0; i < f->nr_files; i++)
		if (__builtin_add_overflow(total, f->files[i].size, &total))
			total = UINT64_MAX;
	if (!f->listed || total > PLAN_VOLUME_MAX)
		return err_say(e, -EINVAL,
			       "mount '%s': directory '%s' cannot be copied into the guest: %s",
			       m->destination, m->source,
			       f->listed ? "it holds more than 8 MiB"
					 : "it holds too many files, or something that is no file");
	for (size_t i = 0; i < f->nr_files; i++) {
		r = plan_add_file(p, m, path_join(m->destination, f->files[i].path),
				  path_join(m->source, f->files[i].path), &f->files[i]);
		if (r < 0)
			return r;
	}
	return plan_note(p, "mount '%s': %zu files of '%s' are copied; changes do not come back",
			 m->destination, f->nr_files, m->source);
}

static int plan_bind_dir(const struct bundle_mount *m, const struct facts_mount *f, bool copy,
			 struct plan *p, struct err *e)
{
	int r = plan_own_mount(m, p);

	if (r != 0)
		return r < 0 ? r : 0;
	if (f->empty) {
		r = plan_add_mount(p, m, "tmpfs", "tmpfs",
				   str_printf("mode=%o,uid=%u,gid=%u", f->mode, f->uid, f->gid));
		if (r == 0)
			r = plan_note(p,
				      "mount '%s': '%s' is empty; the guest gets a tmpfs of its "
				      "own",
				      m->destination, m->source);
		return r;
	}
	if (copy)
		return plan_copy_volume(m, f, p, e);
	return err_say(e, -EINVAL,
		       "mount '%s': directory '%s': volumes are not supported yet (small ones can "
		       "be copied: annotation %s=copy)",
		       m->destination, m->source, PLAN_ANNOTATION_VOLUMES);
}

static int plan_bind_mount(const struct bundle_mount *m, const struct facts_mount *f, bool copy,
			   struct plan *p, struct err *e)
{
	switch (f->kind) {
	case FACTS_FILE:
		return plan_bind_file(m, f, p, e);
	case FACTS_DIR:
		return plan_bind_dir(m, f, copy, p, e);
	case FACTS_NULL:
		return plan_add_masked(p, m->destination);
	case FACTS_MISSING:
		return err_say(e, -EINVAL, "mount '%s': source '%s' does not exist", m->destination,
			       m->source);
	case FACTS_NOT_BIND:
	case FACTS_OTHER:
		break;
	}
	return err_say(e, -EINVAL, "mount '%s': source '%s' is neither a file nor a directory",
		       m->destination, m->source);
}

static int plan_set_mount(const struct bundle_mount *m, const struct facts_mount *f, bool copy,
			  struct plan *p, struct err *e)
{
	if (m->has_id_mappings)
		return err_say(e, -EINVAL, "mount '%s': id-mapped mounts are not supported",
			       m->destination);
	if (m->flags & MS_BIND)
		return plan_bind_mount(m, f, copy, p, e);
	return plan_guest_mount(m, p, e);
}

int plan_set_mounts(const struct bundle *b, const struct facts *facts, struct plan *p,
		    struct err *e)
{
	const char *volumes = bundle_annotation(b, PLAN_ANNOTATION_VOLUMES);

	if (volumes && strcmp(volumes, "copy") != 0)
		return err_say(e, -EINVAL, "annotation %s: '%s' is not copy",
			       PLAN_ANNOTATION_VOLUMES, volumes);
	for (size_t i = 0; i < b->nr_mounts; i++) {
		int r = plan_set_mount(&b->mounts[i], &facts->mounts[i], volumes != NULL, p, e);

		if (r == -ENOMEM)
			return err_set(e, r, "plan mount '%s'", b->mounts[i].destination);
		if (r < 0)
			return r;
	}
	return 0;
}

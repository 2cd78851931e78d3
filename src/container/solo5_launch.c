/* SPDX-License-Identifier: GPL-2.0-only */
/* The descriptors and arguments of a unikernel's process: solo5_launch.h. */
#include "container/solo5_launch.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/io.h"
#include "base/str.h"
#include "container/child.h"
#include "container/solo5_args.h"
#include "image/disk.h"
#include "image/image.h"
#include "image/iso.h"

/* ---- descriptors --------------------------------------------------------------------------- */

static int files_open_root(const struct plan *p, int *root, struct err *e)
{
	*root = open(p->bundle->root_path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return *root < 0 ? err_set(e, -errno, "open root directory '%s'", p->bundle->root_path) : 0;
}

/* A file of the root, its size checked: what the unikernel reads is whole sectors. */
static int files_open_disk(int root, const struct plan_disk *d, const char *cachedir, int *fd,
			   struct err *e)
{
	_autoclose_ int file = -1;
	struct stat st;
	int r = guest_open(root, d->path, &file);

	if (r == -EINVAL)
		return err_say(e, r, "'%s' of the image is not a regular file", d->path);
	if (r < 0)
		return err_set(e, r, "open '%s' of the image", d->path);
	if (fstat(file, &st) < 0)
		return err_set(e, -errno, "stat '%s' of the image", d->path);
	if (st.st_size == 0)
		return err_say(e, -EINVAL, "'%s' of the image is empty", d->path);
	if (!d->readonly)
		return image_disk_copy(file, d->sector, cachedir, fd, e);
	if (st.st_size % d->sector != 0)
		return err_say(e, -EINVAL,
			       "'%s' of the image: its size is no multiple of the sector "
			       "size, %u",
			       d->path, d->sector);
	*fd = take_fd(&file);
	return 0;
}

static int files_open_erofs(const struct plan *p, const char *cachedir, struct solo5_files *f,
			    int *fd, struct err *e)
{
	char digest[IMAGE_DIGEST_SIZE];
	uint64_t size;
	int r = image_get(p->bundle->root_path, cachedir, NULL, fd, &size, digest, e);

	if (r < 0 || f->digest)
		return r;
	f->digest = strdup(digest);
	return f->digest ? 0 : err_set(e, -ENOMEM, "note the image");
}

static int files_add_disk(const struct plan *p, int root, const char *cachedir,
			  struct solo5_files *f, struct err *e)
{
	const struct plan_disk *d = &p->solo5.disks[f->nr_disks];
	int *fd = &f->disks[f->nr_disks];
	int r = 0;

	*fd = -1;
	switch (d->kind) {
	case PLAN_DISK_FILE:
		r = files_open_disk(root, d, cachedir, fd, e);
		break;
	case PLAN_DISK_EROFS:
		r = files_open_erofs(p, cachedir, f, fd, e);
		break;
	case PLAN_DISK_ISO9660:
		r = image_iso_make(root, cachedir, fd, e);
		break;
	}
	if (r < 0)
		return err_wrap(e, r, "disk '%s'", d->name);
	f->nr_disks++;
	return 0;
}

int solo5_files_open(const struct plan *p, const char *cachedir, struct solo5_files *f,
		     struct err *e)
{
	_autoclose_ int root = -1;
	int r = files_open_root(p, &root, e);

	if (r < 0)
		return r;
	r = guest_open(root, p->solo5.binary, &f->kernel);
	if (r < 0)
		return err_set(e, r, "open unikernel '%s' of the image", p->solo5.binary);
	while (f->nr_disks < p->solo5.nr_disks) {
		r = files_add_disk(p, root, cachedir, f, e);
		if (r < 0)
			return r;
	}
	return 0;
}

void solo5_files_close(struct solo5_files *f)
{
	fd_close(&f->kernel);
	for (unsigned int i = 0; i < f->nr_disks; i++)
		fd_close(&f->disks[i]);
	free(f->digest);
	f->digest = NULL;
	f->nr_disks = 0;
}

/* ---- arguments ----------------------------------------------------------------------------- */

#define LAUNCH_SEALS	(F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL)
#define LAUNCH_ARGS	512u			/* at most */
#define LAUNCH_MAX	(64u << 10)		/* bytes of them */

struct solo5_record {
	uint32_t nr_nets;
	uint32_t nr_args;		/* strings that follow, each with its NUL */
};

static int launch_write_strings(int fd, char **argv, uint32_t nr_nets, struct err *e)
{
	struct solo5_record record = { .nr_nets = nr_nets };
	int r;

	while (argv[record.nr_args])
		record.nr_args++;
	r = io_write_fd(fd, "launch record", &record, sizeof(record), e);
	for (uint32_t i = 0; r == 0 && i < record.nr_args; i++)
		r = io_write_fd(fd, "launch record", argv[i], strlen(argv[i]) + 1, e);
	return r;
}

int solo5_launch_write(const struct plan *p, int *fd, struct err *e)
{
	int nets[NABLA_LAUNCH_NETS], disks[SOLO5_DISKS];
	_autoclose_ int memory = -1;
	char **argv = NULL;
	int r;

	for (unsigned int i = 0; i < NABLA_LAUNCH_NETS; i++)
		nets[i] = CHILD_FD_NET(i);
	for (unsigned int i = 0; i < SOLO5_DISKS; i++)
		disks[i] = CHILD_FD_IMAGE(i);
	r = solo5_argv(p, NABLA_LAUNCH_FD, nets, disks, &argv, e);
	if (r < 0)
		return r;
	memory = memfd_create("solo5-launch", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	r = memory < 0 ? err_set(e, -errno, "create launch record") :
			 launch_write_strings(memory, argv, (uint32_t)p->solo5.nr_nets, e);
	str_vector_free(argv);
	if (r < 0)
		return r;
	if (fcntl(memory, F_ADD_SEALS, LAUNCH_SEALS) < 0)
		return err_set(e, -errno, "seal launch record");
	*fd = take_fd(&memory);
	return 0;
}

/* @record->nr_args strings in [@at, @end). NULL: not that many, or no memory. */
static char **launch_split(const struct solo5_record *record, const char *at, const char *end)
{
	char **argv = calloc(record->nr_args + 1, sizeof(*argv));

	for (uint32_t i = 0; argv && i < record->nr_args; i++) {
		argv[i] = memchr(at, '\0', (size_t)(end - at)) ? strdup(at) : NULL;
		if (!argv[i]) {
			str_vector_free(argv);
			return NULL;
		}
		at += strlen(at) + 1;
	}
	return argv;
}

int solo5_launch_read(int fd, char ***argv, unsigned int *nr_nets, struct err *e)
{
	_autofree_ char *data = NULL;
	struct solo5_record record;
	size_t len;
	int r;

	if (lseek(fd, 0, SEEK_SET) < 0)
		return err_set(e, -errno, "read launch record");
	r = io_read_fd(fd, "launch record", LAUNCH_MAX, &data, &len, e);
	if (r < 0)
		return r;
	if (len >= sizeof(record)) {
		memcpy(&record, data, sizeof(record));
		if (record.nr_nets <= NABLA_LAUNCH_NETS && record.nr_args > 0 &&
		    record.nr_args <= LAUNCH_ARGS) {
			*nr_nets = record.nr_nets;
			*argv = launch_split(&record, data + sizeof(record), data + len);
			if (*argv)
				return 0;
		}
	}
	return err_say(e, -EPROTO, "launch record is damaged");
}

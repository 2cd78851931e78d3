/* SPDX-License-Identifier: GPL-2.0-only */
/* The launch record: one sealed memory file in the layout of abi/launch.h. */
#include "container/launch.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "abi/guest_config.h"
#include "base/fd.h"
#include "base/io.h"
#include "base/path.h"
#include "base/str.h"
#include "container/cpio.h"

#define LAUNCH_SEALS	(F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL)
#define LAUNCH_PAGE	4096u
#define LAUNCH_MEM_UNIT	(2u << 20)

#define LAUNCH_IN_BUILD	"/src/cli/runnc"

/* The folder of the guest's programs, the caller's to free; NULL: no memory. */
static char *launch_dir(void)
{
	const char *dir = getenv("RUNNC_LIBEXEC");
	char self[PATH_MAX];
	ssize_t len;

	if (dir && dir[0] != '\0')
		return strdup(dir);
	len = readlink("/proc/self/exe", self, sizeof(self) - 1);
	if (len > 0) {
		self[len] = '\0';
		if (str_ends(self, LAUNCH_IN_BUILD))
			return str_printf("%.*s/guest",
					  (int)((size_t)len - strlen(LAUNCH_IN_BUILD)), self);
	}
	return strdup(RUNNC_LIBEXECDIR);
}

int launch_open_program(const char *name, int *fd, struct err *e)
{
	_autofree_ char *dir = launch_dir();
	_autofree_ char *path = dir ? path_join(dir, name) : NULL;
	_autofree_ char *init = dir ? str_printf("%s/init/%s", dir, name) : NULL;
	_autofree_ char *tender = dir ? str_printf("%s/../src/tender/%s", dir, name) : NULL;
	const char *const others[] = { init, tender };
	int opened;

	if (!path || !init || !tender)
		return err_set(e, -ENOMEM, "find '%s'", name);
	opened = open(path, O_RDONLY | O_CLOEXEC);
	for (size_t i = 0; opened < 0 && errno == ENOENT && i < 2; i++) {
		opened = open(others[i], O_RDONLY | O_CLOEXEC);
		if (opened < 0)
			errno = ENOENT;
	}
	if (opened < 0)
		return err_set(e, -errno, "open guest program '%s'", path);
	*fd = opened;
	return 0;
}

static int launch_check_nets(const struct launch *l, struct err *e)
{
	if (l->nr_nets > NABLA_LAUNCH_NETS)
		return err_say(e, -EINVAL, "launch record: more than %d interfaces",
			       NABLA_LAUNCH_NETS);
	for (uint32_t i = 0; i < l->nr_nets; i++) {
		const struct nabla_net *net = &l->net[i];

		if (net->fd <= NABLA_LAUNCH_FD || net->mtu < 68 || net->mtu > 65535 ||
		    (net->vnet_hdr_len != 10 && net->vnet_hdr_len != 12) ||
		    net->name[0] == '\0' || !memchr(net->name, '\0', sizeof(net->name)))
			return err_say(e, -EINVAL, "launch record: interface %u is out of range",
				       i);
	}
	return 0;
}

static int launch_check(const struct launch *l, struct err *e)
{
	int r = launch_check_nets(l, e);

	if (r < 0)
		return r;
	if (l->mem_size == 0 || l->mem_size % LAUNCH_MEM_UNIT != 0)
		return err_say(e, -EINVAL, "launch record: memory size is no multiple of 2 MiB");
	if (strlen(l->cmdline) >= NABLA_LAUNCH_CMDLINE)
		return err_say(e, -E2BIG, "launch record: kernel command line is too long");
	if (l->nr_images > NABLA_LAUNCH_IMAGES)
		return err_say(e, -EINVAL, "launch record: more than %d images",
			       NABLA_LAUNCH_IMAGES);
	for (uint32_t i = 0; i < l->nr_images; i++) {
		const struct nabla_image *image = &l->image[i];

		if (image->fd <= NABLA_LAUNCH_FD || image->size == 0 ||
		    image->size % LAUNCH_PAGE != 0)
			return err_say(e, -EINVAL, "launch record: image %u is out of range", i);
	}
	return 0;
}

static void launch_fill(struct nabla_launch *record, const struct launch *l)
{
	memset(record, 0, sizeof(*record));
	memcpy(record->magic, NABLA_LAUNCH_MAGIC, sizeof(record->magic));
	record->version = NABLA_LAUNCH_VERSION;
	record->size = sizeof(*record);
	record->mem_size = l->mem_size;
	record->flags = l->flags;
	record->nr_nets = l->nr_nets;
	record->nr_images = l->nr_images;
	memcpy(record->net, l->net, l->nr_nets * sizeof(l->net[0]));
	memcpy(record->image, l->image, l->nr_images * sizeof(l->image[0]));
}

/* Append @len bytes and zeros up to a multiple of @align; *@at moves on. */
static int launch_append(int fd, uint64_t *at, const void *data, size_t len, uint64_t align,
			 struct err *e)
{
	int r = io_write_fd(fd, "launch record", data, len, e);

	if (r < 0)
		return r;
	*at += len;
	*at = (*at + align - 1) & ~(align - 1);
	if (lseek(fd, (off_t)*at, SEEK_SET) < 0)
		return err_set(e, -errno, "seek in launch record");
	return 0;
}

static int launch_write_sections(int fd, const struct launch *l, const void *cpio, size_t cpio_len,
				 struct err *e)
{
	struct nabla_launch record;
	uint64_t at = 0;
	int r;

	/* The record comes last: it names the sections. lseek() beyond the end leaves zeros. */
	launch_fill(&record, l);
	at = sizeof(record);
	if (lseek(fd, (off_t)at, SEEK_SET) < 0)
		return err_set(e, -errno, "seek in launch record");

	record.cmdline.offset = at;
	record.cmdline.length = strlen(l->cmdline) + 1;
	r = launch_append(fd, &at, l->cmdline, record.cmdline.length, LAUNCH_PAGE, e);
	if (r < 0)
		return r;

	record.initrd.offset = at;
	r = launch_append(fd, &at, l->init, l->init_len, 4, e);
	if (r < 0)
		return r;
	r = launch_append(fd, &at, cpio, cpio_len, 4, e);
	if (r < 0)
		return r;
	record.initrd.length = at - record.initrd.offset;

	if (lseek(fd, 0, SEEK_SET) < 0)
		return err_set(e, -errno, "seek in launch record");
	return io_write_fd(fd, "launch record", &record, sizeof(record), e);
}

int launch_write(const struct launch *l, int *fd, struct err *e)
{
	_autofree_ void *cpio = NULL;
	_autoclose_ int memory = -1;
	char self[32];
	size_t cpio_len;
	int r;

	r = launch_check(l, e);
	if (r < 0)
		return r;
	r = cpio_pack_file(&GCFG_PATH[1], 0400, l->config, l->config_len, &cpio, &cpio_len, e);
	if (r < 0)
		return r;

	memory = memfd_create("nabla-launch", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (memory < 0)
		return err_set(e, -errno, "create launch record");
	r = launch_write_sections(memory, l, cpio, cpio_len, e);
	if (r < 0)
		return r;
	if (fcntl(memory, F_ADD_SEALS, LAUNCH_SEALS) < 0)
		return err_set(e, -errno, "seal launch record");

	/*
	 * A second, read-only description: before Linux 6.7 a write-sealed file could not be mapped
	 * MAP_SHARED through a description that is open for writing, even without PROT_WRITE.
	 */
	snprintf(self, sizeof(self), "/proc/self/fd/%d", memory);
	r = open(self, O_RDONLY | O_CLOEXEC);
	if (r < 0)
		return err_set(e, -errno, "reopen launch record");
	*fd = r;
	return 0;
}

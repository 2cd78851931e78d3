// SPDX-License-Identifier: GPL-2.0-only
/* The container's root file system: EROFS images stacked by overlayfs under a tmpfs. */
#include "guest/init/root.h"

#include "abi/control.h"
#include "base/fd.h"
#include "guest/init/tree.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#define LAYERS "/layer"			/* directories of the initramfs */
#define UPPER "/upper"
#define ROOT "/root"

/* ":/layer/127" for each of NABLA_LAUNCH_IMAGES layers. */
#define LOWERS_MAX 2048

int init_root_mount_image(const char *device, const char *target, unsigned long flags)
{
	if (!mount(device, target, "erofs", flags | MS_RDONLY, "dax=always"))
		return 0;
	/* A kernel or a device without DAX: page cache copies then, still correct. */
	if (errno == EINVAL && !mount(device, target, "erofs", flags | MS_RDONLY, NULL))
		return 0;
	return -errno;
}

static int mount_layer(uint32_t image, const char *target, struct err *e)
{
	char device[sizeof(NABLA_DEV_IMAGE) + 10];
	int r;

	snprintf(device, sizeof(device), "%s%" PRIu32, NABLA_DEV_IMAGE, image);
	if (mkdir(target, 0755) < 0 && errno != EEXIST)
		return err_set(e, -errno, "make '%s'", target);
	r = init_root_mount_image(device, target, 0);
	return r < 0 ? err_set(e, r, "mount image '%s'", device) : 0;
}

/* Mount every layer; @lowers becomes overlayfs' list of them, topmost first. */
static int mount_layers(const struct init_config *config, char lowers[LOWERS_MAX], struct err *e)
{
	const struct gcfg_record *record = NULL;
	unsigned int i = 0;
	size_t len = 0;
	int r;

	while ((record = init_config_next(config, GCFG_LAYER, record))) {
		const struct gcfg_layer *layer = init_config_payload(record);
		char target[sizeof(LAYERS) + 12];

		snprintf(target, sizeof(target), LAYERS "/%u", i++);
		r = mount_layer(layer->image, target, e);
		if (r < 0)
			return r;
	}
	while (i-- > 0) {
		int n = snprintf(lowers + len, LOWERS_MAX - len, "%s" LAYERS "/%u", len ? ":" : "",
				 i);

		if (n < 0 || (size_t)n >= LOWERS_MAX - len)
			return err_set(e, -ENAMETOOLONG, "list layers");
		len += (size_t)n;
	}
	return 0;
}

/*
 * A read-only root gets a small upper layer all the same: mount points that the image lacks are
 * made there before init_root_enter() closes it, as runc makes them in the bundle's directory.
 */
static int mount_upper(const struct gcfg_root *options, struct err *e)
{
	char data[64] = "mode=755";

	if (options && (options->flags & GCFG_ROOT_READONLY))
		snprintf(data, sizeof(data), "mode=755,size=1m");
	else if (options && options->upper_size)
		snprintf(data, sizeof(data), "mode=755,size=%" PRIu64, options->upper_size);
	if (mount("tmpfs", UPPER, "tmpfs", 0, data) < 0)
		return err_set(e, -errno, "mount tmpfs for the root's upper layer (%s)", data);
	if (mkdir(UPPER "/upper", 0755) < 0 || mkdir(UPPER "/work", 0755) < 0)
		return err_set(e, -errno, "make the root's upper layer");
	return 0;
}

/*
 * What the options cost or save: index keeps hard links straight across mounts, which no second
 * mount needs here; metacopy would make file data depend on two layers. redirect_dir lets a
 * directory of the image be renamed, as on any other file system. xino gives all files one device
 * number: else `tar --one-file-system` and the like would take each file for one of another file
 * system.
 */
int init_root_stack(const char *lowers, const struct gcfg_root *options, const char *target,
		    struct err *e)
{
	char data[LOWERS_MAX + 256];
	int r;

	r = mount_upper(options, e);
	if (r < 0)
		return r;
	snprintf(data, sizeof(data),
		 "lowerdir=%s,upperdir=" UPPER "/upper,workdir=" UPPER "/work,"
		 "index=off,xino=on,metacopy=off,redirect_dir=on", lowers);
	if (mount("overlay", target, "overlay", 0, data) < 0)
		return err_set(e, -errno, "mount overlay");
	return 0;
}

int init_root_build(const struct init_config *config, int *root, struct err *e)
{
	char lowers[LOWERS_MAX];
	int r;

	r = mount_layers(config, lowers, e);
	if (r < 0)
		return r;
	r = init_root_stack(lowers, config->root, ROOT, e);
	if (r < 0)
		return r;
	r = open(ROOT, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (r < 0)
		return err_set(e, -errno, "open '" ROOT "'");
	*root = r;
	return 0;
}

int init_root_enter(int root, const struct gcfg_root *options, struct err *e)
{
	int r;

	if (options && (options->flags & GCFG_ROOT_READONLY)) {
		r = init_tree_set_readonly(root);
		if (r < 0)
			return err_set(e, r, "make the root read-only");
	}
	/* The initramfs can be neither unmounted nor pivoted away from: it stays below, hidden. */
	if (fchdir(root) < 0 || mount(".", "/", NULL, MS_MOVE, NULL) < 0 || chroot(".") < 0 ||
	    chdir("/") < 0)
		return err_set(e, -errno, "enter the root");
	return 0;
}

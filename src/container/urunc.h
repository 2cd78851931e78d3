/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * urunc's words: how images are labelled that were packaged for urunc (https://urunc.io), as
 * annotations "com.urunc.unikernel.*" of the bundle or as keys of the same names in the file
 * /urunc.json of the root. Read from urunc's documentation ("Packaging unikernels") and its images.
 *
 * Values are plain text, or base64 (urunc's packers write that), or base64 behind "b64:". A value
 * is taken as base64 if it is that to the last letter and what comes out is UTF-8 text without
 * control characters: "spt", "mirage", "true" and paths with a dot are not.
 */
#ifndef RUNNC_CONTAINER_URUNC_H
#define RUNNC_CONTAINER_URUNC_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "bundle/bundle.h"

#define URUNC_PREFIX	"com.urunc.unikernel."
#define URUNC_FILE	"/urunc.json"
#define URUNC_FILE_MAX	(64u << 10)		/* longest urunc.json, in bytes */
#define URUNC_VALUE_MAX	8192u			/* longest value, in bytes */

enum urunc_key {
	URUNC_TYPE,			/* unikernelType: mirage, rumprun, linux, unikraft, ... */
	URUNC_VERSION,			/* unikernelVersion; not used */
	URUNC_BINARY,			/* binary: path in the root */
	URUNC_CMDLINE,			/* cmdline: used where the bundle's process has none */
	URUNC_HYPERVISOR,		/* hypervisor: spt, hvt, qemu, firecracker, ... */
	URUNC_INITRD,			/* initrd: path in the root */
	URUNC_BLOCK,			/* block: path of a disk image in the root */
	URUNC_BLOCK_MOUNT,		/* blkMntPoint: where the guest mounts it */
	URUNC_MOUNT_ROOTFS,		/* mountRootfs: "true": the root is the guest's disk */
	URUNC_DM_BLOCK,			/* useDMBlock: the older word for it */
	URUNC_NET_DEVICE,		/* solo5NetDev: name in the manifest */
	URUNC_BLOCK_DEVICE,		/* solo5BlkDev: name in the manifest */
	URUNC_KEYS
};

/* Each a heap block, decoded, not empty; NULL: not given. All NULL: not urunc's. */
struct urunc {
	char *value[URUNC_KEYS];
};

/* "unikernelType" and so on, without the prefix. */
const char *urunc_key_name(enum urunc_key key);

/*
 * Add what @b's annotations say to *@u, which is the caller's, to be given to urunc_free() in
 * either case. Keys that are not in the list are left alone. Returns 0; -EINVAL for a value after
 * "b64:" that is not base64, for one that is too long; or -ENOMEM.
 */
int urunc_from_annotations(const struct bundle *b, struct urunc *u, struct err *e);

/*
 * The same for the @len bytes of a urunc.json: an object whose values are strings. Untrusted.
 * Returns 0, -EINVAL for what is not that, or -ENOMEM.
 */
int urunc_from_json(const char *json, size_t len, struct urunc *u, struct err *e);

/* Is it an image of urunc's? Its own rule: type, hypervisor and binary are given. */
bool urunc_complete(const struct urunc *u);

/* Is the value there, and "true" (or "1")? */
bool urunc_is_true(const struct urunc *u, enum urunc_key key);

void urunc_free(struct urunc *u);	/* what is inside; fine when empty and twice */

#endif

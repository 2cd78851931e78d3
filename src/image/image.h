/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Images: a root directory becomes one read-only EROFS image, built once, kept in a cache.
 *
 * The guest maps the image and mounts it with DAX, so the image is uncompressed, in blocks of 4096
 * bytes, and no file's data shares a block with anything else; its size is a multiple of 4096.
 * Same input, same bytes: names, types, modes, owners, times, links, xattrs and contents go in as
 * they are, symbolic links are stored and never followed, whiteouts and other nodes are kept, holes
 * become zeros; the file system's UUID is taken from the digest, its build time is 0. (The order of
 * an inode's xattrs is the source file system's.)
 *
 * Two names for a tree:
 *
 * - the digest: SHA-256 over every entry's path, type, mode, owner, mtime, device number, link
 *   target, xattrs, contents and which names are links of one file. It names the image in the
 *   cache. The mtime of the root directory itself stays out of it: engines make a new overlay
 *   upper directory, hence a new root, for each container of one image. The image shows the mtime
 *   of the tree from which it was built.
 *
 * - the fingerprint: SHA-256 over what stat(2) tells about every entry (path, type, mode, owner,
 *   size, mtime, ctime, inode, device numbers). The cache remembers the digest of each
 *   fingerprint, so that a second start reads no file. What that assumes: whatever changes a file
 *   also changes its ctime or its inode. Linux keeps to it on its local file systems and
 *   overlayfs, and nobody can set a ctime; writing to the disk below a mounted file system, or
 *   setting the clock back to repeat the same nanosecond, defeats it. A change in the clock tick
 *   in which the tree was last changed could go unseen: the builder waits for the next tick, and
 *   where times are coarser than that it does not remember the fingerprint. The device is part of
 *   it except on overlayfs, which has a new number for each mount.
 *
 * What is refused, each with its own message: a mount point inside the tree (its contents would be
 * lost unseen), a path of more than 3840 bytes, more files or bytes than the limits, an xattr
 * outside of user, trusted, security and POSIX ACLs, a tree that keeps changing while it is read;
 * and what mkfs.erofs 1.5 would cut or leave out without a word: a name of 255 bytes, a name that
 * begins with "lost+found". Only the directory lost+found in the root, mke2fs's, is left out.
 *
 * In the cache directory: image/DIGEST, tree/FINGERPRINT (a symbolic link whose target is a
 * digest), names/ (see names.h), tmp/ (images being built, and locks), mnt/ (empty; the builder's
 * mount point in a namespace of its own). It must be on a local file system, belong to the caller
 * and be writable by nobody else.
 *
 * Reference counting is the kernel's: the descriptor that image_get() returns carries a shared
 * flock(2), which lasts until its last duplicate is closed, in whichever process. image_prune()
 * removes only images on which it gets the lock alone. So a container holds its image by keeping
 * the descriptor open (the guest needs it anyway), and nothing remains of one that is gone,
 * however it went.
 *
 * Needs root (CAP_SYS_ADMIN for the builder's mount namespace, CAP_DAC_READ_SEARCH, CAP_SETPCAP),
 * Linux 5.14 and mkfs.erofs. image_get() forks and waits for its child only (SIGCHLD must not be
 * ignored); all three may start threads, which are gone when they return. Not to be called from
 * two threads.
 *
 * Times on two processors, everything in the page cache: a tree of 10,000 files is found again in
 * 14 ms (24 ms on one; 19 and 34 ms where directories must be read, see names.h); a Debian minbase
 * tree (6,768 files, 206 MiB) is built in 1.2 s, of which 0.3 s read and hash, 0.8 s are mkfs.erofs
 * and the rest fsync(). Memory: 5 KiB per file, while it builds.
 */
#ifndef RUNNC_IMAGE_IMAGE_H
#define RUNNC_IMAGE_IMAGE_H

#include <stdint.h>

#include "base/err.h"

#define IMAGE_CACHE_DIR		"/var/cache/runnc/images"
#define IMAGE_DIGEST_SIZE	65	/* 64 hexadecimal digits and a NUL */

#define IMAGE_MAX_FILES		1000000u	/* mkfs.erofs takes some 5 KiB of memory for each */
#define IMAGE_MAX_BYTES		(256ull << 30)
#define IMAGE_TIMEOUT_S		1800u

/* image_find(): the cache has no image of this tree (or does not know yet that it has). */
#define IMAGE_ABSENT		1

struct image_limits {
	/* entries of the tree, the root included; 0: IMAGE_MAX_FILES */
	uint64_t max_files;
	/* of the files, holes too, and of the image; 0: IMAGE_MAX_BYTES */
	uint64_t max_bytes;
	uint32_t timeout_s;		/* for one run of mkfs.erofs; 0: IMAGE_TIMEOUT_S */
	const char *mkfs;		/* mkfs.erofs by absolute path; NULL: where Debian has it */
};

/*
 * Get the image of directory @rootfs from the cache in @cachedir (NULL: IMAGE_CACHE_DIR, made if
 * missing), building it if need be. @rootfs may itself be a symbolic link: it is resolved once.
 * @limits may be NULL, and so may @digest.
 *
 * Returns 0 with the caller's close-on-exec O_RDONLY descriptor in *@fd, the image's bytes in
 * *@size (a multiple of 4096, not 0) and the digest in @digest; or -errno with @e filled in, and
 * nothing left behind: -E2BIG over a limit, -EXDEV a mount inside, -ENAMETOOLONG a path too long,
 * -EAGAIN the tree kept changing, -ETIMEDOUT, -ENOSPC, -EIO mkfs.erofs failed (its own last line
 * is in the message).
 */
int image_get(const char *rootfs, const char *cachedir, const struct image_limits *limits, int *fd,
	      uint64_t *size, char digest[IMAGE_DIGEST_SIZE], struct err *e);

/*
 * Look up, without touching anything, whether image_get() would find the image of @rootfs at once.
 * Returns 0 with *@size and @digest filled in, IMAGE_ABSENT, or -errno with @e filled in.
 */
int image_find(const char *rootfs, const char *cachedir, uint64_t *size,
	       char digest[IMAGE_DIGEST_SIZE], struct err *e);

/*
 * Remove images that nobody uses, least recently used first, until the images take up at most
 * @max_bytes on disk (0: remove all that are not in use), and whatever killed builders left behind.
 * Images in use count, and stay. May run beside image_get(). A missing cache is an empty one.
 * Returns 0 or -errno with @e filled in.
 */
int image_prune(const char *cachedir, uint64_t max_bytes, struct err *e);

#endif

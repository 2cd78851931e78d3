/* SPDX-License-Identifier: GPL-2.0-only */
/* What the image tests share: trees to make, images to look into. Everything dies with the test. */
#ifndef RUNNC_IMAGE_TEST_HELP_H
#define RUNNC_IMAGE_TEST_HELP_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <sys/types.h>

#include <cmocka.h>

/* Succeed or fail the test, with errno in the message. */
#define must(call) \
	do { \
		if ((call) < 0) \
			fail_msg("%s: %s", #call, strerror(errno)); \
	} while (0)

/*
 * Group set-up and tear-down: a mount namespace of our own with a tmpfs-free work directory,
 * which is the current directory during the tests. Exits with 77, saying why, where we are not
 * root.
 */
int help_enter(void **state);
int help_leave(void **state);

/* Test set-up: an empty directory "t" for the tree and none "cache". */
int help_fresh(void **state);

void help_write(const char *path, const char *text);
void help_run(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Get the image of @tree from "cache" with success; the descriptor is the caller's. */
int help_get(const char *tree, char digest[65]);

/* Mount the image @fd at "m"; false, said aloud, where the host's kernel has no EROFS. */
bool help_mount(int fd);
bool help_mount_at(int fd, const char *at);	/* at the new directory @at, until the test ends */
void help_umount(void);

/* Every entry below @a and @b is the same in all that an image keeps, or the test fails. */
void help_compare(const char *a, const char *b);
void help_compare_below(const char *a, const char *b);	/* all but @a and @b themselves */

/* True if the file at @fd contains @text anywhere. */
bool help_contains(int fd, const char *text);

/* Number of entries in directory @path; -1 if it is not there. */
int help_count(const char *path);

/* Write an executable shell script to stand for mkfs.erofs; returns its absolute path (static). */
const char *help_script(const char *body);

#endif

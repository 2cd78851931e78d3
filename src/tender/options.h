/* SPDX-License-Identifier: GPL-2.0-only */
/* The command line of nabla-run, man/nabla-run.8: text to numbers, nothing is opened. */
#ifndef RUNNC_TENDER_OPTIONS_H
#define RUNNC_TENDER_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "solo5/manifest.h"

#define TENDER_DEVICES		(SOLO5_MANIFEST_ENTRIES - 1)
#define TENDER_MEM_MB		512u		/* as Solo5's tender */
#define TENDER_MEM_MB_MAX	1048576u	/* the tender itself lies above */
#define TENDER_SECTOR_MIN	512u
#define TENDER_SECTOR_MAX	32768u

/* What an option attaches. Strings are those of argv. */
struct tender_device {
	char name[SOLO5_NAME_MAX + 1];
	uint32_t type;			/* SOLO5_NET, SOLO5_BLOCK */
	const char *path;		/* of a disk, or the interface; NULL: @fd */
	int fd;				/* the caller's, or -1 */
	bool read_only;
	uint32_t sector_size;		/* bytes */
	bool has_mac;
	uint8_t mac[6];
	uint32_t mtu;			/* 0: not given */
};

struct tender_options {
	bool help, version;		/* then nothing else counts */
	bool json;			/* errors */
	bool stack_guard;
	int error_status;
	uint64_t mem_size;		/* bytes */
	uint32_t nr_devices;
	struct tender_device device[TENDER_DEVICES];
	const char *kernel;		/* path; NULL: @kernel_fd */
	int kernel_fd;
	const char *const *args;	/* NULL-terminated: the unikernel's */
};

/*
 * Parse @argv (argv[0] is passed over). Returns 0, or -EINVAL with @e. @o->json and
 * @o->error_status are valid then too, as far as the command line was read.
 */
int tender_options_parse(const char *const *argv, struct tender_options *o, struct err *e);

/* The text of --help. */
const char *tender_options_help(void);

#endif

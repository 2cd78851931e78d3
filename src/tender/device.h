/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Devices: opened or taken over, checked, and entered in the manifest; then everything that stays
 * open gets its fixed number.
 */
#ifndef RUNNC_TENDER_DEVICE_H
#define RUNNC_TENDER_DEVICE_H

#include "confine/confine_solo5.h"
#include "tender/options.h"

/* Where descriptors end up. 0 to 2 are the caller's. */
#define TENDER_FD_EPOLL		3
#define TENDER_FD_TIMER		4
#define TENDER_FD_DEVICES	5		/* network devices, then disks */

/* what epoll says when the timer is due (spt ABI) */
#define TENDER_TIMER_EVENT	0xfffffffeull

/* One attached device. @fd is owned from tender_device_open() on. */
struct tender_attached {
	uint32_t index;			/* in the manifest; the guest's handle */
	int fd;
	bool read_only;
};

struct tender_devices {
	uint32_t nr_nets, nr_blocks;
	struct tender_attached net[TENDER_DEVICES], block[TENDER_DEVICES];
	struct confine_solo5_block rule[TENDER_DEVICES];	/* as block[] */
};

/*
 * Open the network device @d: *@fd is the caller's, non-blocking, one frame a call, and @net has
 * its MAC and MTU. Returns 0 or -errno with @e.
 */
int tender_net_open(const struct tender_device *d, int *fd, struct solo5_manifest_net *net,
		    struct err *e);

/* Open the disk @d: *@fd is the caller's, @block has its size. Returns 0 or -errno with @e. */
int tender_block_open(const struct tender_device *d, int *fd, struct solo5_manifest_block *block,
		      struct err *e);

/*
 * Open the devices of @o and attach each to its entry of @m; every entry must get one.
 * Returns 0 or -errno with @e: the process is to exit then, which closes what is open.
 */
int tender_devices_open(const struct tender_options *o, struct solo5_manifest *m,
			struct tender_devices *all, struct err *e);

/*
 * Open descriptors 0 to 2 that are closed: nothing else may get these numbers, least of all a disk.
 * Before anything else is opened. Returns 0 or -errno with @e.
 */
int tender_stdio_open(struct err *e);

/*
 * Give everything its number, close the rest, make the epoll and the timer, and enter the numbers
 * in @m and @filter. Returns 0 or -errno with @e. Nothing may be opened afterwards.
 */
int tender_descriptors_settle(struct tender_devices *all, struct solo5_manifest *m,
			      struct confine_solo5 *filter, struct err *e);

#endif

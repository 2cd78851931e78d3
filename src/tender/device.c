/* SPDX-License-Identifier: GPL-2.0-only */
/* Devices meet the manifest; everything that stays open gets its number. */
#include "tender/device.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <unistd.h>

#ifndef SYS_close_range
#define SYS_close_range 436
#endif

int tender_stdio_open(struct err *e)
{
	for (int want = 0; want <= 2; want++) {
		int fd;

		if (fcntl(want, F_GETFD) >= 0)
			continue;
		/*
		 * The lowest free number is the one that is missing. Where there is no /dev: a
		 * descriptor that is there and can neither be read nor written.
		 */
		fd = open("/dev/null", O_RDWR | O_NOCTTY);
		if (fd < 0)
			fd = open("/", O_PATH | O_DIRECTORY);
		if (fd < 0)
			return err_set(e, -errno, "open descriptor %d, which is closed", want);
	}
	return 0;
}

static int attach(const struct tender_device *d, struct solo5_manifest *m,
		  struct tender_devices *all, struct err *e)
{
	struct solo5_manifest_entry *entry = solo5_manifest_find(m, d->name);
	struct tender_attached *a;
	int ret;

	if (!entry)
		return err_say(e, -ENODEV, "the unikernel has no device of that name");
	if (entry->type != d->type)
		return err_say(e, -ENODEV, "to the unikernel it is a %s",
			       solo5_device_name(entry->type));
	a = d->type == SOLO5_NET ? &all->net[all->nr_nets++] : &all->block[all->nr_blocks++];
	a->read_only = d->read_only;
	a->index = (uint32_t)(entry - m->entry);
	if (d->type == SOLO5_NET)
		ret = tender_net_open(d, &a->fd, &entry->net, e);
	else
		ret = tender_block_open(d, &a->fd, &entry->block, e);
	entry->attached = 1;
	return ret;
}

int tender_devices_open(const struct tender_options *o, struct solo5_manifest *m,
			struct tender_devices *all, struct err *e)
{
	all->nr_nets = 0;
	all->nr_blocks = 0;
	for (uint32_t i = 0; i < o->nr_devices; i++) {
		const struct tender_device *d = &o->device[i];
		int ret = attach(d, m, all, e);

		if (ret < 0)
			return err_wrap(e, ret, "%s '%s'", solo5_device_name(d->type), d->name);
	}
	for (uint32_t i = 1; i < m->entries; i++)
		if (!m->entry[i].attached)
			return err_say(e, -ENODEV,
				       "%s '%s' of the unikernel is not attached; --%s:%s= does it",
				       solo5_device_name(m->entry[i].type), m->entry[i].name,
				       m->entry[i].type == SOLO5_NET ? "net" : "block",
				       m->entry[i].name);
	return 0;
}

/* Move *@fd above all fixed numbers, so that none is in another's place. */
static int lift(int *fd, int above, struct err *e)
{
	int high = *fd >= above ? *fd : fcntl(*fd, F_DUPFD_CLOEXEC, above);

	if (high < 0)
		return err_set(e, -errno, "move descriptor %d (RLIMIT_NOFILE?)", *fd);
	*fd = high;
	return 0;
}

static int place(int *fd, int number, struct err *e)
{
	if (dup2(*fd, number) < 0)
		return err_set(e, -errno, "move descriptor %d to %d", *fd, number);
	*fd = number;
	return 0;
}

/* As numbered by TENDER_FD_*. */
static int number(struct tender_devices *all, struct err *e)
{
	const uint32_t nr = all->nr_nets + all->nr_blocks;
	const int end = TENDER_FD_DEVICES + (int)nr;
	int ret = 0;

	for (uint32_t i = 0; ret == 0 && i < nr; i++)
		ret = lift(i < all->nr_nets ? &all->net[i].fd : &all->block[i - all->nr_nets].fd,
			   end, e);
	for (uint32_t i = 0; ret == 0 && i < nr; i++)
		ret = place(i < all->nr_nets ? &all->net[i].fd : &all->block[i - all->nr_nets].fd,
			    TENDER_FD_DEVICES + (int)i, e);
	if (ret < 0)
		return ret;
	if (syscall(SYS_close_range, end, ~0u, 0) < 0)
		return err_set(e, -errno, "close all other descriptors (Linux 5.9 is needed)");
	close(TENDER_FD_EPOLL);
	close(TENDER_FD_TIMER);
	return 0;
}

static int watch(int epoll, int fd, uint64_t data, struct err *e)
{
	struct epoll_event ev = { .events = EPOLLIN, .data.u64 = data };

	if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &ev) < 0)
		return err_set(e, -errno, "wait for descriptor %d", fd);
	return 0;
}

/* Free numbers are taken from below: the two come out as they must. */
static int make_epoll(const struct tender_devices *all, struct err *e)
{
	int epoll = epoll_create1(0);
	int timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
	int ret;

	if (epoll < 0 || timer < 0)
		return err_set(e, -errno, "make an epoll and a timer");
	if (epoll != TENDER_FD_EPOLL || timer != TENDER_FD_TIMER)
		return err_say(e, -EBADF, "descriptors have the numbers %d and %d", epoll, timer);
	ret = watch(epoll, timer, TENDER_TIMER_EVENT, e);
	for (uint32_t i = 0; ret == 0 && i < all->nr_nets; i++)
		ret = watch(epoll, all->net[i].fd, all->net[i].index, e);
	return ret;
}

int tender_descriptors_settle(struct tender_devices *all, struct solo5_manifest *m,
			      struct confine_solo5 *filter, struct err *e)
{
	int ret = number(all, e);

	if (ret == 0)
		ret = make_epoll(all, e);
	if (ret < 0)
		return ret;
	for (uint32_t i = 0; i < all->nr_nets; i++)
		m->entry[all->net[i].index].fd_space = (uint64_t)all->net[i].fd;
	for (uint32_t i = 0; i < all->nr_blocks; i++) {
		struct solo5_manifest_entry *entry = &m->entry[all->block[i].index];

		entry->fd_space = (uint64_t)all->block[i].fd;
		all->rule[i] = (struct confine_solo5_block){
			.fd = (u32)all->block[i].fd, .sector_size = entry->block.sector_size,
			.capacity = entry->block.capacity, .writable = !all->block[i].read_only,
		};
	}
	*filter = (struct confine_solo5){
		.epoll_fd = TENDER_FD_EPOLL, .timer_fd = TENDER_FD_TIMER,
		.net_fd_first = TENDER_FD_DEVICES, .nr_nets = all->nr_nets,
		.nr_blocks = all->nr_blocks, .block = all->rule,
	};
	return 0;
}

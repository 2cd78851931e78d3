/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * nabla-run: the tender of Solo5 unikernels. Everything here happens before the guest's first
 * instruction, and is gone when that runs. In this order:
 *
 *	1. options; descriptors 0 to 2 are open, so that nothing else gets their numbers
 *	2. the unikernel's file is read and checked, untrusted; nothing of it is mapped before
 *	3. devices are opened and meet the manifest
 *	4. guest memory: segments, guard page
 *	5. descriptors get their numbers, all others are closed; epoll, timer
 *	6. boot information, which has these numbers
 *	7. enter.c: the filter; the tender is unmapped; the guest runs
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fd.h"
#include "tender/device.h"
#include "tender/enter.h"
#include "tender/memory.h"
#include "tender/options.h"

/* One write: a line is whole, whoever else writes. */
static void complain(const struct tender_options *o, const struct err *e)
{
	_autobuf_ struct buf b = BUF_INIT(16384);

	if (o->json) {
		buf_add_str(&b, "{\"level\":\"error\",\"msg\":");
		buf_add_json(&b, e->text);
		buf_add_str(&b, "}\n");
	} else {
		buf_printf(&b, "nabla-run: %s\n", e->text);
	}
	if (buf_error(&b) == 0 && write(2, b.data, b.len) < 0) {
		/* The status says it too. */
	}
}

static int open_kernel(const struct tender_options *o, int *fd, struct err *e)
{
	if (o->kernel)
		*fd = open(o->kernel, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	else
		*fd = fcntl(o->kernel_fd, F_DUPFD_CLOEXEC, 3);
	return *fd < 0 ? err_set(e, -errno, "open it") : 0;
}

/* 2 and 4: the file is needed for both. */
static int load(const struct tender_options *o, struct solo5_elf *elf, struct tender_devices *all,
		struct err *e)
{
	_autoclose_ int fd = -1;
	struct solo5_source s;
	char at[16];
	int ret = open_kernel(o, &fd, e);

	snprintf(at, sizeof(at), "@%d", o->kernel_fd);
	if (ret == 0)
		ret = solo5_source_fd(&s, fd, e);
	if (ret == 0)
		ret = solo5_elf_read(&s, o->mem_size, elf, e);
	if (ret < 0)
		return err_wrap(e, ret, "unikernel '%s'", o->kernel ? o->kernel : at);
	ret = tender_devices_open(o, &elf->manifest, all, e);
	if (ret == 0)
		ret = tender_memory_map(o->mem_size, e);
	if (ret < 0)
		return ret;
	ret = tender_memory_load(elf, fd, e);
	if (ret < 0)
		return err_wrap(e, ret, "unikernel '%s'", o->kernel ? o->kernel : at);
	return o->stack_guard ? tender_memory_guard(elf, o->mem_size, e) : 0;
}

static int run(const struct tender_options *o, struct err *e)
{
	static struct solo5_elf elf;
	static struct tender_devices all;
	struct confine_solo5 filter;
	int ret = tender_stdio_open(e);

	if (ret == 0)
		ret = load(o, &elf, &all, e);
	if (ret == 0)
		ret = tender_descriptors_settle(&all, &elf.manifest, &filter, e);
	if (ret == 0)
		ret = tender_memory_boot_info(&elf, o->mem_size, o->args, TENDER_FD_EPOLL,
					      TENDER_FD_TIMER, e);
	if (ret == 0)
		ret = tender_enter_guest(&filter, elf.entry, o->mem_size, o->error_status, e);
	return ret;
}

static int print(const char *text)
{
	return write(1, text, strlen(text)) < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	static struct tender_options o;
	struct err e = ERR_INIT;
	int ret;

	(void)argc;
	ret = tender_options_parse((const char *const *)argv, &o, &e);
	if (ret == 0 && o.help)
		return print(tender_options_help());
	if (ret == 0 && o.version)
		return print("nabla-run " RUNNC_VERSION ", Solo5 spt ABI 1 and 2\n");
	if (ret == 0)
		ret = run(&o, &e);
	complain(&o, &e);
	return o.error_status;
}

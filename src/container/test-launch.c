/* SPDX-License-Identifier: GPL-2.0-only */
/* The launch record is read back from its file; what abi/launch.h forbids is refused. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/fd.h"
#include "container/launch.h"

static struct launch sample(void)
{
	return (struct launch){
		.mem_size = 64u << 20,
		.flags = NABLA_LAUNCH_TTY,
		.cmdline = "quiet",
		.init = "0707",
		.init_len = 3,
		.config = "stream",
		.config_len = 6,
		.net = { { .fd = 4, .mtu = 1500, .vnet_hdr_len = 10, .name = "eth0" } },
		.nr_nets = 1,
		.image = { { .fd = 20, .size = 4096 } },
		.nr_images = 1,
	};
}

static void test_read_back(void **state)
{
	struct launch l = sample();
	struct err e = ERR_INIT;
	_autoclose_ int fd = -1;
	const struct nabla_launch *record;
	struct stat st;
	const char *map;

	(void)state;
	assert_int_equal(launch_write(&l, &fd, &e), 0);
	assert_int_equal(fcntl(fd, F_GETFL) & O_ACCMODE, O_RDONLY);
	assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
	assert_int_equal(fstat(fd, &st), 0);
	/* Shared: what the launch stage does; older kernels refuse it if writable. */
	map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0);
	assert_ptr_not_equal(map, MAP_FAILED);
	record = (const struct nabla_launch *)map;
	assert_memory_equal(record->magic, "nablaln", 8);
	assert_int_equal(record->version, NABLA_LAUNCH_VERSION);
	assert_int_equal(record->size, sizeof(*record));
	assert_int_equal(record->mem_size, l.mem_size);
	assert_int_equal(record->flags, NABLA_LAUNCH_TTY);
	assert_int_equal(record->nr_nets, 1);
	assert_string_equal(record->net[0].name, "eth0");
	assert_int_equal(record->image[0].fd, 20);
	assert_int_equal(record->cmdline.length, 6);
	assert_string_equal(map + record->cmdline.offset, "quiet");
	assert_int_equal(record->initrd.offset % 4096, 0);
	assert_int_equal(record->initrd.offset + record->initrd.length, st.st_size);
	/* The first archive, padded to 4, and the second behind it. */
	assert_memory_equal(map + record->initrd.offset, "070\0" "070701", 10);
	munmap((void *)(uintptr_t)map, (size_t)st.st_size);
}

static void test_sealed(void **state)
{
	struct launch l = sample();
	struct err e = ERR_INIT;
	_autoclose_ int fd = -1;
	_autoclose_ int again = -1;
	char path[32];

	(void)state;
	assert_int_equal(launch_write(&l, &fd, &e), 0);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	again = open(path, O_RDWR | O_CLOEXEC);
	assert_true(again >= 0);
	assert_int_equal(write(again, "x", 1), -1);
	assert_int_equal(errno, EPERM);
	assert_int_equal(ftruncate(again, 0), -1);
	assert_int_equal(errno, EPERM);
}

static void refused(const struct launch *l, int code, const char *text)
{
	struct err e = ERR_INIT;
	int fd = -1;

	assert_int_equal(launch_write(l, &fd, &e), code);
	assert_int_equal(fd, -1);
	assert_string_equal(e.text, text);
}

static void test_refused(void **state)
{
	char cmdline[NABLA_LAUNCH_CMDLINE + 1];
	struct launch l = sample();

	(void)state;
	l.mem_size += 4096;
	refused(&l, -EINVAL, "launch record: memory size is no multiple of 2 MiB");
	l.mem_size = 0;
	refused(&l, -EINVAL, "launch record: memory size is no multiple of 2 MiB");

	l = sample();
	memset(cmdline, 'a', NABLA_LAUNCH_CMDLINE);
	cmdline[NABLA_LAUNCH_CMDLINE] = '\0';
	l.cmdline = cmdline;
	refused(&l, -E2BIG, "launch record: kernel command line is too long");

	l = sample();
	l.nr_nets = NABLA_LAUNCH_NETS + 1;
	refused(&l, -EINVAL, "launch record: more than 16 interfaces");
	l = sample();
	l.net[0].fd = 3;
	refused(&l, -EINVAL, "launch record: interface 0 is out of range");
	l = sample();
	memset(l.net[0].name, 'x', sizeof(l.net[0].name));
	refused(&l, -EINVAL, "launch record: interface 0 is out of range");
	l = sample();
	l.net[0].mtu = 67;
	refused(&l, -EINVAL, "launch record: interface 0 is out of range");

	l = sample();
	l.nr_images = NABLA_LAUNCH_IMAGES + 1;
	refused(&l, -EINVAL, "launch record: more than 128 images");
	l = sample();
	l.image[0].size = 4097;
	refused(&l, -EINVAL, "launch record: image 0 is out of range");
	l = sample();
	l.image[0].size = 0;
	refused(&l, -EINVAL, "launch record: image 0 is out of range");
}

static void test_find_program(void **state)
{
	struct err e = ERR_INIT;
	int fd = -1;

	(void)state;
	setenv("RUNNC_LIBEXEC", "/nonexistent", 1);
	assert_int_equal(launch_open_program(LAUNCH_KERNEL, &fd, &e), -ENOENT);
	assert_string_equal(e.text, "open guest program '/nonexistent/nabla-linux': No such file "
				    "or directory");
	setenv("RUNNC_LIBEXEC", "/proc/self", 1);
	assert_int_equal(launch_open_program("status", &fd, &e), 0);
	close(fd);
	unsetenv("RUNNC_LIBEXEC");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_read_back),
		cmocka_unit_test(test_sealed),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_find_program),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

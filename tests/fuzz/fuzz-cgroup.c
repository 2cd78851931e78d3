/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Any bytes as /proc/self/mountinfo and, behind the first line of "--", as /proc/self/cgroup: a
 * survey never fails, and what is planned from it lies below its mount points.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/err.h"
#include "ns/cgroup.h"

static int memory_file(const uint8_t *data, size_t size, char path[32])
{
	int fd = memfd_create("fuzz", MFD_CLOEXEC);

	if (fd < 0 || (size && write(fd, data, size) != (ssize_t)size))
		abort();
	snprintf(path, 32, "/proc/self/fd/%d", fd);
	return fd;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *cut = size ? memmem(data, size, "--\n", 3) : NULL;
	size_t first = cut ? (size_t)(cut - data) : size;
	struct cgroup_survey *s = NULL;
	struct cgroup_list list = CGROUP_LIST_INIT;
	struct err e = ERR_INIT;
	char mountinfo[32];
	char cgroup[32];
	int a = memory_file(data, first, mountinfo);
	int b = memory_file(cut ? cut + 3 : data, cut ? size - first - 3 : 0, cgroup);
	struct cgroup_source source = { mountinfo, cgroup, "/nonexistent", "/nonexistent" };

	if (cgroup_survey(&source, &s, &e) < 0)
		abort();
	if (cgroup_plan(s, "a/../../b", false, "id", &list, &e) == 0) {
		for (size_t i = 0; i < list.n; i++)
			if (strncmp(list.v[i].dir, "/nonexistent/", 13) != 0 ||
			    strstr(list.v[i].dir, "/../b"))
				abort();
		cgroup_list_free(&list);
	}
	cgroup_survey_free(s);
	close(a);
	close(b);
	return 0;
}

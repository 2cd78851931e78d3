/* SPDX-License-Identifier: GPL-2.0-only */
/* Guest memory: mapped, filled, protected. */
#include "tender/memory.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#ifndef MAP_FIXED_NOREPLACE
#define MAP_FIXED_NOREPLACE 0x100000
#endif

/* An address of the guest is one of ours. */
static void *at(uint64_t address)
{
	return (void *)(uintptr_t)address;
}

int tender_memory_map(uint64_t mem_size, struct err *e)
{
	void *want = at(SOLO5_MEM_START);
	void *got = mmap(want, mem_size - SOLO5_MEM_START, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);

	if (got == MAP_FAILED && errno == EPERM)
		return err_say(e, -EPERM, "map guest memory at %#x: the host forbids it "
					  "(vm.mmap_min_addr must be 65536 or less)",
			       SOLO5_MEM_START);
	if (got == MAP_FAILED)
		return err_set(e, -errno, "map %llu MiB of guest memory",
			       (unsigned long long)(mem_size >> 20));
	if (got != want)
		return err_say(e, -EEXIST, "map guest memory at %#x: the kernel gave another place "
					   "(Linux 4.17 is needed)", SOLO5_MEM_START);
	return 0;
}

static int copy(const struct solo5_source *s, uint64_t address, uint64_t offset, uint64_t len,
		struct err *e)
{
	int ret = s->read(s, offset, at(address), len);

	return ret < 0 ? err_set(e, ret, "read") : 0;
}

/*
 * The whole pages of @seg that the file can back: false if there are none, or the host does not map
 * this file so (a file system that is mounted noexec, or cannot map).
 */
static bool map_pages(const struct solo5_segment *seg, int fd, uint64_t first, uint64_t last)
{
	int prot = PROT_READ | (seg->write ? PROT_WRITE : 0) | (seg->exec ? PROT_EXEC : 0);

	if (first >= last || (seg->offset - seg->vaddr) % SOLO5_PAGE)
		return false;
	return mmap(at(first), last - first, prot, MAP_PRIVATE | MAP_FIXED, fd,
		    (off_t)(seg->offset + (first - seg->vaddr))) != MAP_FAILED;
}

static int load_segment(const struct solo5_segment *seg, const struct solo5_source *s,
			struct err *e)
{
	int prot = PROT_READ | (seg->write ? PROT_WRITE : 0) | (seg->exec ? PROT_EXEC : 0);
	uint64_t first = (seg->vaddr + SOLO5_PAGE - 1) & ~(uint64_t)(SOLO5_PAGE - 1);
	uint64_t end = seg->vaddr + seg->filesz;
	uint64_t last = end & ~(uint64_t)(SOLO5_PAGE - 1);
	int ret;

	if (map_pages(seg, s->fd, first, last)) {
		ret = copy(s, seg->vaddr, seg->offset, first - seg->vaddr, e);
		if (ret == 0)
			ret = copy(s, last, seg->offset + (last - seg->vaddr), end - last, e);
	} else {
		ret = copy(s, seg->vaddr, seg->offset, seg->filesz, e);
	}
	if (ret < 0)
		return ret;
	if (mprotect(at(seg->start), seg->end - seg->start, prot) < 0)
		return err_set(e, -errno, "protect it");
	return 0;
}

int tender_memory_load(const struct solo5_elf *elf, int fd, struct err *e)
{
	struct solo5_source s;
	int ret = solo5_source_fd(&s, fd, e);

	for (size_t i = 0; ret == 0 && i < elf->nr_segments; i++) {
		ret = load_segment(&elf->segment[i], &s, e);
		if (ret < 0)
			return err_wrap(e, ret, "load [%#llx, %#llx)",
					(unsigned long long)elf->segment[i].start,
					(unsigned long long)elf->segment[i].end);
	}
	return ret;
}

static int join(char *to, const char *const *args, struct err *e)
{
	size_t used = 0;

	to[0] = '\0';
	for (size_t i = 0; args[i]; i++) {
		size_t len = strlen(args[i]);

		if (used + (i > 0) + len >= TENDER_CMDLINE_MAX)
			return err_say(e, -E2BIG, "the arguments are longer than %u bytes",
				       TENDER_CMDLINE_MAX - 1);
		if (i > 0)
			to[used++] = ' ';
		memcpy(to + used, args[i], len + 1);
		used += len;
	}
	return 0;
}

int tender_memory_boot_info(const struct solo5_elf *elf, uint64_t mem_size,
			    const char *const *args, int epoll_fd, int timer_fd, struct err *e)
{
	uint64_t manifest = TENDER_BOOT_INFO + sizeof(struct tender_boot_info);
	uint64_t cmdline = manifest + solo5_manifest_size(elf->manifest.entries);
	struct tender_boot_info info = {
		.mem_size = mem_size, .kernel_end = elf->kernel_end, .cmdline = cmdline,
		.manifest = manifest, .epoll_fd = epoll_fd, .timer_fd = timer_fd,
	};

	_Static_assert(TENDER_BOOT_INFO + sizeof(info) + sizeof(struct solo5_manifest) +
		       TENDER_CMDLINE_MAX <= SOLO5_GUEST_MIN, "it lies below every segment");
	memcpy(at(TENDER_BOOT_INFO), &info, sizeof(info));
	memcpy(at(manifest), &elf->manifest, solo5_manifest_size(elf->manifest.entries));
	return join(at(cmdline), args, e);
}

int tender_memory_guard(const struct solo5_elf *elf, uint64_t mem_size, struct err *e)
{
	if (mem_size - elf->heap_start < 2 * (uint64_t)TENDER_STACK)
		return 0;
	if (mprotect(at(mem_size - TENDER_STACK), SOLO5_PAGE, PROT_NONE) < 0)
		return err_set(e, -errno, "protect the page below the stack");
	return 0;
}

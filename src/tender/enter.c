/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The way into the guest: what can be prepared in C. In this order:
 *
 *	1. the last page is mapped and filled, the signals of a PID 1 are led to it
 *	2. the filter is built in the guest's stack, which is mapped and still empty
 *	3. no_new_privs; from here on nothing can fail but the last page's own calls
 *	4. the last page takes over
 */
#include "tender/enter.h"

#include <errno.h>
#include <linux/filter.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define PAGE_BYTES 4096u
#define KERNEL_SA_RESTORER 0x04000000u

/* enter_x86_64.S: the page's contents, their length, and where in it the signal handler is. */
extern const char tender_page[];
extern const uint32_t tender_page_len, tender_page_signal;

/* The kernel's, not libc's: with a restorer of our own, which is never reached. */
struct kernel_sigaction {
	uint64_t handler;
	uint64_t flags;
	uint64_t restorer;
	uint64_t mask;
};

static int last_page(uint64_t *page, struct err *e)
{
	void *p =
		mmap(NULL, PAGE_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		return err_set(e, -errno, "map the last page");
	memcpy(p, tender_page, tender_page_len);
	if (mprotect(p, PAGE_BYTES, PROT_READ | PROT_EXEC) < 0)
		return err_set(e, -errno, "protect the last page");
	*page = (uint64_t)(uintptr_t)p;
	return 0;
}

/*
 * What the tender's caller blocked stays not blocked: SIGTERM must end the guest. A PID 1 is spared
 * by the kernel from signals that have no handler.
 */
static int signals(uint64_t page, struct err *e)
{
	static const uint8_t ending[] = { SIGHUP, SIGINT, SIGQUIT, SIGUSR1, SIGUSR2, SIGALRM,
					  SIGTERM };
	uint64_t handler = page + tender_page_signal;
	struct kernel_sigaction sa = { .handler = handler, .flags = KERNEL_SA_RESTORER,
				       .restorer = handler, .mask = ~0ull };
	uint64_t none = 0;

	if (getpid() == 1)
		for (size_t i = 0; i < sizeof(ending); i++)
			if (syscall(SYS_rt_sigaction, ending[i], &sa, NULL, sizeof(none)) < 0)
				return err_set(e, -errno, "handle signal %d", ending[i]);
	if (syscall(SYS_rt_sigprocmask, SIG_SETMASK, &none, NULL, sizeof(none)) < 0)
		return err_set(e, -errno, "unblock signals");
	return 0;
}

/* At the upper end of guest memory, below what the guest's first push will write. */
static int build_filter(const struct confine_solo5 *c, struct tender_enter *enter, struct err *e)
{
	static struct sock_filter filter[CONFINE_SOLO5_MAX];
	struct sock_fprog prog = { .len = (unsigned short)confine_solo5_filter(c, filter) };
	size_t bytes = prog.len * sizeof(filter[0]);
	char *to;

	if (prog.len == 0)
		return err_say(e, -EINVAL, "these devices cannot be expressed as a filter");
	enter->filter_bytes = sizeof(prog) + bytes;
	enter->filter = (enter->mem_size - enter->filter_bytes) & ~15ull;
	to = (char *)(uintptr_t)enter->filter;
	prog.filter = (struct sock_filter *)(uintptr_t)(enter->filter + sizeof(prog));
	memcpy(to, &prog, sizeof(prog));
	memcpy(to + sizeof(prog), filter, bytes);
	return 0;
}

int tender_enter_guest(const struct confine_solo5 *c, uint64_t entry, uint64_t mem_size,
		       int error_status, struct err *e)
{
	struct tender_enter enter = { .entry = entry, .mem_size = mem_size,
				      .error_status = (uint64_t)error_status };
	void (*last_step)(const struct tender_enter *);
	int ret = last_page(&enter.page, e);

	if (ret == 0)
		ret = signals(enter.page, e);
	if (ret == 0)
		ret = build_filter(c, &enter, e);
	if (ret == 0 && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		ret = err_set(e, -errno, "set no_new_privs");
	if (ret < 0)
		return ret;
	last_step = (void (*)(const struct tender_enter *))(uintptr_t)enter.page;
	last_step(&enter);
	return 0;
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * The launch stage: from the host's exec to start_kernel(), and the only code that runs unconfined.
 *
 * In this order, because each step closes a door behind the ones before it:
 *
 *	1. what the host gives: auxiliary vector, vDSO, CPU features
 *	2. the launch record is copied and checked; nothing in it is believed before
 *	3. descriptors are moved to fixed numbers, and all others closed
 *	4. guest memory, the images and the initrd are mapped
 *	5. timer, epoll, signal handlers, randomness
 *	6. no_new_privs and the seccomp filter: from here on the table in confine_linux.c holds
 *	7. the guest kernel starts; the first untrusted byte (an image's superblock, a frame, the
 *	   program) is looked at long after that
 *
 * Everything here uses the gate (entry.S) like the host calls do, so the executable holds no other
 * instruction that calls the host.
 */
#include <linux/kernel.h>
#include <linux/init.h>
#include <linux/mm.h>
#include <linux/sched/task_stack.h>
#include <linux/start_kernel.h>
#include <linux/string.h>
#include <linux/uio.h>
#include <linux/elf.h>
#include <linux/random.h>
#include <asm/sections.h>
#include <asm/setup.h>
#include <asm/unistd.h>
#include <linux/mman.h>
#include "confine.h"
#include "entry.h"
#include "host.h"
#include "launch.h"

struct nabla_launch nabla_launch;
char nabla_cmdline[COMMAND_LINE_SIZE];
u8 nabla_seed[64];
u64 nabla_initrd_phys, nabla_initrd_size;
bool nabla_has_rdrand, nabla_has_fsgsbase;

extern long nabla_timer;
extern unsigned int nabla_stdio_always;
extern unsigned long nabla_vdso_start, nabla_vdso_end;
extern long (*nabla_vdso_clock_gettime)(int clock, struct __kernel_timespec *ts);

/* Where the descriptors end up. */
#define FD_EPOLL	4
#define FD_STDIO_EPOLL	5
#define FD_MEMORY	6
#define FD_NETS		8
#define FD_IMAGES	(FD_NETS + NABLA_LAUNCH_NETS)
#define FD_END		(FD_IMAGES + NABLA_LAUNCH_IMAGES)

#define HOST_F_GETFD		1
#define HOST_F_SETFL		4
#define HOST_F_SETOWN		8
#define HOST_F_DUPFD_CLOEXEC	1030
#define HOST_O_NONBLOCK		04000
#define HOST_O_ASYNC		020000

static long call(long nr, long a, long b, long c, long d, long e, long f)
{
	return nabla_syscall6(nr, a, b, c, d, e, f);
}

static const char *reason(long err)
{
	switch (-err) {
	case EPERM: return "operation not permitted";
	case EBADF: return "bad descriptor";
	case ENOMEM: return "not enough memory";
	case EACCES: return "permission denied";
	case EEXIST: return "the address range is in use";
	case EINVAL: return "invalid argument";
	case EMFILE: return "too many open files (raise RLIMIT_NOFILE to at least 256)";
	case ENOSYS: return "the host kernel lacks it (Linux 5.11 or later is needed)";
	default: return NULL;
	}
}

void __init nabla_launch_fail(const char *doing, long err)
{
	char text[256];
	struct iovec iov = { .iov_base = text };

	if (reason(err))
		iov.iov_len =
			scnprintf(text, sizeof(text), "nabla-linux: %s: %s\n", doing, reason(err));
	else if (err)
		iov.iov_len =
			scnprintf(text, sizeof(text), "nabla-linux: %s: errno %ld\n", doing, -err);
	else
		iov.iov_len = scnprintf(text, sizeof(text), "nabla-linux: %s\n", doing);
	call(__NR_writev, 2, (long)&iov, 1, 0, 0, 0);
	for (;;)
		call(__NR_exit_group, NABLA_EXIT_LAUNCH, 0, 0, 0, 0, 0);
}

static long __init must(const char *doing, long ret)
{
	if (ret < 0)
		nabla_launch_fail(doing, ret);
	return ret;
}

/* 1. What the host gives. */

static void __init find_vdso_clock(unsigned long base)
{
	const Elf64_Ehdr *eh = (const Elf64_Ehdr *)base;
	const Elf64_Phdr *ph = (const Elf64_Phdr *)(base + eh->e_phoff);
	const Elf64_Dyn *dyn = NULL;
	const Elf64_Sym *sym = NULL;
	const char *str = NULL;
	const u32 *hash = NULL;
	unsigned long bias = base, end = 0;
	u32 i;

	for (i = 0; i < eh->e_phnum; i++) {
		if (ph[i].p_type == PT_LOAD) {
			bias = base + ph[i].p_offset - ph[i].p_vaddr;
			end = max(end, base + (unsigned long)ph[i].p_offset + ph[i].p_memsz);
		}
		if (ph[i].p_type == PT_DYNAMIC)
			dyn = (const Elf64_Dyn *)(base + ph[i].p_offset);
	}
	for (; dyn && dyn->d_tag != DT_NULL; dyn++) {
		if (dyn->d_tag == DT_STRTAB)
			str = (const char *)(bias + dyn->d_un.d_ptr);
		if (dyn->d_tag == DT_SYMTAB)
			sym = (const Elf64_Sym *)(bias + dyn->d_un.d_ptr);
		if (dyn->d_tag == DT_HASH)
			hash = (const u32 *)(bias + dyn->d_un.d_ptr);
	}
	if (!str || !sym)
		return;
	/* DT_HASH counts the symbols; without it (a GNU hash only) the string table ends them. */
	for (i = 0; hash ? i < hash[1] : (const char *)(sym + i + 1) <= str; i++)
		if (!strcmp(str + sym[i].st_name, "__vdso_clock_gettime"))
			nabla_vdso_clock_gettime = (void *)(bias + sym[i].st_value);
	nabla_vdso_start = base & PAGE_MASK;
	nabla_vdso_end = PAGE_ALIGN(end);
}

static void __init read_auxv(unsigned long *sp)
{
	unsigned long hwcap2 = 0, vdso = 0;
	unsigned long *p = sp + 1 + sp[0] + 1;	/* argc, argv, NULL */
	u32 a = 1, b, c = 0, d;

	while (*p++)
		;				/* environment */
	for (; p[0]; p += 2) {
		if (p[0] == 26)			/* AT_HWCAP2 */
			hwcap2 = p[1];
		if (p[0] == 33)			/* AT_SYSINFO_EHDR */
			vdso = p[1];
	}
	/* The CPU may have them and the host's kernel not know: then it does not keep the bases. */
	nabla_has_fsgsbase = hwcap2 & 2;
	if (vdso)
		find_vdso_clock(vdso);
	if (!nabla_vdso_clock_gettime)
		nabla_launch_fail("the host kernel offers no vDSO clock", 0);
	/* With an unlimited stack or vm.legacy_va_layout the host maps from the bottom up. */
	if (vdso < NABLA_TASK_SIZE)
		nabla_launch_fail("the host's vDSO lies where guest programs go "
				  "(unlimited stack size, or vm.legacy_va_layout=1)", 0);
	asm volatile("cpuid" : "+a" (a), "=b" (b), "+c" (c), "=d" (d));
	nabla_has_rdrand = c & (1u << 30);
	if (!(c & (1u << 27)))
		nabla_launch_fail("this CPU or host kernel has no XSAVE", 0);
}

/* 2. The launch record. */

static bool __init section_bad(const struct nabla_section *s, u64 size)
{
	return s->length && (s->offset > size || s->length > size - s->offset);
}

static void __init check_record(u64 size)
{
	const struct nabla_launch *l = &nabla_launch;
	unsigned int i;

	if (memcmp(l->magic, NABLA_LAUNCH_MAGIC, 8) || l->version != NABLA_LAUNCH_VERSION ||
	    l->size != sizeof(*l))
		nabla_launch_fail("the launch record is not of this version", 0);
	if (l->nr_nets > NABLA_LAUNCH_NETS || l->nr_images > NABLA_LAUNCH_IMAGES)
		nabla_launch_fail("the launch record names too many devices", 0);
	if (section_bad(&l->cmdline, size) || section_bad(&l->initrd, size) ||
	    l->cmdline.length > NABLA_LAUNCH_CMDLINE || (l->initrd.offset & ~PAGE_MASK))
		nabla_launch_fail("a section of the launch record is out of bounds", 0);
	if (l->mem_size < (32UL << 20) || l->mem_size > (63UL << 30) || (l->mem_size & ~PMD_MASK))
		nabla_launch_fail("guest memory must be 32 MiB to 63 GiB, in steps of 2 MiB", 0);
	if (l->initrd.length > l->mem_size / 2)
		nabla_launch_fail("the initrd does not fit into guest memory", 0);
	for (i = 0; i < l->nr_images; i++)
		if (!l->image[i].size || (l->image[i].size & ~PAGE_MASK))
			nabla_launch_fail("an image's size is not a multiple of 4096", 0);
	for (i = 0; i < l->nr_nets; i++)
		if (l->net[i].name[sizeof(l->net[i].name) - 1] ||
		    (l->net[i].vnet_hdr_len != 10 && l->net[i].vnet_hdr_len != 12))
			nabla_launch_fail("a network device of the launch record is malformed", 0);
}

/* The port's own parameters, then the runtime's, which may override them. */
static void __init compose_cmdline(const char *more, size_t len)
{
	static const char own[] __initconst =
		"thp_anon=16K-64K:always "	/* larger pages cost memory, smaller ones faults */
		"dummy.numdummies=0 "		/* no interface but the pod's */
		"dhash_entries=8192 ihash_entries=4096 thash_entries=4096 uhash_entries=512 "
		/* with private DAX: a program's data lies in an image */
		"coredump_filter=0xb3 ";

	memcpy(nabla_cmdline, own, sizeof(own));
	if (!len)
		return;
	if (sizeof(own) + len > sizeof(nabla_cmdline))
		nabla_launch_fail("the command line is too long", 0);
	memcpy(nabla_cmdline + sizeof(own) - 1, more, len);
	nabla_cmdline[sizeof(own) - 2 + len] = '\0';
}

static const u8 *__init read_record(u64 *size)
{
	const u8 *file;

	*size = must("find the launch record at descriptor 3",
		     call(__NR_lseek, NABLA_LAUNCH_FD, 0, 2 /* SEEK_END */, 0, 0, 0));
	if (*size < sizeof(nabla_launch))
		nabla_launch_fail("the launch record is too short", 0);
	file = (const u8 *)must("map the launch record", call(__NR_mmap, 0, *size, PROT_READ,
							      MAP_PRIVATE, NABLA_LAUNCH_FD, 0));
	memcpy(&nabla_launch, file, sizeof(nabla_launch));
	check_record(*size);
	compose_cmdline((const char *)file + nabla_launch.cmdline.offset,
			nabla_launch.cmdline.length);
	return file;
}

/* 3. Descriptors. */

/* Out of the way of the fixed numbers. */
static s32 __init lift(const char *what, s32 fd)
{
	return must(what, call(__NR_fcntl, fd, HOST_F_DUPFD_CLOEXEC, FD_END, 0, 0, 0));
}

static void __init place(s32 *fd, s32 to)
{
	must("place a descriptor", call(__NR_dup3, *fd, to, 02000000 /* O_CLOEXEC */, 0, 0, 0));
	*fd = to;
}

static void __init place_descriptors(void)
{
	struct nabla_launch *l = &nabla_launch;
	unsigned int i;

	for (i = 0; i < 3; i++)
		must("descriptors 0, 1 and 2 must be open",
		     call(__NR_fcntl, i, HOST_F_GETFD, 0, 0, 0, 0));
	for (i = 0; i < l->nr_nets; i++)
		l->net[i].fd = lift("a network device's descriptor", l->net[i].fd);
	for (i = 0; i < l->nr_images; i++)
		l->image[i].fd = lift("an image's descriptor", l->image[i].fd);
	for (i = 0; i < l->nr_nets; i++)
		place(&l->net[i].fd, FD_NETS + i);
	for (i = 0; i < l->nr_images; i++)
		place(&l->image[i].fd, FD_IMAGES + i);
	must("close other descriptors",
	     call(__NR_close_range, FD_IMAGES + l->nr_images, ~0u, 0, 0, 0, 0));
	must("close other descriptors",
	     call(__NR_close_range, FD_NETS + l->nr_nets, FD_IMAGES - 1, 0, 0, 0, 0));
	must("close other descriptors", call(__NR_close_range, 4, FD_NETS - 1, 0, 0, 0, 0));
}

/* 4. Memory. */

/*
 * Booting writes the first section's struct pages, which memblock puts at the end of memory below
 * the initrd (memory.c), and tables below them. One call to have the host's pages there costs a
 * tenth of a fault for each.
 */
static void __init populate_boot_memory(void)
{
	u64 end = nabla_initrd_size ? nabla_initrd_phys : nabla_memory_end();
	u64 tables = 1UL << 20, first = PAGES_PER_SECTION * sizeof(struct page);
	u64 start = ALIGN_DOWN(end - nabla_vmemmap_size(), PAGE_SIZE);

	host_populate((unsigned long)__va(start - tables), tables + min(first, end - start));
}

static void __init place_initrd(const u8 *file, u64 size)
{
	const struct nabla_section *s = &nabla_launch.initrd;

	nabla_memory_launch();
	must("place guest memory", call(__NR_dup3, nabla_memory_fd, FD_MEMORY, 02000000, 0, 0, 0));
	if (nabla_memory_fd != FD_MEMORY)
		call(__NR_close, nabla_memory_fd, 0, 0, 0, 0, 0);
	nabla_memory_fd = FD_MEMORY;
	if (s->length) {
		nabla_initrd_size = s->length;
		nabla_initrd_phys = (nabla_memory_end() - s->length) & PAGE_MASK;
		memcpy(__va(nabla_initrd_phys), file + s->offset, s->length);
	}
	populate_boot_memory();
	call(__NR_munmap, (long)file, size, 0, 0, 0, 0);
	call(__NR_close, NABLA_LAUNCH_FD, 0, 0, 0, 0, 0);
}

/* 5. Timer, events, randomness. */

struct host_epoll_event {
	u32 events;
	u64 data;
} __packed;

#define HOST_EPOLLIN	0x001u
#define HOST_EPOLLOUT	0x004u
#define HOST_EPOLLET	(1u << 31)

static long __init watch(int epfd, int fd, u32 events, u64 data)
{
	struct host_epoll_event ev = { .events = events, .data = data };

	return call(__NR_epoll_ctl, epfd, 1 /* EPOLL_CTL_ADD */, fd, (long)&ev, 0, 0);
}

static int __init new_epoll(int fd)
{
	long got = must("create an epoll descriptor",
			call(__NR_epoll_create1, 02000000, 0, 0, 0, 0, 0));

	if (got != fd) {
		must("place an epoll descriptor", call(__NR_dup3, got, fd, 02000000, 0, 0, 0));
		call(__NR_close, got, 0, 0, 0, 0, 0);
	}
	return fd;
}

static void __init watch_descriptors(void)
{
	long pid = call(__NR_getpid, 0, 0, 0, 0, 0, 0);
	unsigned int i;
	long ret;

	/* The stdio set first: dup3() onto 4 must not disturb what new_epoll() got. */
	nabla_stdio_epoll_fd = new_epoll(FD_STDIO_EPOLL);
	nabla_epoll_fd = new_epoll(FD_EPOLL);
	for (i = 0; i < 3; i++) {
		ret = watch(nabla_stdio_epoll_fd, i, i ? HOST_EPOLLOUT : HOST_EPOLLIN, i);
		if (ret == -EPERM)		/* a regular file, /dev/null */
			nabla_stdio_always |= 1u << i;
		else
			must("watch descriptors 0-2", ret);
	}
	must("watch descriptors 0-2", watch(nabla_epoll_fd, nabla_stdio_epoll_fd,
					    HOST_EPOLLIN | HOST_EPOLLET, NABLA_IRQ_STDIO));
	for (i = 0; i < nabla_launch.nr_nets; i++) {
		s32 fd = nabla_launch.net[i].fd;

		must("watch a network device",
		     watch(nabla_epoll_fd, fd, HOST_EPOLLIN | HOST_EPOLLET, NABLA_IRQ_NET(i)));
		/*
		 * Room to send by a second number of the same file: in one entry each frame that
		 * came would end the next sleep, though it was read long ago, for there is room.
		 */
		must("watch a network device",
		     watch(nabla_epoll_fd, lift("a network device's descriptor", fd),
			   HOST_EPOLLOUT | HOST_EPOLLET, NABLA_IRQ_NET(i)));
		must("own a network device", call(__NR_fcntl, fd, HOST_F_SETOWN, pid, 0, 0, 0));
		ret = call(__NR_fcntl, fd, HOST_F_SETFL, HOST_O_NONBLOCK | HOST_O_ASYNC, 0, 0, 0);
		if (ret < 0)			/* no SIGIO (macvtap): the timer tick looks */
			must("set up a network device",
			     call(__NR_fcntl, fd, HOST_F_SETFL, HOST_O_NONBLOCK, 0, 0, 0));
	}
}

static void __init create_timer(void)
{
	int id = 0;

	must("create the timer",
	     call(__NR_timer_create, HOST_CLOCK_MONOTONIC, 0, (long)&id, 0, 0, 0));
	nabla_timer = id;
}

/* 6. Confinement. */

static void __init confine(void)
{
	static struct sock_filter filter[CONFINE_LINUX_MAX] __initdata;
	struct confine_linux c = {
		.gate_return = (u64)nabla_gate_return,
		.kernel_start = (u64)__executable_start,
		.kernel_end = (u64)_end,
		.vdso_start = nabla_vdso_start,
		.vdso_end = nabla_vdso_end,
		.timer = nabla_timer,
		.memory_fd = FD_MEMORY,
		.epoll_fd = FD_EPOLL,
		.stdio_epoll_fd = FD_STDIO_EPOLL,
		.net_fd_first = FD_NETS,
		.nr_nets = nabla_launch.nr_nets,
		.image_fd_first = FD_IMAGES,
		.nr_images = nabla_launch.nr_images,
		.tty = nabla_launch.flags & NABLA_LAUNCH_TTY,
		.set_base = !nabla_has_fsgsbase,
	};
	struct {
		u16 len;
		struct sock_filter *filter;
	} prog = { .filter = filter };

	BUILD_BUG_ON(CONFINE_LINUX_LOW_START != NABLA_USER_LOW);
	BUILD_BUG_ON(CONFINE_LINUX_LOW_END != NABLA_KERNEL_START);
	BUILD_BUG_ON((u64)CONFINE_LINUX_HIGH_START_HI << 32 != NABLA_VMALLOC_START);
	BUILD_BUG_ON((u64)CONFINE_LINUX_HIGH_END_HI << 32 != NABLA_TASK_SIZE);

	prog.len = confine_linux_filter(&c, filter);
	if (!prog.len)
		nabla_launch_fail("the seccomp filter cannot be built", 0);
	must("set no_new_privs", call(__NR_prctl, 38 /* PR_SET_NO_NEW_PRIVS */, 1, 0, 0, 0, 0));
	must("set not dumpable", call(__NR_prctl, 4 /* PR_SET_DUMPABLE */, 0, 0, 0, 0, 0));
	must("install the seccomp filter",
	     call(__NR_seccomp, 1 /* SECCOMP_SET_MODE_FILTER */, 0, (long)&prog, 0, 0, 0));
}

/*
 * The linker puts read-only data, tables and exit code into one segment, writable and executable.
 */
static void __init protect_executable(void)
{
	unsigned long data = PAGE_ALIGN((unsigned long)_etext);

	must("protect the executable",
	     call(__NR_mprotect, data, PAGE_ALIGN((unsigned long)_end) - data,
		  PROT_READ | PROT_WRITE, 0, 0, 0));
}

void __init nabla_start(unsigned long *sp)
{
	const u8 *file;
	u64 size;

	read_auxv(sp);
	file = read_record(&size);
	place_descriptors();
	place_initrd(file, size);
	create_timer();
	watch_descriptors();
	must("get randomness",
	     call(__NR_getrandom, (long)nabla_seed, sizeof(nabla_seed), 0, 0, 0, 0));
	protect_executable();
	nabla_xstate_init();
	nabla_signals_init();
	confine();
	nabla_start_kernel_on((unsigned long)task_stack_page(&init_task) + THREAD_SIZE - 16);
}

/* 7. On init_task's stack. */
void __init nabla_start_kernel(void)
{
	start_kernel();
}

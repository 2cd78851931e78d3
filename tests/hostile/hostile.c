// SPDX-License-Identifier: GPL-2.0-only
/*
 * Programs that try to leave the container, one attempt a run: `hostile NAME`. `hostile --list`
 * prints for each what must come of it, its name and its title (attempts.sh):
 *
 *	killed		the host kills the process with SIGSYS before the call has had any effect
 *	contained	refused, or without effect; the container goes on and says "contained"
 *	ends		what is destroyed is the guest itself: it may end in any way
 *
 * Guest kernel and programs are one domain: the kernel's instruction that calls the host, the
 * gate, can be jumped to. What it does for a foreign caller is what the filter allows to anybody.
 * $CANARY_FILE and $CANARY_PID name a file and a process of the host that must not change.
 */
#include "hostile.h"

#include <linux/reboot.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#define G(name, nr, ...)                                                                          \
	{                                                                                         \
		"killed", "gate-" name, name " at the gate", nr, { __VA_ARGS__ }, at_gate         \
	}
#define ANY(name, title, fn) { "ends", name, title, 0, { 0 }, fn }
#define OK(name, title, fn) { "contained", name, title, 0, { 0 }, fn }
#define KILL(name, title, fn) { "killed", name, title, 0, { 0 }, fn }
#define RW (PROT_READ | PROT_WRITE)
#define SF (MAP_SHARED | MAP_FIXED)

static const struct attempt attempts[] = {
	G("getpid", SYS_getpid, 0),
	G("read", SYS_read, 0, IOV, 1),
	G("write", SYS_write, 1, IOV, 1),
	G("open", SYS_open, PATH, O_WRONLY | O_TRUNC),
	G("openat", SYS_openat, AT_FDCWD, PATH, O_RDWR),
	G("openat2", 437, AT_FDCWD, PATH, WORDS, 24),
	G("creat", SYS_creat, PATH, 0644),
	G("close", SYS_close, 0),
	G("mprotect", SYS_mprotect, KERNEL + PAGE, PAGE, 7),
	G("pkey_mprotect", SYS_pkey_mprotect, KERNEL + PAGE, PAGE, 7, -1),
	G("brk", SYS_brk, 0),
	G("rt_sigaction", SYS_rt_sigaction, SIGSYS, WORDS, 0, 8),
	G("rt_sigprocmask", SYS_rt_sigprocmask, 0, WORDS, 0, 8),
	G("ioctl", SYS_ioctl, 0, 0x5401, WORDS),
	G("ioctl-size-of-no-terminal", SYS_ioctl, 0, 0x5413, WORDS),
	G("ioctl-type-into-terminal", SYS_ioctl, 0, 0x5412, PATH),
	G("ioctl-signals-for-input", SYS_ioctl, 0, 0x5452, WORDS),
	G("pread64", SYS_pread64, MEMORY_FD, WORDS, 8, 0),
	G("preadv", SYS_preadv, IMAGE_FD, IOV, 1),
	G("pwritev2", SYS_pwritev2, MEMORY_FD, IOV, 1),
	G("mremap", SYS_mremap, KERNEL, PAGE, PAGE, 3, 0x20000000),
	G("madvise", SYS_madvise, KERNEL, PAGE, 4),
	G("remap_file_pages", SYS_remap_file_pages, KERNEL, PAGE, 0, 0, 0),
	G("dup2", SYS_dup2, 1, 50),
	G("fcntl", SYS_fcntl, 0, F_GETFL),
	G("ftruncate", SYS_ftruncate, MEMORY_FD, 1L << 40),
	G("sendfile", SYS_sendfile, 1, IMAGE_FD, 0, 1),
	G("splice", SYS_splice, 0, 0, 1, 0, 1),
	G("socket", SYS_socket, AF_INET, SOCK_STREAM),
	G("socketpair", SYS_socketpair, AF_UNIX, 1, 0, WORDS),
	G("connect", SYS_connect, 0, WORDS, 16),
	G("sendmsg", SYS_sendmsg, 0, WORDS),
	G("recvmsg", SYS_recvmsg, 0, WORDS),
	G("fork", SYS_fork, 0),
	G("vfork", SYS_vfork, 0),
	G("clone", SYS_clone, SIGCHLD),
	G("clone3", SYS_clone3, WORDS, 64),
	G("execve", SYS_execve, PATH, WORDS, WORDS),
	G("execveat", SYS_execveat, IMAGE_FD, PATH, WORDS, WORDS, AT_EMPTY_PATH),
	G("exit", SYS_exit, 0),
	G("kill", SYS_kill, PID, SIGKILL),
	G("kill-all", SYS_kill, -1, SIGKILL),
	G("tgkill", SYS_tgkill, PID, PID, SIGKILL),
	G("tkill", SYS_tkill, PID, SIGKILL),
	G("pidfd_open", SYS_pidfd_open, PID),
	G("pidfd_send_signal", SYS_pidfd_send_signal, 0, SIGKILL),
	G("ptrace", SYS_ptrace, 16, PID),
	G("process_vm_readv", SYS_process_vm_readv, PID, IOV, 1, IOV, 1),
	G("process_vm_writev", SYS_process_vm_writev, PID, IOV, 1, IOV, 1),
	G("unlink", SYS_unlink, PATH),
	G("rename", SYS_rename, PATH, PATH),
	G("chmod", SYS_chmod, PATH, 0777),
	G("mount", SYS_mount, PATH, PATH, PATH),
	G("unshare", SYS_unshare, CLONE_NEWUSER),
	G("setns", SYS_setns, 0),
	G("chroot", SYS_chroot, PATH),
	G("pivot_root", SYS_pivot_root, PATH, PATH),
	G("setuid", SYS_setuid, 0),
	G("capset", SYS_capset, WORDS, WORDS),
	G("prctl", SYS_prctl, 4, 1),
	G("arch_prctl-cpuid", SYS_arch_prctl, 0x1012, 0),
	G("arch_prctl-get", SYS_arch_prctl, 0x1003, WORDS),
	G("seccomp", SYS_seccomp, 1, 0, WORDS),
	G("bpf", SYS_bpf, 0, WORDS, 64),
	G("perf_event_open", SYS_perf_event_open, WORDS),
	G("userfaultfd", SYS_userfaultfd, 0),
	G("io_uring_setup", SYS_io_uring_setup, 8, WORDS),
	G("memfd_create", SYS_memfd_create, PATH, 0),
	G("keyctl", SYS_keyctl, 0),
	G("add_key", SYS_add_key, PATH, PATH),
	G("init_module", SYS_init_module, WORDS, 8, PATH),
	G("reboot", SYS_reboot, 0xfee1dead, 672274793, 0x1234567),
	G("timer_create", SYS_timer_create, 1, 0, WORDS),
	G("timer_delete", SYS_timer_delete, 0),
	G("clock_gettime", SYS_clock_gettime, 1, WORDS),
	G("epoll_ctl", SYS_epoll_ctl, 4, 1, 0, WORDS),
	G("epoll_wait", SYS_epoll_wait, 4, WORDS, 1, 0),
	G("exit_group-x32", SYS_exit_group | 0x40000000, 0),
	G("number-600", 600, 0),
	G("number-minus-1", -1, 0),
	G("mmap-anonymous", SYS_mmap, 0x20000000, PAGE, RW,
	  MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0),
	G("mmap-shared-anonymous", SYS_mmap, 0x20000000, PAGE, RW, SF | MAP_ANONYMOUS, -1, 0),
	G("mmap-private", SYS_mmap, 0x20000000, PAGE, RW, MAP_PRIVATE | MAP_FIXED, MEMORY_FD, 0),
	G("mmap-anywhere", SYS_mmap, 0, PAGE, RW, MAP_SHARED, MEMORY_FD, 0),
	G("mmap-over-kernel", SYS_mmap, KERNEL + PAGE, PAGE, 7, SF, MEMORY_FD, 0),
	G("mmap-into-kernel", SYS_mmap, KERNEL - PAGE, 2 * PAGE, 7, SF, MEMORY_FD, 0),
	G("mmap-over-guest-memory", SYS_mmap, 0x70000000, PAGE, 7, SF, MEMORY_FD, 0),
	G("mmap-over-stack", SYS_mmap, 0x7ffffffde000, PAGE, 7, SF, MEMORY_FD, 0),
	G("mmap-null", SYS_mmap, 0, PAGE, RW, SF, MEMORY_FD, 0),
	G("mmap-wraps", SYS_mmap, 0x20000000, -0x10000000L, RW, SF, MEMORY_FD, 0),
	G("mmap-of-0", SYS_mmap, 0x20000000, PAGE, RW, SF, 0, 0),
	G("mmap-of-4", SYS_mmap, 0x20000000, PAGE, RW, SF, 4, 0),
	G("mmap-of-50", SYS_mmap, 0x20000000, PAGE, RW, SF, 50, 0),
	G("mmap-locked", SYS_mmap, 0x20000000, PAGE, RW, SF | MAP_LOCKED, MEMORY_FD, 0),
	G("mmap-growsdown", SYS_mmap, 0x20000000, PAGE, RW, SF | MAP_GROWSDOWN, MEMORY_FD, 0),
	G("mmap-prot", SYS_mmap, 0x20000000, PAGE, 0xff, SF, MEMORY_FD, 0),
	G("munmap-kernel", SYS_munmap, KERNEL, 32 << 20),
	G("munmap-null", SYS_munmap, 0, 1L << 46),
	G("munmap-high", SYS_munmap, 0x7ff000000000, 1L << 36),
	G("readv-1", SYS_readv, 1, IOV, 1),
	G("readv-3", SYS_readv, 3, IOV, 1),
	G("readv-memory", SYS_readv, MEMORY_FD, IOV, 1),
	G("readv-7", SYS_readv, 7, IOV, 1),
	G("readv-net", SYS_readv, 8, IOV, 1),
	G("readv-image", SYS_readv, IMAGE_FD, IOV, 1),
	G("readv-50", SYS_readv, 50, IOV, 1),
	G("readv-minus-1", SYS_readv, -1, IOV, 1),
	G("writev-0", SYS_writev, 0, IOV, 1),
	G("writev-epoll", SYS_writev, 4, IOV, 1),
	G("writev-memory", SYS_writev, MEMORY_FD, IOV, 1),
	G("writev-image", SYS_writev, IMAGE_FD, IOV, 1),
	G("writev-net", SYS_writev, 8, IOV, 1),
	G("writev-50", SYS_writev, 50, IOV, 1),
	G("epoll-mask", 441, 4, WORDS, 1, WORDS, WORDS, 8),
	G("epoll-0", 441, 0, WORDS, 1, WORDS, 0, 8),
	G("epoll-memory", 441, MEMORY_FD, WORDS, 1, WORDS, 0, 8),
	G("timer-1", SYS_timer_settime, 1, 0, WORDS, 0),
	G("fallocate-image", SYS_fallocate, IMAGE_FD, 3, 0, PAGE),
	G("fallocate-grow", SYS_fallocate, MEMORY_FD, 0, 0, 1L << 40),
	G("fallocate-punch", SYS_fallocate, MEMORY_FD, 3, 0, PAGE),
	G("arch_prctl-shadow-stack", SYS_arch_prctl, 0x5001, 1),

	KILL("int80", "int 0x80", int80),
	KILL("int80-32", "int 0x80 in the 32-bit segment", int80_in_32_bit),
	KILL("syscall-32", "syscall in the 32-bit segment", syscall_in_32_bit),
	KILL("syscall-in-kernel", "other syscall bytes in the kernel's text", syscall_elsewhere),
	KILL("vdso", "getpid from the host's vDSO", vdso_other_number),
	KILL("sigreturn-blocked", "a forged signal frame blocks SIGSYS, then a system call",
	     block_and_call),
	{ "killed",
	  "sysenter",
	  "sysenter: SIGILL, or killed where the CPU has it",
	  1,
	  { 0 },
	  sysenter },
	OK("x32", "x32's system calls", x32_numbers),
	OK("segment-32", "32-bit code faults, loops", segment_32),
	OK("privileged", "privileged instructions", privileged),
	OK("vsyscall", "the vsyscall page", vsyscall),
	OK("image-writable", "an image is mapped writable", image_writable),
	OK("image-discarded", "an image's pages are discarded", image_discarded),
	OK("kernel-text", "the kernel's text is written", kernel_text),
	OK("map-memory", "guest memory is mapped executable by hand", map_over),
	OK("other-process", "another guest process's memory is searched for and changed",
	   other_process),
	OK("kill-init", "kill -9 1", kill_init),
	OK("kill-canary", "a signal to a process id of the host", kill_by_number),
	OK("open-canary", "a path of the host", open_host_file),
	OK("mounts", "mounts", mounts),
	OK("module", "kernel modules, ports, raw memory", module),
	OK("raw-packets", "raw packets", raw_packets),

	ANY("sigreturn-fault", "a forged signal frame blocks SIGSEGV, then a fault",
	    block_and_fault),
	ANY("sigreturn-alt", "a forged signal frame puts the signal stack on the kernel",
	    alt_on_kernel),
	ANY("sigreturn-garbage", "a signal frame of garbage", sigreturn_garbage),
	ANY("sigreturn-privileged", "a signal frame with kernel segments and IOPL 3",
	    privileged_frame),
	{ "ends",
	  "destroy-data",
	  "the kernel's data is overwritten",
	  0,
	  { KERNEL + 0x505000, 8 << 20, 1 },
	  destroy },
	{ "ends",
	  "destroy-data-8",
	  "the kernel's pointers are shifted",
	  0,
	  { KERNEL + 0x505000, 8 << 20, 2 },
	  destroy },
	{ "ends",
	  "destroy-memory",
	  "guest memory (stacks, page tables) is overwritten",
	  0,
	  { KERNEL + (16 << 20), 48 << 20, 1 },
	  destroy },
	{ "ends",
	  "destroy-zero",
	  "guest memory is zeroed",
	  0,
	  { KERNEL + (16 << 20), 48 << 20, 0 },
	  destroy },
	{ "ends", "jump-0", "a jump into kernel text", 0, { 0x40 }, jump_into_kernel },
	{ "ends", "jump-1", "a jump into kernel text", 0, { 0x1001 }, jump_into_kernel },
	{ "ends", "jump-2", "a jump into kernel text", 0, { 0x54321 }, jump_into_kernel },
	{ "ends", "jump-3", "a jump into kernel text", 0, { 0x123457 }, jump_into_kernel },
	{ "ends", "run-data", "the kernel's data is run", 0, { 0 }, kernel_data_runs },
	{ "ends",
	  "run-memory",
	  "guest memory is run where the kernel has it",
	  0,
	  { 1 },
	  kernel_data_runs },
	ANY("unmap", "all that may be unmapped is", unmap_everything),
	ANY("punch", "all guest memory is discarded", punch_everything),
	ANY("timer-flood", "the timer fires every nanosecond", timer_flood),
	ANY("lock-out", "protection keys lock the kernel out", lock_out),
	ANY("kill-all", "kill -9 -1", kill_all),
	{ "ends", "restart", "reboot(2)", 0, { LINUX_REBOOT_CMD_RESTART }, restart },
	{ "ends", "halt", "reboot(2), halt", 0, { LINUX_REBOOT_CMD_HALT }, restart },
	{ "ends",
	  "power-off",
	  "reboot(2), power off",
	  0,
	  { LINUX_REBOOT_CMD_POWER_OFF },
	  restart },
	{ "endless",
	  "sigreturn-loop",
	  "a loop with every signal blocked",
	  0,
	  { 0 },
	  block_and_loop },
};

int main(int argc, char **argv)
{
	size_t i;

	if (getenv("CANARY_FILE"))
		snprintf(data.path, sizeof(data.path), "%s", getenv("CANARY_FILE"));
	for (i = 0; i < sizeof(attempts) / sizeof(attempts[0]); i++) {
		const struct attempt *a = &attempts[i];

		if (argc > 1 && !strcmp(argv[1], "--list"))
			printf("%s %s %s\n", a->wanted, a->name, a->title);
		else if (argc > 1 && !strcmp(argv[1], a->name))
			a->run(a);
	}
	return argc > 1 && !strcmp(argv[1], "--list") ? 0 : 97;
}

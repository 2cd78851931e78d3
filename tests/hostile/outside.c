// SPDX-License-Identifier: GPL-2.0-only
/* Attempts on what is outside: processes, files, devices, the network. */
#include "hostile.h"

#include <errno.h>
#include <linux/reboot.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

static size_t change_if(unsigned char *p, const char *magic, size_t len)
{
	size_t i;

	if (sigsetjmp(fault_back, 1))
		return 0;
	for (i = 0; i < len; i++)
		if (p[i] != (unsigned char)(magic[i] ^ 0x55))
			return 0;
	p[0] = 'X';
	return 1;
}

/* One domain: another process's memory can be found in guest memory and changed, and that is all.
 */
void other_process(const struct attempt *a)
{
	static const char magic[] = "the victim's 0123456789abcdef";
	volatile char *mine = malloc(PAGE * 2);
	unsigned char *p, *end;
	size_t i, n = 0;
	pid_t pid;
	int status;

	(void)a;
	find_gate();
	mine = (char *)(((uintptr_t)mine + PAGE) & ~(PAGE - 1));
	pid = fork();
	if (!pid) {
		for (i = 0; i < sizeof(magic); i++)
			mine[i] = (char)(magic[i] ^ 0x55);
		for (i = 0; i < 2000 && mine[0] == (magic[0] ^ 0x55); i++)
			usleep(1000);
		_exit(mine[0] == 'X' ? 0 : 1);
	}
	usleep(100000);
	p = (unsigned char *)(KERNEL + (16 << 20));
	end = p + (40 << 20);
	for (; p < end; p += PAGE)
		n += change_if(p, magic, sizeof(magic));
	waitpid(pid, &status, 0);
	dprintf(1, "found %zu times, the victim's status is %x\n", n, status);
	contained();
}

/* What root may do in the guest stays in the guest. */

void kill_init(const struct attempt *a)
{
	(void)a;
	kill(1, SIGKILL);
	kill(1, SIGTERM);
	usleep(100000);
	contained();
}

void kill_all(const struct attempt *a)
{
	(void)a;
	if (!fork()) {
		signal(SIGTERM, SIG_DFL);
		kill(-1, SIGKILL);
		_exit(0);
	}
	pause();
	exit(0);
}

void kill_by_number(const struct attempt *a)
{
	pid_t pid = atoi(getenv("CANARY_PID"));

	(void)a;
	if (pid > 300 && (kill(pid, SIGKILL) != -1 || errno != ESRCH))
		escaped("a signal was sent", errno);
	contained();
}

void open_host_file(const struct attempt *a)
{
	const char *path = getenv("CANARY_FILE");
	int fd;

	(void)a;
	fd = open(path, O_WRONLY | O_TRUNC);
	if (fd >= 0)
		escaped("the host's file was opened", fd);
	contained();
}

void restart(const struct attempt *a)
{
	say("before");
	syscall(SYS_reboot, LINUX_REBOOT_MAGIC1, LINUX_REBOOT_MAGIC2, a->arg[0], NULL);
	contained();
}

void mounts(const struct attempt *a)
{
	(void)a;
	if (!unshare(CLONE_NEWNS) && !mount("none", "/mnt", "tmpfs", 0, NULL))
		umount("/mnt");
	if (!mount("/dev/sda", "/tmp", "ext4", 0, NULL) ||
	    !mount("/dev/vda", "/tmp", "ext4", 0, NULL))
		escaped("a device of the host was mounted", 0);
	contained();
}

void module(const struct attempt *a)
{
	(void)a;
	if (!syscall(SYS_init_module, data.buffer, 64, "") ||
	    !syscall(SYS_finit_module, 0, "", 0) || !syscall(SYS_kexec_load, 0, 0, NULL, 0) ||
	    !syscall(SYS_iopl, 3) || !syscall(SYS_ioperm, 0x80, 1, 1))
		escaped("kernel code was loaded", 0);
	if (open("/dev/mem", O_RDWR) >= 0 || open("/dev/kmem", O_RDWR) >= 0 ||
	    open("/dev/port", O_RDWR) >= 0)
		escaped("there is raw memory", 0);
	contained();
}

void raw_packets(const struct attempt *a)
{
	char junk[1500] = { 0 };
	struct sockaddr to = { .sa_family = AF_PACKET };
	int i, fd = socket(AF_PACKET, SOCK_RAW, 0x0300);

	(void)a;
	for (i = 0; i < 1000; i++)
		sendto(fd, junk, sizeof(junk), 0, &to, sizeof(to));
	contained();
}

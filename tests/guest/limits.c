// SPDX-License-Identifier: GPL-2.0-only
/* For limits.sh: use up memory, or end in a given way. */
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void eat(void)
{
	size_t n = 0;
	char *p;

	while ((p = malloc(1 << 20))) {
		memset(p, 1, 1 << 20);
		if (++n % 16 == 0)
			dprintf(1, "%zu MiB\n", n);
	}
}

static void bomb(void)
{
	while (fork() >= 0)
		;
	pause();
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";
	int status, i;
	pid_t pid;

	if (!strcmp(what, "eat"))
		eat();
	if (!strcmp(what, "survive")) {
		for (i = 0; i < 3; i++) {
			pid = fork();
			if (!pid) {
				eat();
				_exit(0);
			}
			waitpid(pid, &status, 0);
			printf("child ended by signal %d\n",
			       WIFSIGNALED(status) ? WTERMSIG(status) : 0);
		}
		printf("still here\n");
		return 0;
	}
	if (!strcmp(what, "bomb")) {
		pid = fork();
		if (!pid) {
			setpgid(0, 0);
			bomb();
		}
		sleep(3);
		kill(-pid, SIGKILL);
		for (i = 0; i < 50; i++) {
			/* The children's children are ours now, if we are the first process. */
			while (waitpid(-1, NULL, WNOHANG) > 0)
				;
			pid = fork();
			if (!pid)
				_exit(0);
			if (pid > 0)
				break;
			usleep(100000);
		}
		printf(pid > 0 ? "still here\n" : "no fork any more\n");
		return 0;
	}
	if (!strcmp(what, "status"))
		return atoi(argv[2]);
	if (!strcmp(what, "11"))
		*(volatile char *)(uintptr_t)argc = 1;
	if (!strcmp(what, "4"))
		asm volatile("ud2");
	if (!strcmp(what, "5"))
		asm volatile("int3");
	if (!strcmp(what, "8"))
		asm volatile("div %%ecx" : : "a" (1), "d" (0), "c" (0));
	return 99;
}

// SPDX-License-Identifier: GPL-2.0-only
/* For outside.sh: run 500 programs, one after the other, each in a new address space. */
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	int i, status;

	if (argc > 1)
		return 0;
	for (i = 0; i < 500; i++) {
		if (!vfork()) {
			execl(argv[0], argv[0], "x", NULL);
			_exit(1);
		}
		if (wait(&status) < 0 || status)
			return 1;
	}
	puts("fine");
	return 0;
}

// SPDX-License-Identifier: GPL-2.0-only
/* What exec.c runs: say the arguments and the environment, check initialised and zeroed data. */
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

extern char **environ;
static int zeros[5000], ones[2048] = { 1, [2047] = 1 };
static char *const pointer = (char *)&ones[1];	/* needs a relocation in a PIE */

int main(int argc, char **argv)
{
	char **e;
	int i, bad = ones[0] + ones[2047] != 2 || pointer != (char *)ones + sizeof(int);

	for (i = 0; i < 5000; i++)
		bad |= zeros[i];
	if (argc > 1 && !strcmp(argv[1], "sleep"))
		for (i = 0; i < 20; i++) {
			zeros[i * 100] = ones[i * 50] = getpid();
			usleep(500);
			bad |= zeros[i * 100] != getpid() || ones[i * 50] != getpid();
		}
	printf("argc %d\n", argc);
	for (i = 0; i < argc; i++)
		printf("[%s]\n", argv[i]);
	for (e = environ; *e; e++)
		printf("[%s]\n", *e);
	printf("statics %s\n", bad ? "bad" : "ok");
	return bad ? 1 : 42;
}

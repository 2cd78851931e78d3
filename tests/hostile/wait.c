// SPDX-License-Identifier: GPL-2.0-only
/* For outside.sh: be there. */
#include <stdio.h>
#include <unistd.h>

int main(void)
{
	puts("ready");
	fflush(stdout);
	for (;;)
		pause();
}

/* SPDX-License-Identifier: GPL-2.0-only */
#include "base/signals.h"

#include <signal.h>
#include <stddef.h>

void signals_reset(void)
{
	struct sigaction act = { .sa_handler = SIG_DFL };
	sigset_t none;

	for (int signal = 1; signal < NSIG; signal++)
		/* fails for SIGKILL, SIGSTOP and libc's own: fine */
		sigaction(signal, &act, NULL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

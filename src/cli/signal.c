/* SPDX-License-Identifier: GPL-2.0-only */
/* Names of signals. */
#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

#include "base/str.h"
#include "cli/cli.h"

static const struct {
	const char *name;
	int number;
} names[] = {
	{ "HUP", SIGHUP }, { "INT", SIGINT }, { "QUIT", SIGQUIT }, { "ILL", SIGILL },
	{ "TRAP", SIGTRAP }, { "ABRT", SIGABRT }, { "IOT", SIGABRT }, { "BUS", SIGBUS },
	{ "FPE", SIGFPE }, { "KILL", SIGKILL }, { "USR1", SIGUSR1 }, { "SEGV", SIGSEGV },
	{ "USR2", SIGUSR2 }, { "PIPE", SIGPIPE }, { "ALRM", SIGALRM }, { "TERM", SIGTERM },
	{ "STKFLT", SIGSTKFLT }, { "CHLD", SIGCHLD }, { "CLD", SIGCHLD }, { "CONT", SIGCONT },
	{ "STOP", SIGSTOP }, { "TSTP", SIGTSTP }, { "TTIN", SIGTTIN }, { "TTOU", SIGTTOU },
	{ "URG", SIGURG }, { "XCPU", SIGXCPU }, { "XFSZ", SIGXFSZ }, { "VTALRM", SIGVTALRM },
	{ "PROF", SIGPROF }, { "WINCH", SIGWINCH }, { "IO", SIGIO }, { "POLL", SIGPOLL },
	{ "PWR", SIGPWR }, { "SYS", SIGSYS },
};

/* "RTMIN", "RTMIN+N", "RTMAX", "RTMAX-N", as the C library counts them. */
static int parse_realtime(const char *text, int *number)
{
	bool max = strncasecmp(text, "RTMAX", 5) == 0;
	uint64_t offset = 0;
	int n;

	if (!max && strncasecmp(text, "RTMIN", 5) != 0)
		return -EINVAL;
	text += 5;
	if (*text != '\0' && (*text != (max ? '-' : '+') || str_u64(text + 1, 64, &offset) < 0))
		return -EINVAL;
	n = max ? SIGRTMAX - (int)offset : SIGRTMIN + (int)offset;
	if (n < SIGRTMIN || n > SIGRTMAX)
		return -EINVAL;
	*number = n;
	return 0;
}

int cli_signal_parse(const char *text, int *number)
{
	uint64_t n;

	if (str_u64(text, 64, &n) == 0) {
		if (n == 0)
			return -EINVAL;
		*number = (int)n;
		return 0;
	}
	if (strncasecmp(text, "SIG", 3) == 0)
		text += 3;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strcasecmp(names[i].name, text) != 0)
			continue;
		*number = names[i].number;
		return 0;
	}
	return parse_realtime(text, number);
}

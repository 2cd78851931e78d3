/* SPDX-License-Identifier: GPL-2.0-only */
/* How a guest ended, in words: guest_end.h. */
#include "container/guest_end.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "abi/launch.h"
#include "base/fd.h"
#include "base/io.h"
#include "base/str.h"

int guest_end_status(const struct guest_end *end)
{
	return end->signalled ? 128 + end->number : end->number;
}

/* For both kinds: the filter kills by SIGSYS, and a limit or a person by SIGKILL. */
static const char *end_by_signal(const struct guest_end *end)
{
	bool solo5 = end->kind == GUEST_SOLO5;

	switch (end->number) {
	case SIGSYS:
		return "killed by SIGSYS: it made a host system call that is not allowed";
	case SIGSEGV:
		return solo5 ? "killed by SIGSEGV: a fault, it used memory that it does not have" :
			       "killed by SIGSEGV: a fault in the guest's kernel";
	case SIGBUS:
		return "killed by SIGBUS: a fault, memory that the host could not give";
	case SIGILL:
		return "killed by SIGILL: an instruction that this processor does not have";
	case SIGFPE:
		return "killed by SIGFPE: an arithmetic fault";
	case SIGTRAP:
		return "killed by SIGTRAP: a breakpoint without a debugger";
	case SIGKILL:
		return "killed by SIGKILL: by somebody, or by the memory limit";
	case SIGTERM:
		return "ended by SIGTERM";
	}
	return "killed by a signal";
}

const char *guest_end_words(const struct guest_end *end)
{
	if (end->signalled)
		return end_by_signal(end);
	switch (end->number) {
	case NABLA_EXIT_LAUNCH:
		return "the guest could not be launched";
	case NABLA_EXIT_PANIC:
		return end->kind == GUEST_SOLO5 ?
			       "the unikernel aborted: a panic or a failed assertion" :
			       "the guest's kernel panicked";
	/* PID 1 of a namespace dies of a signal only by a handler that exits. */
	case 128 + SIGTERM:
		return end->kind == GUEST_SOLO5 ? "ended by SIGTERM" : NULL;
	}
	return NULL;
}

/* Field 52 of proc(5) "stat", what wait(2) would give; of a zombie only. */
static bool end_from_proc(const char *text, uint64_t start, int *status)
{
	const char *at = strrchr(text, ')');
	uint64_t value = 0;
	char word[24];

	if (!at || at[1] != ' ' || at[2] != 'Z')
		return false;
	at += 2;
	for (int field = 3; field <= 52; field++) {
		size_t len = strcspn(at, " \n");

		if (field == 22 || field == 52) {
			if (len == 0 || len >= sizeof(word))
				return false;
			memcpy(word, at, len);
			word[len] = '\0';
			if (str_u64(word, UINT64_MAX, &value) < 0 ||
			    (field == 22 && value != start))
				return false;
		}
		at += len;
		at += *at == ' ';
	}
	*status = (int)value;
	return value <= 0xffff;
}

enum guest_kind guest_kind_of(const struct state *s)
{
	const char *name = json_string_value(json_object_get(s->extra, "guest"));

	return name && strcmp(name, guest_kind_name(GUEST_SOLO5)) == 0 ? GUEST_SOLO5 : GUEST_LINUX;
}

bool guest_end_of(const struct state *s, struct guest_end *end)
{
	_autofree_ char *text = NULL;
	struct err ignored = ERR_INIT;
	char path[32];
	int status;

	if (s->pid <= 0)
		return false;
	snprintf(path, sizeof(path), "/proc/%d/stat", (int)s->pid);
	if (io_read_file(AT_FDCWD, path, 65536, &text, NULL, &ignored) < 0 ||
	    !end_from_proc(text, s->pid_start, &status))
		return false;
	end->kind = guest_kind_of(s);
	end->signalled = WIFSIGNALED(status);
	end->number = end->signalled ? WTERMSIG(status) : WEXITSTATUS(status);
	return true;
}

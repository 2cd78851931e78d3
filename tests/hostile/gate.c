// SPDX-License-Identifier: GPL-2.0-only
/* Calls by the guest kernel's own way to the host, and how an attempt ends. */
#include "hostile.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

void say(const char *text)
{
	dprintf(1, "%s\n", text);
}

void contained(void)
{
	say("contained");
	exit(0);
}

void escaped(const char *how, long result)
{
	dprintf(1, "ESCAPED: %s: %ld\n", how, result);
	exit(99);
}

/* Reading what may not be there. */

sigjmp_buf fault_back;
volatile sig_atomic_t fault_signal;

static void fault_handler(int sig)
{
	fault_signal = sig;
	siglongjmp(fault_back, 1);
}

void catch_faults(void)
{
	struct sigaction sa = { .sa_handler = fault_handler, .sa_flags = SA_NODEFER };
	static const int sigs[] = { SIGSEGV, SIGBUS, SIGILL, SIGTRAP, SIGFPE, SIGSYS };
	size_t i;

	for (i = 0; i < sizeof(sigs) / sizeof(sigs[0]); i++)
		sigaction(sigs[i], &sa, NULL);
}

bool readable(const volatile unsigned char *p)
{
	if (sigsetjmp(fault_back, 1))
		return false;
	(void)*p;
	return true;
}

/* The end of readable memory that begins at @p. */
const unsigned char *readable_end(const unsigned char *p)
{
	while (readable(p))
		p += PAGE;
	return p;
}

/* The guest kernel's executable text begins behind its ELF header's page. */
uintptr_t find_gate(void)
{
	const unsigned char *p, *begin = (unsigned char *)KERNEL;
	const uint64_t *phdr = (uint64_t *)(begin + 64);
	const unsigned char *text, *end;
	uintptr_t found = 0;

	catch_faults();
	if (!readable(begin) || memcmp(begin, "\177ELF", 4)) {
		say("no guest kernel here");
		exit(98);
	}
	while (((uint32_t *)phdr)[0] != 1 || !(((uint32_t *)phdr)[1] & 1))
		phdr += 7;
	text = (unsigned char *)phdr[2];
	end = text + phdr[4];
	for (p = text; p < end - 3; p++)
		if (p[0] == 0x0f && p[1] == 0x05 && p[2] == 0xc3)
			found = (uintptr_t)p;
	if (!found) {
		say("no gate found");
		exit(98);
	}
	return found;
}

long gate_call(uintptr_t gate, long nr, const long arg[6])
{
	register long r10 asm("r10") = arg[3];
	register long r8 asm("r8") = arg[4];
	register long r9 asm("r9") = arg[5];
	long ret;

	asm volatile("call *%[gate]"
		     : "=a"(ret)
		     : "0"(nr), "D"(arg[0]), "S"(arg[1]), "d"(arg[2]), "r"(r10), "r"(r8),
		       "r"(r9), [gate] "r"(gate)
		     : "rcx", "r11", "memory");
	return ret;
}

struct data data = { .iov = { data.buffer, sizeof(data.buffer) } };

void at_gate(const struct attempt *a)
{
	uintptr_t gate = find_gate();
	long arg[6], ret;
	int i;

	for (i = 0; i < 6; i++)
		arg[i] = a->arg[i] == PID ? atoi(getenv("CANARY_PID")) : a->arg[i];
	say("before");
	ret = gate_call(gate, a->nr, arg);
	escaped(a->name, ret);
}

/* Run @fn in a child: it must die by one of these; the container goes on. */
void child_dies(void (*fn)(void), int sig, int sig2)
{
	int status = 0;
	pid_t pid = fork();

	if (!pid) {
		fn();
		_exit(0);
	}
	waitpid(pid, &status, 0);
	if (!WIFSIGNALED(status) || (WTERMSIG(status) != sig && WTERMSIG(status) != sig2))
		escaped("the child's status is", status);
}

// SPDX-License-Identifier: GPL-2.0-only
/* exec: of each kind of program, from each kind of caller. /bin/answer-* are built from answer.c.
 */
#include "claim.h"

#include <pthread.h>

static char output[256 * 1024];

/* Run it; its output is in output[], its status is returned. */
static int run(const char *path, char *const argv[], char *const envp[])
{
	int fd[2], status;
	size_t len = 0;
	ssize_t n;
	pid_t pid;

	need(!pipe(fd));
	pid = fork();
	if (!pid) {
		dup2(fd[1], 1);
		close(fd[0]);
		close(fd[1]);
		execve(path, argv, envp);
		_exit(errno);
	}
	close(fd[1]);
	while ((n = read(fd[0], output + len, sizeof(output) - 1 - len)) > 0)
		len += (size_t)n;
	output[len] = '\0';
	close(fd[0]);
	need_is(waitpid(pid, &status, 0), pid);
	return status;
}

static void answers(const char *path)
{
	char *const argv[] = { "answer", "two words", "", NULL };
	char *const envp[] = { "A=1", "B=", NULL };
	int i;

	if (access(path, X_OK) < 0)
		unable("not in this root file system");
	for (i = 0; i < 20; i++) {
		need_is(run(path, argv, envp), 42 << 8);
		if (strcmp(output, "argc 3\n[answer]\n[two words]\n[]\n[A=1]\n[B=]\nstatics ok\n"))
			claim_failed(__FILE__, __LINE__, "%s said: %s", path, output);
	}
}

static void fixed_static(void) { answers("/bin/answer-static"); }
static void fixed_dynamic(void) { answers("/bin/answer-dynamic"); }
static void pie_static(void) { answers("/bin/answer-static-pie"); }
static void pie_dynamic(void) { answers("/bin/answer-pie"); }

static void script(void)
{
	char *const argv[] = { "x", "y", NULL };
	char *const envp[] = { NULL };
	int fd = open("/tmp/script", O_CREAT | O_WRONLY | O_TRUNC, 0755);

	need(fd >= 0);
	dprintf(fd, "#!/bin/answer-static extra\n");
	close(fd);
	need_is(run("/tmp/script", argv, envp), 42 << 8);
	need(!strcmp(output,
		     "argc 4\n[/bin/answer-static]\n[extra]\n[/tmp/script]\n[y]\nstatics ok\n"));
}

static void refused(void)
{
	char *const argv[] = { "x", NULL };
	char *const envp[] = { NULL };
	int fd;

	unlink("/tmp/nonsense");
	fd = open("/tmp/nonsense", O_CREAT | O_WRONLY | O_TRUNC, 0755);

	need(fd >= 0 && write(fd, "nonsense", 8) == 8);
	close(fd);
	need_is(run("/tmp/nonsense", argv, envp), ENOEXEC << 8);
	need(!chmod("/tmp/nonsense", 0644));
	need_is(run("/tmp/nonsense", argv, envp), EACCES << 8);
	need_is(run("/tmp/none", argv, envp), ENOENT << 8);
	need_is(run("/tmp", argv, envp), EACCES << 8);
}

/* 100 KB in 100 arguments, and one that is too long. */
static void long_arguments(void)
{
	static char text[200000];
	char *argv[102] = { "x" };
	char *const envp[] = { NULL };
	int i;

	memset(text, 'a', 1000);
	for (i = 1; i < 101; i++)
		argv[i] = text;
	need_is(run("/bin/answer-static", argv, envp), 42 << 8);
	need(!strncmp(output, "argc 101\n", 9));
	memset(text, 'a', sizeof(text) - 1);
	argv[1] = text;
	argv[2] = NULL;
	need_is(run("/bin/answer-static", argv, envp), E2BIG << 8);
}

static void by_descriptor(void)
{
	char *const argv[] = { "x", NULL };
	char *const envp[] = { NULL };
	int status, fd = open("/bin/answer-static", O_RDONLY | O_CLOEXEC);
	int kept = open("/bin/answer-static", O_RDONLY | O_CLOEXEC);
	pid_t pid;

	need(fd >= 0 && kept >= 0);
	pid = vfork();
	if (!pid) {
		dup2(open("/dev/null", O_WRONLY), 1);
		syscall(SYS_execveat, fd, "", argv, envp, AT_EMPTY_PATH);
		_exit(1);
	}
	need_is(waitpid(pid, &status, 0), pid);
	need_is(status, 42 << 8);
}

static void *exec_in_thread(void *arg)
{
	char *const argv[] = { "x", NULL };
	char *const envp[] = { NULL };

	(void)arg;
	dup2(open("/dev/null", O_WRONLY), 1);
	execve("/bin/answer-static", argv, envp);
	_exit(1);
}

static void *spin(void *arg)
{
	for (;;)
		getppid();
	return arg;
}

static void exec_with_threads(void)
{
	pthread_t t;
	int i;

	for (i = 0; i < 3; i++)
		need(!pthread_create(&t, NULL, spin, NULL));
	usleep(20000);
	need(!pthread_create(&t, NULL, exec_in_thread, NULL));
	for (;;)
		pause();
}

static void from_threads(void)
{
	int i;

	for (i = 0; i < 10; i++)
		need_is(dies(exec_with_threads), -42);
}

/* Programs of all kinds side by side, ten rounds: their address spaces must not mix. */
static void side_by_side(void)
{
	static const char *const names[] = { "/bin/answer-static", "/bin/answer-static-pie",
					     "/bin/answer-dynamic", "/bin/answer-pie" };
	enum { N = 16 };
	char *const argv[] = { "x", "sleep", NULL };
	char *const envp[] = { NULL };
	pid_t pid[N];
	int i, round, status, null = open("/dev/null", O_WRONLY);

	for (round = 0; round < 5; round++) {
		for (i = 0; i < N; i++) {
			pid[i] = fork();
			if (!pid[i]) {
				dup2(null, 1);
				execve(names[i % 4], argv, envp);
				execve(names[0], argv, envp);
				_exit(1);
			}
		}
		for (i = 0; i < N; i++) {
			need_is(waitpid(pid[i], &status, 0), pid[i]);
			need_is(status, 42 << 8);
		}
	}
}

/* A program that is linked into the guest kernel's own addresses, and one whose .bss reaches
 * there. */
static void foreign_addresses(void)
{
	char *const argv[] = { "x", NULL };
	char *const envp[] = { NULL };
	struct {
		unsigned char ident[16];
		uint16_t type, machine;
		uint32_t version;
		uint64_t entry, phoff, shoff;
		uint32_t flags;
		uint16_t ehsize, phentsize, phnum, shentsize, shnum, shstrndx;
		uint32_t p_type, p_flags;
		uint64_t p_offset, p_vaddr, p_paddr, p_filesz, p_memsz, p_align;
		unsigned char code[64];
	} elf = {
		.ident = "\177ELF\2\1\1", .type = 2, .machine = 62, .version = 1, .phoff = 64,
		.ehsize = 64, .phentsize = 56, .phnum = 1, .p_type = 1, .p_flags = 7,
		.p_filesz = sizeof(elf), .p_align = 4096,
		/* mov $42, %edi; mov $231 (exit_group), %eax; syscall */
		.code = { 0xbf, 0x2a, 0, 0, 0, 0xb8, 231, 0, 0, 0, 0x0f, 0x05 },
	};
	static const uint64_t at[][2] = {
		{ 0x10000000, 0x1000 },			/* the check of the check: fine */
		{ 0x60000000, 0x1000 }, { 0x60001000, 0x1000 }, { 0x5ffff000, 0x100000 },
		{ 0x3000000000, 0x1000 }, { 0x3fffffe000, 0x100000 },
	};
	size_t i;
	int fd, status;

	for (i = 0; i < sizeof(at) / sizeof(at[0]); i++) {
		unlink("/tmp/elf");
		elf.p_vaddr = elf.p_paddr = at[i][0];
		elf.p_memsz = at[i][1];
		elf.entry = at[i][0] + offsetof(__typeof__(elf), code);
		fd = open("/tmp/elf", O_CREAT | O_WRONLY | O_TRUNC, 0755);
		need(fd >= 0 && write(fd, &elf, sizeof(elf)) == sizeof(elf));
		close(fd);
		status = run("/tmp/elf", argv, envp);
		/* Elsewhere than in a Nabla guest these addresses are like others. */
		if (i == 0)
			need_is(status, 42 << 8);
		else
			need(status == 42 << 8 || WIFSIGNALED(status) || status == ENOMEM << 8);
	}
}

int main(int argc, char **argv)
{
	claims_begin(argc, argv);
	claim("a static program at fixed addresses", fixed_static);
	claim("a dynamic program at fixed addresses", fixed_dynamic);
	claim("a static position independent program", pie_static);
	claim("a dynamic position independent program", pie_dynamic);
	claim("a script, with its argument", script);
	claim("what is no program is refused, with the right errno", refused);
	claim("long arguments; E2BIG", long_arguments);
	claim("execveat by descriptor, after vfork", by_descriptor);
	claim("exec in a thread ends the other threads", from_threads);
	claim("sixteen programs of four kinds at once", side_by_side);
	claim("programs that want the guest kernel's addresses end, and nothing else does",
	      foreign_addresses);
	return claims_done();
}

/* SPDX-License-Identifier: GPL-2.0-only */
/* Hooks: order, stdin, environment, failures, timeouts, namespaces. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/io.h"
#include "base/path.h"
#include "container/hooks.h"
#include "ns/ns.h"

static char dir[64];

static int setup(void **state)
{
	(void)state;
	strcpy(dir, "/tmp/rnc-hooks-XXXXXX");
	return mkdtemp(dir) ? 0 : -1;
}

static int teardown(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	return path_remove_tree(AT_FDCWD, dir, &e);
}

/* A hook that runs a line of shell, in which $D is the test's directory. */
struct line {
	char text[512];
	char where[80];
	char *args[4];
	char *env[3];
};

static struct bundle_hook shell(struct line *l, const char *text, uint32_t timeout)
{
	static char sh[] = "/bin/sh";
	static char name[] = "the-hook";
	static char flag[] = "-c";
	static char other[] = "OTHER=value";

	snprintf(l->text, sizeof(l->text), "%s", text);
	snprintf(l->where, sizeof(l->where), "D=%s", dir);
	l->args[0] = name;
	l->args[1] = flag;
	l->args[2] = l->text;
	l->args[3] = NULL;
	l->env[0] = l->where;
	l->env[1] = other;
	l->env[2] = NULL;
	return (struct bundle_hook){ .path = sh, .args = { l->args, 3 }, .env = { l->env, 2 },
				     .timeout = timeout };
}

static int run_at(enum bundle_hook_kind kind, const char *text, uint32_t timeout, pid_t pid,
		  struct err *e)
{
	struct line l;
	struct bundle_hook hook = shell(&l, text, timeout);
	struct bundle_hooks hooks = { &hook, 1 };

	return hooks_run(kind, &hooks, "{\"id\":\"c1\"}", pid, e);
}

static int run(const char *text, uint32_t timeout, struct err *e)
{
	return run_at(BUNDLE_HOOK_PRESTART, text, timeout, 0, e);
}

static void assert_written(const char *name, const char *wanted)
{
	char *path = path_join(dir, name);
	struct err e = ERR_INIT;
	char *text = NULL;

	assert_int_equal(io_read_file(AT_FDCWD, path, 65536, &text, NULL, &e), 0);
	assert_string_equal(text, wanted);
	free(text);
	free(path);
}

static int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static void test_input(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	assert_int_equal(run("cat > $D/in; echo $0 $OTHER $HOME. > $D/arg", 0, &e), 0);
	assert_written("in", "{\"id\":\"c1\"}");
	assert_written("arg", "the-hook value .\n");
	/* by name, as scripts do; and not at all */
	assert_int_equal(run("cat /dev/stdin > $D/in2", 0, &e), 0);
	assert_written("in2", "{\"id\":\"c1\"}");
	assert_int_equal(run("exit 0", 0, &e), 0);
	/* no descriptor but 0-2, and what lists them */
	assert_int_equal(run("ls /proc/self/fd > $D/fds", 0, &e), 0);
	assert_written("fds", "0\n1\n2\n3\n");
}

static void test_order_and_stop(void **state)
{
	struct line l[3];
	struct bundle_hook v[3] = {
		shell(&l[0], "echo 1 >> $D/order", 0),
		shell(&l[1], "echo 2 >> $D/order; exit 3", 0),
		shell(&l[2], "echo 3 >> $D/order", 0),
	};
	struct bundle_hooks hooks = { v, 3 };
	struct err e = ERR_INIT;

	(void)state;
	for (int kind = 0; kind < BUNDLE_HOOK_START_CONTAINER; kind++) {
		bool own = kind == BUNDLE_HOOK_CREATE_CONTAINER;

		assert_int_equal(hooks_run((enum bundle_hook_kind)kind, &hooks, "{}",
					   own ? getpid() : 0, &e),
				 -EPROTO);
		assert_non_null(strstr(e.text, " hook 1 '/bin/sh': exit status 3"));
		assert_memory_equal(e.text, hooks_name((enum bundle_hook_kind)kind),
				    strlen(hooks_name((enum bundle_hook_kind)kind)));
	}
	assert_written("order", "1\n2\n1\n2\n1\n2\n");

	/* after the fact there is nothing to stop */
	assert_int_equal(hooks_run(BUNDLE_HOOK_POSTSTART, &hooks, "{}", 0, &e), 0);
	assert_int_equal(hooks_run(BUNDLE_HOOK_POSTSTOP, &hooks, "{}", 0, &e), 0);
	assert_written("order", "1\n2\n1\n2\n1\n2\n1\n2\n3\n1\n2\n3\n");
}

static void test_failures(void **state)
{
	static char missing[] = "/nonexistent/hook";
	struct line l;
	struct bundle_hook hook = shell(&l, "", 0);
	struct bundle_hooks hooks = { &hook, 1 };
	struct err e = ERR_INIT;

	(void)state;
	assert_int_equal(run("echo the reason >&2; echo and more; exit 9", 0, &e), -EPROTO);
	assert_string_equal(
		e.text, "prestart hook 0 '/bin/sh': exit status 9: it wrote: the reason and more");
	assert_int_equal(run("kill -15 $$", 0, &e), -EPROTO);
	assert_string_equal(e.text, "prestart hook 0 '/bin/sh': killed by signal 15");

	hook.path = missing;
	assert_int_equal(hooks_run(BUNDLE_HOOK_PRESTART, &hooks, "{}", 0, &e), -EPROTO);
	assert_string_equal(
		e.text,
		"prestart hook 0 '/nonexistent/hook': execute it: No such file or directory");

	/* far more than a pipe holds, and than a message: the end of it is shown */
	assert_int_equal(run("yes x | head -c 300000; echo; echo the end; exit 1", 20, &e),
			 -EPROTO);
	assert_non_null(strstr(e.text, "x x  the end"));
	assert_true(strlen(e.text) < 600);
}

static void test_timeout(void **state)
{
	struct err e = ERR_INIT;
	int64_t start = now_ms();
	char *path = path_join(dir, "late");

	(void)state;
	/* its child, in its group, is killed as well */
	assert_int_equal(run("echo waiting; (sleep 3; touch $D/late) & sleep 30", 1, &e),
			 -ETIMEDOUT);
	assert_string_equal(
		e.text,
		"prestart hook 0 '/bin/sh': not finished within its timeout of 1 s, killed: "
		"it wrote: waiting");
	assert_true(now_ms() - start >= 1000 && now_ms() - start < 20000);
	usleep(3500000);
	assert_int_equal(access(path, F_OK), -1);
	free(path);
}

/* What it leaves in the background keeps the pipe open; nobody waits for that. */
static void test_background(void **state)
{
	struct err e = ERR_INIT;
	int64_t start = now_ms();

	(void)state;
	assert_int_equal(run("sleep 25 & echo $! > $D/pid", 0, &e), 0);
	assert_true(now_ms() - start < 20000);
	assert_int_equal(run("kill -9 $(cat $D/pid)", 0, &e), 0);
}

static int run_wait(int sync, void *arg, struct err *e)
{
	(void)arg;
	return ns_sync_wait(sync, 1, NULL, 0, -1, e);
}

/* The file has the namespaces of this process: uts, net, ipc, mnt. */
static void assert_own_namespaces(const char *file)
{
	static const char *const names[] = { "uts", "net", "ipc", "mnt" };
	char wanted[512];
	size_t at = 0;

	for (int i = 0; i < 4; i++) {
		char link[64];
		char target[64] = "";

		snprintf(link, sizeof(link), "/proc/self/ns/%s", names[i]);
		assert_true(readlink(link, target, sizeof(target) - 1) > 0);
		at += (size_t)snprintf(wanted + at, sizeof(wanted) - at, "%s\n", target);
	}
	assert_written(file, wanted);
}

static void test_namespaces(void **state)
{
	static const struct ns_entry entries[] = { { CLONE_NEWUTS, NULL }, { CLONE_NEWNET, NULL },
						   { CLONE_NEWIPC, NULL }, { CLONE_NEWPID, NULL },
						   { CLONE_NEWNS, NULL } };
	static const char list[] =
		"cd /proc/self/ns && readlink uts net ipc mnt > $D/ns && echo $$ > $D/pid";
	struct ns_request q = { .entries = entries, .nr_entries = 5, .run = run_wait };
	struct ns_child c = NS_CHILD_INIT;
	struct err e = ERR_INIT;

	(void)state;
	assert_int_equal(ns_child_start(&q, &c, &e), 0);

	assert_int_equal(run_at(BUNDLE_HOOK_CREATE_RUNTIME, list, 0, c.pid, &e), 0);
	assert_own_namespaces("ns");

	/* /proc is the host's mount still, in which a pid of the new namespace finds no "self" */
	if (run_at(BUNDLE_HOOK_CREATE_CONTAINER, "echo $$ > $D/pid; hostname rnc-in-hook; exit 0",
		   0, c.pid, &e))
		fail_msg("%s", e.text);
	assert_written("pid", "2\n");
	if (run_at(BUNDLE_HOOK_START_CONTAINER, "hostname > $D/name; exit 7", 0, c.pid, &e) !=
	    -EPROTO)
		fail_msg("%s", e.text);
	assert_non_null(strstr(e.text, "startContainer hook 0 '/bin/sh': exit status 7"));
	assert_written("name", "rnc-in-hook\n");
	assert_int_equal(run("hostname > $D/name", 0, &e), 0);
	assert_int_equal(run_at(BUNDLE_HOOK_START_CONTAINER, "kill -9 $$", 0, c.pid, &e), -EPROTO);
	assert_non_null(strstr(e.text, "killed by signal 9"));
	assert_int_equal(run_at(BUNDLE_HOOK_START_CONTAINER, "sleep 30", 1, c.pid, &e), -ETIMEDOUT);
	ns_child_end(&c);

	assert_int_equal(run_at(BUNDLE_HOOK_CREATE_CONTAINER, "exit 0", 0, INT32_MAX, &e), -EPROTO);
	assert_non_null(
		strstr(e.text, "enter the namespaces of process 2147483647: No such process"));
}

#define HOOK_TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		HOOK_TEST(test_input),
		HOOK_TEST(test_order_and_stop),
		HOOK_TEST(test_failures),
		HOOK_TEST(test_timeout),
		HOOK_TEST(test_background),
		HOOK_TEST(test_namespaces),
	};

	if (geteuid() != 0) {
		fprintf(stderr, "skipped: needs root\n");
		return 77;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}

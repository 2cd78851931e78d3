/* SPDX-License-Identifier: GPL-2.0-only */
/* Control groups of the real system. Needs root and mounted cgroups. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/io.h"
#include "base/path.h"
#include "ns/cgroup.h"
#include "ns/cgroup_internal.h"

#define NEEDED (CGROUP_MEMORY | CGROUP_PIDS | CGROUP_CPU | CGROUP_CPUSET)

struct live {
	char id[32];
	char path[64];
	struct cgroup_list list;
	pid_t children[16];
	int nr_children;
};

static int live_setup(void **state)
{
	struct live *l = calloc(1, sizeof(*l));
	struct cgroup_survey *s = NULL;
	struct err e = ERR_INIT;
	int r;

	if (!l)
		return -1;
	snprintf(l->id, sizeof(l->id), "rnc%d", getpid());
	snprintf(l->path, sizeof(l->path), "/rnc%d/outer/inner", getpid());
	r = cgroup_survey(NULL, &s, &e);
	if (r == 0)
		r = cgroup_plan(s, l->path, false, l->id, &l->list, &e);
	if (r == 0)
		r = cgroup_create(&l->list, NEEDED, &e);
	if (r < 0)
		fprintf(stderr, "%s\n", e.text);
	cgroup_survey_free(s);
	*state = l;
	return r;
}

static int live_teardown(void **state)
{
	struct live *l = *state;
	struct err e = ERR_INIT;
	int r = cgroup_kill(&l->list, 5000, &e);

	for (int i = 0; i < l->nr_children; i++) {
		kill(l->children[i], SIGKILL);
		waitpid(l->children[i], NULL, 0);
	}
	if (r == 0)
		r = cgroup_remove(&l->list, 5000, &e);
	if (r < 0)
		fprintf(stderr, "%s\n", e.text);
	for (size_t i = 0; i < l->list.n; i++)
		if (l->list.v[i].ours && access(l->list.v[i].dir, F_OK) == 0)
			r = -1;
	cgroup_list_free(&l->list);
	free(l);
	return r;
}

/*
 * A process inside the cgroup that sleeps until it is killed, or with @forks goes on from one
 * process to the next every millisecond, for some seconds. It does so only once it is inside: else
 * it would have gone on outside.
 */
static pid_t sleeper(struct live *l, bool forks)
{
	struct err e = ERR_INIT;
	int go[2];
	pid_t pid;
	char c;

	assert_int_equal(pipe(go), 0);
	pid = fork();
	if (pid == 0) {
		close(go[1]);
		if (read(go[0], &c, 1) != 0)
			_exit(1);
		signal(SIGCHLD, SIG_IGN);
		for (int i = 0; forks && i < 5000; i++) {
			if (fork() > 0)
				_exit(0);
			usleep(1000);
		}
		if (!forks)
			pause();
		_exit(0);
	}
	close(go[0]);
	assert_true(pid > 0 && l->nr_children < 16);
	l->children[l->nr_children++] = pid;
	assert_int_equal(cgroup_join(&l->list, pid, &e), 0);
	close(go[1]);
	return pid;
}

static void assert_value(const struct cgroup_list *list, uint32_t bit, const char *v1,
			 const char *v2, const char *wanted)
{
	const struct cgroup_place *leaf = cgroup_leaf(list, bit);
	struct err e = ERR_INIT;
	char *text = NULL;

	assert_non_null(leaf);
	assert_int_equal(cgroup_read(leaf->dir, leaf->version == 1 ? v1 : v2, &text, &e), 0);
	assert_string_equal(text, wanted);
	free(text);
}

static void test_limits(void **state)
{
	struct cgroup_limits limits = CGROUP_LIMITS_INIT;
	struct live *l = *state;
	struct err e = ERR_INIT;
	uint64_t bytes;

	limits.memory = 64 << 20;
	limits.memory_reservation = 32 << 20;
	limits.pids = 7;
	limits.cpu_shares = 1024;
	limits.cpu_quota = 50000;
	limits.cpu_period = 200000;
	limits.cpus = "0";
	limits.mems = "0";
	assert_int_equal(cgroup_apply(&l->list, &limits, &e), 0);
	assert_value(&l->list, CGROUP_MEMORY, "memory.limit_in_bytes", "memory.max", "67108864");
	assert_value(&l->list, CGROUP_MEMORY, "memory.soft_limit_in_bytes", "memory.low",
		     "33554432");
	assert_value(&l->list, CGROUP_PIDS, "pids.max", "pids.max", "7");
	assert_value(&l->list, CGROUP_CPUSET, "cpuset.cpus", "cpuset.cpus", "0");
	if (cgroup_leaf(&l->list, CGROUP_CPU)->version == 1) {
		assert_value(&l->list, CGROUP_CPU, "cpu.shares", NULL, "1024");
		assert_value(&l->list, CGROUP_CPU, "cpu.cfs_quota_us", NULL, "50000");
		assert_value(&l->list, CGROUP_CPU, "cpu.cfs_period_us", NULL, "200000");
	} else {
		assert_value(&l->list, CGROUP_CPU, NULL, "cpu.weight", "39");
		assert_value(&l->list, CGROUP_CPU, NULL, "cpu.max", "50000 200000");
	}
	assert_int_equal(cgroup_memory_limit(&l->list, &bytes, &e), 0);
	assert_int_equal(bytes, 64 << 20);
}

/* The kernel keeps limit <= memory plus swap at every moment: up and down must both work. */
static void test_memory_both_ways(void **state)
{
	static const int64_t sizes[] = { 64 << 20, 128 << 20, 32 << 20, -1, 48 << 20 };
	struct cgroup_limits limits = CGROUP_LIMITS_INIT;
	struct live *l = *state;
	const struct cgroup_place *leaf = cgroup_leaf(&l->list, CGROUP_MEMORY);
	struct err e = ERR_INIT;
	char *text = NULL;
	const char *swap;

	assert_non_null(leaf);
	swap = leaf->version == 1 ? "memory.memsw.limit_in_bytes" : "memory.swap.max";
	if (cgroup_read(leaf->dir, swap, &text, &e) < 0) {
		print_message("skipped: the kernel does not account swap\n");
		skip();
	}
	free(text);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		limits.memory = sizes[i];
		limits.memory_swap = sizes[i];
		if (cgroup_apply(&l->list, &limits, &e) < 0)
			fail_msg("to %lld: %s", (long long)sizes[i], e.text);
	}
	assert_value(&l->list, CGROUP_MEMORY, swap, "memory.max", "50331648");
}

static void test_inherited_cpuset(void **state)
{
	struct live *l = *state;
	const struct cgroup_place *leaf = cgroup_leaf(&l->list, CGROUP_CPUSET);
	struct err e = ERR_INIT;
	char *text = NULL;

	assert_non_null(leaf);
	assert_int_equal(cgroup_read(leaf->dir,
				     leaf->version == 1 ? "cpuset.cpus" : "cpuset.cpus.effective",
				     &text, &e),
			 0);
	assert_true(text[0] >= '0' && text[0] <= '9');
	free(text);
}

static void test_refused_value(void **state)
{
	struct cgroup_limits limits = CGROUP_LIMITS_INIT;
	struct live *l = *state;
	struct err e = ERR_INIT;

	limits.cpus = "4095";
	assert_true(cgroup_apply(&l->list, &limits, &e) < 0);
	assert_non_null(strstr(e.text, "set cpuset.cpus of cgroup '"));
	assert_non_null(strstr(e.text, "to '4095' (it is '"));
}

static void test_pids_limit_holds(void **state)
{
	struct cgroup_limits limits = CGROUP_LIMITS_INIT;
	struct live *l = *state;
	struct err e = ERR_INIT;
	int status = 0;
	int go[2];
	pid_t pid;
	char c;

	limits.pids = 1;
	assert_int_equal(cgroup_apply(&l->list, &limits, &e), 0);
	assert_int_equal(pipe(go), 0);
	pid = fork();
	if (pid == 0) {
		close(go[1]);
		if (read(go[0], &c, 1) != 0)
			_exit(1);
		pid = fork();
		_exit(pid < 0 && errno == EAGAIN ? 42 : 2);
	}
	close(go[0]);
	assert_int_equal(cgroup_join(&l->list, pid, &e), 0);
	close(go[1]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 42);
}

static void test_remove_while_busy(void **state)
{
	struct live *l = *state;
	struct err e = ERR_INIT;
	char pid_text[16];
	pid_t pid = sleeper(l, false);

	assert_int_equal(cgroup_remove(&l->list, 50, &e), -EBUSY);
	snprintf(pid_text, sizeof(pid_text), " %d", pid);
	assert_non_null(strstr(e.text, "with processes"));
	assert_non_null(strstr(e.text, pid_text));
	assert_int_equal(kill(pid, 0), 0);

	assert_int_equal(cgroup_kill(&l->list, 5000, &e), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	l->nr_children--;
	assert_int_equal(cgroup_remove(&l->list, 5000, &e), 0);
	/* and again, with nothing left */
	assert_int_equal(cgroup_kill(&l->list, 0, &e), 0);
	assert_int_equal(cgroup_remove(&l->list, 0, &e), 0);
}

static void test_kill_forking(void **state)
{
	struct live *l = *state;
	struct err e = ERR_INIT;

	for (int i = 0; i < 8; i++)
		sleeper(l, false);
	for (int i = 0; i < 4; i++)
		sleeper(l, true);
	usleep(20000);
	if (cgroup_kill(&l->list, 10000, &e) < 0)
		fail_msg("%s", e.text);
}

/* The same without the v2 hierarchy: by the freezer alone. */
static void test_kill_forking_v1(void **state)
{
	struct live *l = *state;
	struct cgroup_list v1 = CGROUP_LIST_INIT;
	struct err e = ERR_INIT;

	if (!cgroup_leaf(&l->list, CGROUP_FREEZER)) {
		print_message("skipped: no v1 freezer is mounted\n");
		skip();
	}
	for (int i = 0; i < 4; i++)
		sleeper(l, i > 1);
	v1.v = calloc(l->list.n, sizeof(*v1.v));
	assert_non_null(v1.v);
	for (size_t i = 0; i < l->list.n; i++)
		if (l->list.v[i].version == 1)
			v1.v[v1.n++] = l->list.v[i];
	usleep(5000);
	if (cgroup_kill(&v1, 10000, &e) < 0)
		fail_msg("%s", e.text);
	free(v1.v);
}

static void test_kill_frozen(void **state)
{
	struct live *l = *state;
	const struct cgroup_place *leaf = cgroup_leaf(&l->list, CGROUP_FREEZER);
	struct err e = ERR_INIT;

	if (!leaf) {
		print_message("skipped: no v1 freezer is mounted\n");
		skip();
	}
	sleeper(l, false);
	assert_int_equal(cgroup_write(leaf->dir, "freezer.state", "FROZEN", &e), 0);
	if (cgroup_kill(&l->list, 5000, &e) < 0)
		fail_msg("%s", e.text);
}

static void test_kill_not_oneself(void **state)
{
	struct live *l = *state;
	struct err e = ERR_INIT;
	int status = 0;
	pid_t pid = fork();

	if (pid == 0) {
		if (cgroup_join(&l->list, getpid(), &e) < 0)
			_exit(1);
		_exit(cgroup_kill(&l->list, 1000, &e) == -EBUSY ? 42 : 2);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 42);
}

static void test_nested_below_leaf(void **state)
{
	struct live *l = *state;
	const struct cgroup_place *leaf = cgroup_leaf(&l->list, CGROUP_MEMORY);
	struct err e = ERR_INIT;
	char *deep = path_join(leaf->dir, "a/b/c");

	assert_int_equal(path_make_dirs(deep, 0755, &e), 0);
	assert_int_equal(cgroup_remove(&l->list, 1000, &e), 0);
	assert_int_equal(access(leaf->dir, F_OK), -1);
	free(deep);
}

/* Processes in a leaf that was there before us are not ours to kill, nor is the leaf to remove. */
static void test_foreign_leaf(void **state)
{
	struct live *l = *state;
	struct cgroup_list again = CGROUP_LIST_INIT;
	struct cgroup_survey *s = NULL;
	struct err e = ERR_INIT;
	pid_t pid = sleeper(l, false);

	assert_int_equal(cgroup_survey(NULL, &s, &e), 0);
	assert_int_equal(cgroup_plan(s, l->path, false, "other", &again, &e), 0);
	cgroup_survey_free(s);
	assert_int_equal(cgroup_create(&again, NEEDED, &e), 0);
	assert_int_equal(cgroup_kill(&again, 100, &e), 0);
	assert_int_equal(cgroup_remove(&again, 100, &e), 0);
	assert_int_equal(waitpid(pid, NULL, WNOHANG), 0);
	for (size_t i = 0; i < again.n; i++)
		assert_int_equal(access(again.v[i].dir, F_OK), 0);
	cgroup_list_free(&again);
}

#define LIVE_TEST(f) cmocka_unit_test_setup_teardown(f, live_setup, live_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		LIVE_TEST(test_limits),
		LIVE_TEST(test_memory_both_ways),
		LIVE_TEST(test_inherited_cpuset),
		LIVE_TEST(test_refused_value),
		LIVE_TEST(test_pids_limit_holds),
		LIVE_TEST(test_remove_while_busy),
		LIVE_TEST(test_kill_forking),
		LIVE_TEST(test_kill_forking_v1),
		LIVE_TEST(test_kill_frozen),
		LIVE_TEST(test_kill_not_oneself),
		LIVE_TEST(test_nested_below_leaf),
		LIVE_TEST(test_foreign_leaf),
	};
	struct cgroup_survey *s = NULL;
	struct err e = ERR_INIT;
	enum cgroup_mode mode;

	if (geteuid() != 0) {
		fprintf(stderr, "skipped: needs root\n");
		return 77;
	}
	if (cgroup_survey(NULL, &s, &e) < 0) {
		fprintf(stderr, "%s\n", e.text);
		return 1;
	}
	mode = cgroup_survey_mode(s);
	cgroup_survey_free(s);
	if (mode == CGROUP_MODE_NONE) {
		fprintf(stderr, "skipped: no cgroup is mounted\n");
		return 77;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: GPL-2.0-only */
/* The state on disk: a life, locks, kill -9 at every step, damaged files, statuses. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/io.h"
#include "base/path.h"
#include "base/str.h"
#include "container/state.h"
#include "container/state_json.h"

static char root[64];

static int setup(void **state)
{
	(void)state;
	strcpy(root, "/tmp/rnc-state-XXXXXX");
	return mkdtemp(root) ? 0 : -1;
}

static int teardown(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	return path_remove_tree(AT_FDCWD, root, &e);
}

/* A state with something in every member. */
static struct state full(const char *id)
{
	struct state s = STATE_INIT;

	s.id = strdup(id);
	s.oci_version = strdup("1.2.0");
	s.bundle = strdup("/b");
	s.rootfs = strdup("/b/rootfs \303\251");
	s.annotations = json_pack("{s:s}", "a.b", "c");
	s.exec_fifo = state_path(root, id, "exec.fifo");
	s.cgroups.v = calloc(2, sizeof(*s.cgroups.v));
	s.cgroups.n = 2;
	s.cgroups.v[0] = (struct cgroup_place){ .dir = strdup("/cg/x"),
						.version = 1,
						.controllers = 0x4000 };
	s.cgroups.v[1] = (struct cgroup_place){
		.dir = strdup("/cg/x/y"), .version = 2, .controllers = 9, .leaf = true, .ours = true
	};
	s.namespaces = calloc(2, sizeof(*s.namespaces));
	s.nr_namespaces = 2;
	s.namespaces[0].type = strdup("network");
	s.namespaces[0].path = strdup("/run/netns/x");
	s.namespaces[1].type = strdup("pid");
	s.images = calloc(2, sizeof(*s.images));
	s.images[0] = strdup("sha256:abc");
	s.net = json_pack("[i,s]", 1, "opaque");
	s.net_failed = true;
	s.extra = json_pack("{s:{}}", "hooks");
	return s;
}

static int entries(void)
{
	DIR *d = opendir(root);
	int n = 0;

	assert_non_null(d);
	while (readdir(d))
		n++;
	closedir(d);
	return n - 2;
}

static void test_check_id(void **state)
{
	static const char *const good[] = { "a", "A-Z_+.9", "...", ".a", "-", "0" };
	static const char *const bad[] = { "",	  ".",	 "..",	 "a/b", "/",
					   "a b", "a,b", "~new", "a\n", "\303\251" };
	struct err e = ERR_INIT;
	char big[1100];

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_int_equal(state_check_id(good[i], &e), 0);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(state_check_id(bad[i], &e), -EINVAL);
	memset(big, 'a', sizeof(big));
	big[1025] = '\0';
	assert_int_equal(state_check_id(big, &e), -EINVAL);
	big[1024] = '\0';
	assert_int_equal(state_check_id(big, &e), -ENAMETOOLONG);
	big[255] = '\0';
	assert_int_equal(state_check_id(big, &e), 0);
}

static void test_life(void **state)
{
	struct state s = full("c1");
	struct state read = STATE_INIT;
	struct state_lock lock = STATE_LOCK_INIT;
	struct state_lock second = STATE_LOCK_INIT;
	struct err e = ERR_INIT;
	char *before;
	char *after;
	char **ids;

	(void)state;
	assert_int_equal(state_read(root, "c1", &read, &e), STATE_NONE);
	assert_string_equal(e.text, "container 'c1' does not exist");
	assert_int_equal(state_create(root, &s, &lock, &e), 0);
	assert_int_equal(strlen(s.created), strlen("2026-11-24T14:31:53.123456789Z"));
	assert_int_equal(s.creator, getpid());
	assert_int_equal(state_status(&s), STATE_CREATING);

	assert_int_equal(state_create(root, &s, &second, &e), STATE_EXISTS);
	assert_string_equal(e.text, "container 'c1' already exists");
	assert_int_equal(entries(), 1);

	assert_int_equal(state_set_pid(&s, getpid(), &e), 0);
	assert_int_equal(state_save(&lock, &s, &e), 0);
	assert_int_equal(state_read(root, "c1", &read, &e), 0);
	assert_int_equal(state_to_text(&s, &before, &e), 0);
	assert_int_equal(state_to_text(&read, &after, &e), 0);
	assert_string_equal(before, after);
	free(before);
	free(after);
	assert_int_equal(read.cgroups.n, 2);
	assert_true(read.cgroups.v[1].leaf && read.cgroups.v[1].ours && !read.cgroups.v[0].ours);
	assert_null(read.namespaces[1].path);
	assert_string_equal(read.images[0], "sha256:abc");
	assert_null(read.images[1]);
	state_free(&read);
	state_free(&read);

	assert_int_equal(state_list(root, &ids, &e), 0);
	assert_string_equal(ids[0], "c1");
	assert_null(ids[1]);
	str_vector_free(ids);

	assert_int_equal(state_remove(&lock, &e), 0);
	assert_int_equal(lock.dir, -1);
	assert_int_equal(entries(), 0);
	assert_int_equal(state_open(root, "c1", 0, &lock, &read, &e), STATE_NONE);
	state_free(&s);

	assert_int_equal(state_list("/nonexistent/rnc", &ids, &e), 0);
	assert_null(ids[0]);
	str_vector_free(ids);
}

static void test_list_is_sorted(void **state)
{
	static const char *const names[] = { "b", "a", "c.1", "B" };
	struct err e = ERR_INIT;
	char **ids;

	(void)state;
	for (int i = 0; i < 4; i++) {
		struct state_lock lock = STATE_LOCK_INIT;
		struct state s = full(names[i]);

		assert_int_equal(state_create(root, &s, &lock, &e), 0);
		state_unlock(&lock);
		state_free(&s);
	}
	assert_int_equal(state_list(root, &ids, &e), 0);
	assert_string_equal(ids[0], "B");
	assert_string_equal(ids[1], "a");
	assert_string_equal(ids[3], "c.1");
	assert_null(ids[4]);
	str_vector_free(ids);
}

static void test_lock_excludes(void **state)
{
	struct state s = full("c1");
	struct state read = STATE_INIT;
	struct state_lock lock = STATE_LOCK_INIT;
	struct state_lock second = STATE_LOCK_INIT;
	struct err e = ERR_INIT;
	char words[96];

	(void)state;
	assert_int_equal(state_create(root, &s, &lock, &e), 0);
	assert_int_equal(state_open(root, "c1", 30, &second, &read, &e), -ETIMEDOUT);
	snprintf(words, sizeof(words), "container 'c1' is in use by process %d; waited 30 ms",
		 getpid());
	assert_string_equal(e.text, words);
	/* reading needs no lock */
	assert_int_equal(state_read(root, "c1", &read, &e), 0);
	state_free(&read);
	state_unlock(&lock);
	assert_int_equal(state_open(root, "c1", 30, &second, &read, &e), 0);
	state_free(&read);
	state_unlock(&second);
	state_free(&s);
}

/* Who waits for a lock while its container is removed must not end up with the removed one. */
static void test_removed_while_waiting(void **state)
{
	struct state s = full("c1");
	struct state read = STATE_INIT;
	struct state_lock lock = STATE_LOCK_INIT;
	struct err e = ERR_INIT;
	int status = 0;
	pid_t pid;

	(void)state;
	assert_int_equal(state_create(root, &s, &lock, &e), 0);
	pid = fork();
	if (pid == 0) {
		state_unlock(&lock);	/* this process's copies of the descriptors */
		_exit(state_open(root, "c1", 10000, &lock, &read, &e) == STATE_NONE ? 42 : 1);
	}
	usleep(50000);
	assert_int_equal(state_remove(&lock, &e), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 42);
	state_free(&s);
}

/* The life of a container, run by a process that is killed on the way. */
static int life(void)
{
	struct state s = full("c1");
	struct state_lock lock = STATE_LOCK_INIT;
	struct err e = ERR_INIT;

	if (state_create(root, &s, &lock, &e) != 0 || state_set_pid(&s, getpid(), &e) < 0 ||
	    state_save(&lock, &s, &e) < 0 || state_remove(&lock, &e) < 0)
		return 1;
	return 0;
}

/*
 * Let @pid, a tracee, go on to its @stop-th system call entry or exit. False: it ended before that.
 */
static bool run_to(pid_t pid, int stop)
{
	int status;

	for (int i = 0; i < stop; i++) {
		if (ptrace(PTRACE_SYSCALL, pid, 0, 0) < 0 || waitpid(pid, &status, 0) != pid)
			return false;
		if (!WIFSTOPPED(status)) {
			assert_true(WIFEXITED(status));
			assert_int_equal(WEXITSTATUS(status), 0);
			return false;
		}
	}
	return true;
}

/*
 * What must hold after a kill: the container is there whole, or it is not there; it can be opened
 * at once, is stopped, can be removed; and nothing is left then.
 */
static void check_after_kill(int stop)
{
	struct state s = STATE_INIT;
	struct state_lock lock = STATE_LOCK_INIT;
	struct err e = ERR_INIT;
	int r = state_open(root, "c1", 0, &lock, &s, &e);
	char **ids;

	if (r != 0 && r != STATE_NONE)
		fail_msg("killed at stop %d: %d, %s", stop, r, e.text);
	if (r == 0) {
		assert_int_equal(state_status(&s), STATE_STOPPED);
		assert_false(state_alive(&s));
		assert_int_equal(s.cgroups.n, 2);
		assert_int_equal(state_remove(&lock, &e), 0);
	}
	state_free(&s);
	assert_int_equal(state_list(root, &ids, &e), 0);
	assert_null(ids[0]);
	str_vector_free(ids);
	if (entries() != 0)
		fail_msg("killed at stop %d: something is left", stop);
}

/* Killed before and after each of its system calls. */
static void test_kill_at_every_call(void **state)
{
	int seen = 0;

	(void)state;
	for (int stop = 1;; stop++) {
		pid_t pid = fork();
		int status;
		bool reached;

		if (pid == 0) {
			ptrace(PTRACE_TRACEME, 0, 0, 0);
			raise(SIGSTOP);
			_exit(life());
		}
		assert_int_equal(waitpid(pid, &status, 0), pid);
		if (!WIFSTOPPED(status)) {
			print_message("skipped: no ptrace here\n");
			skip();
		}
		reached = run_to(pid, stop);
		if (reached) {
			kill(pid, SIGKILL);
			assert_int_equal(waitpid(pid, &status, 0), pid);
			seen++;
		}
		check_after_kill(stop);
		if (!reached)
			break;
	}
	/* Both sides of dozens of calls: a test that saw few has seen nothing. */
	assert_true(seen > 60);
}

static void test_damaged(void **state)
{
	struct state s = full("c1");
	struct state read = STATE_INIT;
	struct state_lock lock = STATE_LOCK_INIT;
	struct err e = ERR_INIT;
	char *text;
	char *file = state_path(root, "c1", "state.json");
	size_t len;

	(void)state;
	assert_int_equal(state_create(root, &s, &lock, &e), 0);
	state_unlock(&lock);
	assert_int_equal(state_to_text(&s, &text, &e), 0);
	len = strlen(text);
	/* cut short anywhere */
	for (size_t cut = 0; cut < len; cut += 7) {
		assert_int_equal(io_write_atomic(AT_FDCWD, file, text, cut, 0600, &e), 0);
		assert_int_equal(state_open(root, "c1", 0, &lock, &read, &e), STATE_DAMAGED);
		assert_string_equal(read.id, "c1");
		assert_null(read.bundle);
		state_free(&read);
		state_unlock(&lock);
	}
	free(text);

	/* missing, a directory, a FIFO (must not block), no directory at all */
	assert_int_equal(unlink(file), 0);
	assert_int_equal(state_open(root, "c1", 0, &lock, &read, &e), STATE_DAMAGED);
	assert_non_null(strstr(e.text, "delete --force removes it"));
	state_free(&read);
	state_unlock(&lock);
	assert_int_equal(mkfifo(file, 0600), 0);
	assert_int_equal(state_read(root, "c1", &read, &e), STATE_DAMAGED);
	state_free(&read);
	assert_int_equal(unlink(file), 0);
	assert_int_equal(mkdir(file, 0700), 0);
	assert_int_equal(state_open(root, "c1", 0, &lock, &read, &e), STATE_DAMAGED);
	state_free(&read);
	assert_int_equal(state_remove(&lock, &e), 0);
	assert_int_equal(entries(), 0);
	free(file);
	state_free(&s);
}

static void test_wrong_members(void **state)
{
	static const char *const texts[] = {
		"",
		"null",
		"[]",
		"{}",
		"{\"id\":\"c1\"}",
		"{\"id\":\"c2\"}",
		"{\"id\":\"c1\",\"id\":\"c1\"}",
		"\377\376",
		"{\"id\":1}",
	};
	static const char *const changes[][2] = {
		{ "\"pid\": 0", "\"pid\": -1" },
		{ "\"pid\": 0", "\"pid\": 99999999999" },
		{ "\"pid\": 0", "\"pid\": \"0\"" },
		{ "\"complete\": false", "\"complete\": 0" },
		{ "\"version\": 2", "\"version\": 3" },
		{ "\"/cg/x\"", "\"cg/x\"" },
		{ "\"network\"", "null" },
		{ "\"sha256:abc\"", "5" },
		{ "\"leaf\": true", "\"leaf\": null" },
		{ "\"annotations\": {", "\"annotations\": [], \"x\": {" },
	};
	struct state s = full("c1");
	struct state read = STATE_INIT;
	struct err e = ERR_INIT;
	char *text;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		assert_int_equal(state_from_text(texts[i], strlen(texts[i]), "c1", &read, &e),
				 -EPROTO);
		state_free(&read);
	}
	strcpy(s.created, "x");
	assert_int_equal(state_to_text(&s, &text, &e), 0);
	for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		char *at = strstr(text, changes[i][0]);
		char *changed;

		assert_non_null(at);
		changed = str_printf("%.*s%s%s", (int)(at - text), text, changes[i][1],
				     at + strlen(changes[i][0]));
		assert_int_equal(state_from_text(changed, strlen(changed), "c1", &read, &e),
				 -EPROTO);
		assert_non_null(strstr(e.text, "is missing or wrong"));
		state_free(&read);
		free(changed);
	}
	assert_int_equal(state_from_text(text, strlen(text), "c1", &read, &e), 0);
	state_free(&read);
	free(text);
	state_free(&s);
}

static void test_status(void **state)
{
	struct state s = full("c1");
	struct state_lock lock = STATE_LOCK_INIT;
	struct err e = ERR_INIT;
	siginfo_t info;
	int pidfd = -1;
	pid_t pid;
	json_t *j;

	(void)state;
	assert_int_equal(state_create(root, &s, &lock, &e), 0);
	pid = fork();
	if (pid == 0) {
		/* a name that looks like the fields behind it */
		int fd = open("/proc/self/comm", O_WRONLY);

		if (write(fd, ") Z 1 (x) S", 11) < 0)
			_exit(1);
		for (;;)
			pause();
	}
	usleep(50000);
	assert_int_equal(state_set_pid(&s, pid, &e), 0);
	assert_int_equal(state_status(&s), STATE_CREATING);
	s.complete = true;
	assert_int_equal(mkfifo(s.exec_fifo, 0600), 0);
	assert_int_equal(state_status(&s), STATE_CREATED);
	assert_int_equal(unlink(s.exec_fifo), 0);
	assert_int_equal(state_status(&s), STATE_RUNNING);
	assert_int_equal(state_pidfd(&s, &pidfd, &e), 0);
	close(pidfd);

	/* another process by that number */
	s.pid_start++;
	assert_int_equal(state_status(&s), STATE_STOPPED);
	assert_int_equal(state_pidfd(&s, &pidfd, &e), -ESRCH);
	s.pid_start--;

	/* `create` has died, its child has not */
	s.complete = false;
	s.creator_start++;
	assert_int_equal(state_status(&s), STATE_STOPPED);
	assert_true(state_alive(&s));
	s.complete = true;

	j = state_json(&s, STATE_RUNNING);
	assert_string_equal(json_string_value(json_object_get(j, "status")), "running");
	assert_int_equal(json_integer_value(json_object_get(j, "pid")), pid);
	assert_string_equal(json_string_value(json_object_get(j, "ociVersion")), "1.2.0");
	assert_int_equal(json_object_size(j), 6);
	json_decref(j);

	/* a zombie is stopped */
	kill(pid, SIGKILL);
	assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
	assert_int_equal(state_status(&s), STATE_STOPPED);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_int_equal(state_status(&s), STATE_STOPPED);
	assert_int_equal(state_set_pid(&s, pid, &e), -ESRCH);
	j = state_json(&s, STATE_STOPPED);
	assert_null(json_object_get(j, "pid"));
	json_decref(j);
	state_unlock(&lock);
	state_free(&s);
}

static void test_sweep_spares_the_living(void **state)
{
	char name[128];
	char **ids;
	struct err e = ERR_INIT;
	struct state s = full("x");
	struct state_lock lock = STATE_LOCK_INIT;

	(void)state;
	/* start times: 1 is no living process's; ours is read from a state */
	assert_int_equal(state_create(root, &s, &lock, &e), 0);
	assert_int_equal(state_remove(&lock, &e), 0);
	snprintf(name, sizeof(name), "%s/~new.%d.%llu.7", root, getpid(),
		 (unsigned long long)s.creator_start);
	assert_int_equal(mkdir(name, 0700), 0);
	snprintf(name, sizeof(name), "%s/~new.%d.1.7", root, getpid());
	assert_int_equal(mkdir(name, 0700), 0);
	snprintf(name, sizeof(name), "%s/~old.%d.1.8", root, getpid());
	assert_int_equal(mkdir(name, 0700), 0);
	snprintf(name, sizeof(name), "%s/~else", root);
	assert_int_equal(mkdir(name, 0700), 0);
	assert_int_equal(state_list(root, &ids, &e), 0);
	assert_null(ids[0]);
	str_vector_free(ids);
	assert_int_equal(entries(), 2);
	state_free(&s);
}

#define STATE_TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_check_id),
		STATE_TEST(test_life),
		STATE_TEST(test_list_is_sorted),
		STATE_TEST(test_lock_excludes),
		STATE_TEST(test_removed_while_waiting),
		STATE_TEST(test_kill_at_every_call),
		STATE_TEST(test_damaged),
		STATE_TEST(test_wrong_members),
		STATE_TEST(test_status),
		STATE_TEST(test_sweep_spares_the_living),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

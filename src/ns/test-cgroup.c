/* SPDX-License-Identifier: GPL-2.0-only */
/* Control groups without a system: surveys of made-up machines, plans, translation of limits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "base/path.h"
#include "ns/cgroup.h"
#include "ns/cgroup_internal.h"

struct fake {
	char dir[64];
	char mountinfo[128];
	char cgroup[128];
	char systemd[128];
	struct cgroup_source source;
};

static int fake_setup(void **state)
{
	struct fake *f = calloc(1, sizeof(*f));

	if (!f)
		return -1;
	strcpy(f->dir, "/tmp/rnc-cgroup-XXXXXX");
	if (!mkdtemp(f->dir))
		return -1;
	snprintf(f->mountinfo, sizeof(f->mountinfo), "%s/mountinfo", f->dir);
	snprintf(f->cgroup, sizeof(f->cgroup), "%s/cgroup", f->dir);
	snprintf(f->systemd, sizeof(f->systemd), "%s/systemd", f->dir);
	f->source = (struct cgroup_source){ f->mountinfo, f->cgroup, f->dir, f->systemd };
	*state = f;
	return 0;
}

static int fake_teardown(void **state)
{
	struct fake *f = *state;
	struct err e = ERR_INIT;
	int r = path_remove_tree(AT_FDCWD, f->dir, &e);

	free(f);
	return r;
}

static void put(const struct fake *f, const char *name, const char *text)
{
	struct err e = ERR_INIT;
	char *path = path_join(f->dir, name);

	assert_non_null(path);
	assert_int_equal(io_write_atomic(AT_FDCWD, path, text, strlen(text), 0600, &e), 0);
	free(path);
}

static void make_dir(const struct fake *f, const char *name)
{
	struct err e = ERR_INIT;
	char *path = path_join(f->dir, name);

	assert_non_null(path);
	assert_int_equal(path_make_dirs(path, 0700, &e), 0);
	free(path);
}

static char *get(const char *dir, const char *file)
{
	struct err e = ERR_INIT;
	char *text = NULL;

	assert_int_equal(cgroup_read(dir, file, &text, &e), 0);
	return text;
}

/* A stand-in file is not cut by a shorter write, so only its start tells. */
static void assert_written(const char *dir, const char *file, const char *wanted)
{
	char *text = get(dir, file);

	assert_memory_equal(text, wanted, strlen(wanted));
	free(text);
}

static struct cgroup_survey *survey(const struct fake *f, const char *mountinfo, const char *cgroup)
{
	struct cgroup_survey *s = NULL;
	struct err e = ERR_INIT;

	put(f, "mountinfo", mountinfo);
	put(f, "cgroup", cgroup);
	assert_int_equal(cgroup_survey(&f->source, &s, &e), 0);
	return s;
}

#define ROOT_MOUNT	"27 1 254:0 / / rw,relatime - ext4 /dev/vda rw\n"

static void test_modes(void **state)
{
	static const struct {
		const char *mountinfo;
		enum cgroup_mode mode;
		size_t n;
	} table[] = {
		{ "", CGROUP_MODE_NONE, 0 },
		{ ROOT_MOUNT, CGROUP_MODE_NONE, 0 },
		{ ROOT_MOUNT "30 27 0:26 / /cg rw - cgroup2 cgroup2 rw\n", CGROUP_MODE_V2, 1 },
		{ ROOT_MOUNT "30 27 0:26 / /m rw shared:1 master:2 - cgroup cgroup rw,memory\n",
		  CGROUP_MODE_V1, 1 },
		{ ROOT_MOUNT "30 27 0:26 / /m rw - cgroup cgroup rw,memory\n"
			     "31 27 0:27 / /c rw - cgroup cgroup rw,cpu,cpuacct\n"
			     "32 27 0:28 / /s rw - cgroup none rw,xattr,name=systemd\n"
			     "33 27 0:29 / /u rw - cgroup2 none rw\n",
		  CGROUP_MODE_HYBRID, 4 },
		/* a hierarchy with a name of somebody's own is none of ours */
		{ ROOT_MOUNT "30 27 0:26 / /m rw - cgroup x rw,name=openrc\n", CGROUP_MODE_NONE,
		  0 },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct cgroup_survey *s = survey(*state, table[i].mountinfo, "");

		assert_int_equal(cgroup_survey_mode(s), table[i].mode);
		assert_int_equal(s->n, table[i].n);
		cgroup_survey_free(s);
	}
}

static void test_hostile_mountinfo(void **state)
{
	static const char *const lines[] = {
		"\n", " \n", "-\n", " - cgroup2\n", "30\n", "30 27 0:26 / /cg rw\n",
		"30 27 0:26 / /cg rw -\n", "30 27 0:26 / /cg rw - cgroup2\n",
		"30 27 0:26 / /cg rw - cgroup2 none\n",
		"x 27 0:26 / /cg rw - cgroup2 none rw\n",
		"-1 27 0:26 / /cg rw - cgroup2 none rw\n",
		"99999999999999999999 27 0:26 / /cg rw - cgroup2 none rw\n",
		"30 27 0:26 / cg rw - cgroup2 none rw\n",
		"30 27 0:26 / /../cg rw - cgroup2 none rw\n",
		"30 27 0:26 / /a/../cg rw - cgroup2 none rw\n",
		"30 27 0:26 / /cg\\ rw - cgroup2 none rw\n",
		"30 27 0:26 / /cg\\0 rw - cgroup2 none rw\n",
		"30 27 0:26 / /cg\\000 rw - cgroup2 none rw\n",
		"30 27 0:26 / /cg\\777 rw - cgroup2 none rw\n",
		"30 27 0:26 / /cg\\09a rw - cgroup2 none rw\n",
		"30 27 0:26 /\\ /cg rw - cgroup2 none rw\n",
		"30 27 0:26 / /cg rw - cgroup none rw,memoryx,xmemory,memory2\n",
		"30 27 0:26 / /cg rw - cgroup none\n",
		"30 27 0:26 / /cg rw - cgroup3 none rw\n",
		/* the words of a line, inside the name of a mount point */
		"30 27 0:26 / /x\\040-\\040cgroup2\\040none\\040rw rw - ext4 /dev/x rw\n",
		"30 27 0:26 / /x\\012 rw - ext4 /dev/x\\01231 rw\n",
	};
	char loop[2048];
	struct cgroup_survey *s;

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		s = survey(*state, lines[i], lines[i]);
		if (s->n != 0)
			fail_msg("line %zu was taken: %s", i, lines[i]);
		cgroup_survey_free(s);
	}
	/* mounts that are each other's parents */
	snprintf(loop, sizeof(loop), "30 31 0:26 / /a rw - cgroup2 none rw\n"
				     "31 30 0:26 / /b rw - tmpfs none rw\n");
	s = survey(*state, loop, "0::/\n");
	assert_int_equal(s->n, 1);
	cgroup_survey_free(s);
	/* no newline at the end, a space in a name */
	s = survey(*state, "30 27 0:26 / /a\\040b rw - cgroup2 none rw", "0::/x:y");
	assert_int_equal(s->n, 1);
	assert_non_null(strstr(s->v[0].mount, "/a b"));
	assert_string_equal(s->v[0].own, "/x:y");
	cgroup_survey_free(s);
}

static void test_nul_in_mountinfo(void **state)
{
	static const char bytes[] = "30 27 0:26 / /a\0b rw - cgroup2 none rw\n"
				    "31 27 0:27 / /m rw - cgroup none rw,memory\n";
	struct fake *f = *state;
	struct cgroup_survey *s = NULL;
	struct err e = ERR_INIT;

	put(f, "cgroup", "");
	assert_int_equal(
		io_write_atomic(AT_FDCWD, f->mountinfo, bytes, sizeof(bytes) - 1, 0600, &e), 0);
	assert_int_equal(cgroup_survey(&f->source, &s, &e), 0);
	assert_int_equal(cgroup_survey_mode(s), CGROUP_MODE_V1);
	cgroup_survey_free(s);
}

static void test_hidden_mounts(void **state)
{
	static const struct {
		const char *text;
		size_t n;
	} table[] = {
		/* over it */
		{ ROOT_MOUNT "30 27 0:26 / /cg rw - cgroup2 none rw\n"
			     "31 30 0:27 / /cg rw - tmpfs none rw\n", 0 },
		/* over a directory on the way */
		{ ROOT_MOUNT "30 27 0:26 / /sys/fs/cg rw - cgroup2 none rw\n"
			     "31 27 0:27 / /sys rw - tmpfs none rw\n", 0 },
		/* under it, whatever the order of the lines */
		{ "30 31 0:26 / /sys/cg rw - cgroup2 none rw\n"
		  "31 27 0:27 / /sys rw - tmpfs none rw\n" ROOT_MOUNT, 1 },
		/* the old one is hidden by /sys, on which the new one is */
		{ ROOT_MOUNT "30 27 0:26 / /sys/cg rw - tmpfs none rw\n"
			     "31 27 0:27 / /sys rw - sysfs none rw\n"
			     "32 31 0:28 / /sys/cg rw - cgroup2 none rw\n", 1 },
		/* a neighbour whose name begins the same */
		{ ROOT_MOUNT "30 27 0:26 / /cg rw - cgroup2 none rw\n"
			     "31 27 0:27 / /c rw - tmpfs none rw\n"
			     "32 27 0:27 / /cg2 rw - tmpfs none rw\n"
			     "33 30 0:27 / /cg/below rw - tmpfs none rw\n", 1 },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct cgroup_survey *s = survey(*state, table[i].text, "");

		if (s->n != table[i].n)
			fail_msg("table %zu: %zu hierarchies", i, s->n);
		cgroup_survey_free(s);
	}
}

static void test_own_cgroup(void **state)
{
	static const struct {
		const char *root;
		const char *cgroup;
		const char *own;
	} table[] = {
		{ "/", "0::/\n", "/" },
		{ "/", "0::/a/b\n", "/a/b" },
		{ "/a", "0::/a\n", "/" },
		{ "/a", "0::/a/b\n", "/b" },
		{ "/a", "0::/ab\n", NULL },
		{ "/", "0::/../x\n", NULL },
		{ "/", "0::/x (deleted)\n", NULL },
		{ "/", "0::x\n", NULL },
		{ "/", "0:/x\n", NULL },
		{ "/", "1:cpu:/x\n", NULL },
		{ "/", "", NULL },
	};
	char line[128];

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct cgroup_survey *s;

		snprintf(line, sizeof(line), "30 27 0:26 %s /cg rw - cgroup2 none rw\n",
			 table[i].root);
		s = survey(*state, line, table[i].cgroup);
		assert_int_equal(s->n, 1);
		if (table[i].own)
			assert_string_equal(s->v[0].own, table[i].own);
		else
			assert_null(s->v[0].own);
		cgroup_survey_free(s);
	}
}

#define V1_TWO	"30 27 0:26 / /m rw - cgroup cgroup rw,memory\n" \
		"31 27 0:27 / /p rw - cgroup cgroup rw,pids\n"
#define V2_ONE	"30 27 0:26 / /cg rw - cgroup2 none rw\n"

static void assert_dir(const struct fake *f, const struct cgroup_place *p, const char *wanted)
{
	assert_true(strncmp(p->dir, f->dir, strlen(f->dir)) == 0);
	assert_string_equal(p->dir + strlen(f->dir), wanted);
}

/*
 * A pod's directory in a hybrid: the engine made that of v1, and takes it away; that of v2 is the
 * containers', whichever of them came first, and the last one's to remove. A slice is systemd's.
 */
static void test_plan_hybrid(void **state)
{
	struct fake *f = *state;
	struct cgroup_survey *s = survey(f, "30 27 0:26 / /m rw - cgroup cgroup rw,memory\n"
					    "31 27 0:27 / /u rw - cgroup2 none rw\n",
					 "1:memory:/\n0::/\n");
	struct cgroup_list list = CGROUP_LIST_INIT;
	struct err e = ERR_INIT;

	make_dir(f, "m/pod");
	make_dir(f, "u/pod");
	make_dir(f, "u/machine.slice");
	assert_int_equal(cgroup_plan(s, "/pod/c1", false, "c1", &list, &e), 0);
	assert_dir(f, &list.v[1], "/m/pod");
	assert_dir(f, &list.v[4], "/u/pod");
	assert_true(!list.v[1].ours && list.v[4].ours && !list.v[3].ours);
	assert_true(list.v[2].ours && list.v[5].ours);
	cgroup_list_free(&list);
	assert_int_equal(cgroup_plan(s, "/machine.slice/c1", false, "c1", &list, &e), 0);
	assert_dir(f, &list.v[4], "/u/machine.slice");
	assert_true(!list.v[4].ours && list.v[5].ours);
	cgroup_list_free(&list);
	cgroup_survey_free(s);
}

static void test_plan(void **state)
{
	struct fake *f = *state;
	struct cgroup_survey *s = survey(f, V1_TWO, "1:memory:/own/m\n2:pids:/own/p\n");
	struct cgroup_list list = CGROUP_LIST_INIT;
	struct err e = ERR_INIT;

	make_dir(f, "m/there");

	assert_int_equal(cgroup_plan(s, "/there/../there/./new/../c1", false, "c1", &list, &e), 0);
	assert_int_equal(list.n, 6);
	assert_dir(f, &list.v[0], "/m");
	assert_dir(f, &list.v[1], "/m/there");
	assert_dir(f, &list.v[2], "/m/there/c1");
	assert_dir(f, &list.v[5], "/p/there/c1");
	assert_false(list.v[0].ours || list.v[1].ours || list.v[3].ours);
	assert_true(list.v[2].ours && list.v[4].ours && list.v[5].ours);
	assert_true(list.v[2].leaf && list.v[5].leaf && !list.v[1].leaf);
	cgroup_list_free(&list);

	/* a leaf that is there is not ours */
	assert_int_equal(cgroup_plan(s, "/there", false, "c1", &list, &e), 0);
	assert_true(list.v[1].leaf && !list.v[1].ours);
	assert_true(list.v[3].leaf && list.v[3].ours);
	cgroup_list_free(&list);

	/* the default; its parent is ours also if it is there */
	make_dir(f, "m/runnc");
	assert_int_equal(cgroup_plan(s, NULL, false, "c1", &list, &e), 0);
	assert_dir(f, &list.v[2], "/m/runnc/c1");
	assert_true(list.v[1].ours && list.v[2].ours && list.v[4].ours && !list.v[0].ours);
	cgroup_list_free(&list);

	/* relative, and no way out */
	assert_int_equal(cgroup_plan(s, "../../../../x", false, "c1", &list, &e), 0);
	assert_dir(f, &list.v[3], "/m/own/m/x");
	cgroup_list_free(&list);
	assert_int_equal(cgroup_plan(s, "/../../../../x", false, "c1", &list, &e), 0);
	assert_dir(f, &list.v[1], "/m/x");
	cgroup_list_free(&list);

	assert_int_equal(cgroup_plan(s, "/", false, "c1", &list, &e), -EINVAL);
	assert_int_equal(cgroup_plan(s, "/a/..", false, "c1", &list, &e), -EINVAL);
	assert_int_equal(cgroup_plan(s, ".", false, "c1", &list, &e), -EINVAL);
	assert_int_equal(list.n, 0);
	cgroup_survey_free(s);
}

static void test_plan_relative_v2(void **state)
{
	struct fake *f = *state;
	struct cgroup_survey *s = survey(f, V2_ONE, "0::/slice/own\n");
	struct cgroup_list list = CGROUP_LIST_INIT;
	struct err e = ERR_INIT;

	assert_int_equal(cgroup_plan(s, "x", false, "c1", &list, &e), 0);
	assert_dir(f, &list.v[list.n - 1], "/cg/slice/x");
	cgroup_list_free(&list);
	cgroup_survey_free(s);

	s = survey(f, V2_ONE, "0::/\n");
	assert_int_equal(cgroup_plan(s, "x", false, "c1", &list, &e), 0);
	assert_dir(f, &list.v[list.n - 1], "/cg/x");
	cgroup_list_free(&list);
	cgroup_survey_free(s);

	s = survey(f, V2_ONE, "0::/../..\n");
	assert_int_equal(cgroup_plan(s, "x", false, "c1", &list, &e), -EINVAL);
	assert_non_null(strstr(e.text, "use an absolute one"));
	cgroup_survey_free(s);
}

static void test_plan_systemd(void **state)
{
	struct fake *f = *state;
	struct cgroup_survey *s = survey(f, V2_ONE, "0::/\n");
	struct cgroup_list list = CGROUP_LIST_INIT;
	struct err e = ERR_INIT;

	assert_int_equal(cgroup_plan(s, "a.slice:b:c", true, "c1", &list, &e), -EOPNOTSUPP);
	assert_non_null(strstr(e.text, "systemd does not run here; use the cgroupfs driver"));
	cgroup_survey_free(s);

	make_dir(f, "systemd");
	s = survey(f, V2_ONE, "0::/\n");
	assert_int_equal(cgroup_plan(s, "a-b.slice:b:c", true, "c1", &list, &e), 0);
	assert_dir(f, &list.v[list.n - 2], "/cg/a.slice/a-b.slice/b-c.scope");
	assert_true(list.v[list.n - 2].ours && !list.v[list.n - 2].leaf);
	assert_dir(f, &list.v[list.n - 1], "/cg/a.slice/a-b.slice/b-c.scope/container");
	assert_true(list.v[list.n - 1].ours && list.v[list.n - 1].leaf);
	cgroup_list_free(&list);
	assert_int_equal(cgroup_plan(s, NULL, true, "c1", &list, &e), 0);
	assert_dir(f, &list.v[list.n - 1], "/cg/system.slice/runnc-c1.scope/container");
	cgroup_list_free(&list);
	cgroup_survey_free(s);

	/* v1's controllers are nobody's to switch off */
	s = survey(f, V1_TWO, "1:memory:/\n2:pids:/\n");
	assert_int_equal(cgroup_plan(s, "a.slice:b:c", true, "c1", &list, &e), 0);
	assert_dir(f, &list.v[list.n - 1], "/p/a.slice/b-c.scope");
	cgroup_list_free(&list);
	cgroup_survey_free(s);
}

static void test_systemd_path(void **state)
{
	static const char *const good[][2] = {
		{ "system.slice:docker:abc", "/system.slice/docker-abc.scope" },
		{ ":docker:abc", "/system.slice/docker-abc.scope" },
		{ "-.slice:x:y", "/x-y.scope" },
		{ "a-b-c.slice:x:y", "/a.slice/a-b.slice/a-b-c.slice/x-y.scope" },
		{ "a.slice::y", "/a.slice/y.scope" },
		{ "a.slice:x:y.slice", "/a.slice/y.slice" },
	};
	static const char *const bad[] = {
		"",
		":",
		"::",
		"a.slice:b:",
		"a.slice",
		"/x/y",
		"a:b:c",
		"a--b.slice:x:y",
		"-a.slice:x:y",
		"a-.slice:x:y",
		".slice:x:y",
		"a/b.slice:x:y",
		"a.slice:x:../y",
		"a.slice:x:y:z",
	};
	struct err e = ERR_INIT;
	char *path = NULL;

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_int_equal(cgroup_systemd_path(good[i][0], &path, &e), 0);
		assert_string_equal(path, good[i][1]);
		free(path);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (cgroup_systemd_path(bad[i], &path, &e) != -EINVAL)
			fail_msg("'%s' was taken", bad[i]);
}

static void test_weight(void **state)
{
	(void)state;
	assert_int_equal(cgroup_weight_of_shares(0), 1);
	assert_int_equal(cgroup_weight_of_shares(2), 1);
	assert_int_equal(cgroup_weight_of_shares(1024), 39);
	assert_int_equal(cgroup_weight_of_shares(262144), 10000);
	assert_int_equal(cgroup_weight_of_shares(UINT64_MAX), 10000);
}

static void v2_file(const struct fake *f, const char *dir, const char *file, const char *text)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/%s", dir, file);
	put(f, path, text);
}

/* A machine with v2 only, on which the leaf is there: its files take what is written. */
static struct cgroup_survey *v2_machine(const struct fake *f)
{
	static const char *const files[] = { "memory.max",  "memory.swap.max", "memory.low",
					     "pids.max",    "cpu.weight",      "cpu.max",
					     "cpuset.cpus", "cpuset.mems",     "memory.high",
					     "io.weight",   "cgroup.procs" };

	make_dir(f, "cg/pod/c1");
	v2_file(f, "cg", "cgroup.controllers", "cpuset cpu io memory pids\n");
	v2_file(f, "cg", "cgroup.subtree_control", "cpu\n");
	v2_file(f, "cg/pod", "cgroup.subtree_control", "\n");
	v2_file(f, "cg/pod", "memory.max", "max\n");
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		v2_file(f, "cg/pod/c1", files[i], "max\n");
	return survey(f, V2_ONE, "0::/\n");
}

static void test_v2_limits(void **state)
{
	static const struct cgroup_pair unified[] = { { "memory.high", "12345678" },
						      { "io.weight", "default 50" } };
	struct cgroup_limits l = CGROUP_LIMITS_INIT;
	struct fake *f = *state;
	struct cgroup_survey *s = v2_machine(f);
	struct cgroup_list list = CGROUP_LIST_INIT;
	struct err e = ERR_INIT;
	char *leaf;

	assert_int_equal(cgroup_plan(s, "/pod/c1", false, "c1", &list, &e), 0);
	leaf = list.v[2].dir;
	l.memory = 64 << 20;
	l.memory_swap = 96 << 20;
	l.memory_reservation = 32 << 20;
	l.pids = 10;
	l.cpu_shares = 1024;
	l.cpu_quota = 50000;
	l.cpu_period = 100000;
	l.cpus = "0";
	l.unified = unified;
	l.nr_unified = 2;
	assert_int_equal(cgroup_limits_need(&l),
			 CGROUP_MEMORY | CGROUP_PIDS | CGROUP_CPU | CGROUP_CPUSET | CGROUP_BLKIO);
	assert_int_equal(cgroup_create(&list, cgroup_limits_need(&l), &e), 0);
	/* The last order of several; what is on already is not ordered. */
	assert_written(list.v[0].dir, "cgroup.subtree_control", "+pids");
	assert_int_equal(cgroup_apply(&list, &l, &e), 0);
	assert_written(leaf, "memory.max", "67108864");
	assert_written(leaf, "memory.swap.max", "33554432");
	assert_written(leaf, "memory.low", "33554432");
	assert_written(leaf, "pids.max", "10");
	assert_written(leaf, "cpu.weight", "39");
	assert_written(leaf, "cpu.max", "50000 100000");
	assert_written(leaf, "cpuset.cpus", "0");
	assert_written(leaf, "memory.high", "12345678");
	assert_written(leaf, "io.weight", "default 50");

	assert_int_equal(cgroup_join(&list, 4242, &e), 0);
	assert_written(leaf, "cgroup.procs", "4242");
	cgroup_list_free(&list);
	cgroup_survey_free(s);
}

static void test_v2_refusals(void **state)
{
	static const struct cgroup_pair outside[] = { { "../memory.max", "1" } };
	static const struct cgroup_pair missing[] = { { "hugetlb.2MB.max", "1" } };
	struct cgroup_limits l = CGROUP_LIMITS_INIT;
	struct fake *f = *state;
	struct cgroup_survey *s = v2_machine(f);
	struct cgroup_list list = CGROUP_LIST_INIT;
	struct err e = ERR_INIT;

	assert_int_equal(cgroup_plan(s, "/pod/c1", false, "c1", &list, &e), 0);
	l.memory_swap = 1 << 20;
	assert_int_equal(cgroup_apply(&list, &l, &e), -EINVAL);
	assert_non_null(strstr(e.text, "needs a memory limit"));
	l.memory = 2 << 20;
	assert_int_equal(cgroup_apply(&list, &l, &e), -EINVAL);
	assert_non_null(strstr(e.text, "(1048576) is below memory (2097152)"));

	l = (struct cgroup_limits)CGROUP_LIMITS_INIT;
	l.unified = outside;
	l.nr_unified = 1;
	assert_int_equal(cgroup_apply(&list, &l, &e), -EINVAL);
	l.unified = missing;
	assert_int_equal(cgroup_apply(&list, &l, &e), -EOPNOTSUPP);
	assert_non_null(strstr(e.text, "has no such file"));
	cgroup_list_free(&list);
	cgroup_survey_free(s);

	/* nothing is mounted: a limit is refused, unlimited is not */
	s = survey(f, "", "");
	assert_int_equal(cgroup_plan(s, "/pod/c1", false, "c1", &list, &e), 0);
	assert_int_equal(list.n, 0);
	l = (struct cgroup_limits)CGROUP_LIMITS_INIT;
	l.pids = -1;
	l.memory = -1;
	assert_int_equal(cgroup_apply(&list, &l, &e), 0);
	l.pids = 5;
	assert_int_equal(cgroup_apply(&list, &l, &e), -EOPNOTSUPP);
	assert_non_null(strstr(e.text, "'pids'"));
	cgroup_survey_free(s);
}

static void test_v2_memory_limit(void **state)
{
	struct fake *f = *state;
	struct cgroup_survey *s = v2_machine(f);
	struct cgroup_list list = CGROUP_LIST_INIT;
	struct err e = ERR_INIT;
	uint64_t bytes = 0;

	assert_int_equal(cgroup_plan(s, "/pod/new", false, "new", &list, &e), 0);
	assert_int_equal(cgroup_memory_limit(&list, &bytes, &e), 0);
	assert_true(bytes == UINT64_MAX);
	v2_file(f, "cg/pod", "memory.max", "1073741824\n");
	assert_int_equal(cgroup_memory_limit(&list, &bytes, &e), 0);
	assert_int_equal(bytes, 1 << 30);
	v2_file(f, "cg/pod", "memory.max", "-5\n");
	assert_int_equal(cgroup_memory_limit(&list, &bytes, &e), -EPROTO);
	cgroup_list_free(&list);
	cgroup_survey_free(s);
}

static void test_create_remove_plain(void **state)
{
	struct fake *f = *state;
	struct cgroup_survey *s = survey(f, V1_TWO, "");
	struct cgroup_list a = CGROUP_LIST_INIT;
	struct cgroup_list b = CGROUP_LIST_INIT;
	struct err e = ERR_INIT;

	make_dir(f, "m");
	make_dir(f, "p");
	assert_int_equal(cgroup_plan(s, NULL, false, "a", &a, &e), 0);
	assert_int_equal(cgroup_create(&a, 0, &e), 0);
	assert_int_equal(cgroup_create(&a, 0, &e), 0);
	assert_int_equal(cgroup_plan(s, NULL, false, "b", &b, &e), 0);
	assert_int_equal(cgroup_create(&b, 0, &e), 0);

	/* the shared parent stays with the first, goes with the last */
	assert_int_equal(cgroup_remove(&a, 100, &e), 0);
	assert_int_equal(access(a.v[2].dir, F_OK), -1);
	assert_int_equal(access(b.v[2].dir, F_OK), 0);
	assert_int_equal(cgroup_remove(&a, 100, &e), 0);
	assert_int_equal(access(b.v[1].dir, F_OK), 0);
	assert_int_equal(cgroup_remove(&b, 100, &e), 0);
	assert_int_equal(access(b.v[1].dir, F_OK), -1);
	assert_int_equal(access(b.v[0].dir, F_OK), 0);
	cgroup_list_free(&a);
	cgroup_list_free(&b);

	/* what was there stays, whatever the list leads through */
	make_dir(f, "m/pre/leaf");
	make_dir(f, "p/pre");
	assert_int_equal(cgroup_plan(s, "/pre/leaf", false, "a", &a, &e), 0);
	assert_int_equal(cgroup_create(&a, 0, &e), 0);
	assert_int_equal(cgroup_remove(&a, 100, &e), 0);
	assert_int_equal(access(a.v[2].dir, F_OK), 0);
	assert_int_equal(access(a.v[4].dir, F_OK), 0);
	assert_int_equal(access(a.v[5].dir, F_OK), -1);
	cgroup_list_free(&a);
	cgroup_survey_free(s);
}

#define FAKE_TEST(f) cmocka_unit_test_setup_teardown(f, fake_setup, fake_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		FAKE_TEST(test_modes),
		FAKE_TEST(test_hostile_mountinfo),
		FAKE_TEST(test_nul_in_mountinfo),
		FAKE_TEST(test_hidden_mounts),
		FAKE_TEST(test_own_cgroup),
		FAKE_TEST(test_plan),
		FAKE_TEST(test_plan_hybrid),
		FAKE_TEST(test_plan_relative_v2),
		FAKE_TEST(test_plan_systemd),
		cmocka_unit_test(test_systemd_path),
		cmocka_unit_test(test_weight),
		FAKE_TEST(test_v2_limits),
		FAKE_TEST(test_v2_refusals),
		FAKE_TEST(test_v2_memory_limit),
		FAKE_TEST(test_create_remove_plain),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

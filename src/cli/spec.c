/* SPDX-License-Identifier: GPL-2.0-only */
/* runnc spec: write a config.json to begin with. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/path.h"
#include "bundle/bundle.h"
#include "cli/cli.h"

enum { BUNDLE, ROOTLESS };

static const struct cli_option options[] = {
	[BUNDLE] = { "bundle", 'b', "DIR", "where to write config.json; the default is here" },
	[ROOTLESS] = { "rootless", 0, NULL, "with a user namespace for the calling user" },
	{ .name = NULL },
};

static int spec(const struct lifecycle *l, const struct cli_args *a, struct err *e)
{
	const char *dir = a->option[BUNDLE] ? a->option[BUNDLE] : ".";
	_autofree_ char *path = path_join(dir, "config.json");
	FILE *out;
	int fd, r;

	(void)l;
	if (!path)
		return err_set(e, -ENOMEM, "spec");
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	if (fd < 0)
		return err_set(e, -errno, "create '%s'", path);
	out = fdopen(fd, "w");
	if (!out) {
		close(fd);
		return err_set(e, -ENOMEM, "create '%s'", path);
	}
	r = bundle_spec_write(out, a->option[ROOTLESS] != NULL, geteuid(), getegid(), e);
	if (fclose(out) != 0 && r == 0)
		r = err_set(e, -errno, "write '%s'", path);
	if (r < 0)
		unlink(path);
	return r;
}

const struct cli_command cli_spec = {
	.name = "spec", .operands = "", .min_operands = 0, .max_operands = 0,
	.summary = "write a config.json to begin with", .options = options, .run = spec,
};

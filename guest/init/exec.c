// SPDX-License-Identifier: GPL-2.0-only
/*
 * The start of the program: HOME, the search in PATH, execve. Messages and exit statuses are
 * runc's; engines look for them ("executable file not found in $PATH" becomes status 127).
 */
#include "guest/init/process.h"

#include "base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATH_DEFAULT "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
#define PASSWD "/etc/passwd"
#define PASSWD_MAX (1u << 20)

/* The place of the variable @name ("HOME=") in the environment, NULL if it is not set. */
static char **find_variable(const struct init_config *config, const char *name)
{
	for (size_t i = 0; i < config->nr_env; i++)
		if (!strncmp(config->envp[i], name, strlen(name)))
			return &config->envp[i];
	return NULL;
}

/* All of /etc/passwd, *@size bytes that the caller frees; NULL if it is missing or unreasonable. */
static char *read_passwd(size_t *size)
{
	_autoclose_ int fd = open(PASSWD, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	_autofree_ char *text = NULL;
	struct stat st;
	ssize_t n;

	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size > PASSWD_MAX)
		return NULL;
	text = malloc((size_t)st.st_size + 1);
	if (!text)
		return NULL;
	n = read(fd, text, (size_t)st.st_size);
	if (n < 0)
		return NULL;
	*size = (size_t)n;
	return take_ptr(text);
}

/* Set HOME if it is not set, or empty. Memory that the new program image replaces is not freed. */
static void set_home(struct init_config *config)
{
	char **place = find_variable(config, "HOME=");
	_autofree_ char *passwd = NULL;
	const char *home = "/";
	size_t size = 0, len = 1;
	char *variable;

	if (place && (*place)[strlen("HOME=")])
		return;
	passwd = read_passwd(&size);
	if (passwd && init_account_home(passwd, size, getuid(), &home, &len) < 0) {
		home = "/";
		len = 1;
	}
	variable = malloc(strlen("HOME=") + len + 1);
	if (!variable)
		return;
	memcpy(variable, "HOME=", strlen("HOME="));
	memcpy(variable + strlen("HOME="), home, len);
	variable[strlen("HOME=") + len] = '\0';
	if (place)
		*place = variable;
	else
		config->envp[config->nr_env++] = variable;
}

/* Returns what execve() failed with; "#!" scripts whose interpreter is missing give ENOENT too. */
static int try_exec(const struct init_config *config, const char *path)
{
	struct stat st;

	execve(path, config->argv, config->envp);
	/* execve() says EACCES for a directory, which a search passes over like a missing file. */
	if (errno == EACCES && stat(path, &st) == 0 && S_ISDIR(st.st_mode))
		return -EISDIR;
	return -errno;
}

static int name_failure(const char *path, int code, struct err *e)
{
	struct stat st;

	if (code == -ENOENT && stat(path, &st) == 0) {
		err_set(e, code, "exec %s: the interpreter that it names is missing", path);
		return INIT_STATUS_NOT_FOUND;
	}
	if (code == -ENOENT || code == -ENOTDIR) {
		err_say(e, code, "exec: \"%s\": stat %s: %s", path, path,
			code == -ENOENT ? "no such file or directory" : "not a directory");
		return INIT_STATUS_NOT_FOUND;
	}
	if (code == -ENOEXEC)
		err_say(e, code, "exec %s: exec format error", path);
	else if (code == -EACCES)
		err_say(e, code, "exec: \"%s\": permission denied", path);
	else if (code == -EISDIR)
		err_say(e, code, "exec: \"%s\": is a directory", path);
	else
		err_set(e, code, "exec %s", path);
	return INIT_STATUS_NOT_RUNNABLE;
}

/* Write the entry of PATH that ends at @end, and @name, to @path. Returns 0 or -ENAMETOOLONG. */
static int join(const char *start, const char *end, const char *name, char path[PATH_MAX])
{
	int n = snprintf(path, PATH_MAX, "%.*s%s%s", (int)(end - start), start,
			 end > start ? "/" : "", name);

	return n < 0 || n >= PATH_MAX ? -ENAMETOOLONG : 0;
}

/* As execvp(3): the first that can be run; one that may not be run is remembered. */
static int search(const struct init_config *config, const char *name, struct err *e)
{
	char **variable = find_variable(config, "PATH=");
	const char *start = variable ? *variable + strlen("PATH=") : PATH_DEFAULT;
	char path[PATH_MAX] = "";
	int denied = 0;

	for (;;) {
		const char *end = start + strcspn(start, ":");
		int r = *name && end - start < PATH_MAX ? join(start, end, name, path) : -ENOENT;

		if (!r)
			r = try_exec(config, path);
		if (r == -ENOENT && *name && access(path, F_OK) == 0)
			return name_failure(path, r, e);
		if (r == -EACCES)
			denied = r;
		else if (r != -ENOENT && r != -ENOTDIR && r != -EISDIR && r != -ENAMETOOLONG)
			return name_failure(path, r, e);
		if (!*end)
			break;
		start = end + 1;
	}
	if (denied)
		return name_failure(name, denied, e);
	err_say(e, -ENOENT, "exec: \"%s\": executable file not found in $PATH", name);
	return INIT_STATUS_NOT_FOUND;
}

int init_process_exec(struct init_config *config, struct err *e)
{
	const char *name = config->argv[0];

	set_home(config);
	if (strchr(name, '/'))
		return name_failure(name, try_exec(config, name), e);
	return search(config, name, e);
}

/* SPDX-License-Identifier: GPL-2.0-only */
/* What the image says about the guest that it is: guest.h. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/io.h"
#include "base/path.h"
#include "base/str.h"
#include "container/guest.h"

#define GUEST_RESOLV		"/etc/resolv.conf"
#define GUEST_RESOLV_MAX	(64u << 10)

/* By O_PATH first: opening a FIFO or a device would do something. */
int guest_open(int rootfd, const char *path, int *fd)
{
	_autoclose_ int found = path_open_beneath(rootfd, path, O_PATH, 0);
	char self[32];
	struct stat st;
	int opened;

	if (found == -ENOTDIR || found == -ELOOP || found == -EXDEV)
		return -ENOENT;
	if (found < 0)
		return found;
	if (fstat(found, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	snprintf(self, sizeof(self), "/proc/self/fd/%d", found);
	opened = open(self, O_RDONLY | O_CLOEXEC);
	if (opened < 0)
		return -errno;
	*fd = opened;
	return 0;
}

/* ---- urunc.json --------------------------------------------------------------------------- */

static int look_urunc_file(int rootfd, struct guest_facts *f, struct err *e)
{
	_autofree_ char *json = NULL;
	_autoclose_ int fd = -1;
	struct urunc u = { .value = { NULL } };
	size_t len;
	int r = guest_open(rootfd, URUNC_FILE, &fd);

	if (r == -ENOENT || r == -EINVAL)
		return 0;
	if (r < 0)
		return err_set(e, r, "open '%s' of the image", URUNC_FILE);
	r = io_read_fd(fd, URUNC_FILE, URUNC_FILE_MAX, &json, &len, e);
	if (r == 0)
		r = urunc_from_json(json, len, &u, e);
	if (r < 0 || !urunc_complete(&u)) {
		urunc_free(&u);
		return r;
	}
	urunc_free(&f->urunc);
	f->urunc = u;
	f->urunc_file = true;
	return 0;
}

static int look_urunc(const struct bundle *b, int rootfd, struct guest_facts *f, struct err *e)
{
	const char *guest = bundle_annotation(b, GUEST_ANNOTATION);
	int r = urunc_from_annotations(b, &f->urunc, e);

	/* The way out for an image whose urunc.json is none. */
	if (r < 0 || urunc_complete(&f->urunc) || (guest && strcmp(guest, "linux") == 0))
		return r;
	return look_urunc_file(rootfd, f, e);
}

/* ---- the binary --------------------------------------------------------------------------- */

/* Of process.env; as a shell without one has it. */
static const char *look_search_path(const struct bundle *b)
{
	for (size_t i = 0; i < b->process.env.n; i++)
		if (str_starts(b->process.env.v[i], "PATH="))
			return b->process.env.v[i] + strlen("PATH=");
	return "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
}

/* The first directory of PATH that has a regular file of that name; NULL: none, or no memory. */
static char *look_in_path(const struct bundle *b, int rootfd, const char *name)
{
	const char *dirs = look_search_path(b);

	while (*dirs) {
		size_t len = strcspn(dirs, ":");
		_autofree_ char *path = str_printf("%.*s/%s", (int)len, dirs, name);
		_autoclose_ int fd = -1;

		if (path && len > 0 && guest_open(rootfd, path, &fd) == 0)
			return take_ptr(path);
		dirs += len + (dirs[len] == ':');
	}
	return NULL;
}

static char *look_entry_point(const struct bundle *b, int rootfd)
{
	const char *name = b->has_process ? b->process.args.v[0] : "";

	if (name[0] == '/')
		return strdup(name);
	if (strchr(name, '/'))
		return path_join(b->process.cwd, name);
	return name[0] ? look_in_path(b, rootfd, name) : NULL;
}

static int look_manifest(const struct solo5_source *source, struct guest_facts *f)
{
	struct solo5_elf *elf = malloc(sizeof(*elf));
	struct err bad = ERR_INIT;
	int r;

	f->manifest = malloc(sizeof(*f->manifest));
	if (!elf || !f->manifest) {
		free(elf);
		return -ENOMEM;
	}
	/* Whether it fits into the memory that it gets is the tender's question. */
	r = solo5_elf_read(source, UINT64_C(1) << 40, elf, &bad);
	if (r == 0) {
		*f->manifest = elf->manifest;
	} else {
		f->file = GUEST_FILE_BAD;
		f->bad = strdup(bad.text);
	}
	free(elf);
	return r == 0 || f->bad ? 0 : -ENOMEM;
}

static int look_file(int rootfd, struct guest_facts *f)
{
	struct solo5_source source;
	_autoclose_ int fd = -1;
	struct err bad = ERR_INIT;
	int r = guest_open(rootfd, f->binary, &fd);

	if (r < 0)
		return r == -ENOENT || r == -EINVAL ? 0 : r;
	f->file = GUEST_FILE_OTHER;
	r = solo5_source_fd(&source, fd, &bad);
	if (r == 0)
		r = solo5_elf_identify(&source, &f->abi, &bad);
	if (r == SOLO5_NOT_SOLO5)
		return 0;
	if (r < 0) {
		f->file = GUEST_FILE_BAD;
		f->bad = strdup(bad.text);
		return f->bad ? 0 : -ENOMEM;
	}
	f->file = GUEST_FILE_SOLO5;
	return f->abi.target == SOLO5_SPT ? look_manifest(&source, f) : 0;
}

static int look_binary(const struct bundle *b, int rootfd, struct guest_facts *f, struct err *e)
{
	const char *named = f->urunc.value[URUNC_BINARY];
	int r;

	f->binary = named ? strdup(named) : look_entry_point(b, rootfd);
	if (!f->binary)
		return named ? err_set(e, -ENOMEM, "look at the image") : 0;
	r = look_file(rootfd, f);
	return r < 0 ? err_set(e, r, "look at '%s' of the image", f->binary) : 0;
}

/* ---- the name server ----------------------------------------------------------------------- */

static void look_nameserver(const char *text, char dns[46])
{
	while (*text) {
		struct in6_addr address;
		char word[46] = "";

		if (sscanf(text, "nameserver %45[0-9a-fA-F:.]", word) == 1 &&
		    (inet_pton(AF_INET, word, &address) == 1 ||
		     inet_pton(AF_INET6, word, &address) == 1)) {
			strcpy(dns, word);
			return;
		}
		text += strcspn(text, "\n");
		text += *text == '\n';
	}
}

/* What the engine binds over it counts. Best effort: a resolver is no condition of anything. */
static void look_dns(const struct bundle *b, int rootfd, struct guest_facts *f)
{
	_autofree_ char *text = NULL;
	_autoclose_ int fd = -1;
	struct err ignored = ERR_INIT;

	for (size_t i = 0; i < b->nr_mounts; i++)
		if (strcmp(b->mounts[i].destination, GUEST_RESOLV) == 0) {
			if (io_read_file(AT_FDCWD, b->mounts[i].source, GUEST_RESOLV_MAX, &text,
					 NULL, &ignored) == 0)
				look_nameserver(text, f->dns);
			return;
		}
	if (guest_open(rootfd, GUEST_RESOLV, &fd) == 0 &&
	    io_read_fd(fd, GUEST_RESOLV, GUEST_RESOLV_MAX, &text, NULL, &ignored) == 0)
		look_nameserver(text, f->dns);
}

int guest_look(const struct bundle *b, int rootfd, struct guest_facts *f, struct err *e)
{
	int r;

	memset(f, 0, sizeof(*f));
	r = look_urunc(b, rootfd, f, e);
	if (r == 0)
		r = look_binary(b, rootfd, f, e);
	if (r == 0 && f->file == GUEST_FILE_SOLO5)
		look_dns(b, rootfd, f);
	return r;
}

void guest_facts_free(struct guest_facts *f)
{
	urunc_free(&f->urunc);
	free(f->binary);
	free(f->manifest);
	free(f->bad);
	memset(f, 0, sizeof(*f));
}

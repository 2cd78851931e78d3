/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which guest is it? Linux with the image's programs, or a unikernel that the image brings.
 *
 *	bundle + root -> guest_look() -> struct guest_facts	(reads the image, bounded)
 *	bundle + facts -> guest_decide() -> struct guest_choice	(pure)
 *
 * The rules, first match wins; `runnc plan` shows which one it was:
 *
 *  1. annotation org.runnc.guest = linux | solo5; with linux, /urunc.json is not looked at
 *  2. annotations com.urunc.unikernel.{unikernelType,hypervisor,binary}, all three
 *  3. the same in the root's /urunc.json
 *  4. the entry point (process.args[0]) is an ELF file with a Solo5 note
 *  5. else Linux
 *
 * Engines do not hand an image's labels to the runtime: whoever packages by labels must have them
 * copied into annotations, or use /urunc.json.
 *
 * The image is untrusted. Paths are opened with the root as "/", so that symlinks end inside; only
 * regular files are opened for reading.
 */
#ifndef RUNNC_CONTAINER_GUEST_H
#define RUNNC_CONTAINER_GUEST_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "bundle/bundle.h"
#include "container/urunc.h"
#include "solo5/elf.h"

#define GUEST_ANNOTATION	"org.runnc.guest"	/* linux | solo5 */
#define GUEST_ANNOTATION_TYPE	"org.runnc.solo5.type"	/* mirage | rumprun | raw */

enum guest_kind { GUEST_LINUX, GUEST_SOLO5 };

/* How a unikernel is told its network and arguments: solo5_args.h. */
enum guest_type { GUEST_RAW, GUEST_MIRAGE, GUEST_RUMPRUN };

const char *guest_kind_name(enum guest_kind kind);	/* "linux", "solo5" */
const char *guest_type_name(enum guest_type type);	/* "raw", "mirage", "rumprun" */

enum guest_file {
	GUEST_FILE_NONE,		/* no such regular file in the root */
	GUEST_FILE_OTHER,		/* not a Solo5 unikernel */
	GUEST_FILE_SOLO5,		/* abi is filled in; for spt the manifest too */
	GUEST_FILE_BAD			/* a Solo5 note, and something wrong with the file */
};

struct guest_facts {
	/* of the annotations if they are complete, else of the file */
	struct urunc urunc;
	bool urunc_file;		/* they are of the file */
	char *binary;			/* the unikernel, or the entry point; a path in the root, or
					 * NULL: there is none to look for */
	enum guest_file file;		/* what it is */
	struct solo5_abi abi;
	struct solo5_manifest *manifest;	/* GUEST_FILE_SOLO5 for spt, else NULL */
	char *bad;			/* GUEST_FILE_BAD: what is wrong */
	/* the first name server that a container would use, or "" */
	char dns[46];
};

/*
 * Look into @b's root, @rootfd of which is a descriptor (any kind). *@f is filled in and the
 * caller's, to be given to guest_facts_free() in either case. That something is missing or odd is
 * a fact, not an error. A urunc.json that is none, where the annotations leave it to that file, is
 * -EINVAL. Returns 0 or -errno.
 */
int guest_look(const struct bundle *b, int rootfd, struct guest_facts *f, struct err *e);
void guest_facts_free(struct guest_facts *f);

/*
 * Open @path with the directory @rootfd as "/" for reading. *@fd is close-on-exec and the caller's.
 * Returns 0; -ENOENT if it is not there or leads nowhere inside; -EINVAL if it is no regular file;
 * or another -errno. No message.
 */
int guest_open(int rootfd, const char *path, int *fd);

struct guest_choice {
	enum guest_kind kind;
	enum guest_type type;		/* of a unikernel */
	char *why;			/* for people: "annotation org.runnc.guest=solo5" */
	/* of process.args: urunc's init, which Linux here replaces */
	size_t skip_args;
};

/*
 * Decide. *@c is filled in and the caller's, to be given to guest_choice_free() in either case.
 * Returns 0; -EINVAL for what cannot be run here, by its name and with what to do; or -ENOMEM.
 */
int guest_decide(const struct bundle *b, const struct guest_facts *f, struct guest_choice *c,
		 struct err *e);
void guest_choice_free(struct guest_choice *c);

#endif

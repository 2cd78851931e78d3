/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which guest it is, by the rules of guest.h; and what is refused. What a file is built for is told
 * by the file: its Solo5 note wins over the image's words for a hypervisor.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "container/guest.h"

static const char *const kind_names[] = { [GUEST_LINUX] = "linux", [GUEST_SOLO5] = "solo5" };
static const char *const type_names[] = {
	[GUEST_RAW] = "raw", [GUEST_MIRAGE] = "mirage", [GUEST_RUMPRUN] = "rumprun",
};

#define GUEST_TYPES (sizeof(type_names) / sizeof(type_names[0]))

const char *guest_kind_name(enum guest_kind kind)
{
	return kind_names[kind];
}

const char *guest_type_name(enum guest_type type)
{
	return type_names[type];
}

static bool type_parse(const char *text, enum guest_type *type)
{
	for (size_t i = 0; i < GUEST_TYPES; i++)
		if (strcmp(text, type_names[i]) == 0) {
			*type = (enum guest_type)i;
			return true;
		}
	return false;
}

/* ---- what is refused ---------------------------------------------------------------------- */

#define BUILD_FOR_SPT \
	"build the unikernel for Solo5's target spt (MirageOS: mirage configure -t spt)"

/* The file must be a unikernel for spt. */
static int decide_check_file(const struct guest_facts *f, struct err *e)
{
	const char *name = f->binary ? f->binary : "";

	switch (f->file) {
	case GUEST_FILE_NONE:
		return err_say(e, -EINVAL,
			       "unikernel '%s': there is no such file in the image: name it by "
			       "process.args[0] or by " URUNC_PREFIX "binary", name);
	case GUEST_FILE_OTHER:
		if (str_ends(name, ".nabla"))
			return err_say(
				e, -EINVAL,
				"unikernel '%s' has no Solo5 note: it is of the nabla ABI before "
				"Solo5 0.6; " BUILD_FOR_SPT,
				name);
		return err_say(e, -EINVAL, "unikernel '%s' has no Solo5 note: " BUILD_FOR_SPT,
			       name);
	case GUEST_FILE_BAD:
		return err_say(e, -EINVAL, "unikernel '%s': %s", name, f->bad);
	case GUEST_FILE_SOLO5:
		break;
	}
	if (f->abi.target != SOLO5_SPT)
		return err_say(
			e, -EINVAL,
			"unikernel '%s' is built for Solo5's target %s (%u), which needs another "
			"monitor: " BUILD_FOR_SPT,
			name, solo5_target_name(f->abi.target), f->abi.target);
	return 0;
}

static int decide_refuse_urunc(const struct guest_facts *f, struct err *e)
{
	return err_say(e, -EINVAL,
		       "image for urunc of type '%s' on '%s': this runtime runs mirage and rumprun "
		       "on spt, and linux with mountRootfs=true: repackage it, or use urunc",
		       f->urunc.value[URUNC_TYPE], f->urunc.value[URUNC_HYPERVISOR]);
}

/* ---- decisions ---------------------------------------------------------------------------- */

static int decide_why(struct guest_choice *c, struct err *e, char *why)
{
	c->why = why;
	return why ? 0 : err_set(e, -ENOMEM, "decide which guest it is");
}

static int decide_type(const struct bundle *b, const struct guest_facts *f, struct guest_choice *c,
		       struct err *e)
{
	const char *wanted = bundle_annotation(b, GUEST_ANNOTATION_TYPE);
	const char *urunc = f->urunc.value[URUNC_TYPE];

	if (wanted && !type_parse(wanted, &c->type))
		return err_say(e, -EINVAL, "annotation %s: '%s' is not mirage, rumprun or raw",
			       GUEST_ANNOTATION_TYPE, wanted);
	if (wanted || (urunc && type_parse(urunc, &c->type)))
		return 0;
	/* The name that the first runnc's images had. */
	c->type = f->binary && str_ends(f->binary, ".nabla") ? GUEST_RUMPRUN : GUEST_RAW;
	return 0;
}

static int decide_solo5(const struct bundle *b, const struct guest_facts *f,
			struct guest_choice *c, struct err *e)
{
	int r = decide_check_file(f, e);

	if (r < 0)
		return r;
	if (f->urunc.value[URUNC_INITRD])
		return err_say(e, -EINVAL, "unikernel '%s': " URUNC_PREFIX
			       "initrd '%s': a Solo5 unikernel takes none", f->binary,
			       f->urunc.value[URUNC_INITRD]);
	c->kind = GUEST_SOLO5;
	return decide_type(b, f, c, e);
}

/* urunc's init is left out: the Linux guest has one of its own. */
static int decide_urunc_linux(const struct bundle *b, const struct guest_facts *f,
			      struct guest_choice *c, struct err *e)
{
	if (!urunc_is_true(&f->urunc, URUNC_MOUNT_ROOTFS) &&
	    !urunc_is_true(&f->urunc, URUNC_DM_BLOCK))
		return err_say(
			e, -EINVAL,
			"image for urunc of type 'linux' without mountRootfs=true: it brings a "
			"kernel and a disk of its own, which need a virtual machine: repackage "
			"it with mountRootfs=true");
	c->kind = GUEST_LINUX;
	if (b->has_process && b->process.args.n > 1 && strcmp(b->process.args.v[0], "/urunit") == 0)
		c->skip_args = 1;
	return 0;
}

static int decide_urunc(const struct bundle *b, const struct guest_facts *f, struct guest_choice *c,
			struct err *e)
{
	const char *type = f->urunc.value[URUNC_TYPE];
	enum guest_type known;
	int r = decide_why(c, e, str_printf("%s: type %s on %s", f->urunc_file ? URUNC_FILE :
					    "annotations " URUNC_PREFIX "*", type,
					    f->urunc.value[URUNC_HYPERVISOR]));

	if (r < 0)
		return r;
	if (strcmp(type, "linux") == 0)
		return decide_urunc_linux(b, f, c, e);
	if (!type_parse(type, &known) && strcmp(f->urunc.value[URUNC_HYPERVISOR], "spt") != 0)
		return decide_refuse_urunc(f, e);
	return decide_solo5(b, f, c, e);
}

static int decide_annotated(const struct bundle *b, const struct guest_facts *f, const char *guest,
			    struct guest_choice *c, struct err *e)
{
	int r = decide_why(c, e, str_printf("annotation %s=%s", GUEST_ANNOTATION, guest));

	if (r < 0)
		return r;
	if (strcmp(guest, "solo5") == 0)
		return decide_solo5(b, f, c, e);
	if (strcmp(guest, "linux") != 0)
		return err_say(e, -EINVAL, "annotation %s: '%s' is not linux or solo5",
			       GUEST_ANNOTATION, guest);
	c->kind = GUEST_LINUX;
	return 0;
}

int guest_decide(const struct bundle *b, const struct guest_facts *f, struct guest_choice *c,
		 struct err *e)
{
	const char *guest = bundle_annotation(b, GUEST_ANNOTATION);
	int r;

	memset(c, 0, sizeof(*c));
	if (guest)
		return decide_annotated(b, f, guest, c, e);
	if (urunc_complete(&f->urunc))
		return decide_urunc(b, f, c, e);
	if (f->file == GUEST_FILE_SOLO5 || f->file == GUEST_FILE_BAD ||
	    (f->file == GUEST_FILE_OTHER && str_ends(f->binary, ".nabla"))) {
		r = decide_why(c, e, str_printf("the entry point '%s' is a Solo5 unikernel",
						f->binary));
		return r < 0 ? r : decide_solo5(b, f, c, e);
	}
	c->kind = GUEST_LINUX;
	return decide_why(c, e, strdup("the image says nothing else"));
}

void guest_choice_free(struct guest_choice *c)
{
	free(c->why);
	memset(c, 0, sizeof(*c));
}

/* SPDX-License-Identifier: GPL-2.0-only */
/* Which guest it is, why, and what only a unikernel has. */
#include "cli/plan_guest.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/fd.h"
#include "cli/show.h"
#include "confine/confine_solo5.h"
#include "container/solo5_args.h"

const struct confine_call *plan_guest_calls(const struct plan *p, size_t *nr)
{
	if (p->guest.kind == GUEST_SOLO5) {
		*nr = confine_solo5_nr_calls;
		return confine_solo5_calls;
	}
	*nr = confine_linux_nr_calls;
	return confine_linux_calls;
}

void plan_guest_text(const struct plan *p)
{
	if (p->guest.kind == GUEST_SOLO5)
		printf("guest       solo5: the unikernel '%s' (%s), in one process of uid %u\n",
		       p->solo5.binary, guest_type_name(p->guest.type), p->host_uid);
	else
		printf("guest       linux: Linux as a library, in one process of uid %u\n",
		       p->host_uid);
	printf("            because: %s\n", p->guest.why);
}

/* NULL while the network is not known, or if it cannot be told: then @e says why. */
static char *plan_cmdline(const struct plan *p, struct err *e)
{
	char *line = NULL;

	if (p->network == PLAN_NETWORK_LATER)
		err_say(e, 0, "made when hooks have set up the network");
	else if (solo5_cmdline(p, &line, e) < 0)
		return NULL;
	return line;
}

/* ---- text --------------------------------------------------------------------------------- */

static void text_disk(const struct plan_disk *d)
{
	static const char *const roots[] = {
		[PLAN_DISK_EROFS] = "the root as EROFS image",
		[PLAN_DISK_ISO9660] = "the root as ISO 9660 image",
	};

	printf("disk        %s: ", d->name);
	if (d->kind == PLAN_DISK_FILE)
		printf("%s%s", d->readonly ? "" : "a copy of ", d->path);
	else
		printf("%s", roots[d->kind]);
	printf(", %s, sectors of %u bytes", d->readonly ? "read-only" : "writable", d->sector);
	if (d->mount)
		printf(", for %s", d->mount);
	putchar('\n');
}

void plan_solo5_text(const struct plan *p)
{
	struct err e = ERR_INIT;
	_autofree_ char *line = plan_cmdline(p, &e);

	printf("cmdline     %s\n", line ? line : e.text);
	for (size_t i = 0; i < p->solo5.nr_nets; i++)
		printf("device      %s: %s\n", p->solo5.nets[i],
		       i < p->net.nr_ports ? p->net.ports[i].name : "an interface, not known yet");
	for (size_t i = 0; i < p->solo5.nr_disks; i++)
		text_disk(&p->solo5.disks[i]);
}

/* ---- JSON --------------------------------------------------------------------------------- */

static json_t *json_disks(const struct plan_solo5 *s)
{
	static const char *const kinds[] = {
		[PLAN_DISK_FILE] = "file", [PLAN_DISK_EROFS] = "erofs",
		[PLAN_DISK_ISO9660] = "iso9660",
	};
	json_t *all = json_array();

	for (size_t i = 0; i < s->nr_disks; i++) {
		const struct plan_disk *d = &s->disks[i];

		show_append(all, json_pack("{s:s, s:s, s:s?, s:b, s:I, s:s?}", "name", d->name,
					   "kind", kinds[d->kind], "path", d->path, "readonly",
					   d->readonly, "sectorSize", (json_int_t)d->sector,
					   "mount", d->mount));
	}
	return all;
}

static json_t *json_devices(const struct plan *p)
{
	json_t *all = json_array();

	for (size_t i = 0; i < p->solo5.nr_nets; i++)
		show_append(all, json_pack("{s:s, s:s?}", "name", p->solo5.nets[i], "interface",
					   i < p->net.nr_ports ? p->net.ports[i].name : NULL));
	return all;
}

json_t *plan_solo5_json(const struct plan *p)
{
	struct err e = ERR_INIT;
	_autofree_ char *line = plan_cmdline(p, &e);

	return json_pack("{s:s, s:s, s:s?, s:o, s:o}", "binary", p->solo5.binary, "type",
			 guest_type_name(p->guest.type), "cmdline", line, "networkDevices",
			 json_devices(p), "disks", json_disks(&p->solo5));
}

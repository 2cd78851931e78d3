/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The command line of nabla-run. One table of options; what follows the first word that is none is
 * the unikernel and its arguments.
 */
#include "tender/options.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"

const char *tender_options_help(void)
{
	return "usage: nabla-run [OPTION]... [--] KERNEL [ARGUMENT]...\n"
	       "Run a Solo5 unikernel (target spt) in one confined process.\n"
	       "\n"
	       "  --mem=MB                      guest memory (512)\n"
	       "  --net:NAME=INTERFACE|@FD      attach a TAP\n"
	       "  --net-mac:NAME=MAC            its MAC address (random)\n"
	       "  --net-mtu:NAME=N              its MTU (the interface's)\n"
	       "  --block:NAME=PATH|@FD         attach a disk\n"
	       "  --block-ro:NAME=PATH|@FD      attach a disk, read-only\n"
	       "  --block-sector-size:NAME=N    its sector size (512)\n"
	       "  --format=text|json            form of error messages\n"
	       "  --error-status=N              exit status of nabla-run's own errors (1)\n"
	       "  --no-stack-guard              no guard page below the stack\n"
	       "  --help, --version\n"
	       "\n"
	       "KERNEL is a file or @FD. man nabla-run says more.\n";
}

#define bad(e, ...) err_say(e, -EINVAL, __VA_ARGS__)

/* "@5": the descriptor in *@fd; anything else: a path. */
static int parse_where(const char *text, const char **path, int *fd, struct err *e)
{
	uint64_t n;

	*path = NULL;
	*fd = -1;
	if (text[0] != '@') {
		*path = text;
		return text[0] ? 0 : bad(e, "the name after '=' is missing");
	}
	if (str_u64(text + 1, 1u << 20, &n) < 0)
		return bad(e, "'%s' is no descriptor: @ and a number", text);
	*fd = (int)n;
	return 0;
}

static int parse_number(const char *text, uint64_t min, uint64_t max, uint64_t *n, struct err *e)
{
	if (str_u64(text, max, n) < 0 || *n < min)
		return bad(e, "'%s' is not a number from %llu to %llu", text,
			   (unsigned long long)min, (unsigned long long)max);
	return 0;
}

static int hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static int parse_mac(const char *text, uint8_t mac[6], struct err *e)
{
	size_t i;

	for (i = 0; i < 6; i++) {
		int high = hex(text[3 * i]), low = high < 0 ? -1 : hex(text[3 * i + 1]);

		if (low < 0 || text[3 * i + 2] != (i < 5 ? ':' : '\0'))
			return bad(e, "'%s' is no MAC address like 02:00:00:00:00:01", text);
		mac[i] = (uint8_t)(high << 4 | low);
	}
	if (mac[0] & 1)
		return bad(e, "'%s' is a multicast address", text);
	return 0;
}

/* The device of that name and type; a new one if it has no options yet. NULL: too many. */
static struct tender_device *device(struct tender_options *o, const char *name, size_t len,
				    uint32_t type)
{
	struct tender_device *d;
	uint32_t i;

	for (i = 0; i < o->nr_devices; i++) {
		d = &o->device[i];
		if (d->type == type && strlen(d->name) == len && !memcmp(d->name, name, len))
			return d;
	}
	if (o->nr_devices == TENDER_DEVICES)
		return NULL;
	d = &o->device[o->nr_devices++];
	*d = (struct tender_device){ .type = type, .fd = -1, .sector_size = TENDER_SECTOR_MIN };
	memcpy(d->name, name, len);
	return d;
}

static int set_where(struct tender_device *d, const char *value, struct err *e)
{
	if (d->path || d->fd >= 0)
		return bad(e, "it is attached twice");
	return parse_where(value, &d->path, &d->fd, e);
}

static int set_read_only(struct tender_device *d, const char *value, struct err *e)
{
	d->read_only = true;
	return set_where(d, value, e);
}

static int set_mac(struct tender_device *d, const char *value, struct err *e)
{
	d->has_mac = true;
	return parse_mac(value, d->mac, e);
}

static int set_mtu(struct tender_device *d, const char *value, struct err *e)
{
	uint64_t n = 0;
	int ret = parse_number(value, 68, 65535, &n, e);

	d->mtu = (uint32_t)n;
	return ret;
}

static int set_sector_size(struct tender_device *d, const char *value, struct err *e)
{
	uint64_t n = 0;
	int ret = parse_number(value, TENDER_SECTOR_MIN, TENDER_SECTOR_MAX, &n, e);

	if (ret == 0 && (n & (n - 1)))
		return bad(e, "'%s' is not a power of two", value);
	d->sector_size = (uint32_t)n;
	return ret;
}

/* Options of devices: --OPTION:NAME=VALUE. */
static int device_option(struct tender_options *o, const char *text, struct err *e)
{
	static const struct {
		char prefix[24];
		uint32_t type;
		int (*set)(struct tender_device *d, const char *value, struct err *e);
	} options[] = {
		{ "--net:", SOLO5_NET, set_where },
		{ "--net-mac:", SOLO5_NET, set_mac },
		{ "--net-mtu:", SOLO5_NET, set_mtu },
		{ "--block:", SOLO5_BLOCK, set_where },
		{ "--block-ro:", SOLO5_BLOCK, set_read_only },
		{ "--block-sector-size:", SOLO5_BLOCK, set_sector_size },
	};

	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
		const char *name, *equals;
		struct tender_device *d;
		char word[SOLO5_NAME_MAX + 1] = "";

		if (!str_starts(text, options[i].prefix))
			continue;
		name = text + strlen(options[i].prefix);
		equals = strchr(name, '=');
		if (equals && equals - name <= SOLO5_NAME_MAX)
			memcpy(word, name, (size_t)(equals - name));
		if (!equals || !solo5_name_valid(word))
			return bad(e, "want NAME=VALUE, the name of 1 to %d letters or digits",
				   SOLO5_NAME_MAX);
		d = device(o, word, strlen(word), options[i].type);
		if (!d)
			return bad(e, "more than %d devices", TENDER_DEVICES);
		return options[i].set(d, equals + 1, e);
	}
	return bad(e, "unknown option; nabla-run --help lists them");
}

static int set_format(struct tender_options *o, const char *value, struct err *e)
{
	o->json = !strcmp(value, "json");
	return o->json || !strcmp(value, "text") ? 0 : bad(e, "'%s' is not text or json", value);
}

static int one_option(struct tender_options *o, const char *text, struct err *e)
{
	uint64_t n = 0;
	int ret = 0;

	if (str_starts(text, "--mem=")) {
		ret = parse_number(text + 6, 1, TENDER_MEM_MB_MAX, &n, e);
		o->mem_size = n << 20;
	} else if (str_starts(text, "--format=")) {
		ret = set_format(o, text + 9, e);
	} else if (str_starts(text, "--error-status=")) {
		ret = parse_number(text + 15, 1, 255, &n, e);
		o->error_status = ret < 0 ? 1 : (int)n;
	} else if (!strcmp(text, "--no-stack-guard")) {
		o->stack_guard = false;
	} else if (!strcmp(text, "--help")) {
		o->help = true;
	} else if (!strcmp(text, "--version")) {
		o->version = true;
	} else if (!strcmp(text, "--x-exec-heap")) {
		ret = bad(e, "no page is ever writable and executable here; run it without, "
			     "or under Solo5's own tender");
	} else {
		ret = device_option(o, text, e);
	}
	return ret;
}

/* Options that say something about a device without one that attaches it. */
static int check_devices(const struct tender_options *o, struct err *e)
{
	for (uint32_t i = 0; i < o->nr_devices; i++) {
		const struct tender_device *d = &o->device[i];

		if (!d->path && d->fd < 0)
			return bad(e, "%s '%s' has options, but none attaches it: --%s:%s=",
				   solo5_device_name(d->type), d->name,
				   d->type == SOLO5_NET ? "net" : "block", d->name);
		for (uint32_t k = 0; k < i; k++)
			if (!strcmp(o->device[k].name, d->name))
				return bad(e, "'%s' is attached as a disk and as a network device",
					   d->name);
	}
	return 0;
}

int tender_options_parse(const char *const *argv, struct tender_options *o, struct err *e)
{
	int ret;

	*o = (struct tender_options){
		.stack_guard = true, .error_status = 1, .kernel_fd = -1,
		.mem_size = (uint64_t)TENDER_MEM_MB << 20,
	};
	for (argv += argv[0] != NULL; *argv && str_starts(*argv, "-"); argv++) {
		if (!strcmp(*argv, "--")) {
			argv++;
			break;
		}
		if (!strcmp(*argv, "--format") && argv[1])
			ret = set_format(o, *++argv, e);
		else
			ret = one_option(o, *argv, e);
		if (ret < 0)
			return err_wrap(e, ret, "option '%s'", *argv);
		if (o->help || o->version)
			return 0;
	}
	if (!*argv)
		return bad(e, "the unikernel is missing; nabla-run --help says how to call it");
	ret = parse_where(*argv, &o->kernel, &o->kernel_fd, e);
	if (ret < 0)
		return err_wrap(e, ret, "unikernel");
	o->args = argv + 1;
	return check_devices(o, e);
}

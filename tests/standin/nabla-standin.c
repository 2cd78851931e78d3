/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A stand-in for the guest, to test the runtime's side without a kernel: it takes the launch record
 * as nabla-linux does (descriptor 3), checks it against abi/launch.h, finds /config in the initrd,
 * checks it against abi/guest_config.h, and then acts on the container's arguments:
 *
 *	dump		print what it was given, one "noun value" a line, and exit 0
 *	exit N		exit with status N
 *	echo WORD...	print the words
 *	fail WORD	print the word to stderr, exit 1
 *	cat		copy stdin to stdout until its end
 *	wait		print "waiting", then wait for a signal and exit with 128 + its number
 *	size		print the terminal's rows and columns, again at each SIGWINCH, until SIGTERM
 *	self		print what the host process looks like: ids, groups, descriptors, root
 *
 * Anything else is an error: exit 127.
 *
 * It reads untrusted bytes with the same care as the real one, but it is not confined.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

#include "abi/guest_config.h"
#include "abi/launch.h"

#define ARGS_MAX 64

static const char *args[ARGS_MAX];
static unsigned int nr_args;

static const char *map;		/* the launch record */
static size_t map_len;

static void __attribute__((noreturn, format(printf, 1, 2))) bad(const char *format, ...)
{
	va_list ap;

	__builtin_va_start(ap, format);
	fputs("nabla-standin: ", stderr);
	vfprintf(stderr, format, ap);
	fputc('\n', stderr);
	__builtin_va_end(ap);
	exit(NABLA_EXIT_LAUNCH);
}

/* --- the launch record --- */

static const struct nabla_launch *launch_map(void)
{
	const struct nabla_launch *l;
	struct stat st;

	if (fstat(NABLA_LAUNCH_FD, &st) < 0)
		bad("descriptor 3: %s", strerror(errno));
	map_len = (size_t)st.st_size;
	if (map_len < sizeof(*l))
		bad("launch record is too short");
	map = mmap(NULL, map_len, PROT_READ, MAP_SHARED, NABLA_LAUNCH_FD, 0);
	if (map == MAP_FAILED)
		bad("map the launch record: %s", strerror(errno));
	if ((fcntl(NABLA_LAUNCH_FD, F_GETFL) & O_ACCMODE) != O_RDONLY)
		bad("launch record is open for writing");

	l = (const struct nabla_launch *)map;
	if (memcmp(l->magic, NABLA_LAUNCH_MAGIC, 8) != 0 || l->version != NABLA_LAUNCH_VERSION ||
	    l->size != sizeof(*l))
		bad("launch record has a bad header");
	if (l->mem_size == 0 || l->mem_size % (2 << 20) != 0)
		bad("memory size is no multiple of 2 MiB");
	if (l->nr_nets > NABLA_LAUNCH_NETS || l->nr_images > NABLA_LAUNCH_IMAGES)
		bad("too many devices");
	return l;
}

static const char *section(const struct nabla_section *s, const char *what)
{
	uint64_t end;

	if (__builtin_add_overflow(s->offset, s->length, &end) || end > map_len || s->length == 0)
		bad("section %s is out of range", what);
	return map + s->offset;
}

static void launch_check(const struct nabla_launch *l)
{
	const char *cmdline = section(&l->cmdline, "cmdline");
	struct stat st;

	if (cmdline[l->cmdline.length - 1] != '\0' || l->cmdline.length > NABLA_LAUNCH_CMDLINE)
		bad("bad command line");
	section(&l->initrd, "initrd");
	if (l->initrd.offset % 4096 != 0)
		bad("initrd is not page aligned");
	for (unsigned int i = 0; i < l->nr_images; i++) {
		if (fstat(l->image[i].fd, &st) < 0)
			bad("image %u: descriptor %d: %s", i, l->image[i].fd, strerror(errno));
		if (l->image[i].size == 0 || l->image[i].size % 4096 != 0 ||
		    (uint64_t)st.st_size < l->image[i].size)
			bad("image %u: bad size", i);
	}
	for (unsigned int i = 0; i < l->nr_nets; i++) {
		if (fcntl(l->net[i].fd, F_GETFD) < 0)
			bad("net %u: descriptor %d: %s", i, l->net[i].fd, strerror(errno));
		if (!(fcntl(l->net[i].fd, F_GETFL) & O_NONBLOCK))
			bad("net %u: descriptor is in blocking mode", i);
		if (!memchr(l->net[i].name, 0, 16) || l->net[i].mtu < 68)
			bad("net %u: bad name or MTU", i);
	}
}

/* --- the initrd: find "config" in the last of the concatenated archives --- */

static uint32_t hex8(const char *s)
{
	char text[9];

	memcpy(text, s, 8);
	text[8] = '\0';
	return (uint32_t)strtoul(text, NULL, 16);
}

static size_t pad4(size_t n)
{
	return (n + 3) & ~(size_t)3;
}

static const char *initrd_find(const char *data, size_t len, const char *name, size_t *size)
{
	const char *found = NULL;
	size_t at = 0;

	while (at + 110 <= len) {
		size_t file_len, name_len, body;

		if (data[at] == '\0') {		/* padding between archives */
			at += 4;
			continue;
		}
		if (memcmp(data + at, "070701", 6) != 0)
			bad("initrd: bad magic at offset %zu", at);
		file_len = hex8(data + at + 54);
		name_len = hex8(data + at + 94);
		body = at + pad4(110 + name_len);
		if (name_len == 0 || body > len || file_len > len - body)
			bad("initrd: bad entry at offset %zu", at);
		if (strncmp(data + at + 110, name, name_len) == 0) {
			found = data + body;
			*size = file_len;
		}
		at = body + pad4(file_len);
	}
	return found;
}

/* --- the configuration --- */

static void print_ip(const uint8_t *a, uint8_t family)
{
	if (family == 2)
		printf("%u.%u.%u.%u", a[0], a[1], a[2], a[3]);
	else
		for (int i = 0; i < 16; i += 2)
			printf("%s%x", i ? ":" : "", (unsigned int)(a[i] << 8 | a[i + 1]));
}

static void print_mac(const uint8_t *m)
{
	printf("%02x:%02x:%02x:%02x:%02x:%02x", m[0], m[1], m[2], m[3], m[4], m[5]);
}

/* The string at @at inside a payload of @len bytes; moves @at behind its NUL. */
static const char *payload_string(const char *p, size_t len, size_t *at)
{
	const char *s = p + *at;
	const char *end = *at < len ? memchr(s, '\0', len - *at) : NULL;

	if (!end)
		bad("config: string without an end");
	*at += (size_t)(end - s) + 1;
	return s;
}

static const void *payload_struct(const char *p, size_t len, size_t want)
{
	if (len < want)
		bad("config: record is too short: %zu < %zu", len, want);
	return p;
}

#define PAYLOAD(type) ((const struct type *)payload_struct(p, len, sizeof(struct type)))

static void dump_route(const struct gcfg_route *r, const char *p, size_t len)
{
	const struct gcfg_hop *hop = (const struct gcfg_hop *)(p + sizeof(*r));

	if (len != sizeof(*r) + r->nr_hops * sizeof(*hop))
		bad("config: route with a bad length");
	printf("route ");
	print_ip(r->dst, r->family);
	printf("/%u type %u scope %u table %u", r->dst_prefix, r->type, r->scope, r->table);
	for (unsigned int i = 0; i < r->nr_hops; i++) {
		printf(" link %u flags %u", hop[i].link, hop[i].flags);
		if (hop[i].gateway_family) {
			printf(" via ");
			print_ip(hop[i].gateway, hop[i].gateway_family);
		}
	}
	putchar('\n');
}

static void dump_mount(const char *p, size_t len)
{
	const struct gcfg_mount *m = PAYLOAD(gcfg_mount);
	size_t at = sizeof(*m);
	const char *type = payload_string(p, len, &at);
	const char *source = payload_string(p, len, &at);
	const char *target = payload_string(p, len, &at);
	const char *data = payload_string(p, len, &at);

	printf("mount %s type=%s source=%s flags=0x%llx data=%s\n", target, type, source,
	       (unsigned long long)m->flags, data);
}

static void dump_file(const char *p, size_t len)
{
	const struct gcfg_file *f = PAYLOAD(gcfg_file);
	size_t at = sizeof(*f);
	const char *path = payload_string(p, len, &at);
	size_t line = 0;

	if (f->size != len - at)
		bad("config: file %s has a bad size", path);
	/* Its first line: the contents need not end in a NUL. */
	while (line < f->size && p[at + line] != '\n')
		line++;
	printf("file %s mode=%o uid=%u gid=%u flags=%u size=%llu: %.*s\n", path, f->mode, f->uid,
	       f->gid, f->flags, (unsigned long long)f->size, (int)line, p + at);
}

static void dump_user(const char *p, size_t len)
{
	const struct gcfg_user *u = PAYLOAD(gcfg_user);
	const uint32_t *groups = (const uint32_t *)(p + sizeof(*u));

	if (len != sizeof(*u) + u->nr_groups * sizeof(uint32_t))
		bad("config: user with a bad length");
	printf("user %u:%u umask=%o groups=", u->uid, u->gid, u->umask);
	for (unsigned int i = 0; i < u->nr_groups; i++)
		printf("%s%u", i ? "," : "", groups[i]);
	putchar('\n');
}

static void dump_net(unsigned int type, const char *p, size_t len)
{
	if (type == GCFG_LINK) {
		const struct gcfg_link *k = PAYLOAD(gcfg_link);

		printf("link %u %s mtu=%u flags=%u mac=", k->index, k->name, k->mtu, k->flags);
		print_mac(k->mac);
		putchar('\n');
	} else if (type == GCFG_ADDR) {
		const struct gcfg_addr *a = PAYLOAD(gcfg_addr);

		printf("addr %u ", a->link);
		print_ip(a->local, a->family);
		printf("/%u\n", a->prefix);
	} else if (type == GCFG_ROUTE) {
		dump_route(PAYLOAD(gcfg_route), p, len);
	} else {
		const struct gcfg_neigh *n = PAYLOAD(gcfg_neigh);

		printf("neigh %u ", n->link);
		print_ip(n->addr, n->family);
		putchar(' ');
		print_mac(n->mac);
		putchar('\n');
	}
}

static void dump_record(unsigned int type, const char *p, size_t len)
{
	size_t at = 0;

	switch (type) {
	case GCFG_ENV: printf("env %s\n", payload_string(p, len, &at)); break;
	case GCFG_CWD: printf("cwd %s\n", payload_string(p, len, &at)); break;
	case GCFG_USER: dump_user(p, len); break;
	case GCFG_RLIMIT:
		printf("rlimit %u %llu %llu\n", PAYLOAD(gcfg_rlimit)->resource,
		       (unsigned long long)PAYLOAD(gcfg_rlimit)->soft,
		       (unsigned long long)PAYLOAD(gcfg_rlimit)->hard);
		break;
	case GCFG_CAPS:
		printf("caps bounding=%llx effective=%llx\n",
		       (unsigned long long)PAYLOAD(gcfg_caps)->bounding,
		       (unsigned long long)PAYLOAD(gcfg_caps)->effective);
		break;
	case GCFG_FLAGS: printf("flags 0x%x\n", PAYLOAD(gcfg_flags)->flags); break;
	case GCFG_OOM_SCORE_ADJ: printf("oom %d\n", PAYLOAD(gcfg_oom)->adj); break;
	case GCFG_HOSTNAME: printf("hostname %s\n", payload_string(p, len, &at)); break;
	case GCFG_DOMAINNAME: printf("domainname %s\n", payload_string(p, len, &at)); break;
	case GCFG_SYSCTL: printf("sysctl %s\n", payload_string(p, len, &at)); break;
	case GCFG_LAYER: printf("layer %u\n", PAYLOAD(gcfg_layer)->image); break;
	case GCFG_ROOT: printf("root flags=%u\n", PAYLOAD(gcfg_root)->flags); break;
	case GCFG_MOUNT: dump_mount(p, len); break;
	case GCFG_FILE: dump_file(p, len); break;
	case GCFG_DEVICE: printf("device\n"); break;
	case GCFG_MASKED_PATH: printf("masked %s\n", payload_string(p, len, &at)); break;
	case GCFG_READONLY_PATH: printf("readonly %s\n", payload_string(p, len, &at)); break;
	case GCFG_LINK:
	case GCFG_ADDR:
	case GCFG_ROUTE:
	case GCFG_NEIGH: dump_net(type, p, len); break;
	default: bad("config: unknown record type %u", type);
	}
}

/* One pass over the records: collects the arguments, and prints the rest if @dump. */
static void config_walk(const char *data, size_t len, bool dump)
{
	const struct gcfg_header *h = (const struct gcfg_header *)data;
	size_t at = sizeof(*h);

	if (len < sizeof(*h) || memcmp(h->magic, GCFG_MAGIC, 8) != 0 ||
	    h->version != GCFG_VERSION || h->size != len || len > GCFG_MAX_SIZE)
		bad("config: bad header");
	nr_args = 0;
	for (uint32_t i = 0; i < h->count; i++) {
		const struct gcfg_record *r = (const struct gcfg_record *)(data + at);
		const char *p = data + at + sizeof(*r);

		if (len - at < sizeof(*r) || r->len > len - at - sizeof(*r) || r->reserved != 0)
			bad("config: bad record at offset %zu", at);
		if (r->type == GCFG_ARG) {
			size_t zero = 0;

			if (nr_args == ARGS_MAX)
				bad("config: too many arguments");
			args[nr_args++] = payload_string(p, r->len, &zero);
		} else if (dump) {
			dump_record(r->type, p, r->len);
		}
		at += sizeof(*r) + ((r->len + 7) & ~7u);
	}
	if (at != len)
		bad("config: %zu bytes behind the last record", len - at);
}

/* --- actions --- */

static void on_signal(int sig)
{
	(void)sig;
}

static int act_wait(void)
{
	sigset_t all;
	int sig;

	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, NULL);
	puts("waiting");
	fflush(stdout);
	do {
		sig = sigwaitinfo(&all, NULL);
	} while (sig < 0 || sig == SIGWINCH || sig == SIGCHLD || sig == SIGCONT);
	return 128 + sig;
}

static int act_size(void)
{
	struct winsize ws;
	sigset_t set;

	signal(SIGWINCH, on_signal);
	sigemptyset(&set);
	sigaddset(&set, SIGWINCH);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	for (;;) {
		if (ioctl(0, TIOCGWINSZ, &ws) < 0)
			bad("terminal size: %s", strerror(errno));
		printf("size %u %u\n", ws.ws_row, ws.ws_col);
		fflush(stdout);
		if (sigwaitinfo(&set, NULL) == SIGTERM)
			return 0;
	}
}

static int act_cat(void)
{
	char data[4096];
	ssize_t n;

	while ((n = read(0, data, sizeof(data))) > 0)
		if (write(1, data, (size_t)n) != n)
			return 1;
	return n < 0;
}

static int act_self(void)
{
	uid_t r, e, s;
	gid_t groups[64];
	struct stat st;
	int n;

	getresuid(&r, &e, &s);
	printf("uid %u %u %u\n", r, e, s);
	getresgid(&r, &e, &s);
	printf("gid %u %u %u\n", r, e, s);
	n = getgroups(64, groups);
	printf("groups %d\n", n);
	printf("pid %d sid %d tty %d\n", getpid(), getsid(0), isatty(0));
	for (int fd = 0; fd < 1024; fd++)
		if (fstat(fd, &st) == 0)
			printf("fd %d %o\n", fd, st.st_mode & S_IFMT);

	DIR *root = opendir("/");
	unsigned int entries = 0;
	while (root && readdir(root))
		entries++;
	printf("root %u\n", entries);
	/* /proc is not there: what prctl() tells must do. */
	char line[16];
	printf("cwd %s\n", getcwd(line, sizeof(line)) ? line : "?");
	return 0;
}

static int act_echo(void)
{
	for (unsigned int i = 1; i < nr_args; i++)
		printf("%s%s", i > 1 ? " " : "", args[i]);
	putchar('\n');
	return 0;
}

static void dump_launch(const struct nabla_launch *l)
{
	printf("memory %llu\nflags-launch 0x%x\ncmdline %s\n", (unsigned long long)l->mem_size,
	       l->flags, map + l->cmdline.offset);
	for (unsigned int i = 0; i < l->nr_images; i++)
		printf("image %u fd=%d size=%llu\n", i, l->image[i].fd,
		       (unsigned long long)l->image[i].size);
	for (unsigned int i = 0; i < l->nr_nets; i++) {
		printf("net %u fd=%d name=%s mtu=%u hdr=%u mac=", i, l->net[i].fd, l->net[i].name,
		       l->net[i].mtu, l->net[i].vnet_hdr_len);
		print_mac(l->net[i].mac);
		putchar('\n');
	}
}

int main(void)
{
	const struct nabla_launch *l = launch_map();
	const char *config;
	size_t len = 0;

	launch_check(l);
	config = initrd_find(map + l->initrd.offset, l->initrd.length, &GCFG_PATH[1], &len);
	if (!config)
		bad("no %s in the initrd", GCFG_PATH);
	config_walk(config, len, false);
	if (nr_args == 0)
		bad("config: no arguments");

	if (strcmp(args[0], "dump") == 0) {
		dump_launch(l);
		for (unsigned int i = 0; i < nr_args; i++)
			printf("arg %s\n", args[i]);
		config_walk(config, len, true);
		return 0;
	}
	if (strcmp(args[0], "exit") == 0)
		return nr_args > 1 ? atoi(args[1]) : 0;
	if (strcmp(args[0], "echo") == 0)
		return act_echo();
	if (strcmp(args[0], "fail") == 0) {
		fprintf(stderr, "%s\n", nr_args > 1 ? args[1] : "fail");
		return 1;
	}
	if (strcmp(args[0], "cat") == 0)
		return act_cat();
	if (strcmp(args[0], "wait") == 0)
		return act_wait();
	if (strcmp(args[0], "size") == 0)
		return act_size();
	if (strcmp(args[0], "self") == 0)
		return act_self();
	fprintf(stderr, "nabla-standin: no action '%s'\n", args[0]);
	return 127;
}

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Create: from a bundle to a process that waits to be started.
 *
 * The order is the point of this file. The stages, each of which may assume all before it:
 *
 *  1. Read and decide: config.json, facts, plan, the guest's programs. Nothing has been touched, so
 *     every error in the bundle ends here.
 *  2. State: the directory ROOT/ID appears, locked. From here on, whatever will outlive this
 *     process is in the saved state before it is made: `delete --force` undoes it after kill -9.
 *  3. Images: an open descriptor is the reference; it ends with the last process that has it.
 *  4. Cgroup, FIFOs, console.
 *  5. The child, in its namespaces and cgroup, standing still; its pid is saved before it runs on.
 *     If this process dies now, the child finds its socket closed and exits.
 *  6. Hooks prestart and createRuntime; Docker's configures the network.
 *  7. The network: survey, plan, record (saved), apply. Never earlier: see 6.
 *  8. Hooks createContainer.
 *  9. The guest's configuration and the launch record go to the child, which gives up its
 *     privileges and says that it is ready.
 * 10. The console goes to the engine, the pid file is written, the state says "complete".
 *
 * Whatever fails is undone by the same code as `delete`, from the same state.
 */
#include "container/create.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/io.h"
#include "base/log.h"
#include "base/path.h"
#include "bundle/names.h"
#include "container/child.h"
#include "container/console.h"
#include "container/guest_config.h"
#include "container/hooks.h"
#include "container/launch.h"
#include "container/network.h"
#include "container/solo5_args.h"
#include "container/solo5_launch.h"
#include "ns/cgroup.h"

#define CREATE_READY_TIMEOUT_MS	60000

/* ---- 1: read and decide -------------------------------------------------------------------- */

static int create_read_bundle(struct creation *c, struct err *e)
{
	_autofree_ char *dir = path_absolute(c->r->bundle);
	_autofree_ char *path = dir ? path_join(dir, "config.json") : NULL;
	int r;

	if (!path)
		return err_set(e, -errno, "bundle '%s'", c->r->bundle);
	r = io_read_file(AT_FDCWD, path, BUNDLE_MAX_CONFIG, &c->config, &c->config_len, e);
	if (r < 0)
		return r;
	r = bundle_parse(c->config, c->config_len, dir, &c->bundle, e);
	if (r < 0)
		return r;
	for (size_t i = 0; i < c->bundle->warnings.n; i++)
		log_warning("%s", c->bundle->warnings.v[i]);
	return 0;
}

static int create_check_console(const struct creation *c, struct err *e)
{
	bool terminal = c->bundle->process.terminal;

	if (terminal && c->r->detach && !c->r->console_socket)
		return err_say(e, -EINVAL, "process.terminal needs --console-socket when detached");
	if (!terminal && c->r->console_socket)
		return err_say(e, -EINVAL, "--console-socket needs process.terminal");
	return 0;
}

static void create_free_survey(struct cgroup_survey **s)
{
	if (*s)
		cgroup_survey_free(*s);
}

/* Which directories; they are made in stage 4. */
static int create_plan_cgroup(struct creation *c, struct err *e)
{
	__attribute__((cleanup(create_free_survey))) struct cgroup_survey *survey = NULL;
	int r;

	if (c->l->no_cgroup)
		return 0;
	r = cgroup_survey(NULL, &survey, e);
	if (r < 0)
		return r;
	r = cgroup_plan(survey, c->bundle->cgroups_path, c->l->systemd_cgroup, c->r->id,
			&c->state.cgroups, e);
	if (r < 0)
		return r;
	return facts_set_cgroups(&c->facts, &c->state.cgroups, e);
}

static int create_plan(struct creation *c, struct err *e)
{
	const struct plan_options options = { .net_mode = c->l->net_mode, .debug = c->l->debug,
					      .allow_spoofing = c->l->allow_spoofing };
	int r = facts_gather(c->bundle, plan_wants_trees(c->bundle), &c->facts, e);

	if (r < 0)
		return r;
	r = create_plan_cgroup(c, e);
	if (r < 0)
		return r;
	r = plan_make(c->bundle, &c->facts, &options, &c->plan, e);
	if (r < 0)
		return r;
	for (size_t i = 0; i < c->plan.nr_notes; i++)
		log_info("%s", c->plan.notes[i]);
	return 0;
}

static int create_open_programs(struct creation *c, struct err *e)
{
	_autoclose_ int init = -1;
	bool solo5 = c->plan.guest.kind == GUEST_SOLO5;
	int r = launch_open_program(solo5 ? SOLO5_PROGRAM : LAUNCH_KERNEL, &c->kernel, e);

	if (r < 0 || solo5)
		return r;
	r = launch_open_program(LAUNCH_INIT, &init, e);
	if (r < 0)
		return r;
	return io_read_fd(init, LAUNCH_INIT, LAUNCH_INIT_MAX, &c->init, &c->init_len, e);
}

static int create_decide(struct creation *c, struct err *e)
{
	int r = create_read_bundle(c, e);

	if (r < 0)
		return r;
	r = create_check_console(c, e);
	if (r < 0)
		return r;
	r = create_plan(c, e);
	if (r < 0)
		return r;
	return create_open_programs(c, e);
}

/* ---- 2: state ------------------------------------------------------------------------------ */

static json_t *create_annotations(const struct bundle *b)
{
	json_t *all = json_object();

	for (size_t i = 0; all && i < b->annotations.n; i++) {
		if (json_object_set_new(all, b->annotations.v[i].key,
					json_string(b->annotations.v[i].value)) == 0)
			continue;
		json_decref(all);
		all = NULL;
	}
	return all;
}

static int create_fill_namespaces(struct state *s, const struct bundle *b)
{
	s->namespaces = calloc(BUNDLE_NS_TYPES, sizeof(s->namespaces[0]));
	if (!s->namespaces)
		return -ENOMEM;
	for (int i = 0; i < BUNDLE_NS_TYPES; i++) {
		struct state_ns *to = &s->namespaces[s->nr_namespaces];

		if (!b->ns[i].present)
			continue;
		to->type = strdup(bundle_ns_name((enum bundle_ns_type)i));
		to->path = b->ns[i].path ? strdup(b->ns[i].path) : NULL;
		s->nr_namespaces++;
		if (!to->type || (b->ns[i].path && !to->path))
			return -ENOMEM;
	}
	return 0;
}

static int create_fill_state(struct creation *c, struct err *e)
{
	struct state *s = &c->state;
	const struct bundle *b = c->bundle;

	s->id = strdup(c->r->id);
	s->oci_version = strdup(b->oci_version);
	s->bundle = strdup(b->dir);
	s->rootfs = strdup(b->root_path);
	s->annotations = create_annotations(b);
	s->exec_fifo = state_path(c->l->root, c->r->id, CHILD_EXEC_FIFO);
	s->extra = json_pack("{s:s}", "guest", guest_kind_name(c->plan.guest.kind));
	if (!s->extra || !s->id || !s->oci_version || !s->bundle || !s->rootfs || !s->annotations ||
	    !s->exec_fifo || create_fill_namespaces(s, b) < 0)
		return err_set(e, -ENOMEM, "describe the container");
	return 0;
}

/* ---- 3, 4: image, cgroup, FIFOs, console ---------------------------------------------------- */

static int create_note_image(struct state *s, const char *digest, struct err *e)
{
	size_t n = 0;
	char **grown;

	while (s->images && s->images[n])
		n++;
	grown = reallocarray(s->images, n + 2, sizeof(*grown));
	if (grown) {
		s->images = grown;
		grown[n] = strdup(digest);
		grown[n + 1] = NULL;
	}
	if (!grown || !grown[n])
		return err_set(e, -ENOMEM, "note the image");
	return 0;
}

/* Whatever the disks are, they end with the process that has them open. */
static int create_get_disks(struct creation *c, struct err *e)
{
	int r = solo5_files_open(&c->plan, c->l->image_cache, &c->solo5, e);

	return r < 0 || !c->solo5.digest ? r : create_note_image(&c->state, c->solo5.digest, e);
}

static int create_get_images(struct creation *c, struct err *e)
{
	int r;

	_Static_assert(IMAGE_STACK_MAX <= NABLA_LAUNCH_IMAGES, "the launch record has room");
	if (c->plan.guest.kind == GUEST_SOLO5)
		return create_get_disks(c, e);
	r = image_stack_get(c->bundle->root_path, c->l->image_cache, NULL, &c->images, e);
	if (r < 0)
		return r;
	if (c->images.note)
		log_info("%s", c->images.note);
	c->plan.nr_layers = c->images.count;
	for (unsigned int i = 0; i < c->images.count && r == 0; i++)
		if (!c->images.part[i].own)
			r = create_note_image(&c->state, c->images.part[i].digest, e);
	return r;
}

/* The limits of linux.resources; *@pairs is the caller's to free. */
static int create_limits(const struct bundle_resources *res, struct cgroup_limits *limits,
			 struct cgroup_pair **pairs)
{
	*limits = (struct cgroup_limits)CGROUP_LIMITS_INIT;
	if (!res->present)
		return 0;
	/* BUNDLE_UNSET and CGROUP_UNSET are the same number. */
	_Static_assert(BUNDLE_UNSET == CGROUP_UNSET, "one word for a number that is not there");
	limits->memory = res->memory_limit;
	limits->memory_swap = res->memory_swap;
	limits->memory_reservation = res->memory_reservation;
	limits->pids = res->pids_limit;
	limits->cpu_shares = res->cpu_shares;
	limits->cpu_quota = res->cpu_quota;
	limits->cpu_period = res->cpu_period;
	limits->cpus = res->cpu_cpus;
	limits->mems = res->cpu_mems;
	if (res->unified.n == 0)
		return 0;

	*pairs = calloc(res->unified.n, sizeof(**pairs));
	if (!*pairs)
		return -ENOMEM;
	for (size_t i = 0; i < res->unified.n; i++)
		(*pairs)[i] = (struct cgroup_pair){ .key = res->unified.v[i].key,
						    .value = res->unified.v[i].value };
	limits->unified = *pairs;
	limits->nr_unified = res->unified.n;
	return 0;
}

static int create_make_cgroup(struct creation *c, struct err *e)
{
	_autofree_ struct cgroup_pair *pairs = NULL;
	struct cgroup_limits limits;
	int r;

	if (c->l->no_cgroup)
		return 0;
	if (create_limits(&c->bundle->resources, &limits, &pairs) < 0)
		return err_set(e, -ENOMEM, "read the limits");
	r = state_save(&c->lock, &c->state, e);
	if (r < 0)
		return r;
	r = cgroup_create(&c->state.cgroups, cgroup_limits_need(&limits), e);
	if (r < 0)
		return r;
	return cgroup_apply(&c->state.cgroups, &limits, e);
}

/* Open for both: then reading sees no end of file, and opening does not wait for a peer. */
static int create_make_fifo(const struct creation *c, const char *name, int *fd, struct err *e)
{
	if (mkfifoat(c->lock.dir, name, 0600) < 0)
		return err_set(e, -errno, "make FIFO '%s'", name);
	*fd = openat(c->lock.dir, name, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	if (*fd < 0)
		return err_set(e, -errno, "open FIFO '%s'", name);
	return 0;
}

static int create_make_channels(struct creation *c, struct err *e)
{
	const struct bundle_process *process = &c->bundle->process;
	int r = create_make_fifo(c, CHILD_EXEC_FIFO, &c->exec_fifo, e);

	if (r == 0)
		r = create_make_fifo(c, CHILD_STATUS_FIFO, &c->status_fifo, e);
	if (r == 0 && process->terminal)
		r = console_open(process->console_rows, process->console_columns, &c->master,
				 &c->slave, e);
	return r;
}

/* ---- 5: the child -------------------------------------------------------------------------- */

static int create_set_oom_score(pid_t pid, int64_t adj, struct err *e)
{
	char path[40], text[24];
	int len, r;

	if (adj == BUNDLE_UNSET)
		return 0;
	snprintf(path, sizeof(path), "/proc/%d/oom_score_adj", (int)pid);
	len = snprintf(text, sizeof(text), "%lld", (long long)adj);
	r = io_write_existing(AT_FDCWD, path, text, (size_t)len, e);
	if (r == -EACCES)
		return err_say(e, r,
			       "process.oomScoreAdj %s: lowering it needs CAP_SYS_RESOURCE, which "
			       "the runtime lacks here",
			       text);
	return r;
}

/* The child stands still: what must be so before it runs on. */
static int create_place_child(const struct ns_child *child, void *arg, struct err *e)
{
	struct creation *c = arg;
	int r;

	r = state_set_pid(&c->state, child->pid, e);
	if (r < 0)
		return r;
	r = state_save(&c->lock, &c->state, e);
	if (r < 0)
		return r;
	r = create_set_oom_score(child->pid, c->bundle->process.oom_score_adj, e);
	if (r < 0)
		return r;
	return cgroup_join(&c->state.cgroups, child->pid, e);
}

static size_t create_ns_entries(const struct bundle *b, struct ns_entry entries[BUNDLE_NS_TYPES])
{
	static const int flags[BUNDLE_NS_TYPES] = {
		[BUNDLE_NS_PID] = CLONE_NEWPID,
		[BUNDLE_NS_NETWORK] = CLONE_NEWNET,
		[BUNDLE_NS_MOUNT] = CLONE_NEWNS,
		[BUNDLE_NS_IPC] = CLONE_NEWIPC,
		[BUNDLE_NS_UTS] = CLONE_NEWUTS,
		[BUNDLE_NS_USER] = CLONE_NEWUSER,
		[BUNDLE_NS_CGROUP] = CLONE_NEWCGROUP,
		[BUNDLE_NS_TIME] = CLONE_NEWTIME,
	};
	size_t n = 0;

	for (int i = 0; i < BUNDLE_NS_TYPES; i++)
		if (b->ns[i].present)
			entries[n++] = (struct ns_entry){ .flag = flags[i], .path = b->ns[i].path };
	return n;
}

/* *@maps is the caller's to free. */
static int create_id_maps(const struct bundle_id_maps *from, struct ns_id_map **maps, struct err *e)
{
	if (from->n == 0)
		return 0;
	*maps = calloc(from->n, sizeof(**maps));
	if (!*maps)
		return err_set(e, -ENOMEM, "id mappings");
	for (size_t i = 0; i < from->n; i++)
		(*maps)[i] = (struct ns_id_map){ .inside = from->v[i].container_id,
						 .outside = from->v[i].host_id,
						 .count = from->v[i].size };
	return 0;
}

static int create_start_child(struct creation *c, struct child *child, struct err *e)
{
	_autofree_ struct ns_id_map *uids = NULL;
	_autofree_ struct ns_id_map *gids = NULL;
	struct ns_entry entries[BUNDLE_NS_TYPES];
	int keep[5 + NABLA_LAUNCH_IMAGES] = { c->kernel, c->exec_fifo, c->status_fifo, c->slave,
					      c->solo5.kernel };
	struct ns_request request = {
		.entries = entries, .nr_entries = create_ns_entries(c->bundle, entries),
		.hostname = c->bundle->hostname, .domainname = c->bundle->domainname,
		.keep = keep, .nr_keep = 5 + child->nr_images,
		.place = create_place_child, .place_arg = c,
		.run = child_run, .run_arg = child,
	};
	int r = create_id_maps(&c->bundle->uid_maps, &uids, e);

	memcpy(keep + 5, child->images, child->nr_images * sizeof(keep[0]));
	if (r == 0)
		r = create_id_maps(&c->bundle->gid_maps, &gids, e);
	if (r < 0)
		return r;
	request.uid_maps = uids;
	request.nr_uid_maps = c->bundle->uid_maps.n;
	request.gid_maps = gids;
	request.nr_gid_maps = c->bundle->gid_maps.n;
	return ns_child_start(&request, &c->child, e);
}

static int create_make_child(struct creation *c, struct err *e)
{
	int images[IMAGE_STACK_MAX];
	struct child child = {
		.kernel = c->kernel, .exec_fifo = c->exec_fifo, .status_fifo = c->status_fifo,
		.tty = c->slave, .unikernel = c->solo5.kernel, .images = images,
		.nr_images = c->images.count, .uid = c->plan.host_uid,
	};

	for (unsigned int i = 0; i < c->images.count; i++)
		images[i] = c->images.part[i].fd;
	if (c->plan.guest.kind == GUEST_SOLO5) {
		child.images = c->solo5.disks;
		child.nr_images = c->solo5.nr_disks;
	}

	return create_start_child(c, &child, e);
}

/* ---- 6 to 8: hooks and the network ---------------------------------------------------------- */

int creation_run_hooks(enum bundle_hook_kind kind, const struct bundle *b, const struct state *s,
		       enum state_status status, struct err *e)
{
	_autofree_ char *text = NULL;
	json_t *json;

	if (b->hooks[kind].n == 0)
		return 0;
	json = state_json(s, status);
	if (json)
		text = json_dumps(json, JSON_COMPACT);
	json_decref(json);
	if (!text)
		return err_set(e, -ENOMEM, "state for the %s hooks", hooks_name(kind));
	return hooks_run(kind, &b->hooks[kind], text, s->pid, e);
}

static int create_hook(struct creation *c, enum bundle_hook_kind kind, struct err *e)
{
	c->hooked = true;
	return creation_run_hooks(kind, c->bundle, &c->state, STATE_CREATING, e);
}

static int create_connect(struct creation *c, struct err *e)
{
	size_t notes;
	int r = create_hook(c, BUNDLE_HOOK_PRESTART, e);

	if (r < 0)
		return r;
	r = create_hook(c, BUNDLE_HOOK_CREATE_RUNTIME, e);
	if (r < 0)
		return r;
	notes = c->plan.nr_notes;
	r = network_prepare(c->child.pid, &c->plan, &c->state, &c->lock, c->nets, &c->nr_nets, e);
	if (r < 0)
		return r;
	for (; notes < c->plan.nr_notes; notes++)
		log_info("%s", c->plan.notes[notes]);
	return create_hook(c, BUNDLE_HOOK_CREATE_CONTAINER, e);
}

/* ---- 9: the launch record ------------------------------------------------------------------- */

static int create_write_linux(struct creation *c, int *fd, struct err *e)
{
	_autofree_ char *config = NULL;
	struct launch launch = {
		.mem_size = c->plan.mem_size,
		.flags = c->bundle->process.terminal ? NABLA_LAUNCH_TTY : 0u,
		.cmdline = c->plan.cmdline,
		.init = c->init, .init_len = c->init_len,
		.nr_nets = c->nr_nets,
		.nr_images = c->images.count,
	};
	int r = guest_config_encode(&c->plan, &config, &launch.config_len, e);

	if (r < 0)
		return r;
	launch.config = config;
	for (unsigned int i = 0; i < c->images.count; i++) {
		launch.image[i].fd = CHILD_FD_IMAGE(i);
		launch.image[i].size = c->images.part[i].size;
	}
	for (unsigned int i = 0; i < c->nr_nets; i++) {
		launch.net[i] = c->nets[i];
		launch.net[i].fd = CHILD_FD_NET(i);
	}
	return launch_write(&launch, fd, e);
}

static int create_write_launch(struct creation *c, int *fd, struct err *e)
{
	if (c->plan.guest.kind == GUEST_SOLO5)
		return solo5_launch_write(&c->plan, fd, e);
	return create_write_linux(c, fd, e);
}

static void create_close_nets(struct creation *c)
{
	for (unsigned int i = 0; i < c->nr_nets; i++)
		fd_close(&c->nets[i].fd);
	c->nr_nets = 0;
}

static int create_launch_child(struct creation *c, struct err *e)
{
	_autoclose_ int record = -1;
	int fds[CHILD_LAUNCH_FDS];
	int r = create_write_launch(c, &record, e);

	if (r < 0)
		return r;
	for (unsigned int i = 0; i < CHILD_LAUNCH_FDS; i++)
		fds[i] = i > 0 && i <= c->nr_nets ? c->nets[i - 1].fd : record;
	r = ns_sync_send(c->child.sync, CHILD_LAUNCH, fds, CHILD_LAUNCH_FDS, e);
	if (r < 0)
		return r;
	/* From here on only the container's process holds its TAPs: they end with it. */
	create_close_nets(c);
	return ns_sync_wait(c->child.sync, CHILD_READY, NULL, 0, CREATE_READY_TIMEOUT_MS, e);
}

/* ---- 10: hand over -------------------------------------------------------------------------- */

static int create_hand_over(struct creation *c, struct err *e)
{
	char text[16];
	int len, r = 0;

	if (c->r->console_socket) {
		r = console_send(c->r->console_socket, c->master, e);
		fd_close(&c->master);
	}
	fd_close(&c->slave);
	/* Only the child may hold these: `start` must see when it is gone, or executes. */
	fd_close(&c->exec_fifo);
	fd_close(&c->status_fifo);
	if (r < 0)
		return r;
	if (c->r->pid_file) {
		len = snprintf(text, sizeof(text), "%d", (int)c->child.pid);
		r = io_write_atomic(AT_FDCWD, c->r->pid_file, text, (size_t)len, 0644, e);
		if (r < 0)
			return err_wrap(e, r, "pid file");
	}
	c->state.complete = true;
	return state_save(&c->lock, &c->state, e);
}

static int create_stages(struct creation *c, struct err *e)
{
	int r;

	/* The bundle may change or vanish before start and delete need its hooks. */
	r = io_write_atomic(c->lock.dir, "config.json", c->config, c->config_len, 0600, e);
	if (r < 0)
		return r;
	r = create_get_images(c, e);
	if (r < 0)
		return r;
	r = create_make_cgroup(c, e);
	if (r < 0)
		return r;
	r = create_make_channels(c, e);
	if (r < 0)
		return r;
	r = create_make_child(c, e);
	if (r < 0)
		return r;
	r = create_connect(c, e);
	if (r < 0)
		return r;
	r = create_launch_child(c, e);
	if (r < 0)
		return r;
	return create_hand_over(c, e);
}

int creation_make(struct creation *c, struct err *e)
{
	int r = state_check_id(c->r->id, e);

	if (r < 0)
		return r;
	r = create_decide(c, e);
	if (r == 0)
		r = create_fill_state(c, e);
	if (r < 0)
		return err_wrap(e, r, "container %s", c->r->id);
	r = state_create(c->l->root, &c->state, &c->lock, e);
	if (r != 0)
		return r == STATE_EXISTS ? -EEXIST : r;
	r = create_stages(c, e);
	if (r < 0) {
		creation_undo(c);
		return err_wrap(e, r, "container %s", c->r->id);
	}
	return 0;
}

void creation_undo(struct creation *c)
{
	struct err e = ERR_INIT;

	create_close_nets(c);
	ns_child_end(&c->child);
	if (delete_resources(&c->state, &c->lock, true, &e) < 0 || state_remove(&c->lock, &e) < 0)
		log_warning("container %s: undo: %s", c->r->id, e.text);
	if (c->hooked)
		creation_run_hooks(BUNDLE_HOOK_POSTSTOP, c->bundle, &c->state, STATE_STOPPED, &e);
}

void creation_free(struct creation *c)
{
	create_close_nets(c);
	fd_close(&c->kernel);
	image_stack_free(&c->images);
	solo5_files_close(&c->solo5);
	fd_close(&c->exec_fifo);
	fd_close(&c->status_fifo);
	fd_close(&c->master);
	fd_close(&c->slave);
	ns_child_release(&c->child);
	state_unlock(&c->lock);
	state_free(&c->state);
	plan_free(&c->plan);
	facts_free(&c->facts);
	bundle_free(c->bundle);
	free(c->config);
	free(c->init);
}

int lifecycle_create(const struct lifecycle *l, const struct lifecycle_request *r, struct err *e)
{
	_autocreation_ struct creation c = CREATION_INIT;

	c.l = l;
	c.r = r;
	return creation_make(&c, e);
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * The guest's init reads its configuration, and passwd of an image: any bytes, no read out of
 * bounds.
 */
#include "guest/init/config.h"
#include "guest/init/process.h"

#include <stdlib.h>
#include <string.h>

/* The modules of the guest's init are in none of the libraries that fuzz targets link. */
#include "guest/init/account.c"
#include "guest/init/config.c"

/* Read the last byte of each string and list, so that the sanitizer sees where they end. */
static size_t touch(const struct init_config *c)
{
	const struct gcfg_record *record = NULL;
	size_t sum = strlen(c->cwd);

	for (char **arg = c->argv; *arg; arg++)
		sum += strlen(*arg);
	for (char **env = c->envp; *env; env++)
		sum += strlen(*env);
	if (c->user && c->user->nr_groups)
		sum += ((const uint32_t *)(const void *)(c->user + 1))[c->user->nr_groups - 1];
	while ((record = init_config_next(c, GCFG_MOUNT, record))) {
		struct init_config_mount m = init_config_mount(record);

		sum += strlen(m.type) + strlen(m.source) + strlen(m.destination) + strlen(m.data);
	}
	while ((record = init_config_next(c, GCFG_FILE, record))) {
		const struct gcfg_file *file = init_config_payload(record);
		const unsigned char *contents = init_config_file_contents(record);

		sum += strlen(init_config_file_path(record)) +
		       (file->size ? contents[file->size - 1] : 0);
	}
	while ((record = init_config_next(c, GCFG_DEVICE, record)))
		sum += strlen(init_config_device_path(record));
	while ((record = init_config_next(c, GCFG_ROUTE, record))) {
		const struct gcfg_route *route = init_config_payload(record);
		const struct gcfg_hop *hop = (const void *)(route + 1);

		for (unsigned int i = 0; i < route->nr_hops; i++)
			sum += init_config_link(c, hop[i].link)->index;
	}
	return sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct init_config c = INIT_CONFIG_NONE;
	struct err e = ERR_INIT;
	void *copy = malloc(size ? size : 1);
	const char *home;
	size_t len;

	memcpy(copy, data, size);
	/*
	 * The size in the header is checked first: put the right one there, or little else is
	 * reached.
	 */
	if (size >= sizeof(struct gcfg_header))
		((struct gcfg_header *)copy)->size = (uint32_t)size;
	if (init_config_parse(copy, size, &c, &e) == 0 && touch(&c) == SIZE_MAX)
		abort();
	init_config_free(&c);
	if (init_account_home(copy, size, 0, &home, &len) == 0 &&
	    (home < (char *)copy || home + len > (char *)copy + size))
		abort();
	free(copy);
	return 0;
}

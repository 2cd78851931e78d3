/* SPDX-License-Identifier: GPL-2.0-only */
/* The sections of config.json, one file each. All errors stick in the reader; see read.h. */
#ifndef RUNNC_BUNDLE_PARSE_H
#define RUNNC_BUNDLE_PARSE_H

#include "bundle/bundle.h"
#include "bundle/read.h"

/* @at is the object "process", "mounts", "linux" or "hooks", which may be absent. */
void bundle_parse_process(const struct bundle_at *at, struct bundle_process *process);
void bundle_parse_mounts(const struct bundle_at *at, const char *dir, struct bundle *b);
void bundle_parse_linux(const struct bundle_at *at, struct bundle *b);
void bundle_parse_resources(const struct bundle_at *at, struct bundle_resources *res);
void bundle_parse_hooks(const struct bundle_at *at, struct bundle_hooks hooks[BUNDLE_HOOK_KINDS]);

/* Every number that can be absent, as absent. */
void bundle_resources_init(struct bundle_resources *res);
void bundle_process_init(struct bundle_process *process);

/*
 * The MS_* bits of a propagation "shared", "rslave", ...; 0 for any other word. mount.c owns the
 * table of options.
 */
unsigned long bundle_propagation(const char *word);

#endif

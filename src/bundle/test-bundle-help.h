/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the bundle's tests share. JSON in these files is written with ' for ".
 */
#ifndef RUNNC_BUNDLE_TEST_BUNDLE_HELP_H
#define RUNNC_BUNDLE_TEST_BUNDLE_HELP_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/err.h"
#include "bundle/bundle.h"

#define DIR_OF_BUNDLE "/bundles/b1"

/* A configuration with what must be there, and @more. */
#define CONFIG(more) "{'ociVersion':'1.0.2','root':{'path':'rootfs'}" more "}"
#define PROCESS(more) CONFIG(",'process':{'cwd':'/','args':['a']" more "}")
#define LINUX(more) CONFIG(",'linux':{" more "}")
#define MOUNT(more) CONFIG(",'mounts':[{'destination':'/d'" more "}]")
/* Parse @text, as bundle_parse(). */
int help_parse(const char *text, struct bundle **b, struct err *e);

/* The same, and the corpus's file @name, which must be accepted; the caller's to free. */
struct bundle *help_good(const char *text);
struct bundle *help_corpus(const char *name);

/* The strings are @expected, joined by "|", with a NULL behind. */
void help_strings(const struct bundle_strings *s, const char *expected);

#endif

// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory that the guest no longer uses goes back to the host. Generic code (mm/page_reporting.c)
 * finds free blocks of 2 MiB and more, some seconds after they became free, takes them out of the
 * free lists while they are reported here, and remembers which are reported already.
 */
#include <linux/init.h>
#include <linux/mm.h>
#include <linux/page_reporting.h>
#include <linux/scatterlist.h>

#include "host.h"

static int nabla_discard(struct page_reporting_dev_info *info, struct scatterlist *list,
			 unsigned int n)
{
	struct scatterlist *sg;
	unsigned int i;
	long ret;

	for_each_sg(list, sg, n, i) {
		ret = host_discard(page_to_phys(sg_page(sg)), sg->length);
		if (ret)
			return ret;	/* the rest is tried again later */
	}
	return 0;
}

static struct page_reporting_dev_info nabla_discard_info = {
	.report	= nabla_discard,
};

static int __init nabla_discard_init(void)
{
	return page_reporting_register(&nabla_discard_info);
}
late_initcall(nabla_discard_init);

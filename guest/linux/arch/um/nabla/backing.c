// SPDX-License-Identifier: GPL-2.0-only
/*
 * The host's pages behind guest memory: they come in pieces, and go when the guest no longer needs
 * them.
 *
 * The host gives shared memory a page at a time, each for a page fault of microseconds. So the
 * first allocation from a block of 256 KiB that the host has no pages for has the whole block
 * backed by one call, which costs a tenth. The other way, generic code (mm/page_reporting.c) finds
 * free blocks of 2 MiB and more some seconds after they became free, takes them out of the free
 * lists while they are given back here, and remembers which it has reported.
 */
#include <linux/bitmap.h>
#include <linux/init.h>
#include <linux/mm.h>
#include <linux/page_reporting.h>
#include <linux/scatterlist.h>

#include "entry.h"
#include "host.h"
#include "launch.h"

#define BLOCK_SHIFT	18
#define BLOCKS		(NABLA_MEMORY_MAX >> BLOCK_SHIFT)

/* Blocks that the host may have no pages for, by physical address. */
static DECLARE_BITMAP(bare, BLOCKS);

static void bare_set(u64 phys, u64 size)
{
	bitmap_set(bare, phys >> BLOCK_SHIFT, DIV_ROUND_UP_ULL(size, 1UL << BLOCK_SHIFT));
}

void __init nabla_backing_setup(u64 start, u64 end)
{
	bare_set(start, end - start);
}

/* All blocks of [first, last] that are bare, each run of them by one call. */
static noinline void back(unsigned long first, unsigned long last)
{
	unsigned long block = first, run;

	while (block <= last) {
		for (run = block; run <= last && test_bit(run, bare); run++)
			__clear_bit(run, bare);
		/* If the host has none, it says so at the first touch. */
		if (run > block)
			host_populate((unsigned long)__va(block << BLOCK_SHIFT),
				      min_t(u64, (run - block) << BLOCK_SHIFT,
					    nabla_memory_end() - (block << BLOCK_SHIFT)));
		block = run + 1;
	}
}

/* Generic code calls this for all pages that it takes out of the free lists. */
void arch_alloc_page(struct page *page, int order)
{
	u64 phys = page_to_phys(page);
	unsigned long first = phys >> BLOCK_SHIFT;
	unsigned long last = (phys + (PAGE_SIZE << order) - 1) >> BLOCK_SHIFT;

	if (unlikely(test_bit(first, bare) || (first != last && test_bit(last, bare))))
		back(first, last);
}

static int nabla_discard(struct page_reporting_dev_info *info, struct scatterlist *list,
			 unsigned int n)
{
	struct scatterlist *sg;
	unsigned int i;
	long ret;

	for_each_sg(list, sg, n, i) {
		ret = host_discard((unsigned long)page_address(sg_page(sg)), sg->length);
		if (ret)
			return ret;	/* the rest is tried again later */
		bare_set(page_to_phys(sg_page(sg)), sg->length);
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

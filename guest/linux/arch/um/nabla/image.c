// SPDX-License-Identifier: GPL-2.0-only
/*
 * Read-only block devices over the images that the launch stage mapped: /dev/nabla<N>.
 *
 * Two ways lead to the same bytes. A bio is a memcpy(). DAX hands out the addresses themselves, so
 * that a file system mounted with dax=always maps program text into user space straight from the
 * image: no page of guest memory, no copy, and the host's page cache holds it once for all guests.
 *
 * An image has physical addresses (__pa() of its mapping) but no struct page: the memory is not
 * ours, it lies behind the end of the memory map, and pages for gigabytes of images would cost more
 * than they give. This is what CONFIG_FS_DAX_LIMITED is for. The pfn_t says PFN_DEV without
 * PFN_MAP, and vm_normal_page() finds in a VM_MIXEDMAP area that pfn_valid() is false, so nobody
 * ever asks for the page. Who must have one, get_user_pages(), makes a private mapping take a copy
 * (patches/0012) and fails on a shared one.
 */
#include <linux/blkdev.h>
#include <linux/dax.h>
#include <linux/highmem.h>
#include <linux/init.h>
#include <linux/pfn_t.h>
#include <linux/slab.h>

#include "host.h"

struct nabla_disk {
	struct gendisk *disk;
	struct dax_device *dax;
	/*
	 * The mapping, for the life of the process, and its length in bytes: a multiple of a page.
	 */
	void *virt;
	u64 size;
};

static int nabla_image_major;

static void nabla_image_submit_bio(struct bio *bio)
{
	const struct nabla_disk *nd = bio->bi_bdev->bd_disk->private_data;
	struct bvec_iter iter;
	struct bio_vec bvec;

	/* The block layer lets writes to a read-only disk pass with a warning: stop them here. */
	if (bio_op(bio) != REQ_OP_READ) {
		bio_io_error(bio);
		return;
	}
	/* submit_bio() has checked the range against the disk's capacity. */
	bio_for_each_segment(bvec, bio, iter)
		memcpy_to_bvec(&bvec, nd->virt + (iter.bi_sector << SECTOR_SHIFT));
	bio_endio(bio);
}

static const struct block_device_operations nabla_image_ops = {
	.submit_bio	= nabla_image_submit_bio,
};

static long nabla_image_direct_access(struct dax_device *dax, pgoff_t pgoff, long nr_pages,
				      enum dax_access_mode mode, void **kaddr, pfn_t *pfn)
{
	const struct nabla_disk *nd = dax_get_private(dax);
	u64 pages = nd->size >> PAGE_SHIFT;
	void *virt;

	if (pgoff >= pages)
		return -ERANGE;
	virt = nd->virt + (pgoff << PAGE_SHIFT);
	if (kaddr)
		*kaddr = virt;
	if (pfn)
		*pfn = phys_to_pfn_t(__pa(virt), PFN_DEV | PFN_SPECIAL);
	return pages - pgoff;
}

static int nabla_image_zero_page_range(struct dax_device *dax, pgoff_t pgoff, size_t nr_pages)
{
	return -EROFS;
}

static const struct dax_operations nabla_image_dax_ops = {
	.direct_access		= nabla_image_direct_access,
	.zero_page_range	= nabla_image_zero_page_range,
};

static int __init nabla_image_add_dax(struct nabla_disk *nd)
{
	int ret;

	nd->dax = alloc_dax(nd, &nabla_image_dax_ops);
	if (IS_ERR(nd->dax))
		return PTR_ERR(nd->dax);
	set_dax_synchronous(nd->dax);
	ret = dax_add_host(nd->dax, nd->disk);
	if (ret) {
		kill_dax(nd->dax);
		put_dax(nd->dax);
	}
	return ret;
}

static int __init nabla_image_add_disk(struct nabla_disk *nd, unsigned int index)
{
	struct queue_limits lim = {
		.physical_block_size	= PAGE_SIZE,
		.features		= BLK_FEAT_DAX | BLK_FEAT_SYNCHRONOUS | BLK_FEAT_NOWAIT,
	};
	struct gendisk *disk = blk_alloc_disk(&lim, NUMA_NO_NODE);

	if (IS_ERR(disk))
		return PTR_ERR(disk);
	nd->disk = disk;
	disk->major = nabla_image_major;
	disk->first_minor = index;
	disk->minors = 1;
	/* An image is one file system: no partition table to look for, at each open. */
	disk->flags = GENHD_FL_NO_PART;
	disk->fops = &nabla_image_ops;
	disk->private_data = nd;
	snprintf(disk->disk_name, DISK_NAME_LEN, "nabla%u", index);
	set_capacity(disk, nd->size >> SECTOR_SHIFT);
	set_disk_ro(disk, true);
	return 0;
}

static int __init nabla_image_add(unsigned int index)
{
	const struct nabla_image *conf = &nabla_launch.image[index];
	struct nabla_disk *nd;
	int ret;

	nd = kzalloc(sizeof(*nd), GFP_KERNEL);
	if (!nd)
		return -ENOMEM;
	nd->virt = nabla_image_virt(index);
	nd->size = conf->size & PAGE_MASK;

	/*
	 * A valid pfn would have its pages counted, and in the end freed, as if they were memory.
	 */
	if (WARN_ON(pfn_valid(__pa(nd->virt) >> PAGE_SHIFT))) {
		ret = -ENXIO;
		goto out_free;
	}
	ret = nabla_image_add_disk(nd, index);
	if (ret)
		goto out_free;
	ret = nabla_image_add_dax(nd);
	if (ret)
		goto out_disk;
	ret = device_add_disk(NULL, nd->disk, NULL);
	if (ret)
		goto out_dax;
	return 0;

out_dax:
	dax_remove_host(nd->disk);
	kill_dax(nd->dax);
	put_dax(nd->dax);
out_disk:
	put_disk(nd->disk);
out_free:
	kfree(nd);
	return ret;
}

static int __init nabla_image_init(void)
{
	unsigned int i;

	if (!nabla_launch.nr_images)
		return 0;
	nabla_image_major = register_blkdev(0, "nabla");
	if (nabla_image_major < 0)
		return nabla_image_major;
	for (i = 0; i < nabla_launch.nr_images; i++) {
		int ret = nabla_image_add(i);

		if (ret)
			pr_err("nabla: image %u: error %d\n", i, ret);
	}
	return 0;
}
device_initcall(nabla_image_init);

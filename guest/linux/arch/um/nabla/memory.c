// SPDX-License-Identifier: GPL-2.0-only
/*
 * Guest memory: one memory file of the host, mapped once for the kernel and page by page for guest
 * programs; and the images behind it, which have physical addresses but no struct page.
 *
 *	physical 0 .. kernel_end	the executable (mapped by the host's exec)
 *	kernel_end .. memory_end	guest memory, at the same offset of nabla_memory_fd
 *	above, 2 MiB aligned		the images, one after the other
 */
#include <linux/mm.h>
#include <linux/memblock.h>
#include <linux/module.h>
#include <linux/initrd.h>
#include <linux/poison.h>
#include <linux/swap.h>
#include <asm/pgalloc.h>
#include <asm/sections.h>
#include <asm/unistd.h>
#include <linux/mman.h>
#include <kern_util.h>
#include "entry.h"
#include "host.h"
#include "launch.h"

pgd_t swapper_pg_dir[PTRS_PER_PGD];
unsigned long *empty_zero_page;
EXPORT_SYMBOL(empty_zero_page);

struct page *nabla_vmemmap __ro_after_init;
EXPORT_SYMBOL(nabla_vmemmap);

static unsigned long kernel_end, memory_end;	/* physical */
static unsigned long image_phys[NABLA_LAUNCH_IMAGES];

void *nabla_image_virt(unsigned int i)
{
	return __va(image_phys[i]);
}

bool nabla_is_memory(unsigned long phys)
{
	return phys < memory_end;
}

int nabla_phys_mapping(unsigned long phys, u64 *offset)
{
	unsigned int i;

	if (phys < memory_end) {
		*offset = phys;
		return nabla_memory_fd;
	}
	for (i = 0; i < nabla_launch.nr_images; i++)
		if (phys >= image_phys[i] && phys - image_phys[i] < nabla_launch.image[i].size) {
			*offset = phys - image_phys[i];
			return nabla_launch.image[i].fd;
		}
	panic("no memory at physical address %lx", phys);
}

/* Launch stage: create and map guest memory, then the images. Ends the process on failure. */
void __init nabla_memory_launch(void)
{
	unsigned long phys, size;
	unsigned int i;
	long ret;

	kernel_end = ALIGN(__pa(_end), PMD_SIZE);
	memory_end = kernel_end + nabla_launch.mem_size;

	ret = nabla_syscall6(__NR_memfd_create, (long)"nabla-memory", 1 /* MFD_CLOEXEC */, 0, 0, 0,
			     0);
	if (ret < 0)
		nabla_launch_fail("create guest memory", ret);
	nabla_memory_fd = ret;
	ret = nabla_syscall6(__NR_ftruncate, nabla_memory_fd, memory_end, 0, 0, 0, 0);
	if (ret < 0)
		nabla_launch_fail("size guest memory", ret);
	ret = nabla_syscall6(
		__NR_mmap, (long)__va(kernel_end), nabla_launch.mem_size, PROT_READ | PROT_WRITE,
		MAP_SHARED | MAP_FIXED_NOREPLACE | MAP_NORESERVE, nabla_memory_fd, kernel_end);
	if (ret != (long)__va(kernel_end))
		nabla_launch_fail("map guest memory", ret);
	/* Touching new memory costs the host a fault a page otherwise. Fine if it says no. */
	nabla_syscall6(__NR_madvise, (long)__va(kernel_end), nabla_launch.mem_size,
		       14 /* MADV_HUGEPAGE */, 0, 0, 0);

	/* A section of memory has struct pages to its end, and images must have none. */
	phys = ALIGN(memory_end, 1UL << SECTION_SIZE_BITS);
	for (i = 0; i < nabla_launch.nr_images; i++) {
		phys = ALIGN(phys, PMD_SIZE) + PMD_SIZE;	/* never contiguous: see tlb.c */
		size = nabla_launch.image[i].size;
		if (size > NABLA_VMALLOC_START - (unsigned long)__va(phys) - PMD_SIZE)
			nabla_launch_fail("map an image: no room", -ENOMEM);
		ret = nabla_syscall6(__NR_mmap, (long)__va(phys), size, PROT_READ,
				     MAP_SHARED | MAP_FIXED_NOREPLACE, nabla_launch.image[i].fd, 0);
		if (ret != (long)__va(phys))
			nabla_launch_fail("map an image", ret);
		image_phys[i] = phys;
		phys += size;
	}
}

/* The initrd lies at the end of guest memory, where the launch stage put it. */
static void __init reserve_initrd(void)
{
	if (!nabla_initrd_size)
		return;
	memblock_reserve(nabla_initrd_phys, PAGE_ALIGN(nabla_initrd_size));
	initrd_start = (unsigned long)__va(nabla_initrd_phys);
	initrd_end = initrd_start + nabla_initrd_size;
}

u64 nabla_memory_end(void)
{
	return memory_end;
}

u64 __init nabla_vmemmap_size(void)
{
	return ALIGN(PFN_DOWN(memory_end), PAGES_PER_SECTION) * sizeof(struct page);
}

/*
 * Struct pages exist for all memory and are initialised on demand, a section at a time
 * (CONFIG_DEFERRED_STRUCT_PAGE_INIT without the threads that would do it all after boot): memory
 * that a guest may have and never uses costs neither time at the start nor memory of the host.
 * memblock gives memory from the top, and this is the first that is asked for. Not zeroed: nobody
 * has written to it. Zeros are what generic code sees that looks at a struct page too early: in no
 * free list, of no owner.
 */
static void __init place_struct_pages(void)
{
	nabla_vmemmap = memblock_alloc_raw(nabla_vmemmap_size(), PAGE_SIZE);
	if (!nabla_vmemmap)
		panic("no memory for struct pages");
}

int __meminit vmemmap_populate(unsigned long start, unsigned long end, int node,
			       struct vmem_altmap *altmap)
{
	return 0;
}

void __init nabla_memory_setup(void)
{
	memblock_add(0, memory_end);
	memblock_reserve(0, kernel_end);
	min_low_pfn = kernel_end >> PAGE_SHIFT;
	max_low_pfn = max_pfn = memory_end >> PAGE_SHIFT;
	max_mapnr = max_pfn;
	high_memory = __va(memory_end);
	nabla_backing_setup(kernel_end, memory_end);
	reserve_initrd();
}

void __init paging_init(void)
{
	unsigned long max_zone_pfn[MAX_NR_ZONES] = { };

	place_struct_pages();
	sparse_init();
	empty_zero_page = memblock_alloc(PAGE_SIZE, PAGE_SIZE);
	if (!empty_zero_page)
		panic("no memory for the zero page");
	max_zone_pfn[ZONE_NORMAL] = max_low_pfn;
	free_area_init(max_zone_pfn);
}

void __init mem_init(void)
{
	memblock_free_all();
}

void free_initmem(void)
{
}

/*
 * Generic code would tell memblock as well, for which the range would then be free, with struct
 * pages to be initialised: those of pages that are in use by then. memblock's reservations stay
 * what they were at boot.
 */
void __init free_initrd_mem(unsigned long start, unsigned long end)
{
	free_reserved_area((void *)start, (void *)end, POISON_FREE_INITMEM, "initrd");
}

pgd_t *pgd_alloc(struct mm_struct *mm)
{
	return (pgd_t *)get_zeroed_page(GFP_KERNEL);
}

static const pgprot_t protection_map[16] = {
	[VM_NONE]				= PAGE_NONE,
	[VM_READ]				= PAGE_READONLY,
	[VM_WRITE]				= PAGE_COPY,
	[VM_WRITE | VM_READ]			= PAGE_COPY,
	[VM_EXEC]				= PAGE_READONLY_EXEC,
	[VM_EXEC | VM_READ]			= PAGE_READONLY_EXEC,
	[VM_EXEC | VM_WRITE]			= PAGE_COPY_EXEC,
	[VM_EXEC | VM_WRITE | VM_READ]		= PAGE_COPY_EXEC,
	[VM_SHARED]				= PAGE_NONE,
	[VM_SHARED | VM_READ]			= PAGE_READONLY,
	[VM_SHARED | VM_WRITE]			= PAGE_SHARED,
	[VM_SHARED | VM_WRITE | VM_READ]	= PAGE_SHARED,
	[VM_SHARED | VM_EXEC]			= PAGE_READONLY_EXEC,
	[VM_SHARED | VM_EXEC | VM_READ]		= PAGE_READONLY_EXEC,
	[VM_SHARED | VM_EXEC | VM_WRITE]	= PAGE_SHARED_EXEC,
	[VM_SHARED | VM_EXEC | VM_WRITE | VM_READ] = PAGE_SHARED_EXEC
};
DECLARE_VM_GET_PAGE_PROT

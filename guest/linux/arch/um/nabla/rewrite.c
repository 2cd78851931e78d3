// SPDX-License-Identifier: GPL-2.0-only
/*
 * System calls as function calls: sites are rewritten after their second trap.
 *
 * A guest program's `syscall` instruction (0f 05) raises SIGSYS by the filter, which costs
 * microseconds. It stays in place for ever; what is rewritten is ONE earlier instruction, which
 * becomes a jump (e9 rel32) to a stub. The stub runs a copy of the bytes from that instruction up
 * to the `syscall`, loads rcx with the return address as `syscall` does, and jumps to
 * nabla_syscall_entry. Nothing is written to the guest's stack, and address 0 stays unmapped.
 *
 *	direct	an instruction of 5 bytes or more, followed by nothing but register moves up to
 *		the `syscall`
 *	pun	an instruction of 2 to 4 bytes right before `syscall`: the last bytes of the jump's
 *		displacement are the bytes that follow, `0f 05` and what comes after, and the stub
 *		is put where that displacement leads
 *
 * x86 code cannot be read backwards, so a candidate needs evidence of two kinds. At the trap, the
 * register that it sets must hold what it sets it to. And the code is decoded forwards from many
 * places further back: such decodings fall into step with the true one within a few instructions,
 * so all of those that arrive at the `syscall` must pass through the candidate's first byte. Never
 * is more than one instruction covered, because a thread or a signal frame may point behind any
 * instruction: who continues at a later one, or at the `syscall` itself, runs the original code and
 * traps as before.
 *
 * Stubs lie in pages of ours, special mappings, shared by the children of fork (a stub only matters
 * to code that jumps to it). Text that is writable is left alone; before text becomes writable or
 * moves, and before a stub's page is unmapped, the original bytes come back. rt_sigreturn is never
 * rewritten: unwinders recognise its bytes.
 */
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/mutex.h>
#include <linux/hash.h>
#include <linux/refcount.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <asm/unistd.h>
#include <asm/insn.h>
#include <sysdep/ptrace.h>
#include "entry.h"
#include "rewrite.h"

#define STUB_SIZE	64
#define STUBS_A_PAGE	(PAGE_SIZE / STUB_SIZE)
#define AREA_PAGES	8
#define AREAS		48
#define BEFORE		72		/* bytes in front of a site that are looked at */
/* of these, how many are tried as the start of a decoding */
#define STARTS		32
#define LONGEST		24		/* from the covered instruction to the site, at most */

struct stub {				/* what a stub stands for; beside the page, not in it */
	unsigned long site;		/* address of the covered instruction; 0: free */
	unsigned int copied;		/* bytes from there to the `syscall` */
	unsigned int covered;		/* bytes of that instruction: what was overwritten */
};

struct area {
	unsigned long base;
	unsigned int pages;
	struct vm_special_mapping mapping;
	struct page *page[AREA_PAGES + 1];
	struct stub stub[];
};

struct nabla_stubs {
	refcount_t users;
	unsigned int nr;
	struct area *area[AREAS];
};

int nabla_stubs_copy(mm_context_t *context)
{
	if (context->stubs)
		refcount_inc(&context->stubs->users);
	return 0;
}

/* The area that contains @addr, in whichever relative's address space. */
static struct area *area_of(const struct nabla_stubs *s, unsigned long addr)
{
	unsigned int i;

	for (i = 0; i < s->nr; i++)
		if (addr >= s->area[i]->base &&
		    addr < s->area[i]->base + s->area[i]->pages * PAGE_SIZE)
			return s->area[i];
	return NULL;
}

static void area_free(struct area *a)
{
	unsigned int i;

	for (i = 0; i < a->pages; i++)
		if (a->page[i])
			put_page(a->page[i]);
	kfree(a);
}

void nabla_stubs_put(mm_context_t *context)
{
	struct nabla_stubs *s = context->stubs;
	unsigned int i;

	context->stubs = NULL;
	if (!s || !refcount_dec_and_test(&s->users))
		return;
	for (i = 0; i < s->nr; i++)
		area_free(s->area[i]);
	kfree(s);
}

/* Which sites have trapped, how often; and those that are done with, one way or the other. */

#define SEEN_BITS	12
#define SEEN_DONE	255

static struct {
	unsigned long ip;
	struct mm_struct *mm;
	unsigned int count;
} seen[1 << SEEN_BITS];

static unsigned int *site_count(unsigned long ip)
{
	unsigned int h = hash_long(ip ^ (unsigned long)current->mm, SEEN_BITS);

	if (seen[h].ip != ip || seen[h].mm != current->mm) {
		seen[h].ip = ip;
		seen[h].mm = current->mm;
		seen[h].count = 0;
	}
	return &seen[h].count;
}

/* Finding the instruction. */

static const u8 gp_index[16] = {
	HOST_AX, HOST_CX, HOST_DX, HOST_BX, HOST_SP, HOST_BP, HOST_SI, HOST_DI,
	HOST_R8, HOST_R9, HOST_R10, HOST_R11, HOST_R12, HOST_R13, HOST_R14, HOST_R15,
};

/* the bytes in front of a site, the registers at the trap */
struct view {
	const u8 *code;			/* BEFORE + 4 bytes; the `syscall` is at BEFORE */
	const unsigned long *gp;
	u32 boundaries;			/* bit i: an instruction begins at offset BEFORE - i */
};

static unsigned long reg(const struct view *v, unsigned int r)
{
	return v->gp[gp_index[r]];
}

/* rcx and r11 are lost at a system call, rsp is never the target of what we cover. */
static bool known(unsigned int r)
{
	return r != 1 && r != 4 && r != 11;
}

static bool memory_holds(unsigned long addr, unsigned long value, bool wide)
{
	unsigned long found = 0;

	if (copy_from_user(&found, (void __user *)addr, wide ? 8 : 4))
		return false;
	return found == (wide ? value : (u32)value);
}

/* mov $imm32, %r: b8+r, 41 b8+r, REX.W c7 c0+r. The end of it is at @q. */
static int mov_immediate(const struct view *v, const u8 *q)
{
	u32 imm = *(const u32 *)(q - 4);
	unsigned int r = q[-5] & 7;

	if ((q[-5] & 0xf8) == 0xb8) {
		if (q[-6] == 0x41 && known(r + 8) && reg(v, r + 8) == imm)
			return 6;
		if (known(r) && reg(v, r) == imm)
			return 5;
	}
	if ((q[-7] == 0x48 || q[-7] == 0x49) && q[-6] == 0xc7 && (q[-5] & 0xf8) == 0xc0) {
		r += (q[-7] & 1) * 8;
		if (known(r) && reg(v, r) == (unsigned long)(long)(s32)imm)
			return 7;
	}
	return 0;
}

/* mov or lea disp8(%base), %r, without an index but for %rsp's, with or without REX. */
static int mov_memory(const struct view *v, const u8 *q)
{
	bool stack = q[-2] == 0x24 && (q[-3] & 0xc7) == 0x44;
	const u8 *op = q - (stack ? 4 : 3);
	unsigned int rex = (op[-1] & 0xf0) == 0x40 ? op[-1] : 0;
	unsigned int r = ((op[1] >> 3) & 7) + (rex & 4) * 2;
	unsigned int base = (op[1] & 7) + (rex & 1) * 8;
	unsigned long addr;
	int len = (int)(q - op) + (rex != 0);

	if ((op[1] & 0xc0) != 0x40 || (!stack && (op[1] & 7) == 4) || (rex & 2) || !known(r))
		return 0;
	if (!stack && (!known(base) || base == r))
		return 0;
	addr = reg(v, stack ? 4 : base) + (s8)q[-1];
	if (op[0] == 0x8d)			/* lea */
		return (rex & 8) && reg(v, r) == addr ? len : 0;
	if (op[0] != 0x8b && op[0] != 0x89)	/* load, store */
		return 0;
	return memory_holds(addr, reg(v, r), rex & 8) ? len : 0;
}

/* mov %s, %r and xor %r, %r, with or without REX. */
static int mov_register(const struct view *v, const u8 *q, bool last)
{
	unsigned int rex = (q[-3] & 0xf0) == 0x40 ? q[-3] : 0;
	unsigned int r = (q[-1] & 7) + (rex & 1) * 8;
	unsigned int s = ((q[-1] >> 3) & 7) + (rex & 4) * 2;
	int len = rex ? 3 : 2;
	unsigned long value;

	if (q[-1] < 0xc0 || (rex & 2))
		return 0;
	if (q[-2] == 0x31)
		return r == s && known(r) && !reg(v, r) ? len : 0;
	if (q[-2] == 0x8b)
		swap(r, s);
	else if (q[-2] != 0x89)
		return 0;
	if (!known(r))
		return 0;
	value = rex & 8 ? reg(v, s) : (u32)reg(v, s);
	/* The source may have changed since, unless this was the last instruction. */
	if (!known(s))
		return s == 4 && value == reg(v, r) ? len : 0;
	return !last || reg(v, r) == value ? len : 0;
}

/*
 * xor, and, or $imm8, %sil or %dil: glibc's locks. The REX prefix, which nothing else needs, is the
 * evidence.
 */
static int byte_operation(const u8 *q)
{
	return q[-4] == 0x40 && q[-3] == 0x80 && (q[-2] & 0xc6) == 0xc6 ? 4 : 0;
}

/* The length of an instruction that ends at offset @end, 0 if there is no evidence for one. */
static int instruction_before(const struct view *v, int end)
{
	const u8 *q = v->code + end;
	bool last = end == BEFORE;
	int len;

	if (end < BEFORE - LONGEST + 8)
		return 0;
	len = mov_immediate(v, q);
	if (!len && last)
		len = mov_memory(v, q);
	if (!len && last)
		len = byte_operation(q);
	if (!len)
		len = mov_register(v, q, last);
	return len && (v->boundaries >> (BEFORE - end + len) & 1) ? len : 0;
}

/*
 * Bit i of the result: a decoding from one of the first STARTS offsets passes through offset BEFORE
 * - i on its way to the site; *@agree: those offsets through which all of them pass. At least a
 * handful must arrive for the answer to mean something.
 */
static bool decode_forwards(const struct view *v, u32 *agree)
{
	unsigned int start, off, arrived = 0;
	struct insn insn;
	u32 path;

	*agree = ~0u;
	for (start = 0; start < STARTS; start++) {
		path = 0;
		for (off = start; off < BEFORE; off += insn.length) {
			if (BEFORE - off < 32)
				path |= 1u << (BEFORE - off);
			if (insn_decode(&insn, v->code + off, BEFORE + 3 - off, INSN_MODE_64))
				break;
		}
		if (off != BEFORE)
			continue;
		arrived++;
		*agree &= path;
	}
	return arrived >= 4;
}

/* Room for stubs. */

static struct area *area_new(unsigned long base, unsigned int pages)
{
	struct area *a = kzalloc(struct_size(a, stub, pages * STUBS_A_PAGE), GFP_KERNEL);
	unsigned int i;

	if (!a)
		return NULL;
	a->base = base;
	a->pages = pages;
	a->mapping.name = "[syscall]";
	a->mapping.pages = a->page;
	for (i = 0; i < pages; i++) {
		a->page[i] = alloc_page(GFP_KERNEL | __GFP_ZERO);
		if (!a->page[i]) {
			area_free(a);
			return NULL;
		}
	}
	return a;
}

/* The area at exactly @base: relatives by fork make theirs at the same places, and share them. */
static struct area *area_at(const struct nabla_stubs *s, unsigned long base)
{
	unsigned int i;

	for (i = 0; i < s->nr; i++)
		if (s->area[i]->base == base)
			return s->area[i];
	return NULL;
}

/*
 * An area of @pages at @base in the current address space, which is locked for writing. No two
 * areas of a table overlap.
 */
static struct area *area_map(struct nabla_stubs *s, unsigned long base, unsigned int pages)
{
	struct mm_struct *mm = current->mm;
	unsigned long end = base + pages * PAGE_SIZE;
	struct area *a = area_at(s, base), *fresh = NULL;
	struct vm_area_struct *vma;

	if (base < NABLA_USER_LOW || end > TASK_SIZE ||
	    (base < NABLA_USER_START && end > NABLA_KERNEL_START) ||
	    find_vma_intersection(mm, base - PAGE_SIZE, end + PAGE_SIZE))
		return NULL;
	if (a && a->pages != pages)
		return NULL;
	if (!a) {
		if (s->nr == AREAS || area_of(s, base) || area_of(s, end - 1))
			return NULL;
		a = fresh = area_new(base, pages);
		if (!a)
			return NULL;
	}
	vma = _install_special_mapping(mm, base, pages * PAGE_SIZE,
				       VM_READ | VM_EXEC | VM_MAYREAD | VM_MAYEXEC,
				       &a->mapping);
	if (IS_ERR(vma)) {
		if (fresh)
			area_free(fresh);
		return NULL;
	}
	if (fresh)
		s->area[s->nr++] = fresh;
	return a;
}

/* A relative may have made areas that this address space does not have. */
static bool area_here(const struct area *a)
{
	struct vm_area_struct *vma = mtree_load(&current->mm->mm_mt, a->base);

	return vma && vma->vm_start == a->base && vma->vm_private_data == &a->mapping;
}

static struct stub *stub_in(struct area *a, unsigned long lo, unsigned long hi, unsigned long *addr)
{
	unsigned int i, n = a->pages * STUBS_A_PAGE;

	for (i = 0; i < n; i++) {
		*addr = a->base + i * STUB_SIZE;
		if (*addr >= lo && *addr <= hi && !a->stub[i].site)
			return &a->stub[i];
	}
	return NULL;
}

/* A free stub whose address is in [lo, hi]. */
static struct stub *stub_find(struct nabla_stubs *s, unsigned long lo, unsigned long hi,
			      unsigned long *addr)
{
	struct stub *stub = NULL;
	unsigned int i;

	for (i = 0; i < s->nr && !stub; i++)
		if (s->area[i]->base <= hi && s->area[i]->base + AREA_PAGES * PAGE_SIZE > lo &&
		    area_here(s->area[i]))
			stub = stub_in(s->area[i], lo, hi, addr);
	return stub;
}

/* Anywhere in reach of a jump from @site; new areas lie where little else does. */
static struct stub *stub_near(struct nabla_stubs *s, unsigned long site, unsigned long *addr)
{
	static const s16 steps[] = {23, 21, 19, 25, 17,	 27, -3, -5, -7,
				    -9, 15, 13, 11, -11, 9,  7,	 5,  3};
	unsigned long lo = site > 0x7ff00000UL ? site - 0x7ff00000UL : 0;
	struct stub *stub = stub_find(s, lo, site + 0x7ff00000UL, addr);
	struct area *a;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(steps) && !stub; i++) {
		long base = (long)(site & ~0x3ffffffUL) + steps[i] * (64L << 20);

		if (base <= 0 || (base ^ site) >> NABLA_SLOT_SHIFT)
			continue;
		a = area_map(s, base, AREA_PAGES);
		if (a)
			stub = stub_in(a, base, base + AREA_PAGES * PAGE_SIZE, addr);
	}
	return stub;
}

/* At a punned displacement: [lo, hi] is small, and a page of its own may have to be mapped. */
static struct stub *stub_at(struct nabla_stubs *s, unsigned long lo, unsigned long hi,
			    unsigned long *addr)
{
	struct stub *stub = stub_find(s, lo, hi, addr);
	unsigned long page = ALIGN(lo, STUB_SIZE) & PAGE_MASK;
	unsigned int tries;
	struct area *a;

	for (tries = 0; tries < 16 && !stub && page <= hi; tries++, page += PAGE_SIZE) {
		a = area_map(s, page, 1);
		if (a)
			stub = stub_in(a, lo, hi, addr);
	}
	return stub;
}

/* The rewriting itself. */

static u8 *stub_code(const struct area *a, unsigned int n)
{
	return (u8 *)page_address(a->page[n / STUBS_A_PAGE]) + n % STUBS_A_PAGE * STUB_SIZE;
}

static void stub_write(const struct area *a, unsigned long addr, const u8 *code,
		       unsigned int copied, unsigned long ip)
{
	u8 *p = stub_code(a, (addr - a->base) / STUB_SIZE);
	s32 disp = (s32)(ip + 2 - (addr + copied + 7));

	memset(p, 0x90, STUB_SIZE);
	memcpy(p, code, copied);
	p += copied;
	*p++ = 0x48; *p++ = 0x8d; *p++ = 0x0d;		/* lea behind_the_syscall(%rip), %rcx */
	memcpy(p, &disp, 4);
	p += 4;
	*p++ = 0x41; *p++ = 0xbb;			/* mov $nabla_syscall_entry, %r11d */
	*(u32 *)p = (u32)(unsigned long)nabla_syscall_entry;
	p += 4;
	*p++ = 0x41; *p++ = 0xff; *p++ = 0xe3;		/* jmp *%r11 */
}

static bool poke(unsigned long addr, const u8 *bytes, int n)
{
	u32 a = 0, b, c = 0, d;

	if (access_process_vm(current, addr, (void *)bytes, n, FOLL_FORCE | FOLL_WRITE) != n)
		return false;
	/* Written through another address: the CPU may hold the old bytes until it serialises. */
	asm volatile("cpuid" : "+a" (a), "=b" (b), "+c" (c), "=d" (d) : : "memory");
	return true;
}

struct place {				/* what is covered, and where its stub is */
	int start, len;			/* in the view */
	unsigned long stub;
};

static void cover(struct nabla_stubs *s, struct stub *stub, const struct view *v, unsigned long ip,
		  const struct place *at)
{
	unsigned long site = ip - BEFORE + at->start;
	s32 disp = (s32)(at->stub - (site + 5));
	u8 jump[16];

	stub_write(area_of(s, at->stub), at->stub, v->code + at->start, BEFORE - at->start, ip);
	jump[0] = 0xe9;
	memcpy(jump + 1, &disp, 4);
	memset(jump + 5, 0x90, sizeof(jump) - 5);
	if (!poke(site, jump, at->len))
		return;
	stub->site = site;
	stub->copied = BEFORE - at->start;
	stub->covered = at->len;
}

/*
 * A relative has covered the same instruction at the same place: its stub serves here too. Without
 * this, a program that forks for ever would fill the table.
 */
static struct stub *find_again(struct nabla_stubs *s, const struct view *v, unsigned long ip,
			       struct place *at)
{
	unsigned int i, k, copied = BEFORE - at->start;
	struct area *a;

	for (i = 0; i < s->nr; i++) {
		a = s->area[i];
		for (k = 0; k < a->pages * STUBS_A_PAGE; k++) {
			if (a->stub[k].site != ip - copied || a->stub[k].copied != copied ||
			    memcmp(stub_code(a, k), v->code + at->start, copied))
				continue;
			if (!area_here(a) && !area_map(s, a->base, a->pages))
				break;
			at->stub = a->base + k * STUB_SIZE;
			return &a->stub[k];
		}
	}
	return NULL;
}

static struct stub *find_direct(struct nabla_stubs *s, const struct view *v, unsigned long ip,
				struct place *at)
{
	struct stub *stub;
	int n;

	at->start = BEFORE;
	at->len = 0;
	for (n = 0; n < 6 && at->len < 5; n++) {
		at->len = instruction_before(v, at->start);
		if (!at->len)
			return NULL;
		at->start -= at->len;
	}
	if (at->len < 5)
		return NULL;
	stub = find_again(s, v, ip, at);
	return stub ? stub : stub_near(s, ip, &at->stub);
}

static struct stub *find_pun(struct nabla_stubs *s, const struct view *v, unsigned long ip,
			     struct place *at)
{
	struct stub *stub;
	unsigned long lo;
	u8 bytes[4] = { };
	s32 disp;

	at->len = instruction_before(v, BEFORE);
	at->start = BEFORE - at->len;
	if (at->len < 2 || at->len > 4)
		return NULL;
	stub = find_again(s, v, ip, at);
	if (stub)
		return stub;
	memcpy(bytes + at->len - 1, v->code + BEFORE, 5 - at->len);
	memcpy(&disp, bytes, 4);
	lo = ip - at->len + 5 + disp;
	if ((lo ^ ip) >> NABLA_SLOT_SHIFT)
		return NULL;
	return stub_at(s, lo, lo + (1UL << (8 * (at->len - 1))) - 1, &at->stub);
}

/* Text that is shared with a file, or writable, or that nobody could ever write, stays as it is. */
static bool text_is_ours(unsigned long ip)
{
	struct vm_area_struct *vma = mtree_load(&current->mm->mm_mt, ip);

	return vma && vma->vm_start <= ip - LONGEST && vma->vm_end >= ip + 3 &&
		(vma->vm_flags & (VM_SHARED | VM_MAYWRITE | VM_WRITE)) == VM_MAYWRITE;
}

/* Put the original instruction back, if the jump to this stub is still there. */
static void uncover(struct area *a, unsigned int n)
{
	const struct stub *stub = &a->stub[n];
	s32 disp = (s32)(a->base + n * STUB_SIZE - (stub->site + 5));
	u8 jump[5] = { 0xe9 }, now[5];

	memcpy(jump + 1, &disp, 4);
	if (copy_from_user(now, (void __user *)stub->site, sizeof(now)) ||
	    memcmp(now, jump, sizeof(now)))
		return;
	poke(stub->site, stub_code(a, n), stub->covered);
	*site_count(stub->site + stub->copied) = SEEN_DONE;
}

/* Sites in [start, end), and sites anywhere whose stubs are. */
static void uncover_range(struct nabla_stubs *s, unsigned long start, unsigned long end, bool sites)
{
	unsigned int i, n;
	struct area *a;

	for (i = 0; i < s->nr; i++) {
		a = s->area[i];
		if (!area_here(a) ||
		    (!sites && (a->base >= end || a->base + a->pages * PAGE_SIZE <= start)))
			continue;
		for (n = 0; n < a->pages * STUBS_A_PAGE; n++)
			if (a->stub[n].site &&
			    (!sites || (a->stub[n].site < end &&
					a->stub[n].site + a->stub[n].copied + 2 > start)))
				uncover(a, n);
	}
}

/* Before a system call that may change the bytes of a site, or take a stub away. */
void nabla_rewrite_before_syscall(const struct uml_pt_regs *regs, long nr)
{
	struct nabla_stubs *s = current->mm->context.stubs;
	unsigned long start = regs->gp[HOST_DI], end = start + PAGE_ALIGN(regs->gp[HOST_SI]);

	if (!s || !s->nr || end < start)
		return;
	switch (nr) {
	case __NR_mprotect:
	case __NR_pkey_mprotect:
		if (regs->gp[HOST_DX] & PROT_WRITE)
			uncover_range(s, start, end, true);
		break;
	case __NR_mremap:
		uncover_range(s, start, end, true);
		uncover_range(s, start, end, false);
		if (regs->gp[HOST_R10] & MREMAP_FIXED)
			uncover_range(s, regs->gp[HOST_R8],
				      regs->gp[HOST_R8] + PAGE_ALIGN(regs->gp[HOST_DX]), false);
		break;
	case __NR_mmap:
		if (regs->gp[HOST_R10] & MAP_FIXED)
			uncover_range(s, start, end, false);
		break;
	case __NR_munmap:
		uncover_range(s, start, end, false);
		break;
	}
}

/*
 * One at a time: finding room and writing code may both sleep, and relatives share their tables.
 * Whoever comes meanwhile has a trap more: waiting here could be for a page that the other serves.
 */
static DEFINE_MUTEX(rewriting);

static void rewrite(unsigned long ip, const unsigned long *gp)
{
	struct mm_struct *mm = current->mm;
	u8 code[BEFORE + 4] = { };
	struct view v = { .code = code, .gp = gp };
	struct place place;
	struct stub *stub;

	/* Two bytes behind the `syscall` may lie outside the mapping; one is enough for a pun. */
	if (copy_from_user(code, (void __user *)(ip - BEFORE), BEFORE + 3) ||
	    code[BEFORE] != 0x0f || code[BEFORE + 1] != 0x05 || !text_is_ours(ip) ||
	    !decode_forwards(&v, &v.boundaries))
		return;
	if (!mm->context.stubs) {
		mm->context.stubs = kzalloc(sizeof(struct nabla_stubs), GFP_KERNEL);
		if (!mm->context.stubs)
			return;
		refcount_set(&mm->context.stubs->users, 1);
	}
	if (mmap_write_lock_killable(mm))
		return;
	stub = find_direct(mm->context.stubs, &v, ip, &place);
	if (!stub)
		stub = find_pun(mm->context.stubs, &v, ip, &place);
	mmap_write_unlock(mm);
	if (stub)
		cover(mm->context.stubs, stub, &v, ip, &place);
}

/* A trap came from the `syscall` in front of @regs' instruction pointer. */
void nabla_rewrite_site(struct uml_pt_regs *regs)
{
	unsigned long ip = regs->gp[HOST_IP] - 2;
	unsigned int *count;

	if (!current->mm || regs->gp[HOST_ORIG_AX] == __NR_rt_sigreturn || ip < BEFORE)
		return;
	count = site_count(ip);
	if (*count == SEEN_DONE || ++*count < 2)
		return;
	if (!mutex_trylock(&rewriting)) {
		*count = 1;
		return;
	}
	*count = SEEN_DONE;
	local_irq_enable();
	rewrite(ip, regs->gp);
	local_irq_disable();
	mutex_unlock(&rewriting);
}

/*
 * A program that is single-stepped has jumped into a stub: from here on it must see its own code,
 * one instruction at a time. Returns true if the trap was that, and the program can go on.
 */
bool nabla_rewrite_stepped(struct uml_pt_regs *regs)
{
	struct nabla_stubs *s = current->mm ? current->mm->context.stubs : NULL;
	unsigned long ip = regs->gp[HOST_IP];
	struct area *a = s ? area_of(s, ip) : NULL;
	unsigned int n;

	if (!a || !area_here(a) || (ip - a->base) % STUB_SIZE)
		return false;
	n = (ip - a->base) / STUB_SIZE;
	if (!a->stub[n].site)
		return false;
	local_irq_enable();
	uncover(a, n);
	local_irq_disable();
	regs->gp[HOST_IP] = a->stub[n].site;
	return true;
}

/*
 * Interrupted inside a stub: show the program the equivalent place in its own text, so that signal
 * frames, unwinders, ptrace and cancellation points see nothing new.
 */
void nabla_rewrite_normalise(struct uml_pt_regs *regs)
{
	struct nabla_stubs *s = current->mm ? current->mm->context.stubs : NULL;
	unsigned long ip = regs->gp[HOST_IP];
	const struct stub *stub;
	struct area *a;
	unsigned int off;

	if (!s)
		return;
	a = area_of(s, ip);
	if (!a || !area_here(a))
		return;
	stub = &a->stub[(ip - a->base) / STUB_SIZE];
	off = (ip - a->base) % STUB_SIZE;
	if (stub->site)
		regs->gp[HOST_IP] = stub->site + min(off, stub->copied);
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * Random mmap, munmap, mprotect, mremap, madvise, fork and writes over one region, beside a model
 * that knows for each page what must be in it.
 */
#include "claim.h"

#define PAGES	2048
#define STEPS	3000

enum kind { FREE, PRIVATE, SHARED };

static struct page {
	enum kind kind;
	bool writable;
	uint32_t value;
} model[PAGES];

static char *base;
static uint32_t seed;

static uint32_t below(uint32_t n)
{
	seed = seed * 1664525 + 1013904223;
	return (seed >> 8) % n;
}

static volatile uint32_t *word(unsigned int i)
{
	return (volatile uint32_t *)(base + i * 4096ul + 1024);
}

static void verify(unsigned int from, unsigned int to)
{
	for (; from < to; from++)
		if (model[from].kind != FREE && *word(from) != model[from].value)
			claim_failed(__FILE__, __LINE__, "page %u is %x, wanted %x", from,
				     *word(from), model[from].value);
}

static void new_pages(unsigned int at, unsigned int n, enum kind kind)
{
	int flags = MAP_ANONYMOUS | MAP_FIXED | (kind == SHARED ? MAP_SHARED : MAP_PRIVATE);
	unsigned int i;

	need(mmap(base + at * 4096ul, n * 4096ul, PROT_READ | PROT_WRITE, flags, -1, 0) ==
	     base + at * 4096ul);
	for (i = at; i < at + n; i++)
		model[i] = (struct page){ kind, true, 0 };
}

static void remove_pages(unsigned int at, unsigned int n)
{
	unsigned int i;

	/* Left as a reservation, so that nobody else is given the place. */
	need(mmap(base + at * 4096ul, n * 4096ul, PROT_NONE,
		  MAP_ANONYMOUS | MAP_FIXED | MAP_PRIVATE | MAP_NORESERVE, -1,
		  0) == base + at * 4096ul);
	for (i = at; i < at + n; i++)
		model[i].kind = FREE;
}

static void write_pages(unsigned int at, unsigned int n)
{
	unsigned int i;

	for (i = at; i < at + n; i++)
		if (model[i].kind != FREE && model[i].writable)
			*word(i) = model[i].value = below(1u << 24) + 1;
}

static void protect_pages(unsigned int at, unsigned int n)
{
	bool writable = below(2);
	unsigned int i;

	for (i = at; i < at + n; i++)
		if (model[i].kind != FREE) {
			need(!mprotect(base + i * 4096ul, 4096,
				       PROT_READ | (writable ? PROT_WRITE : 0)));
			model[i].writable = writable;
		}
}

/* A run of private pages moves to another place. */
static void move_pages(unsigned int at, unsigned int n)
{
	unsigned int to = below(PAGES - n), i;

	for (i = at; i < at + n; i++)
		if (model[i].kind != PRIVATE || model[i].writable != model[at].writable)
			break;
	n = i - at;
	if (!n || (to < at + n && at < to + n))
		return;
	for (i = 0; i < n; i++) {	/* each by itself: they may be of several mappings */
		need(mremap(base + (at + i) * 4096ul, 4096, 4096, MREMAP_MAYMOVE | MREMAP_FIXED,
			    base + (to + i) * 4096ul) == base + (to + i) * 4096ul);
		model[to + i] = model[at + i];
	}
	remove_pages(at, n);
}

static void discard_pages(unsigned int at, unsigned int n)
{
	unsigned int i;

	for (i = at; i < at + n; i++)
		if (model[i].kind == PRIVATE) {
			need(!madvise(base + i * 4096ul, 4096, MADV_DONTNEED));
			model[i].value = 0;
		}
}

/* The child changes its private pages; the shared ones stay. */
static void fork_here(unsigned int at, unsigned int n)
{
	int status;
	pid_t pid = fork();
	unsigned int i;

	if (!pid) {
		verify(0, PAGES);
		for (i = at; i < at + n; i++)
			if (model[i].kind == PRIVATE && model[i].writable)
				*word(i) = model[i].value = ~i;
		verify(0, PAGES);
		_exit(0);
	}
	for (i = at; i < at + n / 2; i++)
		if (model[i].kind == PRIVATE && model[i].writable)
			*word(i) = model[i].value = below(1u << 24) + 1;
	if (below(2))
		verify(0, PAGES);
	need_is(waitpid(pid, &status, 0), pid);
	need_is(status, 0);
}

static void stress(uint32_t with_seed)
{
	unsigned int step, at, n;

	seed = with_seed;
	base = mmap(NULL, PAGES * 4096ul, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
		    -1, 0);
	need(base != MAP_FAILED);
	for (step = 0; step < STEPS; step++) {
		n = 1 + below(below(8) ? 40 : 500);
		at = below(PAGES - n);
		switch (below(16)) {
		case 0: case 1: case 2:
			new_pages(at, n, PRIVATE); break;
		case 3:
			new_pages(at, n, SHARED); break;
		case 4:
			remove_pages(at, n); break;
		case 5: case 6: case 7: case 8:
			write_pages(at, n); break;
		case 9: case 10:
			protect_pages(at, n); break;
		case 11:
			move_pages(at, n); break;
		case 12:
			discard_pages(at, n); break;
		case 13:
			if (step % 8 == 0)
				fork_here(at, n);
			break;
		default:
			verify(at, at + n);
		}
	}
	verify(0, PAGES);
}

static void one(void) { stress(1); }
static void two(void) { stress(20); }
static void three(void) { stress(300); }

/* Four of them at once, in processes that share a slot of the address space. */
static void four(void)
{
	int status, i;

	for (i = 0; i < 4; i++)
		if (!fork()) {
			stress(1000 + (uint32_t)i);
			_exit(0);
		}
	for (i = 0; i < 4; i++) {
		need(wait(&status) > 0);
		need_is(status, 0);
	}
}

int main(int argc, char **argv)
{
	claims_begin(argc, argv);
	claim("3000 random steps", one);
	claim("3000 other random steps", two);
	claim("3000 yet other random steps", three);
	claim("four processes, each with random steps", four);
	return claims_done();
}

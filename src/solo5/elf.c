/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A Solo5 unikernel's ELF file.
 *
 * In three steps, each of which believes only what the former has checked: the headers; the notes
 * (which target, which devices); the segments.
 *
 * A note stands in a program header of its own, and only the first note of one counts: namesz,
 * descsz, type, the name "Solo5" padded to 8 bytes, then the description. The manifest in it is
 * aligned to 8, so that 4 bytes of padding precede it, which descsz counts.
 */
#include "solo5/elf.h"

#include <elf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"

#define NOTE_ABI	0x31494241u		/* "ABI1" */
#define NOTE_MANIFEST	0x3154464du		/* "MFT1" */
#define NOTE_NAME	"Solo5\0\0"		/* 8 bytes with the last NUL */
#define NOTE_NAMESZ	6u
#define NOTE_HEAD	20u
#define NOTE_LEAST	12u			/* shorter: not even the numbers of a note */
#define ABI_DESC	16u
#define ABI_DESC_MAX	32u
#define MANIFEST_PAD	4u
#define MANIFEST_DESC_MAX (MANIFEST_PAD + sizeof(struct solo5_manifest))
#define ABI_VERSION_MAX	2u

/* The checked header and a copy of the program headers, which is the owner's to free. */
struct headers {
	Elf64_Ehdr eh;
	Elf64_Phdr *ph;
};

struct note {
	uint32_t namesz, descsz, type;
	char name[8];
};

_Static_assert(sizeof(struct note) == NOTE_HEAD, "a note's header");

const char *solo5_target_name(uint32_t target)
{
	static const char *const names[] = {
		[SOLO5_HVT] = "hvt", [SOLO5_SPT] = "spt", [SOLO5_VIRTIO] = "virtio",
		[SOLO5_MUEN] = "muen", [SOLO5_GENODE] = "genode", [SOLO5_XEN] = "xen",
	};

	if (target >= sizeof(names) / sizeof(names[0]) || !names[target])
		return "unknown";
	return names[target];
}

/* The error of a broken rule. */
#define broken(e, ...) err_say(e, -ENOEXEC, __VA_ARGS__)

/* Returns 0, SOLO5_NOT_SOLO5 (no ELF file that could be one, @e says why), or -errno. */
static int read_header(const struct solo5_source *s, Elf64_Ehdr *eh, struct err *e)
{
	int ret;

	if (s->size < sizeof(*eh)) {
		err_say(e, 0, "not an ELF file: shorter than its header");
		return SOLO5_NOT_SOLO5;
	}
	ret = s->read(s, 0, eh, sizeof(*eh));
	if (ret < 0)
		return err_set(e, ret, "read the ELF header");
	if (memcmp(eh->e_ident, ELFMAG, SELFMAG) != 0) {
		err_say(e, 0, "not an ELF file");
		return SOLO5_NOT_SOLO5;
	}
	if (eh->e_ident[EI_CLASS] != ELFCLASS64 || eh->e_ident[EI_DATA] != ELFDATA2LSB) {
		err_say(e, 0, "not a 64-bit little-endian ELF file");
		return SOLO5_NOT_SOLO5;
	}
	return 0;
}

/* What both questions need: the table of program headers. */
static int read_table(const struct solo5_source *s, struct headers *h, struct err *e)
{
	size_t bytes = (size_t)h->eh.e_phnum * sizeof(*h->ph);
	int ret;

	if (h->eh.e_phentsize != sizeof(*h->ph))
		return broken(e, "ELF header: program headers of %u bytes, not %zu",
			      h->eh.e_phentsize, sizeof(*h->ph));
	if (h->eh.e_phnum < 1 || h->eh.e_phnum > SOLO5_PHNUM_MAX)
		return broken(e, "ELF header: %u program headers, not 1 to %u", h->eh.e_phnum,
			      SOLO5_PHNUM_MAX);
	if (h->eh.e_phoff > s->size || bytes > s->size - h->eh.e_phoff)
		return broken(e, "ELF header: the program headers lie outside of the file");
	h->ph = malloc(bytes);
	if (!h->ph)
		return err_set(e, -ENOMEM, "read the program headers");
	ret = s->read(s, h->eh.e_phoff, h->ph, bytes);
	if (ret < 0)
		return err_set(e, ret, "read the program headers");
	return 0;
}

/* The rules for a file that is to be run. */
static int check_header(const Elf64_Ehdr *eh, uint64_t mem_size, struct err *e)
{
	if (eh->e_ident[EI_VERSION] != EV_CURRENT || eh->e_version != EV_CURRENT)
		return broken(e, "ELF header: not of the current version");
	if (eh->e_type != ET_EXEC)
		return broken(e, "ELF header: not linked to a fixed address (ET_EXEC)");
	if (eh->e_machine != EM_X86_64)
		return broken(e, "ELF header: built for machine %u, not for x86-64", eh->e_machine);
	if (eh->e_ehsize != sizeof(*eh))
		return broken(e, "ELF header: %u bytes, not %zu", eh->e_ehsize, sizeof(*eh));
	if (eh->e_entry < SOLO5_GUEST_MIN || eh->e_entry >= mem_size)
		return broken(e, "ELF header: entry point %#llx outside of [%#x, %#llx)%s",
			      (unsigned long long)eh->e_entry, SOLO5_GUEST_MIN,
			      (unsigned long long)mem_size,
			      eh->e_entry >= mem_size ? "; give it more memory" : "");
	return 0;
}

/*
 * The first note of Solo5 with that @type. Returns 0 with *@n, the file's offset *@desc of its
 * description and *@room, the bytes from there to the note's end; SOLO5_NOT_SOLO5 if there is none;
 * or -errno.
 */
static int find_note(const struct solo5_source *s, const struct headers *h, uint32_t type,
		     struct note *n, uint64_t *desc, uint64_t *room, struct err *e)
{
	for (unsigned int i = 0; i < h->eh.e_phnum; i++) {
		const Elf64_Phdr *ph = &h->ph[i];
		int ret;

		if (ph->p_type != PT_NOTE)
			continue;
		if (ph->p_filesz < NOTE_LEAST)
			return broken(e, "program header %u: a note of %llu bytes", i,
				      (unsigned long long)ph->p_filesz);
		if (ph->p_offset > s->size || ph->p_filesz > s->size - ph->p_offset)
			return broken(e, "program header %u: the note lies outside of the file", i);
		if (ph->p_filesz < NOTE_HEAD)
			continue;
		ret = s->read(s, ph->p_offset, n, sizeof(*n));
		if (ret < 0)
			return err_set(e, ret, "read a note");
		if (n->namesz != NOTE_NAMESZ || memcmp(n->name, NOTE_NAME, NOTE_NAMESZ) != 0 ||
		    n->type != type)
			continue;
		*desc = ph->p_offset + NOTE_HEAD;
		*room = ph->p_filesz - NOTE_HEAD;
		return 0;
	}
	return SOLO5_NOT_SOLO5;
}

static int read_abi(const struct solo5_source *s, const struct headers *h, struct solo5_abi *abi,
		    struct err *e)
{
	uint32_t words[ABI_DESC / 4];		/* target, version, two reserved */
	uint64_t desc, room;
	struct note n;
	int ret = find_note(s, h, NOTE_ABI, &n, &desc, &room, e);

	if (ret)
		return ret;
	if (n.descsz < 1 || n.descsz > ABI_DESC_MAX)
		return broken(e, "ABI note: %u bytes of description, not 1 to %u", n.descsz,
			      ABI_DESC_MAX);
	if (room < sizeof(words))
		return broken(e, "ABI note: it ends before its description");
	ret = s->read(s, desc, words, sizeof(words));
	if (ret < 0)
		return err_set(e, ret, "read the ABI note");
	*abi = (struct solo5_abi){ .target = words[0], .version = words[1] };
	return 0;
}

static int read_manifest(const struct solo5_source *s, const struct headers *h,
			 struct solo5_manifest *m, struct err *e)
{
	uint8_t bytes[MANIFEST_DESC_MAX];
	uint64_t desc, room;
	struct note n;
	int ret = find_note(s, h, NOTE_MANIFEST, &n, &desc, &room, e);

	if (ret == SOLO5_NOT_SOLO5)
		return broken(e, "it has no manifest note");
	if (ret)
		return ret;
	if (n.descsz <= MANIFEST_PAD || n.descsz > sizeof(bytes))
		return broken(e, "manifest note: %u bytes of description, not %u to %zu", n.descsz,
			      MANIFEST_PAD + 1, sizeof(bytes));
	if (room < n.descsz)
		return broken(e, "manifest note: it ends before its description");
	ret = s->read(s, desc, bytes, n.descsz);
	if (ret < 0)
		return err_set(e, ret, "read the manifest note");
	return solo5_manifest_read(bytes + MANIFEST_PAD, n.descsz - MANIFEST_PAD, m, e);
}

/* One PT_LOAD with file contents; @before is where the one before ends. */
static int read_segment(const struct solo5_source *s, const Elf64_Phdr *ph, uint64_t before,
			uint64_t mem_size, struct solo5_segment *seg, struct err *e)
{
	uint64_t align = ph->p_align, end, start;

	if (align == 0 || (align & (align - 1)))
		return broken(e, "its alignment %#llx is not a power of two",
			      (unsigned long long)align);
	if (ph->p_memsz < ph->p_filesz)
		return broken(e, "it is smaller in memory than in the file");
	if (ph->p_offset > s->size || ph->p_filesz > s->size - ph->p_offset)
		return broken(e, "its contents lie outside of the file");
	if (ph->p_vaddr < SOLO5_GUEST_MIN)
		return broken(e, "its address %#llx is below %#x", (unsigned long long)ph->p_vaddr,
			      SOLO5_GUEST_MIN);
	if (__builtin_add_overflow(ph->p_vaddr, ph->p_memsz, &end) ||
	    __builtin_add_overflow(end, align - 1, &end))
		return broken(e, "its size overflows");
	end &= ~(align - 1);
	start = ph->p_vaddr & ~(align - 1);
	if (start % SOLO5_PAGE || end % SOLO5_PAGE)
		return broken(e, "[%#llx, %#llx) are not whole pages", (unsigned long long)start,
			      (unsigned long long)end);
	if (start < before)
		return broken(e, "it overlaps the one before, or lies below it");
	if (start < SOLO5_GUEST_MIN)
		return broken(e, "its first page %#llx is below %#x", (unsigned long long)start,
			      SOLO5_GUEST_MIN);
	if (end > mem_size)
		return broken(e, "it ends at %#llx, above guest memory (%#llx); give it more",
			      (unsigned long long)end, (unsigned long long)mem_size);
	if ((ph->p_flags & PF_W) && (ph->p_flags & PF_X))
		return broken(e, "it is both writable and executable");
	*seg = (struct solo5_segment){
		.start = start, .end = end, .vaddr = ph->p_vaddr, .filesz = ph->p_filesz,
		.offset = ph->p_offset, .write = ph->p_flags & PF_W, .exec = ph->p_flags & PF_X,
	};
	return 0;
}

/* Segments without contents (.bss of ABI 2) keep the zero pages; the heap starts behind them. */
static void note_bss(const Elf64_Phdr *ph, uint64_t mem_size, uint64_t *heap)
{
	uint64_t end;

	if (__builtin_add_overflow(ph->p_vaddr, ph->p_memsz, &end) || end > mem_size)
		end = mem_size;
	if (end > *heap)
		*heap = end;
}

static int read_segments(const struct solo5_source *s, const struct headers *h, uint64_t mem_size,
			 struct solo5_elf *elf, struct err *e)
{
	uint64_t heap = 0;

	elf->nr_segments = 0;
	elf->kernel_end = 0;
	for (unsigned int i = 0; i < h->eh.e_phnum; i++) {
		const Elf64_Phdr *ph = &h->ph[i];
		int ret;

		if (ph->p_type != PT_LOAD)
			continue;
		note_bss(ph, mem_size, &heap);
		if (ph->p_filesz == 0)
			continue;
		if (elf->nr_segments == SOLO5_SEGMENTS)
			return broken(e, "more than %u segments", SOLO5_SEGMENTS);
		ret = read_segment(s, ph, elf->kernel_end, mem_size,
				   &elf->segment[elf->nr_segments], e);
		if (ret < 0)
			return err_wrap(e, ret, "segment %u", i);
		elf->kernel_end = elf->segment[elf->nr_segments++].end;
	}
	if (elf->nr_segments == 0)
		return broken(e, "it has nothing to load");
	elf->heap_start = heap > mem_size - SOLO5_PAGE
				  ? mem_size
				  : (heap + SOLO5_PAGE - 1) & ~(uint64_t)(SOLO5_PAGE - 1);
	return 0;
}

int solo5_elf_identify(const struct solo5_source *s, struct solo5_abi *abi, struct err *e)
{
	struct err why = ERR_INIT;
	_autofree_ Elf64_Phdr *ph = NULL;
	struct headers h = { .ph = NULL };
	int ret = read_header(s, &h.eh, &why);

	if (ret == 0) {
		ret = read_table(s, &h, &why);
		ph = h.ph;
		if (ret == -ENOEXEC)	/* broken, but then no unikernel either */
			return SOLO5_NOT_SOLO5;
	}
	if (ret == 0)
		ret = read_abi(s, &h, abi, &why);
	if (ret < 0)
		*e = why;
	return ret;
}

static int check_abi(const struct solo5_abi *abi, struct err *e)
{
	if (abi->target != SOLO5_SPT)
		return broken(e, "built for Solo5's target %s (%u), not for spt; build it with "
				 "'mirage configure -t spt' or what is alike",
			      solo5_target_name(abi->target), abi->target);
	if (abi->version < 1 || abi->version > ABI_VERSION_MAX)
		return broken(e, "spt ABI version %u is not 1 or 2", abi->version);
	return 0;
}

int solo5_elf_read(const struct solo5_source *s, uint64_t mem_size, struct solo5_elf *elf,
		   struct err *e)
{
	_autofree_ Elf64_Phdr *ph = NULL;
	struct headers h = { .ph = NULL };
	int ret = read_header(s, &h.eh, e);

	if (ret == SOLO5_NOT_SOLO5)
		return -ENOEXEC;
	if (ret == 0)
		ret = read_table(s, &h, e);
	ph = h.ph;
	if (ret == 0)
		ret = read_abi(s, &h, &elf->abi, e);
	if (ret == SOLO5_NOT_SOLO5)
		return broken(e, "not a Solo5 unikernel: it has no ABI note");
	if (ret == 0)
		ret = check_abi(&elf->abi, e);
	if (ret == 0)
		ret = check_header(&h.eh, mem_size, e);
	if (ret == 0)
		ret = read_manifest(s, &h, &elf->manifest, e);
	if (ret == 0)
		ret = read_segments(s, &h, mem_size, elf, e);
	elf->entry = h.eh.e_entry;
	return ret;
}

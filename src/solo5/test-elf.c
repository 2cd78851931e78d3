/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The reader of unikernels: a good file, and for each rule of the ABI one that breaks only this
 * rule and is refused with its reason.
 */
#include "solo5/elf.h"

#include <elf.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define MEM (16u << 20)

enum { OPENBSD, ABI, MANIFEST, TEXT, DATA, BSS, TDATA, PHNUM };

struct note_head {
	uint32_t namesz, descsz, type;
	char name[8];
};

/* A file as upstream's linker script lays it out, ABI 2. */
struct file {
	Elf64_Ehdr eh;
	Elf64_Phdr ph[PHNUM];
	struct {
		struct note_head head;
		uint32_t word;
	} openbsd;
	struct {
		struct note_head head;
		uint32_t target, version, reserved[2];
	} abi;
	struct {
		struct note_head head;
		uint32_t padding;
		struct solo5_manifest m;
	} manifest;
	uint8_t text[100], data[50];
};

static struct file good(void)
{
	struct file f = {
		.eh = { .e_type = ET_EXEC, .e_machine = EM_X86_64, .e_version = EV_CURRENT,
			.e_entry = 0x100010, .e_phoff = offsetof(struct file, ph),
			.e_ehsize = sizeof(Elf64_Ehdr), .e_phentsize = sizeof(Elf64_Phdr),
			.e_phnum = PHNUM },
		.openbsd.head = { 8, 4, 1, "OpenBSD" },
		.abi = { { 6, 16, 0x31494241, "Solo5" }, 2, 2, { 0, 0 } },
		.manifest = { .head = { 6, 4 + 8 + 3 * 104, 0x3154464d, "Solo5" },
			      .m = { .version = 1, .entries = 3 } },
	};

	memcpy(f.eh.e_ident, "\177ELF\2\1\1", 7);
	f.manifest.m.entry[0].type = SOLO5_RESERVED_FIRST;
	strcpy(f.manifest.m.entry[1].name, "storage");
	f.manifest.m.entry[1].type = SOLO5_BLOCK;
	strcpy(f.manifest.m.entry[2].name, "service0");
	f.manifest.m.entry[2].type = SOLO5_NET;
	f.ph[OPENBSD] = (Elf64_Phdr){ .p_type = PT_NOTE, .p_filesz = sizeof(f.openbsd),
				      .p_offset = offsetof(struct file, openbsd) };
	f.ph[ABI] = (Elf64_Phdr){ .p_type = PT_NOTE, .p_filesz = sizeof(f.abi),
				  .p_offset = offsetof(struct file, abi) };
	f.ph[MANIFEST] = (Elf64_Phdr){ .p_type = PT_NOTE, .p_filesz = 20 + 4 + 8 + 3 * 104,
				       .p_offset = offsetof(struct file, manifest) };
	f.ph[TEXT] = (Elf64_Phdr){ .p_type = PT_LOAD, .p_flags = PF_R | PF_X, .p_vaddr = 0x100000,
				   .p_offset = offsetof(struct file, text), .p_filesz = 100,
				   .p_memsz = 100, .p_align = 0x1000 };
	f.ph[DATA] = (Elf64_Phdr){ .p_type = PT_LOAD, .p_flags = PF_R | PF_W, .p_vaddr = 0x101100,
				   .p_offset = offsetof(struct file, data), .p_filesz = 50,
				   .p_memsz = 0x2000, .p_align = 0x1000 };
	f.ph[BSS] = (Elf64_Phdr){ .p_type = PT_LOAD, .p_flags = PF_R | PF_W, .p_vaddr = 0x104000,
				  .p_memsz = 0x1234, .p_align = 0x1000 };
	f.ph[TDATA] = (Elf64_Phdr){ .p_type = PT_LOAD, .p_flags = PF_R, .p_align = 0x1000 };
	return f;
}

/* Exactly @len bytes on the heap, so that a read behind them is seen. */
static int read_len(const struct file *f, size_t len, struct solo5_elf *elf, struct err *e)
{
	uint8_t *copy = malloc(len + 1);
	struct solo5_source s;
	int ret;

	assert_non_null(copy);
	memcpy(copy, f, len);
	solo5_source_memory(&s, copy, len);
	ret = solo5_elf_read(&s, MEM, elf, e);
	free(copy);
	return ret;
}

static void accepts(const struct file *f)
{
	struct err e = ERR_INIT;
	struct solo5_elf elf;

	if (read_len(f, sizeof(*f), &elf, &e) != 0)
		fail_msg("refused: %s", e.text);
}

static void refuses(const struct file *f, const char *reason)
{
	struct err e = ERR_INIT;
	struct solo5_elf elf;

	assert_int_equal(read_len(f, sizeof(*f), &elf, &e), -ENOEXEC);
	if (!strstr(e.text, reason))
		fail_msg("refused with '%s', not with '%s'", e.text, reason);
}

static void test_good(void **state)
{
	struct file f = good();
	struct err e = ERR_INIT;
	struct solo5_elf elf;

	(void)state;
	assert_int_equal(read_len(&f, sizeof(f), &elf, &e), 0);
	assert_int_equal(elf.abi.version, 2);
	assert_int_equal(elf.entry, 0x100010);
	assert_int_equal(elf.nr_segments, 2);
	assert_int_equal(elf.segment[0].start, 0x100000);
	assert_int_equal(elf.segment[0].end, 0x101000);
	assert_true(elf.segment[0].exec && !elf.segment[0].write);
	assert_int_equal(elf.segment[1].start, 0x101000);
	assert_int_equal(elf.segment[1].end, 0x104000);
	assert_true(elf.segment[1].write && !elf.segment[1].exec);
	assert_int_equal(elf.kernel_end, 0x104000);
	assert_int_equal(elf.heap_start, 0x106000);
	assert_int_equal(elf.manifest.entries, 3);
	assert_string_equal(solo5_manifest_find(&elf.manifest, "service0")->name, "service0");
	assert_null(solo5_manifest_find(&elf.manifest, "service"));
	assert_null(solo5_manifest_find(&elf.manifest, ""));
}

/* Rules that leave room: what upstream accepts stays accepted. */
static void test_also_good(void **state)
{
	struct file f = good();

	(void)state;
	f.eh.e_ident[EI_OSABI] = 99;
	f.abi.version = 1;
	f.abi.head.descsz = 32;
	accepts(&f);
	/* a note too short for a name is passed over; a foreign one of the same type too */
	f = good();
	f.ph[OPENBSD].p_filesz = 19;
	accepts(&f);
	f = good();
	f.openbsd.head.type = 0x31494241;
	accepts(&f);
	/* .bss in the data segment (ABI 1), one that ends with memory */
	f = good();
	f.ph[BSS].p_type = PT_NULL;
	f.ph[DATA].p_memsz = MEM - f.ph[DATA].p_vaddr;
	accepts(&f);
	/* an empty segment may say what it likes */
	f = good();
	f.ph[TDATA] = (Elf64_Phdr){ .p_type = PT_LOAD, .p_vaddr = ~0ull, .p_memsz = ~0ull,
				    .p_align = 3, .p_flags = PF_W | PF_X };
	accepts(&f);
}

#define REFUSES(change, reason)         \
	do {                            \
		struct file f = good(); \
		change;                 \
		refuses(&f, reason);    \
	} while (0)

static void test_header(void **state)
{
	(void)state;
	REFUSES(f.eh.e_ident[1] = 'e', "not an ELF file");
	REFUSES(f.eh.e_ident[EI_CLASS] = ELFCLASS32, "not a 64-bit little-endian");
	REFUSES(f.eh.e_ident[EI_DATA] = ELFDATA2MSB, "not a 64-bit little-endian");
	REFUSES(f.eh.e_ident[EI_VERSION] = 2, "not of the current version");
	REFUSES(f.eh.e_version = 0, "not of the current version");
	REFUSES(f.eh.e_type = ET_DYN, "not linked to a fixed address");
	REFUSES(f.eh.e_machine = EM_AARCH64, "built for machine 183");
	REFUSES(f.eh.e_ehsize = 65, "ELF header: 65 bytes");
	REFUSES(f.eh.e_phentsize = 55, "program headers of 55 bytes");
	REFUSES(f.eh.e_phnum = 0, "0 program headers");
	REFUSES(f.eh.e_phnum = 513, "513 program headers");
	REFUSES(f.eh.e_phnum = 500, "lie outside of the file");
	REFUSES(f.eh.e_phoff = ~0ull, "lie outside of the file");
	REFUSES(f.eh.e_phoff = sizeof(f), "lie outside of the file");
	REFUSES(f.eh.e_entry = 0xfffff, "entry point 0xfffff outside");
	REFUSES(f.eh.e_entry = MEM, "give it more memory");
	REFUSES(f.eh.e_entry = ~0ull, "outside of");
}

static void test_notes(void **state)
{
	(void)state;
	REFUSES(f.abi.head.type = 1, "it has no ABI note");
	REFUSES(f.abi.head.namesz = 8, "it has no ABI note");
	REFUSES(f.abi.head.name[0] = 's', "it has no ABI note");
	REFUSES(f.ph[ABI].p_type = PT_NULL, "it has no ABI note");
	REFUSES(f.ph[ABI].p_filesz = 11, "a note of 11 bytes");
	REFUSES(f.ph[OPENBSD].p_filesz = 0, "a note of 0 bytes");
	REFUSES(f.ph[ABI].p_filesz = 35, "ABI note: it ends before");
	REFUSES(f.ph[ABI].p_offset = sizeof(f), "the note lies outside");
	REFUSES(f.ph[ABI].p_offset = ~0ull, "the note lies outside");
	REFUSES(f.ph[MANIFEST].p_filesz = ~0ull, "the note lies outside");
	REFUSES(f.abi.head.descsz = 0, "ABI note: 0 bytes");
	REFUSES(f.abi.head.descsz = 33, "ABI note: 33 bytes");
	REFUSES(f.abi.target = SOLO5_HVT, "target hvt (1)");
	REFUSES(f.abi.target = SOLO5_XEN, "target xen (6)");
	REFUSES(f.abi.target = 7, "target unknown (7)");
	REFUSES(f.abi.version = 0, "version 0 is not");
	REFUSES(f.abi.version = 3, "version 3 is not");
	/* only the first note of a PT_NOTE counts: one that begins with a foreign note has none */
	REFUSES(f.ph[ABI].p_type = PT_NULL; f.ph[OPENBSD].p_filesz = 24 + sizeof(f.abi),
		"it has no ABI note");
	REFUSES(f.manifest.head.type = 0, "it has no manifest note");
	REFUSES(f.manifest.head.descsz = 4, "manifest note: 4 bytes");
	REFUSES(f.manifest.head.descsz = 6669, "manifest note: 6669 bytes");
	REFUSES(f.manifest.head.descsz = ~0u, "manifest note: 4294967295 bytes");
	REFUSES(f.ph[MANIFEST].p_filesz = 20 + 4 + 8 + 3 * 104 - 1,
		"manifest note: it ends before");
}

static void test_manifest(void **state)
{
	(void)state;
	REFUSES(f.manifest.m.version = 2, "manifest: version 2");
	REFUSES(f.manifest.m.entries = 0, "manifest: 0 entries");
	REFUSES(f.manifest.m.entries = 65, "manifest: 65 entries");
	REFUSES(f.manifest.m.entries = ~0u, "manifest: 4294967295 entries");
	REFUSES(f.manifest.m.entries = 2, "320 bytes for 2 entries");
	REFUSES(f.manifest.m.entries = 4, "320 bytes for 4 entries");
	REFUSES(f.manifest.head.descsz = 4 + 7, "7 bytes are too short");
	REFUSES(f.manifest.m.entry[0].type = SOLO5_NET, "entry 0 is not the reserved one");
	REFUSES(f.manifest.m.entry[0].name[0] = 'x', "entry 0 is not the reserved one");
	REFUSES(memset(f.manifest.m.entry[1].name, 'a', 68), "the name of device 1 has no end");
	REFUSES(f.manifest.m.entry[2].attached = 1, "device 2 is attached already");
	REFUSES(f.manifest.m.entry[0].attached = 1, "device 0 is attached already");
	REFUSES(f.manifest.m.entry[1].name[0] = '\0', "the name of device 1 is not");
	REFUSES(f.manifest.m.entry[1].name[3] = '-', "the name of device 1 is not");
	REFUSES(f.manifest.m.entry[1].name[3] = '\xe4', "the name of device 1 is not");
	REFUSES(f.manifest.m.entry[1].type = 0, "of the unknown type 0");
	REFUSES(f.manifest.m.entry[1].type = SOLO5_RESERVED_FIRST, "of the unknown type");
	REFUSES(strcpy(f.manifest.m.entry[2].name, "storage"), "two devices have the name");
}

static void test_segments(void **state)
{
	(void)state;
	REFUSES(f.ph[TEXT].p_align = 0, "segment 3: its alignment 0 is not");
	REFUSES(f.ph[TEXT].p_align = 0x1800, "segment 3: its alignment 0x1800 is not");
	REFUSES(f.ph[TEXT].p_align = 0x800, "segment 3: [0x100000, 0x100800) are not whole pages");
	REFUSES(f.ph[TEXT].p_memsz = 99, "smaller in memory than in the file");
	REFUSES(f.ph[TEXT].p_offset = sizeof(f), "its contents lie outside");
	REFUSES(f.ph[TEXT].p_offset = ~0ull, "its contents lie outside");
	REFUSES(f.ph[DATA].p_filesz = 0x2000, "its contents lie outside");
	REFUSES(f.ph[TEXT].p_vaddr = 0xff000, "its address 0xff000 is below 0x100000");
	REFUSES(f.ph[TEXT].p_vaddr = 0, "is below 0x100000");
	REFUSES(f.ph[DATA].p_align = 1ull << 40, "overlaps the one before, or lies below");
	REFUSES(f.ph[TEXT].p_align = 1ull << 40, "its first page 0 is below");
	REFUSES(f.ph[DATA].p_memsz = ~0ull, "its size overflows");
	REFUSES(f.ph[DATA].p_memsz = ~0ull - 0x101100, "its size overflows");
	REFUSES(f.ph[DATA].p_vaddr = ~0ull - 0x1000, "its size overflows");
	REFUSES(f.ph[DATA].p_vaddr = 0x100800, "overlaps the one before");
	REFUSES(f.ph[TEXT].p_vaddr = 0x200000, "overlaps the one before, or lies below");
	REFUSES(f.ph[TEXT].p_memsz = 0x1001, "overlaps the one before");
	REFUSES(f.ph[DATA].p_memsz = MEM - 0x101100 + 1, "above guest memory");
	REFUSES(f.ph[DATA].p_vaddr = MEM, "above guest memory");
	REFUSES(f.ph[TEXT].p_flags |= PF_W, "both writable and executable");
	REFUSES(f.ph[DATA].p_flags |= PF_X, "both writable and executable");
	REFUSES(f.ph[TEXT].p_type = f.ph[DATA].p_type = PT_NULL, "nothing to load");
}

/* 64 devices with the reserved one, 64 segments: the most that there may be. */
static void test_most(void **state)
{
	struct {
		Elf64_Ehdr eh;
		Elf64_Phdr ph[2 + SOLO5_SEGMENTS + 1];
		struct file rest;
	} *f = calloc(1, sizeof(*f));
	struct err e = ERR_INIT;
	struct solo5_source s;
	struct solo5_elf elf;
	struct file one = good();
	size_t i, base = offsetof(__typeof__(*f), rest);

	(void)state;
	assert_non_null(f);
	for (i = 1; i < SOLO5_MANIFEST_ENTRIES; i++) {
		snprintf(one.manifest.m.entry[i].name, SOLO5_NAME_MAX, "net%zu", i);
		one.manifest.m.entry[i].type = SOLO5_NET;
	}
	one.manifest.m.entries = SOLO5_MANIFEST_ENTRIES;
	one.manifest.head.descsz = 6668;
	one.ph[MANIFEST].p_filesz = 20 + 6668;
	f->rest = one;
	f->eh = one.eh;
	f->eh.e_phnum = 2 + SOLO5_SEGMENTS;
	f->ph[0] = one.ph[ABI];
	f->ph[1] = one.ph[MANIFEST];
	for (i = 0; i <= SOLO5_SEGMENTS; i++) {
		f->ph[2 + i] = one.ph[TEXT];
		f->ph[2 + i].p_vaddr = 0x100000 + 0x1000 * i;
	}
	for (i = 0; i < 3 + SOLO5_SEGMENTS; i++)
		f->ph[i].p_offset += base;
	solo5_source_memory(&s, f, sizeof(*f));
	assert_int_equal(solo5_elf_read(&s, MEM, &elf, &e), 0);
	assert_int_equal(elf.nr_segments, SOLO5_SEGMENTS);
	assert_non_null(solo5_manifest_find(&elf.manifest, "net63"));
	f->eh.e_phnum++;
	assert_int_equal(solo5_elf_read(&s, MEM, &elf, &e), -ENOEXEC);
	assert_non_null(strstr(e.text, "more than 64 segments"));
	free(f);
}

/* Cut anywhere: refused or complete, never a read behind the end. */
static void test_cut(void **state)
{
	struct file f = good();
	struct solo5_elf elf;

	(void)state;
	for (size_t len = 0; len < sizeof(f); len++) {
		struct err e = ERR_INIT;

		if (read_len(&f, len, &elf, &e) != 0)
			assert_true(e.text[0]);
		else
			assert_true(len >= offsetof(struct file, data) + 50);
	}
}

static void test_identify(void **state)
{
	struct file f = good();
	struct err e = ERR_INIT;
	struct solo5_source s;
	struct solo5_abi abi;

	(void)state;
	solo5_source_memory(&s, &f, sizeof(f));
	assert_int_equal(solo5_elf_identify(&s, &abi, &e), 0);
	assert_int_equal(abi.target, SOLO5_SPT);
	f.abi.target = SOLO5_HVT;
	assert_int_equal(solo5_elf_identify(&s, &abi, &e), 0);
	assert_string_equal(solo5_target_name(abi.target), "hvt");
	/* other machines' unikernels are unikernels */
	f.eh.e_machine = EM_AARCH64;
	assert_int_equal(solo5_elf_identify(&s, &abi, &e), 0);
	f.abi.head.type = 1;
	assert_int_equal(solo5_elf_identify(&s, &abi, &e), SOLO5_NOT_SOLO5);
	f.eh.e_phnum = 0xffff;
	assert_int_equal(solo5_elf_identify(&s, &abi, &e), SOLO5_NOT_SOLO5);
	solo5_source_memory(&s, "#!/bin/sh\n", 10);
	assert_int_equal(solo5_elf_identify(&s, &abi, &e), SOLO5_NOT_SOLO5);
	solo5_source_memory(&s, NULL, 0);
	assert_int_equal(solo5_elf_identify(&s, &abi, &e), SOLO5_NOT_SOLO5);
	assert_string_equal(e.text, "");
}

static void test_descriptor(void **state)
{
	struct file f = good();
	struct err e = ERR_INIT;
	struct solo5_source s;
	struct solo5_elf elf;
	FILE *file = tmpfile();
	int ends[2];

	(void)state;
	assert_non_null(file);
	assert_int_equal(fwrite(&f, sizeof(f), 1, file), 1);
	assert_int_equal(fflush(file), 0);
	assert_int_equal(solo5_source_fd(&s, fileno(file), &e), 0);
	assert_int_equal(solo5_elf_read(&s, MEM, &elf, &e), 0);
	/* it becomes shorter after its size was taken */
	assert_int_equal(ftruncate(fileno(file), 200), 0);
	assert_int_equal(solo5_elf_read(&s, MEM, &elf, &e), -EIO);
	fclose(file);
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(solo5_source_fd(&s, ends[0], &e), -EINVAL);
	close(ends[0]);
	close(ends[1]);
}

static void test_names(void **state)
{
	char longest[SOLO5_NAME_MAX + 2];

	(void)state;
	memset(longest, 'Z', sizeof(longest));
	longest[SOLO5_NAME_MAX + 1] = '\0';
	assert_false(solo5_name_valid(longest));
	longest[SOLO5_NAME_MAX] = '\0';
	assert_true(solo5_name_valid(longest));
	assert_true(solo5_name_valid("a0Z9"));
	assert_false(solo5_name_valid(""));
	assert_false(solo5_name_valid("a b"));
	assert_false(solo5_name_valid("a_b"));
	assert_false(solo5_name_valid("a@"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good), cmocka_unit_test(test_also_good),
		cmocka_unit_test(test_header), cmocka_unit_test(test_notes),
		cmocka_unit_test(test_manifest), cmocka_unit_test(test_segments),
		cmocka_unit_test(test_most), cmocka_unit_test(test_cut),
		cmocka_unit_test(test_identify), cmocka_unit_test(test_descriptor),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests_name("solo5-elf", tests, NULL, NULL);
}

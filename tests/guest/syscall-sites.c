// SPDX-License-Identifier: GPL-2.0-only
/*
 * System call instructions of many shapes, in many places. A guest kernel may rewrite the code
 * around them; whatever it does, `syscall` changes rax, rcx and r11 and nothing else: no other
 * register, no flag, no byte of the red zone; and who jumps into the middle finds the original
 * program.
 */
#include "claim.h"

#include <ucontext.h>

enum { AX, BX, CX, DX, SI, DI, BP, SP, R8, R9, R10, R11, R12, R13, R14, R15, REGS };

struct state {
	uint64_t reg[REGS]; /* R15: set by run() to the place that the code returns to */
	uint64_t flags;
	uint64_t red[16];		/* the red zone, from -8(%rsp) downwards */
};

struct state state_in, state_out;
void *state_code;
uint64_t state_sp;

/* Set everything from state_in, jump to state_code, which ends by `jmp *%r15`, save to state_out.
 */
void run(void);
asm(".text\n.globl run\nrun:\n"
    "	push %rbx; push %rbp; push %r12; push %r13; push %r14; push %r15\n"
    "	pushq state_in+128(%rip); popfq\n"
    "	mov %rsp, state_in+56(%rip)\n"
    "	.set i, 0\n"
    "	.rept 16\n"
    "	mov state_in+136+i*8(%rip), %rax\n"
    "	mov %rax, -8-i*8(%rsp)\n"
    "	.set i, i+1\n"
    "	.endr\n"
    "	lea back(%rip), %r15\n"
    "	mov %r15, state_in+120(%rip)\n"
    "	mov state_in(%rip), %rax; mov state_in+8(%rip), %rbx; mov state_in+16(%rip), %rcx\n"
    "	mov state_in+24(%rip), %rdx; mov state_in+32(%rip), %rsi; mov state_in+40(%rip), %rdi\n"
    "	mov state_in+48(%rip), %rbp; mov state_in+64(%rip), %r8; mov state_in+72(%rip), %r9\n"
    "	mov state_in+80(%rip), %r10; mov state_in+88(%rip), %r11; mov state_in+96(%rip), %r12\n"
    "	mov state_in+104(%rip), %r13; mov state_in+112(%rip), %r14\n"
    "	jmp *state_code(%rip)\n"
    "back:\n"
    "	mov %rax, state_out(%rip); mov %rbx, state_out+8(%rip); mov %rcx, state_out+16(%rip)\n"
    "	mov %rdx, state_out+24(%rip); mov %rsi, state_out+32(%rip); mov %rdi, state_out+40(%rip)\n"
    "	mov %rbp, state_out+48(%rip); mov %rsp, state_out+56(%rip); mov %r8, state_out+64(%rip)\n"
    "	mov %r9, state_out+72(%rip); mov %r10, state_out+80(%rip); mov %r11, state_out+88(%rip)\n"
    "	mov %r12, state_out+96(%rip); mov %r13, state_out+104(%rip); mov %r14, "
    "state_out+112(%rip)\n"
    "	mov %r15, state_out+120(%rip)\n"
    "	.set i, 0\n"
    "	.rept 16\n"
    "	mov -8-i*8(%rsp), %rax\n"
    "	mov %rax, state_out+136+i*8(%rip)\n"
    "	.set i, i+1\n"
    "	.endr\n"
    "	mov state_in+56(%rip), %rsp\n"
    "	pushfq; pop %rax; mov %rax, state_out+128(%rip)\n"
    "	pushq $0x202; popfq\n"
    "	pop %r15; pop %r14; pop %r13; pop %r12; pop %rbp; pop %rbx\n"
    "	ret\n");

struct shape {
	const char *name;
	unsigned char code[24];		/* up to the `syscall` */
	int len;
	int split[3];			/* offsets at which instructions begin, beside 0 and len */
	void (*prepare)(void);
	/* What the code in front does to a state, for the expectation. */
	void (*effect)(struct state *s);
};

static uint64_t words[4] = { 1, SYS_getppid, 2, 3 };

#define BYTES(...) .code = { __VA_ARGS__ }, .len = sizeof((char []){ __VA_ARGS__ })

static void ax_getppid(void) { state_in.reg[AX] = SYS_getppid; }
static void di_getppid(void) { state_in.reg[DI] = SYS_getppid; }
static void r8_getppid(void) { state_in.reg[R8] = SYS_getppid; }
static void bad_fd(void) { state_in.reg[DI] = (uint64_t)-1; }
static void di_words(void) { state_in.reg[DI] = (uint64_t)words; }
static void di_102(void) { state_in.reg[DI] = SYS_getppid - 8; }
static void red_getppid(void) { state_in.red[5] = SYS_getppid; }
static void set_ax(struct state *s) { s->reg[AX] = SYS_getppid; }
static void zero_ax(struct state *s) { s->reg[AX] = 0; }
static void set_r8d(struct state *s) { s->reg[R8] = 0x12345; }
static void moves(struct state *s)
{
	set_ax(s);
	s->reg[DI] = s->reg[SI];
	s->reg[DX] = 0;
}
static void cx_to_r10(struct state *s) { s->reg[R10] = s->reg[CX]; }
static void sp_to_si(struct state *s) { s->reg[SI] = s->reg[SP]; }
static void four_moves(struct state *s)
{
	s->reg[AX] = s->reg[DI];
	s->reg[DI] = s->reg[SI];
	s->reg[SI] = s->reg[DX];
	s->reg[DX] = s->reg[CX];
}
static void flip_sil(struct state *s) { s->reg[SI] ^= 1; }
static void store_ax(struct state *s) { s->red[3] = s->reg[AX]; }
static void nothing(struct state *s) { (void)s; }

static const struct shape shapes[] = {
	{ "mov $imm32, %eax", BYTES(0xb8, 110, 0, 0, 0), {}, NULL, set_ax },
	{ "mov $imm32, %rax", BYTES(0x48, 0xc7, 0xc0, 110, 0, 0, 0), {}, NULL, set_ax },
	{ "mov $imm64, %rax", BYTES(0x48, 0xb8, 110, 0, 0, 0, 0, 0, 0, 0), {}, NULL, set_ax },
	{ "mov $imm32, %r8d", BYTES(0x41, 0xb8, 0x45, 0x23, 1, 0), {}, ax_getppid, set_r8d },
	{ "xor %eax, %eax", BYTES(0x31, 0xc0), {}, bad_fd, zero_ax },
	{ "xor %rax, %rax", BYTES(0x48, 0x31, 0xc0), {}, bad_fd, zero_ax },
	{ "sub %eax, %eax", BYTES(0x29, 0xc0), {}, bad_fd, zero_ax },
	{ "mov %rdi, %rax", BYTES(0x48, 0x89, 0xf8), {}, di_getppid, set_ax },
	{ "mov %edi, %eax", BYTES(0x89, 0xf8), {}, di_getppid, set_ax },
	{ "mov %r8, %rax", BYTES(0x4c, 0x89, 0xc0), {}, r8_getppid, set_ax },
	{ "mov %r8d, %eax", BYTES(0x44, 0x89, 0xc0), {}, r8_getppid, set_ax },
	{ "mov (other direction) %rdi, %rax", BYTES(0x48, 0x8b, 0xc7), {}, di_getppid, set_ax },
	{ "mov $imm8, %al", BYTES(0xb0, 110), {}, ax_getppid, set_ax },
	{ "mov 8(%rdi), %eax", BYTES(0x8b, 0x47, 8), {}, di_words, set_ax },
	{ "mov 8(%rdi), %rax", BYTES(0x48, 0x8b, 0x47, 8), {}, di_words, set_ax },
	{ "mov -48(%rsp), %rax", BYTES(0x48, 0x8b, 0x44, 0x24, 0xd0), {}, red_getppid, set_ax },
	{ "mov -48(%rsp), %eax", BYTES(0x8b, 0x44, 0x24, 0xd0), {}, red_getppid, set_ax },
	{ "mov %rax, -32(%rsp)", BYTES(0x48, 0x89, 0x44, 0x24, 0xe0), {}, ax_getppid, store_ax },
	{ "lea 8(%rdi), %rax", BYTES(0x48, 0x8d, 0x47, 8), {}, di_102, set_ax },
	{ "mov $imm, %eax; mov %rsi, %rdi; xor %edx, %edx",
	  BYTES(0xb8, 110, 0, 0, 0, 0x48, 0x89, 0xf7, 0x31, 0xd2),
	  { 5, 8 },
	  NULL,
	  moves },
	{ "mov %rdi, %rax and three moves more",
	  BYTES(0x48, 0x89, 0xf8, 0x48, 0x89, 0xf7, 0x48, 0x89, 0xd6, 0x48, 0x89, 0xca),
	  { 3, 6, 9 },
	  di_getppid,
	  four_moves },
	{ "mov %rcx, %r10", BYTES(0x49, 0x89, 0xca), {}, ax_getppid, cx_to_r10 },
	{ "mov %rsp, %rsi", BYTES(0x48, 0x89, 0xe6), {}, ax_getppid, sp_to_si },
	{ "xor $1, %sil", BYTES(0x40, 0x80, 0xf6, 1), {}, ax_getppid, flip_sil },
	{ "nop", BYTES(0x90), {}, ax_getppid, nothing },
	{ "nopw", BYTES(0x66, 0x0f, 0x1f, 0x44, 0, 0), {}, ax_getppid, nothing },
	{ "nothing known in front", BYTES(0xcc, 0xcc, 0x90), { 2 }, ax_getppid, nothing },
	{ "a lone syscall", .code = { 0 }, .len = 0, {}, ax_getppid, nothing },
};

#define SHAPES ((int)(sizeof(shapes) / sizeof(shapes[0])))
#define PAGE 4096
#define SYSTEM_FLAGS 0x10200u		/* RF, IF */

static void fresh_state(unsigned int seed)
{
	int i;

	for (i = 0; i < REGS; i++)
		state_in.reg[i] = 0x1111111111111111u * (uint64_t)i + seed;
	for (i = 0; i < 16; i++)
		state_in.red[i] = 0xa5a50000u + (uint64_t)i * seed;
	state_in.flags = 0x202 | (seed & 1) | (seed & 2 ? 0x800 : 0) | (seed & 4 ? 0x80 : 0);
}

/* Jump to @at, whose `syscall` is at @site; @s: what else the code in front has done, or NULL. */
static void enter(const char *what, const unsigned char *at, const unsigned char *site,
		  const struct shape *s, bool arithmetic)
{
	struct state want = state_in;
	uint64_t flags;
	int i;

	state_code = (void *)(uintptr_t)at;
	run();
	want.reg[SP] = state_in.reg[SP];
	want.reg[R15] = state_in.reg[R15];
	if (s) {
		want.reg[SP] = state_in.reg[SP];
		s->effect(&want);
	}
	want.reg[AX] = want.reg[AX] == 0 ? (uint64_t)-EBADF :
		       want.reg[AX] == SYS_getppid ? (uint64_t)getppid() : (uint64_t)-ENOSYS;
	want.reg[CX] = (uintptr_t)site + 2;
	flags = state_out.flags & ~(uint64_t)SYSTEM_FLAGS;
	want.reg[R11] = state_out.reg[R11] & SYSTEM_FLAGS;
	want.reg[R11] |= flags;
	for (i = 0; i < REGS; i++)
		if (state_out.reg[i] != want.reg[i])
			claim_failed(__FILE__, __LINE__, "%s: register %d is %lx, wanted %lx",
				     what, i, state_out.reg[i], want.reg[i]);
	for (i = 0; i < 16; i++)
		if (state_out.red[i] != want.red[i])
			claim_failed(__FILE__, __LINE__, "%s: red zone at -%d is %lx, wanted %lx",
				     what, 8 * (i + 1), state_out.red[i], want.red[i]);
	if (!arithmetic && flags != (state_in.flags & ~(uint64_t)SYSTEM_FLAGS))
		claim_failed(__FILE__, __LINE__, "%s: flags are %lx, were %lx", what, flags,
			     state_in.flags);
}

static bool arithmetic(const struct shape *s)
{
	return strstr(s->name, "xor") || strstr(s->name, "sub ");
}

/* Put the shape so that its `syscall` is at @site; where its first instruction is. */
static unsigned char *place(const struct shape *s, unsigned char *site)
{
	static const unsigned char after[] = { 0x0f, 0x05, 0x41, 0xff, 0xe7 };	/* jmp *%r15 */

	memcpy(site - s->len, s->code, (size_t)s->len);
	memcpy(site, after, sizeof(after));
	return site - s->len;
}

static int first_instruction(const struct shape *s)
{
	return s->code[0] == 0xcc ? 2 : 0;	/* what stands in front of that one is not code */
}

/* Twelve times from the start and, in between, into the middle. */
static void exercise(const struct shape *s, unsigned char *site)
{
	unsigned char *begin = site - s->len;
	int i;

	for (i = 0; i < 12; i++) {
		fresh_state((unsigned int)i);
		if (s->prepare)
			s->prepare();
		enter(s->name, begin + first_instruction(s), site, s, arithmetic(s));
		if (i % 4 == 3) {
			fresh_state((unsigned int)i);
			state_in.reg[AX] = SYS_getppid;
			enter("jump to the syscall itself", site, site, NULL, false);
		}
		if (i % 4 == 3 && s->len == 10 && s->split[1] == 8) {
			fresh_state((unsigned int)i);
			state_in.reg[AX] = SYS_getppid;
			state_in.reg[DX] = 0;
			enter("jump behind the first instruction", begin + 8, site, NULL, true);
		}
	}
}

static unsigned char *memory(int prot, int flags, int fd, size_t len)
{
	unsigned char *p = mmap(NULL, len, prot, flags, fd, 0);

	need(p != MAP_FAILED);
	return p;
}

#define RWX (PROT_READ | PROT_WRITE | PROT_EXEC)

static const char *shape_now = "";

static void which_shape(int sig)
{
	dprintf(1, "# signal %d in: %s\n", sig, shape_now);
	signal(sig, SIG_DFL);
}

static void over_shapes(int offset)
{
	unsigned char *p;
	int i, at;

	signal(SIGSEGV, which_shape);
	signal(SIGILL, which_shape);
	for (i = 0; i < SHAPES; i++) {
		shape_now = shapes[i].name;
		p = memory(RWX, MAP_PRIVATE | MAP_ANONYMOUS, -1, 3 * PAGE);
		memset(p, 0x90, 3 * PAGE);
		at = offset ? offset : shapes[i].len;
		place(&shapes[i], p + at);
		exercise(&shapes[i], p + at);
	}
}

static void mid_page(void) { over_shapes(PAGE + 1000); }
static void first_bytes(void) { over_shapes(0); }
static void page_start(void) { over_shapes(PAGE); }
static void across(void) { over_shapes(PAGE - 1); }
static void page_end(void) { over_shapes(PAGE - 2); }
static void few_in_front(void) { over_shapes(40); }

/* Text of a file: private and shared, the file must not change. */
static void in_file(int flags, bool anonymous_in_front)
{
	unsigned char image[2 * PAGE], now[2 * PAGE], *p;
	char name[] = "/tmp/sites.XXXXXX";
	int fd = mkstemp(name), i;

	need(fd >= 0 && !unlink(name));
	memset(image, 0x90, sizeof(image));
	for (i = 0; i < SHAPES; i++)
		place(&shapes[i], image + 100 * i + 30);
	need_is(write(fd, image, sizeof(image)), sizeof(image));
	p = memory(RWX, MAP_PRIVATE | MAP_ANONYMOUS, -1, 4 * PAGE);
	if (anonymous_in_front)
		memset(p, 0x90, PAGE);
	else
		need(!munmap(p, PAGE));
	need(mmap(p + PAGE, 2 * PAGE, flags & MAP_SHARED ? RWX : PROT_READ | PROT_EXEC,
		  flags | MAP_FIXED, fd, 0) == p + PAGE);
	for (i = 0; i < SHAPES; i++)
		exercise(&shapes[i], p + PAGE + 100 * i + 30);
	need_is(pread(fd, now, sizeof(now), 0), sizeof(now));
	for (i = 0; i < (int)sizeof(now); i++)
		if (now[i] != image[i])
			claim_failed(__FILE__, __LINE__, "the file changed at %d: %x, was %x", i,
				     now[i], image[i]);
	if (flags & MAP_SHARED)
		need(!memcmp(p + PAGE, image, sizeof(image)));
}

static void file_private(void) { in_file(MAP_PRIVATE, false); }
static void file_shared(void) { in_file(MAP_SHARED, false); }
static void file_shared_behind_private(void) { in_file(MAP_SHARED, true); }

/* The last bytes of a mapping: the program ends behind them, with the result in rax. */
static volatile uint64_t end_rip, end_rax;
static void end_handler(int sig, siginfo_t *si, void *p)
{
	greg_t *g = ((ucontext_t *)p)->uc_mcontext.gregs;

	(void)sig;
	end_rip = (uint64_t)g[REG_RIP];
	end_rax = (uint64_t)g[REG_RAX];
	need(si->si_addr == (void *)end_rip);
	g[REG_RIP] = (greg_t)state_in.reg[R15];
}

static void mapping_end(void)
{
	struct sigaction sa = { .sa_sigaction = end_handler, .sa_flags = SA_SIGINFO };
	unsigned char *p = memory(RWX, MAP_PRIVATE | MAP_ANONYMOUS, -1, 2 * PAGE);
	unsigned char *site = p + PAGE - 2;
	int i;

	memset(p, 0x90, PAGE);
	place(&shapes[0], site - 8);
	memset(site - 8, 0x90, 8);
	memcpy(site - shapes[0].len, shapes[0].code, (size_t)shapes[0].len);
	site[0] = 0x0f;
	site[1] = 0x05;
	need(!munmap(p + PAGE, PAGE));
	need(!sigaction(SIGSEGV, &sa, NULL));
	for (i = 0; i < 10; i++) {
		fresh_state(0);
		state_code = site - shapes[0].len;
		end_rip = end_rax = 0;
		run();
		need_is(end_rip, (uintptr_t)p + PAGE);
		need_is(end_rax, getppid());
	}
}

/* A program that writes code writes over code that has run. */
static void rewritten_whole(void)
{
	unsigned char *p = memory(RWX, MAP_PRIVATE | MAP_ANONYMOUS, -1, 2 * PAGE);
	int round, i;

	for (round = 0; round < 3; round++)
		for (i = 0; i < SHAPES; i++) {
			memset(p, 0x90, 2 * PAGE);
			place(&shapes[i], p + 500);
			exercise(&shapes[i], p + 500);
		}
}

static void only_the_immediate(bool by_mprotect)
{
	unsigned char *p = memory(RWX, MAP_PRIVATE | MAP_ANONYMOUS, -1, PAGE), *site = p + 500;
	int i, prot = by_mprotect ? PROT_READ | PROT_EXEC : RWX;

	memset(p, 0x90, PAGE);
	place(&shapes[0], site);
	need(!mprotect(p, PAGE, prot));
	for (i = 0; i < 10; i++) {
		fresh_state(0);
		enter("before", site - 5, site, &shapes[0], false);
	}
	need(!mprotect(p, PAGE, PROT_READ | PROT_WRITE));
	site[-4] = 0;				/* now it is read() */
	need(!mprotect(p, PAGE, prot));
	for (i = 0; i < 10; i++) {
		fresh_state(0);
		state_in.reg[DI] = (uint64_t)-1;
		state_code = site - 5;
		run();
		need_is(state_out.reg[AX], -EBADF);
	}
}

static void immediate_in_rwx(void) { only_the_immediate(false); }
static void immediate_by_mprotect(void) { only_the_immediate(true); }

static void code_moves(void)
{
	unsigned char *p = memory(RWX, MAP_PRIVATE | MAP_ANONYMOUS, -1, PAGE), *q;

	memset(p, 0x90, PAGE);
	place(&shapes[0], p + 500);
	exercise(&shapes[0], p + 500);
	/* Moved by the kernel. */
	q = memory(PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 1 << 30);
	need(mremap(p, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, q + (512 << 20)) ==
	     q + (512 << 20));
	exercise(&shapes[0], q + (512 << 20) + 500);
	/* Gone, and other code in its place. */
	need(mmap(p, PAGE, RWX, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == p);
	memset(p, 0x90, PAGE);
	place(&shapes[4], p + 500);
	exercise(&shapes[4], p + 500);
}

/* Two calls without anything in between, and a loop of one. */
static void back_to_back(void)
{
	static const unsigned char code[] = {
		0xb8, 110, 0, 0, 0, 0x0f, 0x05,			/* getppid */
		0xb8, 110, 0, 0, 0, 0x0f, 0x05,
		0x89, 0xc3,					/* ebx = it */
		0xb8, 39, 0, 0, 0, 0x0f, 0x05,			/* getpid */
		0x41, 0xff, 0xe7,
	};
	unsigned char *p = memory(RWX, MAP_PRIVATE | MAP_ANONYMOUS, -1, PAGE);
	int i;

	memset(p, 0x90, PAGE);
	memcpy(p + 200, code, sizeof(code));
	for (i = 0; i < 1000; i++) {
		fresh_state(1);
		state_code = p + 200;
		run();
		need_is(state_out.reg[AX], getpid());
		need_is(state_out.reg[BX], getppid());
	}
}

static uint32_t random_state = 1;
static unsigned int random_below(unsigned int n)
{
	random_state = random_state * 1103515245 + 12345;
	return (random_state >> 8) % n;
}

/* Sites behind bytes of any kind: code that the decoder knows, and data that it does not. */
static void in_random_text(void)
{
	unsigned char *p = memory(RWX, MAP_PRIVATE | MAP_ANONYMOUS, -1, 64 * PAGE), *site;
	const struct shape *s, *decoy;
	int i, n, k;

	for (i = 0; i < 1500; i++) {
		site = p + 200 + 170 * i;
		for (n = 1; n <= 100; n++)
			site[-n] = (unsigned char)random_below(256);
		/* Decoys: what looks like an instruction in front, and is not entered there. */
		for (n = 20; n < 90; n += 7) {
			decoy = &shapes[random_below(SHAPES)];
			if (random_below(3))
				memcpy(site - n, decoy->code,
				       decoy->len > 6 ? 6 : (size_t)decoy->len);
		}
		s = &shapes[i % SHAPES];
		place(s, site);
		for (k = 0; k < 6; k++) {
			fresh_state((unsigned int)k);
			if (s->prepare)
				s->prepare();
			enter(s->name, site - s->len + first_instruction(s), site, s,
			      arithmetic(s));
			fresh_state((unsigned int)k);
			state_in.reg[AX] = SYS_getppid;
			enter("jump to the syscall itself", site, site, NULL, false);
		}
	}
}

/*
 * The byte sequence b8 imm32 is the tail of a longer instruction that is the real one, and its
 * register holds the right value: the true instruction must go on to do its work.
 */
static void misleading_tails(void)
{
	/* movabs $0x0000006eb8909090, %r12: its last bytes look like mov $0x6e, %eax */
	static const unsigned char code[] = {
		0x49, 0xbc, 0x90, 0x90, 0x90, 0xb8, 110, 0, 0, 0, 0x0f, 0x05, 0x41, 0xff, 0xe7,
	};
	unsigned char *p = memory(RWX, MAP_PRIVATE | MAP_ANONYMOUS, -1, PAGE);
	int i;

	memset(p, 0x90, PAGE);
	memcpy(p + 200, code, sizeof(code));
	for (i = 0; i < 20; i++) {
		fresh_state(0);
		state_in.reg[AX] = 110;
		state_code = p + 200;
		run();
		need_is(state_out.reg[AX], getppid());
		need_is(state_out.reg[R12], 0x0000006eb8909090);
	}
}

/* Flags that change how the CPU works must not reach the kernel's own code. */
static void odd_flags(void)
{
	static const uint64_t flags[] = { 0x400, 0x40000, 0x200000, 0x400 | 0x40000 | 0x8d5,
					  0x4000 };
	unsigned char *p = memory(RWX, MAP_PRIVATE | MAP_ANONYMOUS, -1, PAGE);
	static char unaligned[] __attribute__((aligned(16))) = "x/proc/self/stat";
	const char *path = unaligned + 1;
	struct stat st;
	size_t i;
	int n;

	memset(p, 0x90, PAGE);
	place(&shapes[0], p + 500);
	place(&shapes[25], p + 600);
	for (i = 0; i < sizeof(flags) / sizeof(flags[0]); i++)
		for (n = 0; n < 20; n++) {
			fresh_state(0);
			state_in.flags = 0x202 | flags[i];
			enter("odd flags", p + 500 - 5, p + 500, &shapes[0], false);
			/* A larger call: stat of a file in /proc. */
			fresh_state(0);
			state_in.flags = 0x202 | flags[i];
			state_in.reg[AX] = SYS_stat;
			state_in.reg[DI] = (uintptr_t)path;
			state_in.reg[SI] = (uintptr_t)&st;
			state_code = p + 600 - shapes[25].len;
			run();
			need_is(state_out.reg[AX], 0);
			need_is(state_out.flags & 0x240fd5, state_in.flags & 0x240fd5);
		}
}

/* No stack at all: rsp is only a number. */
static void without_stack(void)
{
	static const unsigned char code[] = {
		0x48, 0x89, 0xe5,			/* mov %rsp, %rbp */
		0x31, 0xe4,				/* xor %esp, %esp */
		0xb8, 110, 0, 0, 0, 0x0f, 0x05,
		0x48, 0x89, 0xec,			/* mov %rbp, %rsp */
		0x41, 0xff, 0xe7,
	};
	unsigned char *p = memory(RWX, MAP_PRIVATE | MAP_ANONYMOUS, -1, PAGE);
	int i;

	memset(p, 0x90, PAGE);
	memcpy(p + 200, code, sizeof(code));
	for (i = 0; i < 100; i++) {
		fresh_state(0);
		state_code = p + 200;
		run();
		need_is(state_out.reg[AX], getppid());
		need_is(state_out.reg[SP], state_in.reg[SP]);
	}
}

/* Numbers that no kernel knows, x32's among them, and high halves, which do not count. */
static void numbers(void)
{
	int i;

	for (i = 0; i < 5; i++) {
		need(syscall(100000) == -1 && errno == ENOSYS);
		need(syscall(-1) == -1 && errno == ENOSYS);
		need(syscall(0x40000000L | SYS_getppid) == -1 && errno == ENOSYS);
		need(syscall(0x7fffffff) == -1 && errno == ENOSYS);
	}
}

/* After fork both run the same sites; each has patched some. */
static void after_fork(void)
{
	unsigned char *p = memory(RWX, MAP_PRIVATE | MAP_ANONYMOUS, -1, 2 * PAGE);
	int i, status, round;
	pid_t pid;

	memset(p, 0x90, 2 * PAGE);
	for (i = 0; i < SHAPES; i++)
		place(&shapes[i], p + 100 * i + 100);
	for (i = 0; i < SHAPES; i += 3)
		exercise(&shapes[i], p + 100 * i + 100);
	for (round = 0; round < 3; round++) {
		pid = fork();
		for (i = round; i < SHAPES; i++) {
			exercise(&shapes[i], p + 100 * i + 100);
			sched_yield();
		}
		if (!pid)
			_exit(0);
		need_is(waitpid(pid, &status, 0), pid);
		need_is(status, 0);
	}
}

/* Thousands of sites: room for stubs may end, calls may not go wrong. */
static void ten_thousand(void)
{
	unsigned char *p = memory(RWX, MAP_PRIVATE | MAP_ANONYMOUS, -1, 10000 * 100 + PAGE);
	int i, n;

	memset(p, 0x90, 10000 * 100 + PAGE);
	for (i = 0; i < 10000; i++)
		place(&shapes[i % SHAPES], p + 100 * i + 80);
	for (n = 0; n < 4; n++)
		for (i = 0; i < 10000; i++) {
			fresh_state((unsigned int)n);
			if (shapes[i % SHAPES].prepare)
				shapes[i % SHAPES].prepare();
			enter(shapes[i % SHAPES].name,
			      p + 100 * i + 80 - shapes[i % SHAPES].len +
				      first_instruction(&shapes[i % SHAPES]),
			      p + 100 * i + 80, &shapes[i % SHAPES],
			      arithmetic(&shapes[i % SHAPES]));
		}
}

/* The whole of a program's own address space may be used, whatever was put into it. */
static void unmaps_around(void)
{
	unsigned char *p = memory(RWX, MAP_PRIVATE | MAP_ANONYMOUS, -1, PAGE);
	uintptr_t chunk = 64 << 20, at;

	memset(p, 0x90, PAGE);
	place(&shapes[0], p + 500);
	exercise(&shapes[0], p + 500);
	for (at = (uintptr_t)p / chunk * chunk + chunk; at < (uintptr_t)p + 40 * chunk;
	     at += chunk) {
		void *q = mmap((void *)at, PAGE, PROT_READ,
			       MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);

		if (q == MAP_FAILED)
			claim_failed(__FILE__, __LINE__, "no page at %lx", at);
	}
	exercise(&shapes[0], p + 500);
}

int main(int argc, char **argv)
{
	claims_begin(argc, argv);
	close(0);
	open("/dev/null", O_RDONLY);
	claim("28 shapes, in the middle of a page", mid_page);
	claim("28 shapes, their syscall at the start of a page", page_start);
	claim("28 shapes, their syscall across two pages", across);
	claim("28 shapes, their syscall at the end of a page", page_end);
	claim("28 shapes at the very start of a mapping", first_bytes);
	claim("28 shapes with few bytes in front", few_in_front);
	claim("28 shapes in read-only text of a file", file_private);
	claim("28 shapes in a shared mapping of a file, which does not change", file_shared);
	claim("28 shapes in a shared mapping behind a private one", file_shared_behind_private);
	claim("at the end of a mapping: SIGSEGV behind it, with the result", mapping_end);
	claim("code is written over by its program, whole", rewritten_whole);
	claim("code is written over: only an immediate, in RWX memory", immediate_in_rwx);
	claim("code is written over: only an immediate, by mprotect", immediate_by_mprotect);
	claim("code is moved by mremap, and replaced", code_moves);
	claim("calls back to back", back_to_back);
	claim("1500 sites behind random bytes and decoys", in_random_text);
	claim("the tail of a longer instruction looks like another", misleading_tails);
	claim("direction, alignment check and identification flags", odd_flags);
	claim("without a stack", without_stack);
	claim("unknown numbers, and x32's, are ENOSYS", numbers);
	claim("after fork, both patch the same sites", after_fork);
	claim("ten thousand sites", ten_thousand);
	claim("the program may map anything around its own text", unmaps_around);
	return claims_done();
}

// SPDX-License-Identifier: GPL-2.0-only
/* Boot: what start_kernel() asks of the architecture; /proc/cpuinfo; the end of the system. */
#include <linux/kernel.h>
#include <linux/init.h>
#include <linux/cpu.h>
#include <linux/memblock.h>
#include <linux/mm.h>
#include <linux/panic_notifier.h>
#include <linux/random.h>
#include <linux/reboot.h>
#include <linux/seq_file.h>
#include <linux/string.h>
#include <linux/utsname.h>
#include <asm/cpufeature.h>
#include <asm/processor.h>
#include <asm/setup.h>
#include <asm/text-patching.h>
#include <kern_util.h>
#include "entry.h"
#include "host.h"
#include "launch.h"

extern char nabla_cmdline[COMMAND_LINE_SIZE];
extern u8 nabla_seed[64];

struct cpuinfo_um boot_cpu_data = {
	.cache_alignment = L1_CACHE_BYTES,
};
EXPORT_SYMBOL(boot_cpu_data);

long elf_aux_hwcap, elf_aux_hwcap2;

/* Words of x86_capability, as arch/x86/include/asm/cpufeature.h numbers them. */
enum {
	W_1_EDX = 0,
	W_81_EDX = 1,
	W_1_ECX = 4,
	W_81_ECX = 6,
	W_7_EBX = 9,
	W_7_ECX = 16,
	W_7_EDX = 18
};

static char cpu_model[49];
static char cpu_vendor[13];

static void cpuid(u32 leaf, u32 sub, u32 r[4])
{
	asm volatile("cpuid" : "=a" (r[0]), "=b" (r[1]), "=c" (r[2]), "=d" (r[3])
		     : "0" (leaf), "2" (sub));
}

/* What the CPU has, for /proc/cpuinfo only: programs ask CPUID themselves. */
static void __init read_cpu(void)
{
	u32 r[4], max, i;

	cpuid(0, 0, r);
	max = r[0];
	memcpy(cpu_vendor, &r[1], 4);
	memcpy(cpu_vendor + 4, &r[3], 4);
	memcpy(cpu_vendor + 8, &r[2], 4);
	cpuid(1, 0, r);
	boot_cpu_data.x86_capability[W_1_EDX] = r[3];
	boot_cpu_data.x86_capability[W_1_ECX] = r[2];
	elf_aux_hwcap = r[3];
	elf_aux_hwcap2 = nabla_has_fsgsbase ? 2 : 0;	/* HWCAP2_FSGSBASE */
	if (max >= 7) {
		cpuid(7, 0, r);
		boot_cpu_data.x86_capability[W_7_EBX] = r[1];
		boot_cpu_data.x86_capability[W_7_ECX] = r[2];
		boot_cpu_data.x86_capability[W_7_EDX] = r[3];
	}
	cpuid(0x80000001, 0, r);
	boot_cpu_data.x86_capability[W_81_EDX] = r[3];
	boot_cpu_data.x86_capability[W_81_ECX] = r[2];
	for (i = 0; i < 3; i++) {
		cpuid(0x80000002 + i, 0, r);
		memcpy(cpu_model + 16 * i, r, 16);
	}
}

static int show_cpuinfo(struct seq_file *m, void *v)
{
	int i;

	seq_printf(m, "processor\t: 0\nvendor_id\t: %s\nmodel name\t: %s\n", cpu_vendor,
		   strim(cpu_model));
	seq_puts(m, "physical id\t: 0\nsiblings\t: 1\ncore id\t\t: 0\ncpu cores\t: 1\nfpu\t\t: "
		    "yes\nflags\t\t:");
	for (i = 0; i < 32 * NCAPINTS; i++)
		if (cpu_has(&boot_cpu_data, i) && x86_cap_flags[i])
			seq_printf(m, " %s", x86_cap_flags[i]);
	seq_printf(m, "\ncache_alignment\t: %d\n\n", boot_cpu_data.cache_alignment);
	return 0;
}

static void *c_start(struct seq_file *m, loff_t *pos)
{
	return *pos < nr_cpu_ids ? &boot_cpu_data : NULL;
}

static void *c_next(struct seq_file *m, void *v, loff_t *pos)
{
	++*pos;
	return c_start(m, pos);
}

static void c_stop(struct seq_file *m, void *v)
{
}

const struct seq_operations cpuinfo_op = {
	.start	= c_start,
	.next	= c_next,
	.stop	= c_stop,
	.show	= show_cpuinfo,
};

void __init setup_arch(char **cmdline_p)
{
	nabla_memory_setup();
	paging_init();
	read_cpu();
	strscpy(init_utsname()->machine, "x86_64", sizeof(init_utsname()->machine));
	strscpy(boot_command_line, nabla_cmdline, COMMAND_LINE_SIZE);
	*cmdline_p = nabla_cmdline;
	add_bootloader_randomness(nabla_seed, sizeof(nabla_seed));
	memzero_explicit(nabla_seed, sizeof(nabla_seed));
}

void __init arch_cpu_finalize_init(void)
{
}

/* Ending the system ends the process. An orderly end is the init's report (control.c). */

void (*pm_power_off)(void);

void machine_restart(char *cmd)
{
	do_kernel_restart(cmd);
	host_exit(0);
}

void machine_power_off(void)
{
	host_exit(0);
}

void machine_halt(void)
{
	host_exit(0);
}

static int power_off(struct sys_off_data *data)
{
	host_exit(0);
}

static int __init register_power_off(void)
{
	register_sys_off_handler(SYS_OFF_MODE_POWER_OFF, SYS_OFF_PRIO_DEFAULT, power_off, NULL);
	return 0;
}
__initcall(register_power_off);

/* Code patching does not exist here: text is read-only for good. */

void apply_alternatives(struct alt_instr *start, struct alt_instr *end)
{
}

void *text_poke(void *addr, const void *opcode, size_t len)
{
	panic("code patching");
}

void text_poke_sync(void)
{
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * The container's terminal, /dev/hvc0: a normal tty over host descriptors 0 (in) and 1 (out), when
 * the launch record says that these are a terminal. The host's side is in raw mode, so that echo,
 * line editing and ^C are done once, by the line discipline here.
 *
 * Its size is the host terminal's: asked for when it is opened, and at each SIGWINCH (control.c),
 * which the line discipline passes on to whoever is in the foreground here.
 *
 * hvc does the rest: it polls on NABLA_IRQ_STDIO, and its thread comes back when the tty's buffer
 * was full or the host did not take everything.
 */
#include <linux/bits.h>
#include <linux/err.h>
#include <linux/init.h>
#include <linux/minmax.h>
#include <linux/string.h>
#include <linux/tty.h>
#include <linux/tty_port.h>
#include <linux/uio.h>

#include <asm/setup.h>

#include "host.h"
#include "../../../drivers/tty/hvc/hvc_console.h"

#define TTY_IN	0
#define TTY_OUT	1

/* Called with hvc's lock held and interrupts off. 0: nothing there now; -EPIPE: hang up. */
static ssize_t nabla_tty_get(uint32_t vtermno, u8 *buf, size_t count)
{
	struct iovec iov = { .iov_base = buf, .iov_len = count };
	long len;

	if (!(host_stdio_ready() & BIT(TTY_IN)))
		return 0;
	len = host_readv(TTY_IN, &iov, 1);
	if (len == -EAGAIN || len == -EINTR)
		return 0;
	/* The end of a raw terminal, or its -EIO, is the other side's end. */
	return len > 0 ? len : -EPIPE;
}

/*
 * Called with hvc's lock held and interrupts off, and as a console with whatever. 0 while there is
 * no room: for the tty hvc keeps the rest and comes back, and the console drops it. (-EAGAIN would
 * be the same to the tty, but the console spins on it, and a terminal nobody reads would stop the
 * guest.)
 */
static ssize_t nabla_tty_put(uint32_t vtermno, const u8 *buf, size_t count)
{
	struct iovec iov = {
		.iov_base = (u8 *)buf,
		.iov_len = min_t(size_t, count, HOST_STDIO_CHUNK),
	};
	long len;

	if (!(host_stdio_ready() & BIT(TTY_OUT)))
		return 0;
	len = host_writev(TTY_OUT, &iov, 1);
	return len == -EINTR || len == -EAGAIN ? 0 : len;
}

/* At the first open. hvc_resize() would do it later, behind the back of who asks at once. */
static int nabla_tty_add(struct hvc_struct *hp, int irq)
{
	struct tty_struct *tty = tty_port_tty_get(&hp->port);
	struct winsize size;

	if (tty && !host_tty_size(&size))
		tty_do_resize(tty, &size);
	tty_kref_put(tty);
	return notifier_add_irq(hp, irq);
}

static const struct hv_ops nabla_tty_ops = {
	.get_chars		= nabla_tty_get,
	.put_chars		= nabla_tty_put,
	.notifier_add		= nabla_tty_add,
	.notifier_del		= notifier_del_irq,
	.notifier_hangup	= notifier_hangup_irq,
};

static struct hvc_struct *nabla_tty;

void nabla_tty_resized(void)
{
	struct winsize size;

	if (nabla_tty && !host_tty_size(&size))
		hvc_resize(nabla_tty, size);
}

static int __init nabla_tty_init(void)
{
	struct hvc_struct *hp;

	if (!(nabla_launch.flags & NABLA_LAUNCH_TTY))
		return 0;
	hp = hvc_alloc(0, NABLA_IRQ_STDIO, &nabla_tty_ops, HOST_STDIO_CHUNK);
	if (IS_ERR(hp))
		return PTR_ERR(hp);
	nabla_tty = hp;
	return 0;
}
device_initcall(nabla_tty_init);

/*
 * With console=hvc0 the kernel's messages go to the terminal as well, from early on. Without it hvc
 * is not told yet, or it could become the default console: see nabla_console_init().
 */
static int __init nabla_tty_console_init(void)
{
	if ((nabla_launch.flags & NABLA_LAUNCH_TTY) && strstr(boot_command_line, "console=hvc"))
		hvc_instantiate(0, 0, &nabla_tty_ops);
	return 0;
}
console_initcall(nabla_tty_console_init);

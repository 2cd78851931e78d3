// SPDX-License-Identifier: GPL-2.0-only
/*
 * /dev/nabla-control (abi/control.h): signals from the host go to the guest's init as events, and
 * its commands come back; and the ends of the kernel that are not init's choice: panic and restart.
 *
 * Signals are kept as a set, as the host keeps them itself: one that comes again before it was read
 * counts once, and nothing can overflow. They are kept from the start on, whether somebody reads or
 * not.
 */
#include <linux/atomic.h>
#include <linux/bitops.h>
#include <linux/console.h>
#include <linux/fs.h>
#include <linux/init.h>
#include <linux/interrupt.h>
#include <linux/miscdevice.h>
#include <linux/panic_notifier.h>
#include <linux/poll.h>
#include <linux/reboot.h>
#include <linux/signal.h>
#include <linux/spinlock.h>
#include <linux/uaccess.h>
#include <linux/wait.h>

#include "host.h"
#include "abi/control.h"

/*
 * Signals that came and were not read yet: bit N - 1 for signal N, as nabla_take_signals() has
 * them.
 */
static u64 signals_kept;
static DEFINE_SPINLOCK(signals_kept_lock);
static DECLARE_WAIT_QUEUE_HEAD(nabla_control_wait);

/* One opener at a time. */
static atomic_t nabla_control_opened = ATOMIC_INIT(0);

/*
 * With a terminal, SIGWINCH says that its size has changed: the line discipline tells those whom it
 * concerns. Without one it is a signal like others (some servers use it for a graceful end).
 */
static u64 take_signals(void)
{
	u64 signals = nabla_take_signals();

	if ((nabla_launch.flags & NABLA_LAUNCH_TTY) && (signals & BIT_ULL(SIGWINCH - 1))) {
		signals &= ~BIT_ULL(SIGWINCH - 1);
		nabla_tty_resized();
	}
	return signals;
}

static irqreturn_t nabla_signal_irq(int irq, void *data)
{
	u64 signals = take_signals();

	spin_lock(&signals_kept_lock);
	signals_kept |= signals;
	spin_unlock(&signals_kept_lock);
	wake_up_interruptible(&nabla_control_wait);
	return IRQ_HANDLED;
}

/* Take the lowest pending signal as an event; false if there is none. */
static bool event_take(struct nabla_event *event)
{
	bool found;

	spin_lock_irq(&signals_kept_lock);
	found = signals_kept;
	if (found) {
		int bit = __ffs64(signals_kept);

		signals_kept &= ~BIT_ULL(bit);
		*event = (struct nabla_event){ NABLA_EVENT_SIGNAL, bit + 1 };
	}
	spin_unlock_irq(&signals_kept_lock);
	return found;
}

static int nabla_control_open(struct inode *inode, struct file *file)
{
	if (atomic_cmpxchg(&nabla_control_opened, 0, 1))
		return -EBUSY;
	return stream_open(inode, file);
}

static int nabla_control_release(struct inode *inode, struct file *file)
{
	atomic_set(&nabla_control_opened, 0);
	return 0;
}

static ssize_t nabla_control_read(struct file *file, char __user *buf, size_t len, loff_t *pos)
{
	struct nabla_event event;

	if (len != sizeof(event))
		return -EINVAL;
	while (!event_take(&event)) {
		int ret;

		if (file->f_flags & O_NONBLOCK)
			return -EAGAIN;
		ret = wait_event_interruptible(nabla_control_wait, READ_ONCE(signals_kept));
		if (ret)
			return ret;
	}
	return copy_to_user(buf, &event, sizeof(event)) ? -EFAULT : sizeof(event);
}

static ssize_t nabla_control_write(struct file *file, const char __user *buf, size_t len,
				   loff_t *pos)
{
	struct nabla_command command;

	if (len != sizeof(command))
		return -EINVAL;
	if (copy_from_user(&command, buf, sizeof(command)))
		return -EFAULT;
	if (command.type != NABLA_COMMAND_EXIT || command.value > 255)
		return -EINVAL;
	host_exit(command.value);
}

static __poll_t nabla_control_poll(struct file *file, poll_table *wait)
{
	poll_wait(file, &nabla_control_wait, wait);
	return (READ_ONCE(signals_kept) ? EPOLLIN | EPOLLRDNORM : 0) | EPOLLOUT | EPOLLWRNORM;
}

static const struct file_operations nabla_control_fops = {
	.owner		= THIS_MODULE,
	.open		= nabla_control_open,
	.release	= nabla_control_release,
	.read		= nabla_control_read,
	.write		= nabla_control_write,
	.poll		= nabla_control_poll,
};

static struct miscdevice nabla_control_misc = {
	.minor	= MISC_DYNAMIC_MINOR,
	.name	= "nabla-control",
	.fops	= &nabla_control_fops,
	.mode	= 0600,
};

/* After all other notifiers: there is nothing to wait for, and nobody to restart us. */
static int nabla_panic(struct notifier_block *nb, unsigned long event, void *message)
{
	console_flush_on_panic(CONSOLE_FLUSH_PENDING);
	host_exit(NABLA_EXIT_PANIC);
}

static struct notifier_block nabla_panic_block = {
	.notifier_call	= nabla_panic,
	.priority	= INT_MIN,
};

/* A container is not restarted from inside: reboot(2) ends it, as a success. */
static int nabla_restart(struct notifier_block *nb, unsigned long mode, void *command)
{
	host_exit(0);
}

static struct notifier_block nabla_restart_block = {
	.notifier_call	= nabla_restart,
	.priority	= 128,
};

/* Early, so that a panic anywhere in the boot ends the process. */
static int __init nabla_ends_init(void)
{
	int ret = atomic_notifier_chain_register(&panic_notifier_list, &nabla_panic_block);

	return ret ?: register_restart_handler(&nabla_restart_block);
}
early_initcall(nabla_ends_init);

static int __init nabla_control_init(void)
{
	int ret = request_irq(NABLA_IRQ_SIGNAL, nabla_signal_irq, 0, "nabla-signal",
			      &nabla_control_misc);

	if (ret)
		return ret;

	/* Signals that came before there was a handler. */
	local_irq_disable();
	nabla_signal_irq(NABLA_IRQ_SIGNAL, NULL);
	local_irq_enable();

	return misc_register(&nabla_control_misc);
}
device_initcall(nabla_control_init);

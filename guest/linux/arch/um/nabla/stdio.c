// SPDX-License-Identifier: GPL-2.0-only
/*
 * Descriptors 0-2 of the host process as /dev/nabla-stdin, -stdout, -stderr (abi/control.h), when
 * the container has no terminal; and the kernel's own console on descriptor 2, when asked for.
 *
 * The descriptors are shared with others and stay in blocking mode, so that a transfer which blocks
 * stops the whole guest. Each transfer therefore looks with host_stdio_ready() first, under a lock
 * that keeps other guest threads from using up the readiness in between. What host_stdio_ready()
 * cannot wait for (regular files, /dev/null) it reports as ready always.
 *
 * Sleeping is the usual wait for a level: the condition asks the host, and the interrupt, which
 * comes with each edge, wakes whoever is to ask again.
 */
#include <linux/console.h>
#include <linux/fs.h>
#include <linux/init.h>
#include <linux/interrupt.h>
#include <linux/miscdevice.h>
#include <linux/mutex.h>
#include <linux/poll.h>
#include <linux/sched/signal.h>
#include <linux/splice.h>
#include <linux/string.h>
#include <linux/uio.h>
#include <linux/wait.h>

#include <asm/setup.h>

#include "host.h"
#include "abi/control.h"

#define STDIN	0
#define STDOUT	1
#define STDERR	2

struct nabla_stream {
	struct miscdevice misc;
	/* The host's descriptor, and its bit in host_stdio_ready(). */
	int fd;
	struct mutex lock;
	/* Under the lock. The kernel's copy of what passes: the host sees no user address. */
	u8 buf[HOST_STDIO_CHUNK];
};

static DECLARE_WAIT_QUEUE_HEAD(nabla_stdio_wait);

static bool stream_ready(const struct nabla_stream *st)
{
	return host_stdio_ready() & BIT(st->fd);
}

static struct nabla_stream *stream_of(struct file *file)
{
	return container_of(file->private_data, struct nabla_stream, misc);
}

/*
 * Take the lock with the descriptor ready. -EAGAIN: not ready, and the caller does not want to
 * wait; -ERESTARTSYS: a signal came first.
 */
static int stream_lock_ready(struct nabla_stream *st, struct kiocb *iocb)
{
	bool nowait = (iocb->ki_flags & IOCB_NOWAIT) || (iocb->ki_filp->f_flags & O_NONBLOCK);

	for (;;) {
		int ret = mutex_lock_interruptible(&st->lock);

		if (ret)
			return -ERESTARTSYS;
		if (stream_ready(st))
			return 0;
		mutex_unlock(&st->lock);

		if (nowait)
			return -EAGAIN;
		ret = wait_event_interruptible(nabla_stdio_wait, stream_ready(st));
		if (ret)
			return ret;
	}
}

/* One read of the host, at most one chunk: a short read is what a pipe gives, too. */
static ssize_t nabla_stdin_read(struct kiocb *iocb, struct iov_iter *to)
{
	struct nabla_stream *st = stream_of(iocb->ki_filp);
	struct iovec iov = {
		.iov_base = st->buf,
		.iov_len = min_t(size_t, iov_iter_count(to), sizeof(st->buf)),
	};
	long len;

	if (!iov.iov_len)
		return 0;
	do {
		int ret = stream_lock_ready(st, iocb);

		if (ret)
			return ret;
		len = host_readv(st->fd, &iov, 1);
		/* A fault in the user's buffer loses what was read, as it does on a terminal. */
		if (len > 0 && copy_to_iter(st->buf, len, to) != len)
			len = -EFAULT;
		mutex_unlock(&st->lock);
	} while (len == -EAGAIN || len == -EINTR);
	return len;
}

/* One chunk from @from; the bytes that the host did not take are given back to @from. */
static long stream_write_chunk(struct nabla_stream *st, struct iov_iter *from)
{
	struct iovec iov = {
		.iov_base = st->buf,
		.iov_len = copy_from_iter(st->buf, min_t(size_t, iov_iter_count(from),
							  sizeof(st->buf)), from),
	};
	long len;

	if (!iov.iov_len)
		return -EFAULT;
	len = host_writev(st->fd, &iov, 1);
	iov_iter_revert(from, iov.iov_len - max(len, 0L));
	return len;
}

static ssize_t nabla_stdout_write(struct kiocb *iocb, struct iov_iter *from)
{
	struct nabla_stream *st = stream_of(iocb->ki_filp);
	ssize_t done = 0;

	while (iov_iter_count(from)) {
		long len = stream_lock_ready(st, iocb);

		if (!len) {
			len = stream_write_chunk(st, from);
			mutex_unlock(&st->lock);
			if (len == -EAGAIN || len == -EINTR)
				continue;
		}
		if (len < 0) {
			/*
			 * As a pipe does it: the signal always, the error when nothing was written.
			 */
			if (len == -EPIPE)
				send_sig(SIGPIPE, current, 0);
			return done ?: len;
		}
		done += len;
	}
	return done;
}

static __poll_t stream_poll(struct file *file, poll_table *wait, __poll_t mask)
{
	poll_wait(file, &nabla_stdio_wait, wait);
	return stream_ready(stream_of(file)) ? mask : 0;
}

/* A closed writer is readable: the read gives the end of file. */
static __poll_t nabla_stdin_poll(struct file *file, poll_table *wait)
{
	return stream_poll(file, wait, EPOLLIN | EPOLLRDNORM);
}

static __poll_t nabla_stdout_poll(struct file *file, poll_table *wait)
{
	return stream_poll(file, wait, EPOLLOUT | EPOLLWRNORM);
}

/* misc_open() has put the miscdevice into private_data, which stream_open() leaves alone. */
static int nabla_stream_open(struct inode *inode, struct file *file)
{
	return stream_open(inode, file);
}

static const struct file_operations nabla_stdin_fops = {
	.owner		= THIS_MODULE,
	.open		= nabla_stream_open,
	.read_iter	= nabla_stdin_read,
	.splice_read	= copy_splice_read,
	.poll		= nabla_stdin_poll,
};

static const struct file_operations nabla_stdout_fops = {
	.owner		= THIS_MODULE,
	.open		= nabla_stream_open,
	.write_iter	= nabla_stdout_write,
	.splice_write	= iter_file_splice_write,
	.poll		= nabla_stdout_poll,
};

#define STREAM(_fd, _name, _fops)			\
	[_fd] = {					\
		.fd = _fd,				\
		.misc = {				\
			.minor = MISC_DYNAMIC_MINOR,	\
			.name = _name,			\
			.fops = _fops,			\
			.mode = 0666,			\
		},					\
	}

static struct nabla_stream nabla_stream[] = {
	STREAM(STDIN, "nabla-stdin", &nabla_stdin_fops),
	STREAM(STDOUT, "nabla-stdout", &nabla_stdout_fops),
	STREAM(STDERR, "nabla-stderr", &nabla_stdout_fops),
};

static irqreturn_t nabla_stdio_irq(int irq, void *data)
{
	wake_up_interruptible(&nabla_stdio_wait);
	return IRQ_HANDLED;
}

static int __init nabla_stdio_init(void)
{
	unsigned int i;
	int ret;

	/* The terminal has the descriptors and the interrupt to itself: see tty.c. */
	if (nabla_launch.flags & NABLA_LAUNCH_TTY)
		return 0;

	ret = request_irq(NABLA_IRQ_STDIO, nabla_stdio_irq, 0, "nabla-stdio", nabla_stream);
	if (ret)
		return ret;
	for (i = 0; i < ARRAY_SIZE(nabla_stream); i++) {
		mutex_init(&nabla_stream[i].lock);
		ret = misc_register(&nabla_stream[i].misc);
		if (ret)
			pr_err("nabla: %s: error %d\n", nabla_stream[i].misc.name, ret);
	}
	return 0;
}
device_initcall(nabla_stdio_init);

/*
 * The kernel's messages on descriptor 2, with console=nabla. They are dropped rather than waited
 * for: a console may be called with interrupts off, in a panic, with any lock held.
 */
static void nabla_console_write(struct console *con, const char *s, unsigned int len)
{
	while (len && (host_stdio_ready() & BIT(STDERR))) {
		struct iovec iov = {
			.iov_base = (char *)s,
			.iov_len = min_t(unsigned int, len, HOST_STDIO_CHUNK),
		};
		long done = host_writev(STDERR, &iov, 1);

		if (done == -EINTR)
			continue;
		if (done <= 0)
			return;
		s += done;
		len -= done;
	}
}

static struct console nabla_console = {
	.name	= "nabla",
	.write	= nabla_console_write,
	.flags	= CON_PRINTBUFFER | CON_ANYTIME,
	.index	= -1,
};

static int __init nabla_console_init(void)
{
	/*
	 * Without any console= the first console registered, ours or hvc, becomes the default, and
	 * messages would run into the container's output. A preferred console that is not there
	 * prevents it: it is what console=null does.
	 */
	if (strstr(boot_command_line, "console=nabla"))
		register_console(&nabla_console);
	else if (!strstr(boot_command_line, "console="))
		add_preferred_console("ttynull", 0, NULL);
	return 0;
}
console_initcall(nabla_console_init);

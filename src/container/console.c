/* SPDX-License-Identifier: GPL-2.0-only */
/* The console of a container: a pseudoterminal and who gets which end. */
#include "container/console.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <termios.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/path.h"

static int console_set_raw(int slave, uint16_t rows, uint16_t columns)
{
	const struct winsize size = { .ws_row = rows, .ws_col = columns };
	struct termios t;

	if (tcgetattr(slave, &t) < 0)
		return -errno;
	cfmakeraw(&t);
	if (tcsetattr(slave, TCSANOW, &t) < 0)
		return -errno;
	if (rows > 0 && columns > 0 && ioctl(slave, TIOCSWINSZ, &size) < 0)
		return -errno;
	return 0;
}

int console_open(uint16_t rows, uint16_t columns, int *master, int *slave, struct err *e)
{
	_autoclose_ int m = -1;
	_autoclose_ int s = -1;
	int unlock = 0;
	int r;

	m = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (m < 0)
		return err_set(e, -errno, "open /dev/ptmx");
	if (ioctl(m, TIOCSPTLCK, &unlock) < 0)
		return err_set(e, -errno, "unlock pseudoterminal");
	/* By descriptor, not by name: /dev/pts may be another instance's. Linux 4.13. */
	s = ioctl(m, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (s < 0)
		return err_set(e, -errno, "open pseudoterminal");
	r = console_set_raw(s, rows, columns);
	if (r < 0)
		return err_set(e, r, "set pseudoterminal to raw mode");
	*master = take_fd(&m);
	*slave = take_fd(&s);
	return 0;
}

/* Connect by way of the directory's descriptor: sun_path holds 107 bytes, real paths are longer. */
static int console_connect(const char *path, int *fd, struct err *e)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	_autofree_ char *dir = strdup(path);
	_autoclose_ int dirfd = -1;
	_autoclose_ int s = -1;
	const char *name = path_basename(path);
	int len;

	if (!dir)
		return err_set(e, -ENOMEM, "console socket '%s'", path);
	dir[name - path] = '\0';
	dirfd = open(dir[0] ? dir : ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (dirfd < 0)
		return err_set(e, -errno, "console socket '%s'", path);
	len = snprintf(addr.sun_path, sizeof(addr.sun_path), "/proc/self/fd/%d/%s", dirfd, name);
	if (len < 0 || (size_t)len >= sizeof(addr.sun_path))
		return err_set(e, -ENAMETOOLONG, "console socket '%s'", path);

	s = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (s < 0 || connect(s, (struct sockaddr *)&addr, sizeof(addr)) < 0)
		return err_set(e, -errno, "connect to console socket '%s'", path);
	*fd = take_fd(&s);
	return 0;
}

int console_send(const char *path, int master, struct err *e)
{
	/* runc sends the terminal's name along; conmon and containerd read and ignore it. */
	static char name[] = "/dev/ptmx";
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(int))];
	} control = { .space = { 0 } };
	struct iovec iov = { .iov_base = name, .iov_len = sizeof(name) - 1 };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control,
			      .msg_controllen = sizeof(control) };
	struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
	_autoclose_ int s = -1;
	int r = console_connect(path, &s, e);

	if (r < 0)
		return r;
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &master, sizeof(master));
	if (sendmsg(s, &msg, MSG_NOSIGNAL) < 0)
		return err_set(e, -errno, "send the terminal to console socket '%s'", path);
	return 0;
}

int console_become_take_fd(int slave, struct err *e)
{
	_autoclose_ int fd = slave;

	/* The process leads a new session: this makes the terminal send it SIGWINCH and SIGHUP. */
	if (ioctl(fd, TIOCSCTTY, 0) < 0)
		return err_set(e, -errno, "make the pseudoterminal the controlling terminal");
	for (int i = 0; i <= 2; i++)
		if (dup2(fd, i) < 0)
			return err_set(e, -errno, "make the pseudoterminal descriptor %d", i);
	if (fd <= 2)
		take_fd(&fd);
	return 0;
}

// SPDX-License-Identifier: GPL-2.0-only
/* Waiting for events, and moving data: descriptors of all kinds. */
#include "claim.h"

#include <linux/aio_abi.h>
#include <mqueue.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/sendfile.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <netinet/in.h>

static int epoll_of(int fd, uint32_t events)
{
	struct epoll_event ev = { .events = events, .data.fd = fd };
	int ep = epoll_create1(0);

	need(ep >= 0 && !epoll_ctl(ep, EPOLL_CTL_ADD, fd, &ev));
	return ep;
}

static void epolls(void)
{
	struct epoll_event ev;
	int fd[2], ep;
	uint64_t n = 3;

	fd[0] = eventfd(0, EFD_NONBLOCK);
	ep = epoll_of(fd[0], EPOLLIN | EPOLLET);
	need_is(epoll_wait(ep, &ev, 1, 0), 0);
	need(write(fd[0], &n, 8) == 8);
	need(epoll_wait(ep, &ev, 1, -1) == 1 && ev.data.fd == fd[0] && ev.events == EPOLLIN);
	need_is(epoll_wait(ep, &ev, 1, 10), 0);
	need(read(fd[0], &n, 8) == 8 && n == 3);
	need(read(fd[0], &n, 8) == -1 && errno == EAGAIN);
	need(!pipe(fd));
	ep = epoll_of(fd[0], EPOLLIN);
	if (!fork()) {
		usleep(20000);
		need(write(fd[1], "x", 1) == 1);
		_exit(0);
	}
	close(fd[1]);
	need(epoll_wait(ep, &ev, 1, 5000) == 1 && ev.events & EPOLLIN);
	wait(NULL);
	need(epoll_wait(ep, &ev, 1, 5000) == 1 && ev.events & EPOLLHUP);
}

static void signalfds(void)
{
	struct signalfd_siginfo si;
	sigset_t set;
	int fd;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, NULL);
	fd = signalfd(-1, &set, 0);
	need(fd >= 0);
	raise(SIGUSR1);
	need(read(fd, &si, sizeof(si)) == sizeof(si) && si.ssi_signo == SIGUSR1);
	if (!fork())
		_exit(3);
	need(read(fd, &si, sizeof(si)) == sizeof(si) && si.ssi_signo == SIGCHLD &&
	     si.ssi_status == 3);
}

static void inotifies(void)
{
	char dir[] = "/tmp/notify.XXXXXX", buf[4096], path[64];
	struct inotify_event *ev = (void *)buf;
	int fd = inotify_init1(0), f;

	need(mkdtemp(dir) && fd >= 0);
	need(inotify_add_watch(fd, dir, IN_CREATE | IN_DELETE | IN_CLOSE_WRITE) > 0);
	snprintf(path, sizeof(path), "%s/file", dir);
	f = open(path, O_CREAT | O_WRONLY, 0600);
	need(read(fd, buf, sizeof(buf)) > 0 && ev->mask == IN_CREATE && !strcmp(ev->name, "file"));
	close(f);
	need(read(fd, buf, sizeof(buf)) > 0 && ev->mask == IN_CLOSE_WRITE);
	need(!unlink(path));
	need(read(fd, buf, sizeof(buf)) > 0 && ev->mask == IN_DELETE);
	need(!rmdir(dir));
}

static void sysv_ipc(void)
{
	struct { long type; char text[20]; } m = { 5, "message" };
	struct sembuf down = { 0, -1, 0 }, up = { 0, 1, 0 };
	int q = msgget(IPC_PRIVATE, IPC_CREAT | 0600),
	    s = semget(IPC_PRIVATE, 1, IPC_CREAT | 0600), status;

	need(q >= 0 && s >= 0);
	if (!fork()) {
		need(!msgsnd(q, &m, 20, 0));
		need(!semop(s, &down, 1));
		_exit(0);
	}
	memset(&m, 0, sizeof(m));
	need_is(msgrcv(q, &m, 20, 5, 0), 20);
	need(!strcmp(m.text, "message"));
	need(!semop(s, &up, 1));
	need(wait(&status) > 0 && !status);
	need(!msgctl(q, IPC_RMID, NULL) && !semctl(s, 0, IPC_RMID));
}

static void queues(void)
{
	struct mq_attr attr = { .mq_maxmsg = 5, .mq_msgsize = 64 };
	char buf[64];
	unsigned int prio;
	mqd_t q = mq_open("/rnc-events", O_CREAT | O_RDWR, 0600, &attr);

	need(q >= 0);
	need(!mq_send(q, "low", 4, 1) && !mq_send(q, "high", 5, 9));
	need(mq_receive(q, buf, 64, &prio) == 5 && prio == 9 && !strcmp(buf, "high"));
	need(mq_receive(q, buf, 64, &prio) == 4 && prio == 1);
	need(!mq_unlink("/rnc-events"));
}

static void aio(void)
{
	aio_context_t ctx = 0;
	static char buf[8192] = "written by aio", back[8192];
	char name[] = "/tmp/aio.XXXXXX";
	int fd = mkstemp(name);
	struct iocb w = { .aio_lio_opcode = IOCB_CMD_PWRITE, .aio_fildes = (uint32_t)fd,
			  .aio_buf = (uintptr_t)buf, .aio_nbytes = sizeof(buf) }, *list = &w;
	struct io_event ev;

	need(fd >= 0 && !unlink(name));
	need(!syscall(SYS_io_setup, 8, &ctx));
	need_is(syscall(SYS_io_submit, ctx, 1, &list), 1);
	need_is(syscall(SYS_io_getevents, ctx, 1, 1, &ev, NULL), 1);
	need_is(ev.res, sizeof(buf));
	need(pread(fd, back, sizeof(back), 0) == sizeof(back) && !memcmp(buf, back, sizeof(buf)));
	need(!syscall(SYS_io_destroy, ctx));
}

static void locks(void)
{
	char name[] = "/tmp/lock.XXXXXX";
	int fd = mkstemp(name), other = open(name, O_RDWR), status;
	struct flock fl = { .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 10, .l_len = 10 };

	need(fd >= 0 && other >= 0 && !unlink(name));
	need(!flock(fd, LOCK_EX));
	need(flock(other, LOCK_EX | LOCK_NB) == -1 && errno == EWOULDBLOCK);
	need(!flock(fd, LOCK_UN) && !flock(other, LOCK_EX | LOCK_NB));
	need(!fcntl(fd, F_SETLK, &fl));
	if (!fork()) {
		need(fcntl(fd, F_SETLK, &fl) == -1 && (errno == EAGAIN || errno == EACCES));
		need(!fcntl(fd, F_GETLK, &fl) && fl.l_type == F_WRLCK && fl.l_pid == getppid());
		fl.l_type = F_WRLCK;
		fl.l_start = 20;
		fl.l_len = 5;
		need(!fcntl(fd, F_SETLK, &fl));
		_exit(0);
	}
	need(wait(&status) > 0 && !status);
	/* Those of an open file description. */
	fl.l_pid = 0;
	fl.l_start = 100;
	need(!fcntl(fd, F_OFD_SETLK, &fl));
	need(fcntl(other, F_OFD_SETLK, &fl) == -1 && errno == EAGAIN);
}

static void unix_sockets(void)
{
	union { struct cmsghdr h; char room[CMSG_SPACE(sizeof(int))]; } c = {
		.h = { CMSG_LEN(sizeof(int)), SOL_SOCKET, SCM_RIGHTS },
	};
	struct iovec iov = { &(char){ 'f' }, 1 };
	struct msghdr m = {
		.msg_iov = &iov, .msg_iovlen = 1, .msg_control = &c, .msg_controllen = sizeof(c)
	};
	struct ucred cred;
	socklen_t len = sizeof(cred);
	int fd[2], p[2], status, got = -1;
	char ch;

	need(!socketpair(AF_UNIX, SOCK_STREAM, 0, fd) && !pipe(p));
	need(!getsockopt(fd[0], SOL_SOCKET, SO_PEERCRED, &cred, &len) && cred.pid == getpid());
	if (!fork()) {
		memcpy(CMSG_DATA(&c.h), &p[1], sizeof(int));
		need_is(sendmsg(fd[0], &m, 0), 1);
		_exit(0);
	}
	close(p[1]);
	need_is(recvmsg(fd[1], &m, 0), 1);
	memcpy(&got, CMSG_DATA(&c.h), sizeof(int));
	need(write(got, "z", 1) == 1 && read(p[0], &ch, 1) == 1 && ch == 'z');
	need(wait(&status) > 0 && !status);
}

static unsigned char byte_at(size_t i)
{
	return (unsigned char)(i * 2654435761u >> 13);
}

/* Move @total bytes through a pair of descriptors and check each of them. */
static void through(int in, int out, size_t total)
{
	static unsigned char buf[70000];
	size_t done = 0, i;
	ssize_t n;
	int status;

	if (!fork()) {
		close(in);
		while (done < total) {
			size_t len = done % 3 ? 65536 : 12345;

			len = len < total - done ? len : total - done;
			for (i = 0; i < len; i++)
				buf[i] = byte_at(done + i);
			n = write(out, buf, len);
			need(n > 0);
			done += (size_t)n;
		}
		_exit(0);
	}
	close(out);
	while ((n = read(in, buf, sizeof(buf))) > 0) {
		for (i = 0; i < (size_t)n; i++)
			if (buf[i] != byte_at(done + i))
				claim_failed(__FILE__, __LINE__, "byte %zu is wrong", done + i);
		done += (size_t)n;
	}
	need_is(done, total);
	need(wait(&status) > 0 && !status);
}

static void pipes(void)
{
	int fd[2];

	need(!pipe(fd));
	through(fd[0], fd[1], 64 << 20);
}

static void streams(void)
{
	int fd[2];

	need(!socketpair(AF_UNIX, SOCK_STREAM, 0, fd));
	through(fd[0], fd[1], 32 << 20);
}

static void tcp(void)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(a);
	int l = socket(AF_INET, SOCK_STREAM, 0), c = socket(AF_INET, SOCK_STREAM, 0), s;

	need(!bind(l, (void *)&a, len) && !listen(l, 1) && !getsockname(l, (void *)&a, &len));
	need(!connect(c, (void *)&a, len));
	s = accept(l, NULL, NULL);
	need(s >= 0);
	through(s, c, 32 << 20);
}

static void files_to_files(void)
{
	char a[] = "/tmp/a.XXXXXX", b[] = "/tmp/b.XXXXXX";
	static unsigned char buf[1 << 20], back[1 << 20];
	int from = mkstemp(a), to = mkstemp(b), p[2];
	size_t i, done;
	ssize_t n;
	off_t off = 0;

	need(from >= 0 && to >= 0 && !unlink(a) && !unlink(b));
	for (i = 0; i < sizeof(buf); i++)
		buf[i] = byte_at(i);
	need(write(from, buf, sizeof(buf)) == sizeof(buf));
	for (done = 0; done < sizeof(buf); done += (size_t)n)
		need((n = sendfile(to, from, &off, sizeof(buf) - done)) > 0);
	need(pread(to, back, sizeof(back), 0) == sizeof(back) && !memcmp(buf, back, sizeof(buf)));
	need(!ftruncate(to, 0) && !lseek(to, 0, SEEK_SET) && !lseek(from, 0, SEEK_SET) && !pipe(p));
	for (done = 0; done < sizeof(buf); done += (size_t)n) {
		n = splice(from, NULL, p[1], NULL, 65536, 0);
		need(n > 0 && splice(p[0], NULL, to, NULL, (size_t)n, 0) == n);
	}
	need(pread(to, back, sizeof(back), 0) == sizeof(back) && !memcmp(buf, back, sizeof(buf)));
	need(!lseek(from, 0, SEEK_SET) && !lseek(to, 0, SEEK_SET));
	memset(back, 0, sizeof(back));
	n = copy_file_range(from, NULL, to, NULL, 4096, 0);
	need(n == 4096 || (n == -1 && errno == EXDEV));
}

static void broken_pipes(void)
{
	int fd[2];

	need(!pipe(fd));
	close(fd[0]);
	signal(SIGPIPE, SIG_IGN);
	need(write(fd[1], "x", 1) == -1 && errno == EPIPE);
}

static void terminals(void)
{
	int m = posix_openpt(O_RDWR | O_NOCTTY), s;
	char buf[16] = { 0 };

	need(m >= 0 && !grantpt(m) && !unlockpt(m));
	s = open(ptsname(m), O_RDWR | O_NOCTTY);
	need(s >= 0 && isatty(s));
	need(write(m, "hello\n", 6) == 6);
	need(read(s, buf, sizeof(buf)) == 6 && !strcmp(buf, "hello\n"));
}

int main(int argc, char **argv)
{
	claims_begin(argc, argv);
	claim("epoll with eventfd and pipe, edge and level", epolls);
	claim("signalfd", signalfds);
	claim("inotify", inotifies);
	claim("SysV messages and semaphores", sysv_ipc);
	claim("POSIX message queues", queues);
	claim("AIO", aio);
	claim("file locks of three kinds", locks);
	claim("unix sockets pass descriptors and credentials", unix_sockets);
	claim("64 MiB through a pipe", pipes);
	claim("32 MiB through a unix socket", streams);
	claim("32 MiB through TCP", tcp);
	claim("sendfile, splice, copy_file_range", files_to_files);
	claim("EPIPE", broken_pipes);
	claim("pseudo-terminals", terminals);
	return claims_done();
}

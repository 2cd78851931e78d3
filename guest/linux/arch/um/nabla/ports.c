// SPDX-License-Identifier: GPL-2.0-only
/*
 * Local ports that the guests of a pod share: each asks for one before it binds it (abi/ports.h),
 * and tells when it no longer needs it.
 *
 * Claim. bind() to a port that the program names sends a frame by the device for it and waits until
 * that comes back with the answer, which is within the host's write: no time passes where there is
 * somebody who answers. Who does not answer does not forbid either: the guest is then alone.
 *
 * Release. Nothing tells when a port is free: sockets share it, accepted connections keep it, so do
 * those in TIME_WAIT and those whose rest is still to be sent. So it is looked up where the kernel
 * itself does for the next bind(), a second after a socket was closed. A claim is made before the
 * port is in those tables; only one that two looks in a row have missed is given up. Looks go on,
 * further and further apart, while some are to be free soon. An idle guest has none.
 *
 * What others have of the ports that this guest's kernel chooses from, it is told, and does not
 * choose: they are reserved ports as long as that lasts.
 *
 * There is one CPU, and the kernel is not preempted: what neither sleeps nor is touched by
 * interrupts needs no lock. The mutex is for the rest: one question at a time, and no look
 * meanwhile.
 */
#include <linux/bitops.h>
#include <linux/etherdevice.h>
#include <linux/mutex.h>
#include <linux/netdevice.h>
#include <linux/preempt.h>
#include <linux/skbuff.h>
#include <linux/wait.h>
#include <linux/workqueue.h>
#include <net/inet_hashtables.h>
#include <net/inet_sock.h>
#include <net/udp.h>
#include <asm/nabla_ports.h>

#include "abi/ports.h"
#include "moderate.h"

#define PORTS		65536
#define WAIT		(HZ / 10)	/* for an answer */
#define SOON		HZ		/* after a close, and before the look that releases */
#define LATE		(64 * HZ)	/* TIME_WAIT ends before */

/* Of so many sockets that end the others most likely do, too: a look must not take long. */
#define ENDING_ENOUGH	64

enum use {
	USE_NONE,
	USE_ENDING,		/* by what will be gone without a close */
	USE_LIVE,
};

enum { TCP, UDP, PROTOCOLS };

static const u8 protocol_number[PROTOCOLS] = { IPPROTO_TCP, IPPROTO_UDP };

bool nabla_ports_shared __read_mostly;
unsigned int nabla_ports_held;

static struct net_device *ports_dev;
static DEFINE_MUTEX(ports_mutex);

/* This guest's, as far as it knows: not those alone that were granted, see announce(). */
static unsigned long held[PROTOCOLS][BITS_TO_LONGS(PORTS)];
/* Of those, what the last look has found free. */
static unsigned long unused[PROTOCOLS][BITS_TO_LONGS(PORTS)];

/* What others have of this guest's part; and of the reserved ports, those that are so for that. */
static unsigned long others[PROTOCOLS][BITS_TO_LONGS(PORTS)];
static unsigned long lent[BITS_TO_LONGS(PORTS)];

/* The question that is open (0: none) and its answer; with the mutex. */
static u32 asked;
static u8 answer;
static DECLARE_WAIT_QUEUE_HEAD(answered);

static void look(struct work_struct *work);
static DECLARE_DELAYED_WORK(look_work, look);
static unsigned long look_delay;	/* of the look that is due; 0: none */

/* Frames --------------------------------------------------------------------------------------- */

static u32 question(u8 protocol, __be16 port)
{
	return (u32)protocol << 16 | (__force u16)port;
}

/* False: it was not sent, nobody will answer. */
static bool send(u8 operation, int protocol, u16 port)
{
	struct net_device *dev = ports_dev;
	struct nabla_ports body = {
		.operation = operation,
		.protocol = protocol_number[protocol],
		.port = (__force __u16)htons(port),
	};
	struct sk_buff *skb;

	if (!netif_running(dev) || !netif_carrier_ok(dev))
		return false;
	skb = alloc_skb(LL_RESERVED_SPACE(dev) + sizeof(body), GFP_ATOMIC | __GFP_NOWARN);
	if (!skb)
		return false;
	skb_reserve(skb, LL_RESERVED_SPACE(dev));
	skb_reset_network_header(skb);
	skb_put_data(skb, &body, sizeof(body));
	skb->dev = dev;
	skb->protocol = htons(NABLA_PORTS_TYPE);
	dev_hard_header(skb, dev, NABLA_PORTS_TYPE, dev->dev_addr, dev->dev_addr, skb->len);
	return dev_queue_xmit(skb) == NET_XMIT_SUCCESS;
}

static void reserve(int protocol, u16 port)
{
	set_bit(port, others[protocol]);
	if (!test_and_set_bit(port, init_net.ipv4.sysctl_local_reserved_ports))
		set_bit(port, lent);
}

static void free_reserved(int protocol, u16 port)
{
	clear_bit(port, others[protocol]);
	if (!test_bit(port, others[protocol == TCP ? UDP : TCP]) && test_and_clear_bit(port, lent))
		clear_bit(port, init_net.ipv4.sysctl_local_reserved_ports);
}

static void told(const struct nabla_ports *body)
{
	int protocol = body->protocol == IPPROTO_TCP ? TCP : UDP;
	u16 port = ntohs((__force __be16)body->port);

	if (body->protocol != protocol_number[protocol] || !port)
		return;
	if (body->operation == NABLA_PORTS_RESERVE)
		reserve(protocol, port);
	else if (body->operation == NABLA_PORTS_FREE)
		free_reserved(protocol, port);
}

/* From outside, so it may be anything. Others may have the skb, too: it is only read. */
static int receive(struct sk_buff *skb, struct net_device *dev, struct packet_type *type,
		   struct net_device *orig_dev)
{
	struct nabla_ports copy;
	const struct nabla_ports *body = skb_header_pointer(skb, 0, sizeof(copy), &copy);

	if (body && asked && body->operation == NABLA_PORTS_CLAIM &&
	    question(body->protocol, (__force __be16)body->port) == asked &&
	    (body->answer == NABLA_PORTS_GRANTED || body->answer == NABLA_PORTS_TAKEN)) {
		WRITE_ONCE(answer, body->answer);
		wake_up(&answered);
	} else if (body) {
		told(body);
	}
	consume_skb(skb);
	return NET_RX_SUCCESS;
}

static struct packet_type ports_packet_type = {
	.type	= htons(NABLA_PORTS_TYPE),
	.func	= receive,
};

/* Claims --------------------------------------------------------------------------------------- */

static void look_in(unsigned long delay)
{
	if (look_delay && look_delay <= delay)
		return;
	look_delay = delay;
	mod_delayed_work(system_wq, &look_work, delay);
}

/* A bind() may still fail, and the socket live on: the look finds it out. */
static void hold(int protocol, u16 port)
{
	clear_bit(port, unused[protocol]);
	if (test_and_set_bit(port, held[protocol]))
		return;
	nabla_ports_held++;
	look_in(SOON);
}

/*
 * The answer is there, and mostly has interrupted already. Where the device's signals are off, who
 * sleeps now lets others compute until the next look.
 */
static void fetch_answer(void)
{
	unsigned long flags;

	local_irq_save(flags);
	if (READ_ONCE(answer) == NABLA_PORTS_ASKED)
		nabla_net_look(false);
	local_irq_restore(flags);
}

static bool wait_for_answer(void)
{
	fetch_answer();
	return wait_event_timeout(answered, READ_ONCE(answer) != NABLA_PORTS_ASKED, WAIT);
}

/* What others say of it; NABLA_PORTS_ASKED: nothing. */
static u8 ask(int protocol, u16 port)
{
	WRITE_ONCE(answer, NABLA_PORTS_ASKED);
	WRITE_ONCE(asked, question(protocol_number[protocol], htons(port)));
	if (send(NABLA_PORTS_CLAIM, protocol, port) && !wait_for_answer())
		pr_warn_once("nabla: nobody says whether local ports are in use\n");
	WRITE_ONCE(asked, 0);
	return READ_ONCE(answer);
}

int nabla_ports_ask(const struct sock *sk, u16 port, bool may_wait)
{
	int protocol = sk->sk_protocol == IPPROTO_TCP ? TCP : UDP, ret = 0;

	if (sk->sk_protocol != protocol_number[protocol] || !net_eq(sock_net(sk), &init_net) ||
	    !in_task())
		return 0;
	/* It has one, and will be told so. */
	if (READ_ONCE(inet_sk(sk)->inet_num))
		return 0;

	if (!may_wait) {
		hold(protocol, port);
		send(NABLA_PORTS_CLAIM, protocol, port);
		return 0;
	}
	mutex_lock(&ports_mutex);
	if (ask(protocol, port) == NABLA_PORTS_TAKEN)
		ret = -EADDRINUSE;
	else
		hold(protocol, port);
	mutex_unlock(&ports_mutex);
	return ret;
}

/* Releases ------------------------------------------------------------------------------------- */

static bool is_ending(const struct sock *sk)
{
	return sk->sk_state == TCP_TIME_WAIT || sock_flag(sk, SOCK_DEAD);
}

static enum use bucket_use(struct inet_bind_bucket *tb)
{
	struct inet_bind2_bucket *tb2;
	unsigned int ending = 0;
	struct sock *sk;

	hlist_for_each_entry(tb2, &tb->bhash2, bhash_node) {
		sk_for_each_bound(sk, &tb2->owners) {
			if (!is_ending(sk))
				return USE_LIVE;
			if (++ending == ENDING_ENOUGH)
				return USE_ENDING;
		}
	}
	return USE_ENDING;
}

static enum use tcp_use(u16 port)
{
	struct inet_hashinfo *info = init_net.ipv4.tcp_death_row.hashinfo;
	struct inet_bind_hashbucket *head;
	struct inet_bind_bucket *tb;
	enum use use = USE_NONE;

	head = &info->bhash[inet_bhashfn(&init_net, port, info->bhash_size)];
	spin_lock_bh(&head->lock);
	inet_bind_bucket_for_each(tb, &head->chain) {
		if (tb->port == port && net_eq(ib_net(tb), &init_net))
			use = max(use, bucket_use(tb));
	}
	spin_unlock_bh(&head->lock);
	return use;
}

static enum use udp_use(u16 port)
{
	struct udp_hslot *slot = udp_hashslot(init_net.ipv4.udp_table, &init_net, port);
	enum use use = USE_NONE;
	struct sock *sk;

	spin_lock_bh(&slot->lock);
	sk_for_each(sk, &slot->head) {
		if (udp_sk(sk)->udp_port_hash == port && net_eq(sock_net(sk), &init_net))
			use = USE_LIVE;
	}
	spin_unlock_bh(&slot->lock);
	return use;
}

/* When to look at it again: 0 for never, until something is closed. */
static unsigned long look_at(int protocol, u16 port, unsigned long later)
{
	enum use use = protocol == TCP ? tcp_use(port) : udp_use(port);

	if (use != USE_NONE) {
		clear_bit(port, unused[protocol]);
		return use == USE_ENDING ? later : 0;
	}
	if (!test_and_set_bit(port, unused[protocol]))
		return SOON;
	if (!send(NABLA_PORTS_RELEASE, protocol, port))
		return SOON;
	clear_bit(port, held[protocol]);
	nabla_ports_held--;
	return 0;
}

/* While the device is down nobody can be told; up is a reason to look. */
static void look(struct work_struct *work)
{
	unsigned long later = min(2 * look_delay, LATE), next = 0;
	unsigned int port;
	int protocol;

	look_delay = 0;
	if (!netif_running(ports_dev))
		return;
	mutex_lock(&ports_mutex);
	for (protocol = 0; protocol < PROTOCOLS; protocol++) {
		for_each_set_bit(port, held[protocol], PORTS) {
			unsigned long delay = look_at(protocol, port, later);

			if (delay && (!next || delay < next))
				next = delay;
			cond_resched();
		}
	}
	mutex_unlock(&ports_mutex);
	if (next)
		look_in(next);
}

void nabla_ports_sweep(void)
{
	look_in(SOON);
}

/* The device ----------------------------------------------------------------------------------- */

/* Who was away may have missed it: what was bound meanwhile, or all. */
static void announce(void)
{
	unsigned int port;
	int protocol;

	for (protocol = 0; protocol < PROTOCOLS; protocol++)
		for_each_set_bit(port, held[protocol], PORTS)
			send(NABLA_PORTS_CLAIM, protocol, port);
}

static int device_event(struct notifier_block *block, unsigned long event, void *data)
{
	if (event != NETDEV_UP || netdev_notifier_info_to_dev(data) != ports_dev)
		return NOTIFY_DONE;
	announce();
	if (nabla_ports_held)
		look_in(SOON);
	return NOTIFY_DONE;
}

static struct notifier_block ports_notifier = {
	.notifier_call	= device_event,
};

void nabla_ports_begin(struct net_device *dev)
{
	if (ports_dev)
		return;
	ports_dev = dev;
	ports_packet_type.dev = dev;
	dev_add_pack(&ports_packet_type);
	register_netdevice_notifier(&ports_notifier);
	nabla_ports_shared = true;
}

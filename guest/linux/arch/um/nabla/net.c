// SPDX-License-Identifier: GPL-2.0-only
/*
 * Ethernet over a TAP descriptor with a virtio-net header: one interface per nabla_launch.net[].
 *
 * Every frame is one host_readv() or host_writev() of a header (10 or 12 bytes, as the host was
 * told) and the frame. With offloads on both sides a "frame" is up to 64 KiB of one TCP stream, so
 * a bulk transfer costs one host system call per 64 KiB.
 *
 * Receive. A frame's length is known only once it has been read, so each read offers room for the
 * largest, and what it did not fill is kept for the next:
 *
 *	[ header ][ head: 2 KiB page fragment ][ rest of chunk 0 ][ chunk 1 ][ chunk 2 ]
 *
 * Small frames (most acknowledgements) are copied out of the head, which stays. Others take the
 * head with them as the linear part of the skb. What goes beyond the head is cut from the front of
 * the chunks in pieces, each with its own reference on the chunk's page; a chunk that is used up is
 * replaced. So a frame takes as much memory as it is long, and a quiet interface holds 98 KiB. When
 * memory is short or fragmented, chunks are smaller or missing: long frames are then lost, short
 * ones still get through.
 *
 * Lengths and header come from outside and are checked here: the length against what was offered,
 * the header by virtio_net_hdr_to_skb(), which knows all that can be wrong with one.
 *
 * Readiness is edge triggered: the poll function stops only after -EAGAIN, or leaves the rest to a
 * look, and no sleep is begun before a look that found nothing. An interrupt during the
 * poll sets NAPI's "missed" bit, so no edge is lost between -EAGAIN and the end of the poll. While
 * frames are frequent there are no interrupts, and nabla_net_look() reads the first of them: see
 * moderate.c.
 */
#include <linux/etherdevice.h>
#include <linux/ethtool.h>
#include <linux/init.h>
#include <linux/interrupt.h>
#include <linux/mm.h>
#include <linux/netdevice.h>
#include <linux/skbuff.h>
#include <linux/tcp.h>
#include <linux/uio.h>
#include <linux/virtio_net.h>
#include <asm/nabla_ports.h>

#include "host.h"
#include "moderate.h"

/* The head: one fragment of this size holds headroom, the frame's beginning and the shared info. */
#define RX_HEAD_SIZE	2048
#define RX_HEADROOM	(NET_SKB_PAD + NET_IP_ALIGN)
#define RX_HEAD_ROOM	(SKB_WITH_OVERHEAD(RX_HEAD_SIZE) - RX_HEADROOM)

/*
 * Frames up to this length are copied: cheaper than a new head, and a fair truesize for the socket.
 */
#define RX_COPY		256

/*
 * While the guest looks for frames itself, a poll ends after as many bytes: the program they are
 * for takes them before its socket is full. The sender, on another CPU, could keep a poll going
 * forever. What has queued up meanwhile is one packet to TCP, with one acknowledgement, if it is
 * one stream.
 */
#define RX_AT_ONCE	(256 << 10)

/* Three chunks hold the longest frame however much of the first is already used up. */
#define RX_CHUNKS	3
#define RX_CHUNK_ORDER	PAGE_ALLOC_COSTLY_ORDER
#define RX_CHUNK_SIZE	(PAGE_SIZE << RX_CHUNK_ORDER)
#define RX_PIECE_ALIGN	64U

/* 64 KiB of IP packet, Ethernet header, one VLAN tag. */
#define FRAME_MAX	(ETH_MAX_MTU + VLAN_ETH_HLEN)

struct nabla_chunk {
	/*
	 * NULL, with size and used 0, where memory was short; then all chunks behind it are so,
	 * too.
	 */
	struct page *page;
	unsigned int size;
	/*
	 * Bytes in front that belong to skbs already; a multiple of RX_PIECE_ALIGN, less than size.
	 */
	unsigned int used;
};

struct nabla_netdev {
	struct net_device *dev;
	struct napi_struct napi;
	int fd;
	unsigned int index;		/* in the launch record */
	unsigned int hdr_len;

	/* Receive: touched by the poll function only, or while NAPI is off. */
	struct virtio_net_hdr_mrg_rxbuf rx_hdr;
	void *rx_head;
	struct nabla_chunk rx_chunk[RX_CHUNKS];
	long rx_looked;			/* the length of a frame that a look has read; 0: none */
	bool rx_waited;			/* the guest was idle and looked: there was none */

	/* Transmit: under the queue's lock. */
	struct iovec tx_iov[2 + MAX_SKB_FRAGS];

	/* For ethtool -S; in the order of nabla_stat_name. */
	u64 rx_polls;
	u64 rx_gso;
	u64 rx_copied;
	u64 tx_gso;
	u64 tx_busy;
};

static struct nabla_netdev *nabla_netdev[NABLA_LAUNCH_NETS];

static const char nabla_stat_name[][ETH_GSTRING_LEN] = {
	"rx_polls", "rx_gso", "rx_copied", "tx_gso", "tx_busy",
};

/* Receive -------------------------------------------------------------------------------------- */

/* A fresh chunk, as large as can be had without waiting. */
static struct nabla_chunk rx_chunk_alloc(void)
{
	int order;

	for (order = RX_CHUNK_ORDER; order >= 0; order--) {
		struct page *page = alloc_pages(GFP_ATOMIC | __GFP_COMP | __GFP_NOWARN, order);

		if (page)
			return (struct nabla_chunk){ .page = page, .size = PAGE_SIZE << order };
	}
	return (struct nabla_chunk){};
}

/* Have a head, and room behind it as far as memory allows. In softirq, or without interrupts. */
static int rx_refill(struct nabla_netdev *nd)
{
	unsigned int i;

	if (!nd->rx_head) {
		nd->rx_head = napi_alloc_frag(RX_HEAD_SIZE);
		if (!nd->rx_head)
			return -ENOMEM;
	}
	for (i = 0; i < RX_CHUNKS; i++) {
		if (!nd->rx_chunk[i].page)
			nd->rx_chunk[i] = rx_chunk_alloc();
		if (!nd->rx_chunk[i].page)
			break;
	}
	return 0;
}

static void rx_free(struct nabla_netdev *nd)
{
	unsigned int i;

	if (nd->rx_head)
		skb_free_frag(nd->rx_head);
	nd->rx_head = NULL;
	nd->rx_looked = 0;
	for (i = 0; i < RX_CHUNKS; i++) {
		if (nd->rx_chunk[i].page)
			put_page(nd->rx_chunk[i].page);
		nd->rx_chunk[i] = (struct nabla_chunk){};
	}
}

/*
 * One frame from the host. Returns its length without the header; -EMSGSIZE if what was read is not
 * a whole frame; or what host_readv() gave.
 */
static long rx_read(struct nabla_netdev *nd)
{
	struct iovec iov[2 + RX_CHUNKS] = {
		{ &nd->rx_hdr, nd->hdr_len },
		{ nd->rx_head + RX_HEADROOM, RX_HEAD_ROOM },
	};
	unsigned int i, n = 2, room = RX_HEAD_ROOM;
	long len;

	for (i = 0; i < RX_CHUNKS && nd->rx_chunk[i].page; i++, n++) {
		const struct nabla_chunk *chunk = &nd->rx_chunk[i];

		iov[n].iov_base = page_address(chunk->page) + chunk->used;
		iov[n].iov_len = chunk->size - chunk->used;
		room += chunk->size - chunk->used;
	}

	len = host_readv(nd->fd, iov, n);
	if (len <= 0)
		return len ?: -ENODEV;
	len -= nd->hdr_len;

	/*
	 * The host does not say that it cut a frame: one that fills all the room is taken as cut.
	 */
	if (len < ETH_HLEN || len >= room)
		return -EMSGSIZE;
	return len;
}

/* The next frame: the one that a look has read, or from the host. As rx_read(), or -ENOMEM. */
static long rx_next(struct nabla_netdev *nd)
{
	long len = nd->rx_looked;

	nd->rx_looked = 0;
	return len ?: rx_refill(nd) ?: rx_read(nd);
}

/* Give @len bytes from the front of the chunks to @skb; those that are used up make place. */
static void rx_add_pieces(struct nabla_netdev *nd, struct sk_buff *skb, unsigned int len)
{
	unsigned int done = 0, i;

	while (len) {
		struct nabla_chunk *chunk = &nd->rx_chunk[done];
		unsigned int left = chunk->size - chunk->used;
		unsigned int size = min(len, left);
		unsigned int taken = min(ALIGN(size, RX_PIECE_ALIGN), left);

		skb_add_rx_frag(skb, done, chunk->page, chunk->used, size, taken);
		chunk->used += taken;
		len -= size;
		if (chunk->used == chunk->size)
			done++;			/* our reference went with this last piece */
		else
			get_page(chunk->page);
	}

	if (!done)
		return;
	for (i = 0; i < RX_CHUNKS; i++)
		nd->rx_chunk[i] = i + done < RX_CHUNKS ? nd->rx_chunk[i + done] :
							 (struct nabla_chunk){};
}

/* The frame of @len bytes that was just read, as an skb; NULL when there is no memory. */
static struct sk_buff *rx_build(struct nabla_netdev *nd, unsigned int len)
{
	struct sk_buff *skb;

	if (len <= RX_COPY) {
		skb = napi_alloc_skb(&nd->napi, len);
		if (skb) {
			skb_put_data(skb, nd->rx_head + RX_HEADROOM, len);
			nd->rx_copied++;
		}
		return skb;
	}

	skb = napi_build_skb(nd->rx_head, RX_HEAD_SIZE);
	if (!skb)
		return NULL;
	nd->rx_head = NULL;
	skb_reserve(skb, RX_HEADROOM);
	skb_put(skb, min_t(unsigned int, len, RX_HEAD_ROOM));
	if (len > RX_HEAD_ROOM)
		rx_add_pieces(nd, skb, len - RX_HEAD_ROOM);
	return skb;
}

/*
 * The host made the segments of this frame, or its NIC did: GRO may add the frames behind it, as it
 * does with those of a NIC of ours, if it is told how many there are.
 */
static void rx_count_segments(struct sk_buff *skb)
{
	struct skb_shared_info *shinfo = skb_shinfo(skb);
	unsigned int headers;

	if (!skb_is_gso_tcp(skb) || !skb_transport_header_was_set(skb))
		return;
	headers = skb_transport_offset(skb) + sizeof(struct tcphdr);
	if (headers > skb_headlen(skb))
		return;
	headers = skb_tcp_all_headers(skb);
	if (headers >= skb->len)
		return;
	shinfo->gso_segs = DIV_ROUND_UP(skb->len - headers, shinfo->gso_size);
	shinfo->gso_type &= ~SKB_GSO_DODGY;
}

static void rx_frame(struct nabla_netdev *nd, unsigned int len)
{
	const struct virtio_net_hdr *hdr = (const struct virtio_net_hdr *)&nd->rx_hdr;
	struct net_device *dev = nd->dev;
	struct sk_buff *skb = rx_build(nd, len);

	if (!skb) {
		dev_core_stats_rx_dropped_inc(dev);
		return;
	}
	if (hdr->flags & VIRTIO_NET_HDR_F_DATA_VALID)
		skb->ip_summed = CHECKSUM_UNNECESSARY;
	if (virtio_net_hdr_to_skb(skb, hdr, true)) {
		DEV_STATS_INC(dev, rx_frame_errors);
		DEV_STATS_INC(dev, rx_errors);
		kfree_skb(skb);
		return;
	}
	if (skb_is_gso(skb)) {
		rx_count_segments(skb);
		nd->rx_gso++;
	}
	skb->protocol = eth_type_trans(skb, dev);
	dev_sw_netstats_rx_add(dev, len);
	napi_gro_receive(&nd->napi, skb);
}

static int rx_complete(struct nabla_netdev *nd, int done, long bytes)
{
	napi_complete_done(&nd->napi, done);
	if (done)
		nabla_moderate_count(nd->index, bytes);
	return done;
}

/*
 * After so many bytes the rest is left to the look after this poll; all is read where an edge is
 * waited for. The guest that was idle until this frame came is faster than the sender: the frame is
 * alone, most likely, and to ask for another only makes who waits for it wait longer.
 */
static long rx_at_once(struct nabla_netdev *nd)
{
	bool waited = nd->rx_waited;

	nd->rx_waited = false;
	if (!nabla_moderate[nd->index].on)
		return LONG_MAX;
	return waited ? 1 : RX_AT_ONCE;
}

static int nabla_net_poll(struct napi_struct *napi, int budget)
{
	struct nabla_netdev *nd = container_of(napi, struct nabla_netdev, napi);
	long bytes = 0, at_once = rx_at_once(nd);
	int done = 0;

	nd->rx_polls++;
	while (done < budget) {
		long len;

		if (bytes >= at_once)
			return rx_complete(nd, done, bytes);
		len = rx_next(nd);

		if (len == -EINTR)
			continue;
		if (len == -EMSGSIZE) {
			/* Too short or too long: read, and lost. */
			DEV_STATS_INC(nd->dev, rx_length_errors);
			DEV_STATS_INC(nd->dev, rx_errors);
			done++;
			continue;
		}
		if (len == -ENOMEM) {
			/* No edge will announce the waiting frames again: come back without. */
			DEV_STATS_INC(nd->dev, rx_missed_errors);
			return budget;
		}
		if (len < 0) {
			/*
			 * -EAGAIN: all read. Others: the host's end is down or gone; up is an edge.
			 */
			if (len != -EAGAIN)
				DEV_STATS_INC(nd->dev, rx_errors);
			return rx_complete(nd, done, bytes);
		}
		rx_frame(nd, len);
		bytes += len;
		done++;
	}
	return done;
}

static irqreturn_t nabla_net_irq(int irq, void *data)
{
	struct nabla_netdev *nd = data;

	/* One edge for both directions: room to send is only of interest to who waits for it. */
	if (netif_queue_stopped(nd->dev) && netif_running(nd->dev))
		netif_wake_queue(nd->dev);
	napi_schedule_irqoff(&nd->napi);
	return IRQ_HANDLED;
}

static void raise(struct nabla_netdev *nd)
{
	if (in_hardirq()) {
		generic_handle_irq(NABLA_IRQ_NET(nd->index));
	} else {
		irq_enter();
		generic_handle_irq(NABLA_IRQ_NET(nd->index));
		irq_exit();
	}
}

void nabla_net_interrupt(void)
{
	unsigned int i;

	for (i = 0; i < nabla_launch.nr_nets; i++)
		if (nabla_netdev[i])
			raise(nabla_netdev[i]);
}

/* Without memory, the poll function says so. */
static bool looks_ready(struct nabla_netdev *nd)
{
	if (rx_refill(nd))
		return true;
	nd->rx_looked = rx_read(nd);
	if (nd->rx_looked > 0 || nd->rx_looked == -EMSGSIZE)
		return true;
	/* Nothing there; or the host's end is down or gone: up is an edge. */
	nd->rx_looked = 0;
	return false;
}

bool nabla_net_look(bool idle)
{
	bool found = false;
	unsigned int i;

	for (i = 0; i < nabla_launch.nr_nets; i++) {
		struct nabla_netdev *nd = nabla_netdev[i];

		if (!nd || !netif_running(nd->dev) || (nabla_moderated && !nabla_moderate[i].on) ||
		    test_bit(NAPI_STATE_SCHED, &nd->napi.state))
			continue;
		if (!looks_ready(nd)) {
			nd->rx_waited = idle;
			continue;
		}
		raise(nd);
		found = true;
	}
	return found;
}

bool nabla_net_blocked(void)
{
	unsigned int i;

	for (i = 0; i < nabla_launch.nr_nets; i++)
		if (nabla_netdev[i] && netif_queue_stopped(nabla_netdev[i]->dev))
			return true;
	return false;
}

bool nabla_net_signals(unsigned int device, bool on)
{
	return host_async(nabla_launch.net[device].fd, on) >= 0;
}

/* Transmit ------------------------------------------------------------------------------------- */

/* The header, the linear part and the fragments of @skb; returns the number of entries. */
static int tx_iov_fill(struct nabla_netdev *nd, struct virtio_net_hdr_mrg_rxbuf *hdr,
		       struct sk_buff *skb)
{
	const struct skb_shared_info *shinfo = skb_shinfo(skb);
	struct iovec *iov = nd->tx_iov;
	int i;

	iov->iov_base = hdr;
	iov++->iov_len = nd->hdr_len;
	iov->iov_base = skb->data;
	iov++->iov_len = skb_headlen(skb);
	for (i = 0; i < shinfo->nr_frags; i++) {
		const skb_frag_t *frag = &shinfo->frags[i];

		iov->iov_base = skb_frag_address(frag);
		iov++->iov_len = skb_frag_size(frag);
	}
	return iov - nd->tx_iov;
}

/*
 * Room comes with an edge. The edge may have come between the write that failed and the stop, when
 * the interrupt handler had nobody to wake: so try once more after stopping.
 */
static long tx_write_stopped(struct nabla_netdev *nd, int n)
{
	long ret;

	netif_stop_queue(nd->dev);
	ret = host_writev(nd->fd, nd->tx_iov, n);
	if (ret != -EAGAIN)
		netif_wake_queue(nd->dev);
	else
		nd->tx_busy++;
	return ret;
}

static netdev_tx_t nabla_net_xmit(struct sk_buff *skb, struct net_device *dev)
{
	struct nabla_netdev *nd = netdev_priv(dev);
	struct virtio_net_hdr_mrg_rxbuf hdr = {};
	long ret;
	int n;

	if (virtio_net_hdr_from_skb(skb, (struct virtio_net_hdr *)&hdr, true, false, 0)) {
		DEV_STATS_INC(dev, tx_errors);
		kfree_skb(skb);
		return NETDEV_TX_OK;
	}

	n = tx_iov_fill(nd, &hdr, skb);
	do {
		ret = host_writev(nd->fd, nd->tx_iov, n);
	} while (ret == -EINTR);
	if (ret == -EAGAIN)
		ret = tx_write_stopped(nd, n);
	if (ret == -EAGAIN)
		return NETDEV_TX_BUSY;

	if (ret < 0) {
		/*
		 * The host's end is down (-EIO) or out of buffers: a wire would have lost it too.
		 */
		DEV_STATS_INC(dev, tx_errors);
		kfree_skb(skb);
		return NETDEV_TX_OK;
	}

	if (skb_is_gso(skb))
		nd->tx_gso++;
	skb_tx_timestamp(skb);
	dev_sw_netstats_tx_add(dev, 1, skb->len);
	consume_skb(skb);
	return NETDEV_TX_OK;
}

/* The device ----------------------------------------------------------------------------------- */

static int nabla_net_open(struct net_device *dev)
{
	struct nabla_netdev *nd = netdev_priv(dev);
	int ret;

	napi_enable(&nd->napi);
	ret = request_irq(NABLA_IRQ_NET(nd->index), nabla_net_irq, 0, dev->name, nd);
	if (ret) {
		napi_disable(&nd->napi);
		return ret;
	}
	netif_start_queue(dev);

	/* Frames that came while the device was down had their edge then. */
	local_bh_disable();
	napi_schedule(&nd->napi);
	local_bh_enable();
	return 0;
}

static int nabla_net_stop(struct net_device *dev)
{
	struct nabla_netdev *nd = netdev_priv(dev);

	netif_stop_queue(dev);
	free_irq(NABLA_IRQ_NET(nd->index), nd);
	napi_disable(&nd->napi);
	rx_free(nd);
	return 0;
}

static const struct net_device_ops nabla_net_ops = {
	.ndo_open		= nabla_net_open,
	.ndo_stop		= nabla_net_stop,
	.ndo_start_xmit		= nabla_net_xmit,
	.ndo_get_stats64	= dev_get_tstats64,
	.ndo_set_mac_address	= eth_mac_addr,
	.ndo_validate_addr	= eth_validate_addr,
};

static void nabla_net_drvinfo(struct net_device *dev, struct ethtool_drvinfo *info)
{
	const struct nabla_netdev *nd = netdev_priv(dev);

	strscpy(info->driver, "nabla", sizeof(info->driver));
	snprintf(info->bus_info, sizeof(info->bus_info), "fd%d", nd->fd);
}

static int nabla_net_link_ksettings(struct net_device *dev, struct ethtool_link_ksettings *ks)
{
	ethtool_link_ksettings_zero_link_mode(ks, supported);
	ethtool_link_ksettings_zero_link_mode(ks, advertising);
	ks->base.speed = SPEED_UNKNOWN;
	ks->base.duplex = DUPLEX_FULL;
	ks->base.port = PORT_OTHER;
	ks->base.autoneg = AUTONEG_DISABLE;
	return 0;
}

static int nabla_net_sset_count(struct net_device *dev, int sset)
{
	return sset == ETH_SS_STATS ? (int)ARRAY_SIZE(nabla_stat_name) : -EOPNOTSUPP;
}

static void nabla_net_strings(struct net_device *dev, u32 sset, u8 *data)
{
	if (sset == ETH_SS_STATS)
		memcpy(data, nabla_stat_name, sizeof(nabla_stat_name));
}

static void nabla_net_stats(struct net_device *dev, struct ethtool_stats *stats, u64 *data)
{
	const struct nabla_netdev *nd = netdev_priv(dev);

	data[0] = nd->rx_polls;
	data[1] = nd->rx_gso;
	data[2] = nd->rx_copied;
	data[3] = nd->tx_gso;
	data[4] = nd->tx_busy;
}

static const struct ethtool_ops nabla_net_ethtool_ops = {
	.get_drvinfo		= nabla_net_drvinfo,
	.get_link		= ethtool_op_get_link,
	.get_link_ksettings	= nabla_net_link_ksettings,
	.get_ts_info		= ethtool_op_get_ts_info,
	.get_sset_count		= nabla_net_sset_count,
	.get_strings		= nabla_net_strings,
	.get_ethtool_stats	= nabla_net_stats,
};

/*
 * What the host side accepts. Checksums and segmentation are ours to leave undone only where the
 * record says so; without NABLA_NET_CSUM the stack does both in software.
 */
static netdev_features_t nabla_net_features(const struct nabla_net *conf)
{
	netdev_features_t features = NETIF_F_SG;

	if (!(conf->flags & NABLA_NET_CSUM))
		return features;
	features |= NETIF_F_HW_CSUM | NETIF_F_RXCSUM;
	if (conf->flags & NABLA_NET_TSO4)
		features |= NETIF_F_TSO | NETIF_F_TSO_ECN;
	if (conf->flags & NABLA_NET_TSO6)
		features |= NETIF_F_TSO6;
	return features;
}

static void nabla_net_setup(struct net_device *dev, const struct nabla_net *conf)
{
	dev->netdev_ops = &nabla_net_ops;
	dev->ethtool_ops = &nabla_net_ethtool_ops;
	dev->pcpu_stat_type = NETDEV_PCPU_STAT_TSTATS;
	dev->priv_flags |= IFF_LIVE_ADDR_CHANGE;
	dev->hw_features = nabla_net_features(conf);
	dev->features = dev->hw_features;
	dev->vlan_features = dev->hw_features;
	dev->min_mtu = ETH_MIN_MTU;
	dev->max_mtu = ETH_MAX_MTU;
	/* IPv6 would have a header more for it in each such packet. */
	dev->gro_ipv4_max_size = RX_AT_ONCE;
	dev->mtu = clamp_t(u32, conf->mtu, ETH_MIN_MTU, ETH_MAX_MTU);

	if (is_valid_ether_addr(conf->mac)) {
		eth_hw_addr_set(dev, conf->mac);
		memcpy(dev->perm_addr, conf->mac, ETH_ALEN);
	} else {
		eth_hw_addr_random(dev);
	}
}

static int __init nabla_net_add(unsigned int index)
{
	const struct nabla_net *conf = &nabla_launch.net[index];
	struct nabla_netdev *nd;
	struct net_device *dev;
	char name[IFNAMSIZ];
	int ret;

	if (conf->vnet_hdr_len != sizeof(struct virtio_net_hdr) &&
	    conf->vnet_hdr_len != sizeof(struct virtio_net_hdr_mrg_rxbuf))
		return -EINVAL;

	BUILD_BUG_ON(sizeof(conf->name) != IFNAMSIZ);
	strscpy(name, conf->name, sizeof(name));
	if (strchr(name, '%') || !dev_valid_name(name))
		strscpy(name, "eth%d", sizeof(name));

	dev = alloc_netdev(sizeof(*nd), name, NET_NAME_PREDICTABLE, ether_setup);
	if (!dev)
		return -ENOMEM;
	nabla_net_setup(dev, conf);

	nd = netdev_priv(dev);
	nd->dev = dev;
	nd->fd = conf->fd;
	nd->index = index;
	nd->hdr_len = conf->vnet_hdr_len;
	netif_napi_add(dev, &nd->napi, nabla_net_poll);

	ret = register_netdev(dev);
	if (ret) {
		free_netdev(dev);
		return ret;
	}
	nabla_netdev[index] = nd;
	if (conf->flags & NABLA_NET_PORTS)
		nabla_ports_begin(dev);
	return 0;
}

static int __init nabla_net_init(void)
{
	unsigned int i;

	BUILD_BUG_ON(RX_HEAD_ROOM + (RX_CHUNKS - 1) * RX_CHUNK_SIZE <= FRAME_MAX);
	BUILD_BUG_ON(RX_HEAD_ROOM <= ETH_FRAME_LEN + VLAN_HLEN);
	BUILD_BUG_ON(RX_COPY > RX_HEAD_ROOM);

	nabla_moderate_begin();
	for (i = 0; i < nabla_launch.nr_nets; i++) {
		int ret = nabla_net_add(i);

		if (ret)
			pr_err("nabla: net %u: error %d\n", i, ret);
	}
	return 0;
}
device_initcall(nabla_net_init);

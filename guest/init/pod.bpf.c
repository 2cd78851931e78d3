// SPDX-License-Identifier: GPL-2.0-only
/*
 * What comes from the pod's namespace for ::1 arrives at the guest's lo.
 *
 * IPv6 drops whatever comes for ::1 by any other interface (RFC 4291, section 2.5.3), and has no
 * setting like IPv4's route_localnet. Everything else goes its way. Runs in the guest's kernel, on
 * its device pod0 only; compiled to instructions that need no relocation.
 */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/ipv6.h>
#include <linux/pkt_cls.h>

#define LOOPBACK_INDEX 1		/* of the kernel, in every network namespace */

static long (*bpf_skb_store_bytes)(struct __sk_buff *skb, __u32 off, const void *from, __u32 len,
				   __u64 flags) = (void *)BPF_FUNC_skb_store_bytes;
static long (*bpf_redirect)(__u32 ifindex, __u64 flags) = (void *)BPF_FUNC_redirect;

__attribute__((section("to_lo"), used)) int program_to_lo(struct __sk_buff *skb)
{
	const unsigned char *data = (const unsigned char *)(long)skb->data;
	const unsigned char *end = (const unsigned char *)(long)skb->data_end;
	const struct ipv6hdr *ip = (const struct ipv6hdr *)(data + ETH_HLEN);
	const __u32 *dest = ip->daddr.in6_u.u6_addr32;
	/* lo's MAC: by another one it would be a packet for another host. */
	const __u8 lo_mac[ETH_ALEN] = { 0 };

	if (skb->protocol != __builtin_bswap16(ETH_P_IPV6) ||
	    data + ETH_HLEN + sizeof(*ip) > end ||
	    dest[0] || dest[1] || dest[2] || dest[3] != __builtin_bswap32(1))
		return TC_ACT_UNSPEC;
	bpf_skb_store_bytes(skb, 0, lo_mac, sizeof(lo_mac), 0);
	return (int)bpf_redirect(LOOPBACK_INDEX, BPF_F_INGRESS);
}

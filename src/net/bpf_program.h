/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the programs for the kernel's BPF machine (*.bpf.c) have in common: the kernel's helpers
 * (bpf-helpers(7)), by their numbers, and words to write with. For those programs alone: compiled
 * by clang for little-endian, without a library; what is not used is not there.
 */
#ifndef RUNNC_NET_BPF_PROGRAM_H
#define RUNNC_NET_BPF_PROGRAM_H

#include <linux/bpf.h>
#include <stdbool.h>

#define inline inline __attribute__((always_inline))
#define section(name) __attribute__((section(name), used))
#define helper static __attribute__((unused))

/*
 * An index that is in range already, of an array of @size (a power of 2): said in the one way that
 * the kernel's verifier follows.
 */
#define bounded(i, size) __extension__ ({			\
	__u32 _i = (i);						\
								\
	asm volatile("" : "+r"(_i));				\
	_i & ((size) - 1);					\
})

/* What the host calls 0x1234 is 0x3412 on the wire. */
#define net16(x) __builtin_bswap16(x)
#define net32(x) __builtin_bswap32(x)

helper long (*bpf_redirect)(__u32 ifindex, __u64 flags) = (void *)BPF_FUNC_redirect;
helper long (*bpf_clone_redirect)(struct __sk_buff *skb, __u32 ifindex,
				  __u64 flags) = (void *)BPF_FUNC_clone_redirect;
helper long (*bpf_skb_load_bytes)(const void *skb, __u32 off, void *to,
				  __u32 len) = (void *)BPF_FUNC_skb_load_bytes;
helper long (*bpf_skb_store_bytes)(struct __sk_buff *skb, __u32 off, const void *from, __u32 len,
				   __u64 flags) = (void *)BPF_FUNC_skb_store_bytes;
helper long (*bpf_l3_csum_replace)(struct __sk_buff *skb, __u32 off, __u64 from, __u64 to,
				   __u64 size) = (void *)BPF_FUNC_l3_csum_replace;
helper long (*bpf_l4_csum_replace)(struct __sk_buff *skb, __u32 off, __u64 from, __u64 to,
				   __u64 flags) = (void *)BPF_FUNC_l4_csum_replace;
helper long (*bpf_csum_diff)(__be32 *from, __u32 from_size, __be32 *to, __u32 to_size,
			     __u32 seed) = (void *)BPF_FUNC_csum_diff;
helper long (*bpf_fib_lookup)(void *ctx, struct bpf_fib_lookup *params, int size,
			      __u32 flags) = (void *)BPF_FUNC_fib_lookup;
helper struct bpf_sock *(*bpf_skc_lookup_tcp)(void *ctx, struct bpf_sock_tuple *tuple, __u32 size,
					      __u64 netns,
					      __u64 flags) = (void *)BPF_FUNC_skc_lookup_tcp;
helper struct bpf_sock *(*bpf_sk_lookup_udp)(void *ctx, struct bpf_sock_tuple *tuple, __u32 size,
					     __u64 netns,
					     __u64 flags) = (void *)BPF_FUNC_sk_lookup_udp;
helper long (*bpf_sk_release)(void *sock) = (void *)BPF_FUNC_sk_release;

/* Is there a link with this index? Without forwarding on it, a lookup does nothing but look. */
static inline bool has_link(struct __sk_buff *skb, __u32 index)
{
	struct bpf_fib_lookup where = { .family = 2, .ifindex = index };

	return bpf_fib_lookup(skb, &where, sizeof(where), 0) >= 0;
}

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
/* Between programs that are compiled (*.bpf.c) and who loads them. Included by both sides. */
#ifndef RUNNC_NET_BPF_TABLE_H
#define RUNNC_NET_BPF_TABLE_H

/*
 * Instead of the address of the program's table, as it is compiled: "nabla", 64 bits. See
 * net_bpf_compiled().
 */
#define NET_BPF_TABLE_MARK 0x6e61626c61

/* The same for the table of the pod's ports (net/ports_table.h), where a program reads it. */
#define NET_BPF_PORTS_MARK 0x6e61626c62

#endif

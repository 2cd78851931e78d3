/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a unikernel is told: its command line, by type, and the arguments of nabla-run around it.
 * Pure. The command line is one string of at most SOLO5_CMDLINE_MAX bytes (the spt ABI).
 *
 * mirage	--ipv4=ADDR/LEN --ipv4-gateway=GW (and --ipv6=, --ipv6-gateway= where asked
 *		for), with the device's name in front where it is not "service": --NAME-ipv4=; then
 *		the arguments. One with white space, quotes or backslashes is quoted, as MirageOS
 *		undoes it.
 * rumprun	its JSON: cmdline (with process.args[0]), env for each variable, net for each
 *		interface, blk for the disk that blkMntPoint wants mounted. Its arguments are
 *		quoted in the same way. A command line that begins with "{" is left as it is.
 * raw		the arguments, joined by single spaces, as they are. With the annotation
 *		org.runnc.solo5.substitute=true these words in it are replaced, from the first
 *		network device: ${ip} ${prefix} ${gw} ${mac} ${mtu} ${dns}, in IPv6 ${ip6}
 *		${prefix6} ${gw6}; what is not known becomes nothing.
 *
 * process.args[0] is no argument if it is the unikernel's own path (but for rumprun, whose programs
 * have an argv[0]). urunc's cmdline, where it is given, is taken in place of process.args, as urunc
 * does it, and is not quoted.
 */
#ifndef RUNNC_CONTAINER_SOLO5_ARGS_H
#define RUNNC_CONTAINER_SOLO5_ARGS_H

#include "base/err.h"
#include "container/plan.h"

#define SOLO5_CMDLINE_MAX	8191u
#define SOLO5_PROGRAM		"nabla-run"	/* the tender, in the libexec folder */

/*
 * What network device @link is told: its first address of @family (AF_INET, AF_INET6) that is not
 * link-local, and the gateway of its default route, 4 or 16 bytes. Borrowed from @p; NULL: none.
 */
const struct gcfg_addr *solo5_address(const struct plan *p, size_t link, uint8_t family);
const uint8_t *solo5_gateway(const struct plan *p, size_t link, uint8_t family);

/*
 * The unikernel's command line for @p (PLAN_NETWORK_SURVEYED, or without a network). A heap block
 * of the caller's in *@line. Returns 0; -E2BIG if it is too long; -EINVAL for what the type cannot
 * express; or -ENOMEM.
 */
int solo5_cmdline(const struct plan *p, char **line, struct err *e);

/*
 * The arguments of nabla-run, argv[0] included, NULL-terminated, for str_vector_free(). @kernel and
 * the arrays are descriptor numbers in the process that will execute it: nets in the order of
 * p->net.ports, disks in that of p->solo5.disks. Returns as solo5_cmdline().
 */
int solo5_argv(const struct plan *p, int kernel, const int *nets, const int *disks, char ***argv,
	       struct err *e);

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
/* Which mode an interface gets, and who has it already. Pure. Internal to src/net. */
#ifndef RUNNC_NET_CHOOSE_H
#define RUNNC_NET_CHOOSE_H

#include "net/net.h"

/*
 * The mode for @l: the one that @r names, or for mode auto the first that works of tc, packet,
 * macvtap and bridge. *@why is what decided in mode auto, otherwise NULL; both texts are constant.
 * *@doubt is NULL, or why nothing may reach the guest in the mode that was asked for, or in any.
 * Returns 0, or -EOPNOTSUPP with @e filled in: the mode cannot be had there.
 */
int net_choose(const struct net_survey *s, const struct net_link *l, const struct net_request *r,
	       enum net_mode *mode, const char **why, const char **doubt, struct err *e);

/*
 * Is @l of a kind that takes frames of the link it is on, by their MAC or address? (VLANs take only
 * their own.)
 */
bool net_takes_frames(const struct net_link *l);

#define NET_TAKEN_TEXT 256

/*
 * Who has taken @l from a guest that would have it @shared, or for itself: a guest of this runtime,
 * alive or left behind; a guest of another runtime that is alive; a runtime that does not restore.
 * Returns false if nobody has; otherwise @text goes on from "interface 'eth0' ".
 */
bool net_taken(const struct net_survey *s, const struct net_link *l, bool shared,
	       char text[NET_TAKEN_TEXT]);

#endif

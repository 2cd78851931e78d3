/* SPDX-License-Identifier: GPL-2.0-only */
/* What a child of the runtime has of its parent's signals: nothing. */
#ifndef RUNNC_BASE_SIGNALS_H
#define RUNNC_BASE_SIGNALS_H

/* The default action for each signal, and none blocked, as a program starts. Cannot fail. */
void signals_reset(void);

#endif

/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Errors: one line for the user, outermost first, in a buffer in the caller's frame.
 *
 * A function that can fail takes a struct err and returns a negative errno after filling it in.
 * Whoever passes the error up adds what it was doing, for whom: "container c1: create tap 'tap0':
 * Operation not permitted". A struct err starts zeroed: `struct err e = ERR_INIT;`.
 */
#ifndef RUNNC_BASE_ERR_H
#define RUNNC_BASE_ERR_H

#define ERR_TEXT_MAX 1024

struct err {
	char text[ERR_TEXT_MAX];	/* NUL-terminated; a longer text is cut at its end */
};

#define ERR_INIT { .text = "" }

/*
 * Fill in @e with the formatted text and, for a negative @code, ": " and the text of errno -@code.
 * Returns @code, so that `return err_set(e, -errno, ...)` reads well.
 */
int err_set(struct err *e, int code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* As err_set(), without the text of the errno: for errors whose own words say it all. */
int err_say(struct err *e, int code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Put the formatted text and ": " in front of what @e says already. Returns @code. */
int err_wrap(struct err *e, int code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#endif

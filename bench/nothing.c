/* SPDX-License-Identifier: GPL-2.0-only */
/* The smallest program: what fork-exec executes. */
int main(void)
{
	return 0;
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * The kernel's access to user memory: page by page through the page tables and the kernel's own
 * mapping of guest memory and images. User addresses are never dereferenced, so there is nothing to
 * fix up.
 */
#include <linux/mutex.h>		/* futex.h needs it */
#include <linux/futex.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/string.h>
#include <linux/uaccess.h>
#include <asm/futex.h>
#include <kern_util.h>

/*
 * Where the kernel sees the byte at user address @addr, made accessible first; NULL if it is not.
 */
static void *user_page(unsigned long addr, bool write)
{
	pte_t *pte = virt_to_pte(current->mm, addr);
	int code;

	if (!pte || !pte_present(*pte) || !pte_read(*pte) ||
	    (write && (!pte_write(*pte) || !pte_dirty(*pte)))) {
		if (handle_page_fault(addr, 0, write, 1, &code))
			return NULL;
		pte = virt_to_pte(current->mm, addr);
		if (!pte || !pte_present(*pte) || (write && !pte_write(*pte)))
			return NULL;
	}
	return __va(pte_val(*pte) & PAGE_MASK) + offset_in_page(addr);
}

static unsigned long in_page(unsigned long addr, unsigned long n)
{
	return min(n, PAGE_SIZE - offset_in_page(addr));
}

unsigned long raw_copy_from_user(void *to, const void __user *from, unsigned long n)
{
	unsigned long addr = (unsigned long)from, chunk;
	void *page;

	for (; n; n -= chunk, addr += chunk, to += chunk) {
		page = user_page(addr, false);
		if (!page)
			break;
		chunk = in_page(addr, n);
		memcpy(to, page, chunk);
	}
	return n;
}
EXPORT_SYMBOL(raw_copy_from_user);

unsigned long raw_copy_to_user(void __user *to, const void *from, unsigned long n)
{
	unsigned long addr = (unsigned long)to, chunk;
	void *page;

	for (; n; n -= chunk, addr += chunk, from += chunk) {
		page = user_page(addr, true);
		if (!page)
			break;
		chunk = in_page(addr, n);
		memcpy(page, from, chunk);
	}
	return n;
}
EXPORT_SYMBOL(raw_copy_to_user);

unsigned long __clear_user(void __user *mem, unsigned long n)
{
	unsigned long addr = (unsigned long)mem, chunk;
	void *page;

	for (; n; n -= chunk, addr += chunk) {
		page = user_page(addr, true);
		if (!page)
			break;
		chunk = in_page(addr, n);
		memset(page, 0, chunk);
	}
	return n;
}
EXPORT_SYMBOL(__clear_user);

/* Copies up to and with the NUL. The length without it, @count if there is none, or -EFAULT. */
long strncpy_from_user(char *dst, const char __user *src, long count)
{
	unsigned long addr = (unsigned long)src, chunk, len;
	long left = count;
	char *page;

	if (!access_ok(src, 1))
		return -EFAULT;
	for (; left > 0; left -= chunk, addr += chunk, dst += chunk) {
		page = user_page(addr, false);
		if (!page)
			return -EFAULT;
		chunk = in_page(addr, left);
		len = strnlen(page, chunk);
		memcpy(dst, page, min(len + 1, chunk));
		if (len < chunk)
			return count - left + len;
	}
	return count;
}
EXPORT_SYMBOL(strncpy_from_user);

/* The length with the NUL, more than @count if there is none, or 0 if it is not accessible. */
long strnlen_user(const char __user *str, long count)
{
	unsigned long addr = (unsigned long)str, chunk, len;
	long left = count;
	char *page;

	if (!access_ok(str, 1))
		return 0;
	for (; left > 0; left -= chunk, addr += chunk) {
		page = user_page(addr, false);
		if (!page)
			return 0;
		chunk = in_page(addr, left);
		len = strnlen(page, chunk);
		if (len < chunk)
			return count - left + len + 1;
	}
	return count + 1;
}
EXPORT_SYMBOL(strnlen_user);

/* One CPU and no preemption in the kernel: plain operations are atomic. */

int arch_futex_atomic_op_inuser(int op, u32 oparg, int *oval, u32 __user *uaddr)
{
	u32 *p;

	if (!access_ok(uaddr, sizeof(*uaddr)))
		return -EFAULT;
	p = user_page((unsigned long)uaddr, true);
	if (!p)
		return -EFAULT;
	*oval = *p;
	switch (op) {
	case FUTEX_OP_SET:
		*p = oparg;
		return 0;
	case FUTEX_OP_ADD:
		*p += oparg;
		return 0;
	case FUTEX_OP_OR:
		*p |= oparg;
		return 0;
	case FUTEX_OP_ANDN:
		*p &= ~oparg;
		return 0;
	case FUTEX_OP_XOR:
		*p ^= oparg;
		return 0;
	default:
		return -ENOSYS;
	}
}
EXPORT_SYMBOL(arch_futex_atomic_op_inuser);

int futex_atomic_cmpxchg_inatomic(u32 *uval, u32 __user *uaddr, u32 oldval, u32 newval)
{
	u32 *p;

	if (!access_ok(uaddr, sizeof(*uaddr)))
		return -EFAULT;
	p = user_page((unsigned long)uaddr, true);
	if (!p)
		return -EFAULT;
	*uval = *p;
	if (*p == oldval)
		*p = newval;
	return 0;
}
EXPORT_SYMBOL(futex_atomic_cmpxchg_inatomic);

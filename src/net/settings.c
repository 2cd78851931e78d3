/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Settings that are not the kernel's default.
 *
 * Only those in the tables: what a program inside can notice, has one default in all kernels and on
 * all machines, and means the same in the guest. Not those whose default follows from the machine's
 * memory (tcp_rmem, tcp_wmem, tcp_mem, tcp_max_syn_backlog, tcp_max_tw_buckets): the guest's
 * own memory decides there; config.json's linux.sysctl sets them all the same. Not the congestion
 * control: the guest has its own. Of an interface, not what plan.c decides itself (accept_ra,
 * disable_ipv6).
 */
#include "net/settings.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"
#include "base/io.h"
#include "net/parse_parts.h"

struct setting {
	const char *key;		/* below /proc/sys/net */
	const char *standard;		/* as the kernel prints it */
};

static const struct setting of_namespace[] = {
	/* First: setting it sets others back. */
	{ "ipv4/ip_forward", "0" },
	{ "ipv6/conf/all/forwarding", "0" },
	{ "core/somaxconn", "4096" },
	{ "ipv4/ip_unprivileged_port_start", "1024" },
	{ "ipv4/ping_group_range", "1\t0" },
	{ "ipv4/ip_local_port_range", "32768\t60999" },
	{ "ipv4/ip_local_reserved_ports", "" },
	{ "ipv4/ip_default_ttl", "64" },
	{ "ipv4/ip_nonlocal_bind", "0" },
	{ "ipv4/ip_autobind_reuse", "0" },
	{ "ipv4/fib_multipath_hash_policy", "0" },
	{ "ipv4/icmp_echo_ignore_all", "0" },
	{ "ipv4/tcp_keepalive_time", "7200" },
	{ "ipv4/tcp_keepalive_intvl", "75" },
	{ "ipv4/tcp_keepalive_probes", "9" },
	{ "ipv4/tcp_fin_timeout", "60" },
	{ "ipv4/tcp_syn_retries", "6" },
	{ "ipv4/tcp_synack_retries", "5" },
	{ "ipv4/tcp_retries1", "3" },
	{ "ipv4/tcp_retries2", "15" },
	{ "ipv4/tcp_orphan_retries", "0" },
	{ "ipv4/tcp_syncookies", "1" },
	{ "ipv4/tcp_tw_reuse", "2" },
	{ "ipv4/tcp_timestamps", "1" },
	{ "ipv4/tcp_sack", "1" },
	{ "ipv4/tcp_window_scaling", "1" },
	{ "ipv4/tcp_ecn", "2" },
	{ "ipv4/tcp_mtu_probing", "0" },
	{ "ipv4/tcp_slow_start_after_idle", "1" },
	{ "ipv4/tcp_abort_on_overflow", "0" },
	{ "ipv4/tcp_fastopen", "1" },
	{ "ipv4/tcp_notsent_lowat", "4294967295" },
	{ "ipv4/tcp_no_metrics_save", "0" },
	{ "ipv6/bindv6only", "0" },
	{ "ipv6/ip_nonlocal_bind", "0" },
	{ "ipv6/fib_multipath_hash_policy", "0" },
	{ "ipv4/conf/all/rp_filter", "0" },
	{ "ipv4/conf/all/accept_local", "0" },
	{ "ipv4/conf/all/arp_ignore", "0" },
	{ "ipv4/conf/all/arp_announce", "0" },
	{ "ipv4/conf/all/arp_filter", "0" },
	{ "ipv4/conf/all/arp_notify", "0" },
	{ "ipv4/conf/all/src_valid_mark", "0" },
	{ "ipv4/conf/all/send_redirects", "1" },
};

/* "%s" is the interface. */
static const struct setting of_link[] = {
	{ "ipv4/conf/%s/forwarding", "0" },
	{ "ipv4/conf/%s/rp_filter", "0" },
	{ "ipv4/conf/%s/accept_local", "0" },
	{ "ipv4/conf/%s/arp_ignore", "0" },
	{ "ipv4/conf/%s/arp_announce", "0" },
	{ "ipv4/conf/%s/arp_filter", "0" },
	{ "ipv4/conf/%s/arp_notify", "0" },
	{ "ipv4/conf/%s/arp_accept", "0" },
	{ "ipv4/conf/%s/src_valid_mark", "0" },
	{ "ipv4/conf/%s/accept_redirects", "1" },
	{ "ipv4/conf/%s/send_redirects", "1" },
	{ "ipv6/conf/%s/forwarding", "0" },
	{ "ipv6/conf/%s/autoconf", "1" },
	{ "ipv6/conf/%s/accept_redirects", "1" },
	{ "ipv6/conf/%s/accept_ra_defrtr", "1" },
	{ "ipv6/conf/%s/accept_ra_pinfo", "1" },
	{ "ipv6/conf/%s/hop_limit", "64" },
	{ "ipv6/conf/%s/use_tempaddr", "0" },
	{ "ipv6/conf/%s/ndisc_notify", "0" },
};

#define SETTING_MAX 4096		/* a reserved-ports list is the longest */

static int settings_add(struct net_survey *s, int link, const char *key, const char *value)
{
	struct net_setting *slot;
	char *text;
	int rc;

	slot = net_parse_grow((void **)&s->settings, s->nr_settings, sizeof(*slot), &rc);
	if (!slot)
		return rc;
	if (asprintf(&text, "net/%s=%s", key, value) < 0)
		return -ENOMEM;
	slot->link = link;
	slot->text = text;
	s->nr_settings++;
	return 0;
}

/* What cannot be read is not there: this kernel has no such setting, or not for this interface. */
static int settings_look(struct net_survey *s, int link, const char *key, const char *standard)
{
	_autofree_ char *value = NULL;
	struct err e = ERR_INIT;
	char path[128];

	snprintf(path, sizeof(path), "/proc/sys/net/%s", key);
	if (io_read_file(AT_FDCWD, path, SETTING_MAX, &value, NULL, &e) < 0)
		return 0;
	value[strcspn(value, "\n")] = '\0';
	return strcmp(value, standard) == 0 ? 0 : settings_add(s, link, key, value);
}

static bool has_address(const struct net_survey *s, int link)
{
	for (size_t i = 0; i < s->nr_addrs; i++)
		if (s->addrs[i].addr.link == (uint32_t)link)
			return true;
	return false;
}

static int settings_of_link(struct net_survey *s, const struct net_link *l)
{
	char key[96];

	for (size_t i = 0; i < sizeof(of_link) / sizeof(of_link[0]); i++) {
		const char *name = strchr(of_link[i].key, '%');
		int rc;

		snprintf(key, sizeof(key), "%.*s%s%s", (int)(name - of_link[i].key),
			 of_link[i].key, l->name, name + 2);
		rc = settings_look(s, l->index, key, of_link[i].standard);
		if (rc < 0)
			return rc;
	}
	return 0;
}

int net_settings_read(struct net_survey *s, struct err *e)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < sizeof(of_namespace) / sizeof(of_namespace[0]); i++)
		rc = settings_look(s, 0, of_namespace[i].key, of_namespace[i].standard);
	for (size_t i = 0; rc == 0 && i < s->nr_links; i++)
		if (!(s->links[i].flags & IFF_LOOPBACK) && has_address(s, s->links[i].index))
			rc = settings_of_link(s, &s->links[i]);
	return rc < 0 ? err_set(e, rc, "read the namespace's settings") : 0;
}

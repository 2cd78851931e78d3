/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Bundles that are refused: one bad example for each refusal with its exact message, and what is
 * too deep, too many or too long.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/fd.h"
#include "base/str.h"
#include "bundle/test-bundle-help.h"

struct refusal {
	const char *text;
	const char *message;		/* without "config.json: " */
};

static const struct refusal refusals[] = {
	/* JSON itself */
	{ "", "line 1, column 0: '[' or '{' expected near end of file" },
	{ "{'a':", "line 1, column 5: unexpected token near end of file" },
	{ "{'a':1,'a':2}", "line 1, column 10: duplicate object key near '\"a\"'" },
	{ "{} x", "line 1, column 4: end of file expected near 'x'" },
	{ "{\n\n'a\x01'", "line 3, column 2: control character 0x1 near '\"a'" },
	{ "{'a':'\\u0000'}", "a string holds a NUL character" },
	{ "{'\\u0000':18446744073709551615}", "a string holds a NUL character" },
	{ "{18446744073709551615:1}",
	  "line 1, column 29: NUL byte in object key not supported" },
	{ "{'a':18446744073709551616}",
	  "line 1, column 25: too big integer near '18446744073709551616'" },
	{ "{'a':-9223372036854775809}",
	  "line 1, column 25: too big negative integer near '-9223372036854775809'" },
	{ "{'a':'\xff'}", "line 1, column 6: unable to decode byte 0xff near '\"'" },
	{ "[]", "expected an object" },
	{ "{}", "ociVersion: required, but missing" },

	/* The top */
	{ "{'ociVersion':1}", "ociVersion: expected a string" },
	{ "{'ociVersion':18446744073709551615}", "ociVersion: expected a string" },
	{ "{'ociVersion':''}", "ociVersion: '' is not a version" },
	{ "{'ociVersion':'1.0'}", "ociVersion: '1.0' is not a version" },
	{ "{'ociVersion':'1.0.2x'}", "ociVersion: '1.0.2x' is not a version" },
	{ "{'ociVersion':'1.0.2-'}", "ociVersion: '1.0.2-' is not a version" },
	{ "{'ociVersion':'01.0.2'}", "ociVersion: '01.0.2' is not a version" },
	{ "{'ociVersion':'2.0.0'}", "ociVersion: version 2.0.0 is not supported, only 1.x.y is" },
	{ "{'ociVersion':'0.6.0-dev'}",
	  "ociVersion: version 0.6.0-dev is not supported, only 1.x.y is" },
	{ "{'ociVersion':'10.0.0'}", "ociVersion: version 10.0.0 is not supported, only 1.x.y is" },
	{ "{'ociVersion':'1.0.2'}", "root: required, but missing" },
	{ "{'ociVersion':'1.0.2','root':'/'}", "root: expected an object" },
	{ "{'ociVersion':'1.0.2','root':{}}", "root.path: required, but missing" },
	{ "{'ociVersion':'1.0.2','root':{'path':''}}", "root.path: required, but missing" },
	{ "{'ociVersion':'1.0.2','root':{'path':1}}", "root.path: expected a string" },
	{ "{'ociVersion':'1.0.2','root':{'path':'/','readonly':'yes'}}",
	  "root.readonly: expected true or false" },
	{ CONFIG(",'hostname':7"), "hostname: expected a string" },
	{ CONFIG(",'hostname':'0123456789012345678901234567890123456789012345678901234567890123x'"),
	  "hostname: longer than 64 bytes" },
	{ CONFIG(",'domainname':'01234567890123456789012345678901"
		 "23456789012345678901234567890123x'"),
	  "domainname: longer than 64 bytes" },
	{ CONFIG(",'annotations':[]"), "annotations: expected an object" },
	{ CONFIG(",'annotations':{'':'x'}"), "annotations: a key is empty" },
	{ CONFIG(",'annotations':{'a.b':1}"), "annotations[\"a.b\"]: expected a string" },
	{ CONFIG(",'annotations':{'a\\u001b[31m':1}"),
	  "annotations[\"a\\u001b[31m\"]: expected a string" },

	/* process */
	{ CONFIG(",'process':[]"), "process: expected an object" },
	{ CONFIG(",'process':{}"), "process.cwd: required, but missing" },
	{ CONFIG(",'process':{'cwd':'tmp'}"), "process.cwd: expected an absolute path" },
	{ CONFIG(",'process':{'cwd':''}"), "process.cwd: expected an absolute path" },
	{ CONFIG(",'process':{'cwd':'/'}"), "process.args: required, but missing" },
	{ CONFIG(",'process':{'cwd':'/','args':[]}"),
	  "process.args: expected at least one element" },
	{ CONFIG(",'process':{'cwd':'/','args':'sh'}"), "process.args: expected an array" },
	{ CONFIG(",'process':{'cwd':'/','args':['a',1]}"), "process.args[1]: expected a string" },
	{ CONFIG(",'process':{'cwd':'/','args':[null]}"),
	  "process.args[0]: required, but missing" },
	{ PROCESS(",'terminal':1"), "process.terminal: expected true or false" },
	{ PROCESS(",'consoleSize':{'height':65536,'width':1}"),
	  "process.consoleSize.height: expected an integer from 0 to 65535" },
	{ PROCESS(",'env':['A=1','B']"), "process.env[1]: expected NAME=value" },
	{ PROCESS(",'env':['=1']"), "process.env[0]: expected NAME=value" },
	{ PROCESS(",'env':['']"), "process.env[0]: expected NAME=value" },
	{ PROCESS(",'user':0"), "process.user: expected an object" },
	{ PROCESS(",'user':{'uid':-1}"),
	  "process.user.uid: expected an integer from 0 to 4294967294" },
	{ PROCESS(",'user':{'uid':4294967295}"),
	  "process.user.uid: expected an integer from 0 to 4294967294" },
	{ PROCESS(",'user':{'uid':18446744073709551615}"),
	  "process.user.uid: expected an integer from 0 to 4294967294" },
	{ PROCESS(",'user':{'gid':1.0}"),
	  "process.user.gid: expected an integer from 0 to 4294967294" },
	{ PROCESS(",'user':{'gid':'0'}"),
	  "process.user.gid: expected an integer from 0 to 4294967294" },
	{ PROCESS(",'user':{'umask':512}"),
	  "process.user.umask: expected an integer from 0 to 511" },
	{ PROCESS(",'user':{'additionalGids':[1,-1]}"),
	  "process.user.additionalGids[1]: expected an integer from 0 to 4294967294" },
	{ PROCESS(",'user':{'additionalGids':[null]}"),
	  "process.user.additionalGids[0]: required, but missing" },
	{ PROCESS(",'rlimits':{}"), "process.rlimits: expected an array" },
	{ PROCESS(",'rlimits':[null]"), "process.rlimits[0]: required, but missing" },
	{ PROCESS(",'rlimits':[{'soft':1,'hard':1}]"),
	  "process.rlimits[0].type: required, but missing" },
	{ PROCESS(",'rlimits':[{'type':'RLIMIT_CPU','hard':1}]"),
	  "process.rlimits[0].soft: required, but missing" },
	{ PROCESS(",'rlimits':[{'type':'RLIMIT_CPU','soft':1}]"),
	  "process.rlimits[0].hard: required, but missing" },
	{ PROCESS(",'rlimits':[{'type':'RLIMIT_X','soft':1,'hard':1}]"),
	  "process.rlimits[0].type: unknown limit 'RLIMIT_X'" },
	{ PROCESS(",'rlimits':[{'type':'\\u001b\\n\\u007fx','soft':1,'hard':1}]"),
	  "process.rlimits[0].type: unknown limit '???x'" },
	{ PROCESS(",'rlimits':[{'type':'RLIMIT_CPU','soft':-1,'hard':1}]"),
	  "process.rlimits[0].soft: expected an integer from 0 to 18446744073709551615" },
	{ PROCESS(",'rlimits':[{'type':'RLIMIT_CPU','soft':2,'hard':1}]"),
	  "process.rlimits[0].soft: above the hard limit" },
	{ PROCESS(",'rlimits':[{'type':'RLIMIT_CPU','soft':1,'hard':1},"
		  "{'type':'RLIMIT_CPU','soft':1,'hard':1}]"),
	  "process.rlimits[1]: second entry for RLIMIT_CPU" },
	{ PROCESS(",'capabilities':[]"), "process.capabilities: expected an object" },
	{ PROCESS(",'capabilities':{'ambient':'CAP_KILL'}"),
	  "process.capabilities.ambient: expected an array" },
	{ PROCESS(",'noNewPrivileges':0"), "process.noNewPrivileges: expected true or false" },
	{ PROCESS(",'oomScoreAdj':1001"),
	  "process.oomScoreAdj: expected an integer from -1000 to 1000" },
	{ PROCESS(",'oomScoreAdj':18446744073709551615"),
	  "process.oomScoreAdj: expected an integer from -1000 to 1000" },
	{ PROCESS(",'apparmorProfile':[]"), "process.apparmorProfile: expected a string" },
	{ PROCESS(",'selinuxLabel':{}"), "process.selinuxLabel: expected a string" },

	/* mounts */
	{ CONFIG(",'mounts':{}"), "mounts: expected an array" },
	{ CONFIG(",'mounts':['/proc']"), "mounts[0]: expected an object" },
	{ CONFIG(",'mounts':[{}]"), "mounts[0].destination: required, but missing" },
	{ CONFIG(",'mounts':[{'destination':''}]"), "mounts[0].destination: empty" },
	{ MOUNT(",'type':1"), "mounts[0].type: expected a string" },
	{ MOUNT(",'source':1"), "mounts[0].source: expected a string" },
	{ MOUNT(",'options':'ro'"), "mounts[0].options: expected an array" },
	{ MOUNT(",'options':['ro',{}]"), "mounts[0].options[1]: expected a string" },
	{ MOUNT(",'options':['bind']"), "mounts[0].source: required, but missing" },
	{ MOUNT(",'type':'bind'"), "mounts[0].source: required, but missing" },
	{ MOUNT(",'uidMappings':{}"), "mounts[0].uidMappings: expected an array" },

	/* hooks */
	{ CONFIG(",'hooks':[]"), "hooks: expected an object" },
	{ CONFIG(",'hooks':{'poststop':{}}"), "hooks.poststop: expected an array" },
	{ CONFIG(",'hooks':{'prestart':[{}]}"), "hooks.prestart[0].path: required, but missing" },
	{ CONFIG(",'hooks':{'startContainer':[{'path':'x'}]}"),
	  "hooks.startContainer[0].path: expected an absolute path" },
	{ CONFIG(",'hooks':{'poststart':[{'path':'/x','args':[1]}]}"),
	  "hooks.poststart[0].args[0]: expected a string" },
	{ CONFIG(",'hooks':{'createRuntime':[{'path':'/x','timeout':0}]}"),
	  "hooks.createRuntime[0].timeout: expected more than 0 seconds" },
	{ CONFIG(",'hooks':{'createContainer':[{'path':'/x','timeout':-1}]}"),
	  "hooks.createContainer[0].timeout: expected an integer from 0 to 2147483647" },

	/* linux */
	{ CONFIG(",'linux':[]"), "linux: expected an object" },
	{ LINUX("'namespaces':{}"), "linux.namespaces: expected an array" },
	{ LINUX("'namespaces':['pid']"), "linux.namespaces[0]: expected an object" },
	{ LINUX("'namespaces':[{}]"), "linux.namespaces[0].type: required, but missing" },
	{ LINUX("'namespaces':[{'type':'net'}]"),
	  "linux.namespaces[0].type: unknown namespace 'net'" },
	{ LINUX("'namespaces':[{'type':'pid'},{'type':'pid'}]"),
	  "linux.namespaces[1]: second entry for 'pid'" },
	{ LINUX("'namespaces':[{'type':'pid','path':'proc/1/ns/pid'}]"),
	  "linux.namespaces[0].path: expected an absolute path" },
	{ LINUX("'uidMappings':[{'containerID':0,'hostID':0,'size':1}]"),
	  "linux.uidMappings: given without a user namespace" },
	{ LINUX("'namespaces':[{'type':'user'}],'gidMappings':[{'containerID':0,'size':1}]"),
	  "linux.gidMappings[0].hostID: required, but missing" },
	{ LINUX("'namespaces':[{'type':'user'}],"
		"'uidMappings':[{'containerID':0,'hostID':0,'size':0}]"),
	  "linux.uidMappings[0].size: expected more than 0 ids" },
	{ LINUX("'namespaces':[{'type':'user'}],"
		"'uidMappings':[{'containerID':0,'hostID':4294967290,'size':6}]"),
	  "linux.uidMappings[0]: reaches beyond the last id 4294967294" },
	{ LINUX("'devices':[{'path':'/dev/x','major':1,'minor':1}]"),
	  "linux.devices[0].type: required, but missing" },
	{ LINUX("'devices':[{'type':'x','path':'/dev/x'}]"),
	  "linux.devices[0].type: expected 'c', 'u', 'b' or 'p'" },
	{ LINUX("'devices':[{'type':'c','major':1,'minor':1}]"),
	  "linux.devices[0].path: required, but missing" },
	{ LINUX("'devices':[{'type':'c','path':'null','major':1,'minor':1}]"),
	  "linux.devices[0].path: expected an absolute path" },
	{ LINUX("'devices':[{'type':'c','path':'/dev/x','minor':1}]"),
	  "linux.devices[0].major: required, but missing" },
	{ LINUX("'devices':[{'type':'b','path':'/dev/x','major':4096,'minor':1}]"),
	  "linux.devices[0].major: expected an integer from 0 to 4095" },
	{ LINUX("'devices':[{'type':'b','path':'/dev/x','major':1,'minor':1048576}]"),
	  "linux.devices[0].minor: expected an integer from 0 to 1048575" },
	{ LINUX("'devices':[{'type':'p','path':'/dev/x','fileMode':-1}]"),
	  "linux.devices[0].fileMode: expected an integer from 0 to 4294967295" },
	{ LINUX("'cgroupsPath':{}"), "linux.cgroupsPath: expected a string" },
	{ LINUX("'sysctl':{'net.ipv4.ip_forward':1}"),
	  "linux.sysctl[\"net.ipv4.ip_forward\"]: expected a string" },
	{ LINUX("'sysctl':{'net/../../x':'1'}"),
	  "linux.sysctl[\"net/../../x\"]: not the name of a sysctl" },
	{ LINUX("'sysctl':{'/net':'1'}"), "linux.sysctl[\"/net\"]: not the name of a sysctl" },
	{ LINUX("'sysctl':{'':'1'}"), "linux.sysctl: a key is empty" },
	{ LINUX("'maskedPaths':['proc']"), "linux.maskedPaths[0]: expected an absolute path" },
	{ LINUX("'readonlyPaths':['/a','']"), "linux.readonlyPaths[1]: expected an absolute path" },
	{ LINUX("'rootfsPropagation':'ro'"), "linux.rootfsPropagation: unknown propagation 'ro'" },
	{ LINUX("'mountLabel':1"), "linux.mountLabel: expected a string" },
	{ LINUX("'seccomp':[]"), "linux.seccomp: expected an object" },
	{ LINUX("'personality':{}"), "linux.personality.domain: required, but missing" },
	{ LINUX("'personality':{'domain':'BSD'}"),
	  "linux.personality.domain: expected 'LINUX' or 'LINUX32'" },

	/* linux.resources */
	{ LINUX("'resources':[]"), "linux.resources: expected an object" },
	{ LINUX("'resources':{'memory':1}"), "linux.resources.memory: expected an object" },
	{ LINUX("'resources':{'memory':{'limit':-2}}"),
	  "linux.resources.memory.limit: expected an integer from -1 to 9223372036854775807" },
	{ LINUX("'resources':{'memory':{'limit':9223372036854775808}}"),
	  "linux.resources.memory.limit: expected an integer from -1 to 9223372036854775807" },
	{ LINUX("'resources':{'memory':{'swap':'1g'}}"),
	  "linux.resources.memory.swap: expected an integer from -1 to 9223372036854775807" },
	{ LINUX("'resources':{'memory':{'reservation':0.5}}"),
	  "linux.resources.memory.reservation: "
	  "expected an integer from -1 to 9223372036854775807" },
	{ LINUX("'resources':{'cpu':{'shares':-1}}"),
	  "linux.resources.cpu.shares: expected an integer from 0 to 18446744073709551615" },
	{ LINUX("'resources':{'cpu':{'period':1e6}}"),
	  "linux.resources.cpu.period: expected an integer from 0 to 18446744073709551615" },
	{ LINUX("'resources':{'cpu':{'quota':'x'}}"),
	  "linux.resources.cpu.quota: "
	  "expected an integer from -9223372036854775808 to 9223372036854775807" },
	{ LINUX("'resources':{'cpu':{'cpus':[0]}}"),
	  "linux.resources.cpu.cpus: expected a string" },
	{ LINUX("'resources':{'pids':5}"), "linux.resources.pids: expected an object" },
	{ LINUX("'resources':{'pids':{'limit':true}}"),
	  "linux.resources.pids.limit: "
	  "expected an integer from -9223372036854775808 to 9223372036854775807" },
	{ LINUX("'resources':{'unified':{'../x':'1'}}"),
	  "linux.resources.unified[\"../x\"]: expected a file name" },
	{ LINUX("'resources':{'unified':{'..':'1'}}"),
	  "linux.resources.unified[\"..\"]: expected a file name" },
	{ LINUX("'resources':{'devices':[{}]}"),
	  "linux.resources.devices[0].allow: required, but missing" },
	{ LINUX("'resources':{'devices':[{'allow':true,'type':'p'}]}"),
	  "linux.resources.devices[0].type: expected 'a', 'b' or 'c'" },
	{ LINUX("'resources':{'devices':[{'allow':true,'major':-2}]}"),
	  "linux.resources.devices[0].major: expected an integer from -1 to 4294967295" },
	{ LINUX("'resources':{'devices':[{'allow':true,'access':'rx'}]}"),
	  "linux.resources.devices[0].access: expected letters of 'rwm'" },
};

static void check_refused(const char *text, const char *message)
{
	_autofree_ char *expected = str_printf("config.json: %s", message);
	struct bundle *b = NULL;
	struct err e = ERR_INIT;
	int r = help_parse(text, &b, &e);

	if (r != -EINVAL)
		fail_msg("not refused (%d): %s", r, text);
	assert_null(b);
	assert_string_equal(e.text, expected);
}

static void test_refusals(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++)
		check_refused(refusals[i].text, refusals[i].message);
}

static void test_too_deep(void **state)
{
	_autobuf_ struct buf text = BUF_INIT(4096);

	(void)state;
	/*
	 * 64 levels are fine in a field that nobody reads, the 65th is not; brackets in strings are
	 * none.
	 */
	buf_add_str(&text, "{'ociVersion':'1.0.2','root':{'path':'/[[[[{{{{'},'x':");
	for (int i = 0; i < 63; i++)
		buf_add_str(&text, "[");
	for (int i = 0; i < 63; i++)
		buf_add_str(&text, "]");
	buf_add_str(&text, "}");
	bundle_free(help_good(text.data));

	buf_free(&text);
	for (int i = 0; i < 65; i++)
		buf_add_str(&text, "[");
	check_refused(text.data, "nested deeper than 64");
}

static void test_too_many_values(void **state)
{
	_autobuf_ struct buf text = BUF_INIT(BUNDLE_MAX_CONFIG);

	(void)state;
	buf_add_str(&text, "{'x':[");
	for (int i = 0; i < BUNDLE_MAX_VALUES; i++)
		buf_add_str(&text, "{},");
	check_refused(text.data, "more than 1000000 values");
}

static void test_too_many_groups(void **state)
{
	_autobuf_ struct buf text = BUF_INIT(1 << 20);

	(void)state;
	buf_add_str(&text, "{'ociVersion':'1.0.2','process':{'cwd':'/','args':['a'],"
		    "'user':{'additionalGids':[0");
	for (int i = 0; i < 65536; i++)
		buf_add_str(&text, ",1");
	buf_add_str(&text, "]}}}");
	check_refused(text.data, "process.user.additionalGids: expected at most 65536 elements");
}

static void test_too_long(void **state)
{
	_autofree_ char *text = malloc(BUNDLE_MAX_CONFIG + 1);
	struct bundle *b = NULL;
	struct err e = ERR_INIT;

	(void)state;
	assert_non_null(text);
	memset(text, ' ', BUNDLE_MAX_CONFIG + 1);
	assert_int_equal(bundle_parse(text, BUNDLE_MAX_CONFIG + 1, "/", &b, &e), -EFBIG);
	assert_string_equal(e.text, "config.json: longer than 16777216 bytes");
}

/* A NUL byte in the file, in and outside of a string; and a message about a key of 100000 bytes. */
static void test_hostile_bytes(void **state)
{
	static const char in_string[] = "{\"a\":\"x\0y\"}", outside[] = "{\0\"a\":1}";
	_autobuf_ struct buf text = BUF_INIT(1 << 20);
	struct bundle *b = NULL;
	struct err e = ERR_INIT;

	(void)state;
	assert_int_equal(bundle_parse(in_string, sizeof(in_string) - 1, "/", &b, &e), -EINVAL);
	assert_string_equal(e.text,
			    "config.json: line 1, column 7: control character 0x0 near '\"x'");
	assert_int_equal(bundle_parse(outside, sizeof(outside) - 1, "/", &b, &e), -EINVAL);
	assert_non_null(strstr(e.text, "config.json: line 1, column "));

	buf_add_str(&text, "{'ociVersion':'1.0.2','root':{'path':'/'},'annotations':{'");
	for (int i = 0; i < 10000; i++)
		buf_add_str(&text, "0123456789");
	buf_add_str(&text, "':1}}");
	check_refused(text.data, "annotations[\"0123456789012345678901234567890123456789"
		      "0123456789012345678901234567890123456789\"...]: expected a string");
}
int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_too_deep),
		cmocka_unit_test(test_too_many_values),
		cmocka_unit_test(test_too_many_groups),
		cmocka_unit_test(test_too_long),
		cmocka_unit_test(test_hostile_bytes),
	};

	return cmocka_run_group_tests_name("bundle-refusals", tests, NULL, NULL);
}

#include "publish/services.h"

#include "core/tuple.h"

#include <stdint.h>

/* IANA's service names (RFC 6335 registry) where they say it; else the product that listens there. */
static const struct service { uint8_t proto; uint16_t port; const char *name; } services[] = {
	{ PROTO_TCP, 21, "ftp" }, { PROTO_TCP, 22, "ssh" }, { PROTO_TCP, 23, "telnet" }, { PROTO_TCP, 25, "smtp" },
	{ PROTO_TCP, 53, "domain" }, { PROTO_TCP, 80, "http" }, { PROTO_TCP, 110, "pop3" }, { PROTO_TCP, 111, "sunrpc" },
	{ PROTO_TCP, 135, "epmap" }, { PROTO_TCP, 139, "netbios-ssn" }, { PROTO_TCP, 143, "imap" }, { PROTO_TCP, 443, "https" },
	{ PROTO_TCP, 445, "microsoft-ds" }, { PROTO_TCP, 465, "submissions" }, { PROTO_TCP, 502, "modbus" },
	{ PROTO_TCP, 587, "submission" }, { PROTO_TCP, 993, "imaps" }, { PROTO_TCP, 995, "pop3s" }, { PROTO_TCP, 1080, "socks" },
	{ PROTO_TCP, 1433, "ms-sql-s" }, { PROTO_TCP, 1521, "oracle" }, { PROTO_TCP, 1723, "pptp" }, { PROTO_TCP, 1883, "mqtt" },
	{ PROTO_TCP, 2222, "ssh (alternative)" }, { PROTO_TCP, 2323, "telnet (alternative)" }, { PROTO_TCP, 2375, "docker" },
	{ PROTO_TCP, 3128, "squid" }, { PROTO_TCP, 3306, "mysql" }, { PROTO_TCP, 3389, "ms-wbt-server (RDP)" },
	{ PROTO_TCP, 4899, "radmin" }, { PROTO_TCP, 5060, "sip" }, { PROTO_TCP, 5432, "postgresql" },
	{ PROTO_TCP, 5555, "adb" }, { PROTO_TCP, 5900, "rfb (VNC)" }, { PROTO_TCP, 6379, "redis" }, { PROTO_TCP, 7547, "cwmp" },
	{ PROTO_TCP, 8080, "http-alt" }, { PROTO_TCP, 8443, "https-alt" }, { PROTO_TCP, 8728, "mikrotik" },
	{ PROTO_TCP, 9200, "elasticsearch" }, { PROTO_TCP, 10000, "ndmp, webmin" }, { PROTO_TCP, 11211, "memcached" },
	{ PROTO_TCP, 27017, "mongodb" }, { PROTO_TCP, 37215, "huawei hg532" }, { PROTO_UDP, 53, "domain" },
	{ PROTO_UDP, 69, "tftp" }, { PROTO_UDP, 111, "sunrpc" }, { PROTO_UDP, 123, "ntp" }, { PROTO_UDP, 137, "netbios-ns" },
	{ PROTO_UDP, 138, "netbios-dgm" }, { PROTO_UDP, 161, "snmp" }, { PROTO_UDP, 389, "ldap (CLDAP)" },
	{ PROTO_UDP, 443, "https (QUIC)" }, { PROTO_UDP, 500, "isakmp" }, { PROTO_UDP, 1434, "ms-sql-m" },
	{ PROTO_UDP, 1900, "ssdp" }, { PROTO_UDP, 3702, "ws-discovery" }, { PROTO_UDP, 5060, "sip" }, { PROTO_UDP, 5353, "mdns" },
	{ PROTO_UDP, 5683, "coap" }, { PROTO_UDP, 11211, "memcached" }, { PROTO_ICMP, 8 << 8, "echo request" },
	{ PROTO_ICMP, 13 << 8, "timestamp" }, { PROTO_ICMPV6, 128 << 8, "echo request" },
};

const char *service_name(unsigned proto, unsigned port)
{
	for (unsigned i = 0; i < sizeof services / sizeof *services; i++)
		if (services[i].proto == proto && services[i].port == port)
			return services[i].name;
	return "";
}

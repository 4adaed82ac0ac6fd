/* The server's own rules: where it listens, and for whom. */
#include "test.h"

#include "base/err.h"
#include "net/http.h"

#include <stdio.h>

static void silent(void *to, const struct request *rq, struct reply *rp)
{
	(void)to;
	(void)rq;
	(void)rp;
}

TEST(only_names_of_this_machine_are_local_hosts)
{
	static const char *const local[] = { "localhost", "LOCALHOST:8025", "127.0.0.1", "127.1.2.3:80", "[::1]", "[::1]:8025" };
	static const char *const strange[] = { "", "example.com", "example.com:8025", "localhost.example", "127.0.0.1.example",
		"192.0.2.1", "[2001:db8::1]:80", "::1", "localhost:x", "[::1", "127.0.0.1:99999", "0.0.0.0", "[::1]x" };

	for (unsigned i = 0; i < sizeof local / sizeof *local; i++)
		if (!http_host_is_local(local[i]))
			test_failed(__FILE__, __LINE__, "%s is not taken", local[i]);
	for (unsigned i = 0; i < sizeof strange / sizeof *strange; i++)
		if (http_host_is_local(strange[i]))
			test_failed(__FILE__, __LINE__, "%s is taken", strange[i]);
}

TEST(the_server_listens_on_loopback_only)
{
	static const char *const refused[] = { "0.0.0.0:0", "[::]:0", "192.0.2.1:0", "example.com:0", "8025", ":8025", "127.0.0.1",
		"127.0.0.1:70000", "" };
	struct err e;

	for (unsigned i = 0; i < sizeof refused / sizeof *refused; i++) {
		if (http_open(&(struct http_how){ .listen = refused[i], .fn = silent }, &e))
			test_failed(__FILE__, __LINE__, "listens on \"%s\"", refused[i]);
		CHECK(e.what[0] && e.expected[0]);
	}
}

TEST(a_taken_port_is_told_with_the_way_out)
{
	struct err e;
	struct http *first = http_open(&(struct http_how){ .listen = "127.0.0.1:0", .fn = silent }, &e);
	char want[HTTP_ADDRESS_MAX + 16];

	if (!first)
		test_skip("no loopback here");
	CHECK(http_open(&(struct http_how){ .listen = http_address(first), .fn = silent }, &e) == NULL);
	(void)snprintf(want, sizeof want, "%s is taken", http_address(first));
	CHECK_TEXT(e.what, want);
	CHECK_TEXT(e.expected, "choose another with --listen ADDRESS:PORT, or make run PORT=8026");
	http_close(first);
}

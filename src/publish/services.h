/* services: what a well-known port is mostly reached for: a hint beside the number, not a finding. Pure. */
#ifndef TEITEN_SERVICES_H
#define TEITEN_SERVICES_H

/* "ssh", "echo request", or "" where nothing is worth saying. */
const char *service_name(unsigned proto, unsigned port);

#endif

/* daemon: tells the service manager how it stands, as sd_notify(3) describes it; nothing without one. */
#ifndef TEITEN_DAEMON_H
#define TEITEN_DAEMON_H

void daemon_tell(const char *state);    /* "READY=1", "RELOADING=1", "STOPPING=1" */

#endif

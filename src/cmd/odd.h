/* odd: what the robust values set aside: sensors that did not go with the others on a port, and what that may mean. */
#ifndef TEITEN_ODD_H
#define TEITEN_ODD_H

struct args;

int odd(const struct args *a);          /* `sensor odd [NAME]` */

#endif

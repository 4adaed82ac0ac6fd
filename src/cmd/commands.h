/* commands: the table of commands, in the order in which a newcomer meets them. */
#ifndef TEITEN_COMMANDS_H
#define TEITEN_COMMANDS_H

#include "cmd/cmd.h"

extern const struct command command_center, command_check, command_evaluate, command_surge, command_desk, command_dump, command_geo, command_import, command_keep, command_collect, command_ship, command_notify,
	command_port, command_region, command_scanner, command_sensor, command_simulate, command_source, command_top;

extern const struct command *const commands[];          /* NULL-ended */

const struct command *command_named(const char *name);
/* Usage, summary and options, as --help prints them. */
void command_help(const struct command *c);
extern const char *teiten_version;                      /* as git describes the tree that was built */

#endif

#include "cmd/commands.h"

const char *teiten_version = TEITEN_VERSION;

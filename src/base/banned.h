/* banned: functions that bite do not compile here. Included by the compiler's command line, before everything else. */
#ifndef TEITEN_BANNED_H
#define TEITEN_BANNED_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#pragma GCC poison strcpy strcat sprintf vsprintf strtok atoi atol atoll atof localtime gmtime asctime ctime gets strncpy

#endif

/* json: writes JSON (RFC 8259) into a buf, commas and escapes right by construction. NAN and infinities become null. */
#ifndef TEITEN_JSON_H
#define TEITEN_JSON_H

#include <stdbool.h>
#include <stdint.h>

struct buf;

enum { JSON_DEPTH_MAX = 16 };
struct json { struct buf *out; unsigned depth; bool filled[JSON_DEPTH_MAX]; };

struct json json_to(struct buf *out);
/* Every value takes the key it stands under; NULL inside an array and at the top. */
void json_object(struct json *j, const char *key);
void json_array(struct json *j, const char *key);
void json_end_object(struct json *j);
void json_end_array(struct json *j);
void json_string(struct json *j, const char *key, const char *text);    /* text NULL becomes null */
void json_number(struct json *j, const char *key, double v);            /* shortest form that reads back equal */
void json_whole(struct json *j, const char *key, uint64_t v);
void json_bool(struct json *j, const char *key, bool v);
void json_null(struct json *j, const char *key);

#endif

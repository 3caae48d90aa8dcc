/* SPDX-License-Identifier: Apache-2.0 */
#ifndef VCP_PLUGIN_EXT_JSON_H
#define VCP_PLUGIN_EXT_JSON_H

/*
 * Extension "vcp.host.json/1": reading JSON and writing its strings, for drivers in plain C (a C++ driver takes
 * cpp/json.h). The table comes from host->get_extension(host, "vcp.host.json/1") and is valid as long as that host. The
 * rules are in abi.h.
 *
 * A document is one JSON value (RFC 8259) of at most 8 MiB, at most 64 levels deep, in UTF-8. Each function reads it
 * anew: to read much of a large one, take the part that matters first and go on in that. A pointer is a JSON pointer
 * (RFC 6901): "" is the whole, "/servers/0/id" a member of an element; "~1" stands for "/" and "~0" for "~" in a name.
 *
 * Values come as text: a string as what it says, without quotes; true, false, null and numbers as JSON writes them;
 * arrays and objects as JSON without white space, in their order. Whole numbers are exact from -2^63 to 2^64 - 1, all
 * others are those of a double, in the fewest digits that tell it; a document with a number beyond that is refused.
 */

#include "vcp/plugin/host.h"
#include "vcp/plugin/types.h"

#ifdef __cplusplus
extern "C" {
#endif

#define VCP_JSON_ID "vcp.host.json/1"

enum {
  VCP_JSON_UNSPECIFIED = 0,
  VCP_JSON_NULL = 1,
  VCP_JSON_BOOLEAN = 2,
  VCP_JSON_NUMBER = 3,
  VCP_JSON_STRING = 4,
  VCP_JSON_ARRAY = 5,
  VCP_JSON_OBJECT = 6
};

typedef struct vcp_json_visitor vcp_json_visitor_t;

/* Made by the plugin; called inside `each`, on the calling thread. Must not throw. */
struct vcp_json_visitor {
  uint32_t struct_size;
  uint32_t reserved;
  void* plugin_data; /* the plugin's; the host does not touch it */

  /* One member, in the order of the document. `key` is the name in an object, empty in an array; `type` is a
   * VCP_JSON_*. Texts are borrowed until it returns. VCP_OK: go on; anything else ends `each` with that. */
  int32_t (*member)(const vcp_json_visitor_t* visitor, vcp_string_t key, int32_t type, vcp_string_t text);
};

typedef struct vcp_json vcp_json_t;

/*
 * The table. [any-thread, no-block] `out` is a vcp_text_sink_t that the plugin makes (see crypto.h).
 *   VCP_NOT_FOUND           the pointer leads nowhere
 *   VCP_INVALID_ARGUMENT    the document is no JSON or too large or too deep; the pointer is none; a null argument
 *   VCP_RESOURCE_EXHAUSTED  no memory
 */
struct vcp_json {
  uint32_t struct_size;
  uint32_t reserved;
  void* host_data; /* the host's; do not touch */

  /* The value at `pointer`. `type` may be null; it is set before the text goes to `out`, and tells null from "null". */
  int32_t (*get)(const vcp_json_t* json, vcp_string_t document, vcp_string_t pointer, int32_t* type,
                 const vcp_text_sink_t* out);

  /* Each member of the array or object at `pointer`; of any other value INVALID_ARGUMENT. */
  int32_t (*each)(const vcp_json_t* json, vcp_string_t document, vcp_string_t pointer,
                  const vcp_json_visitor_t* visitor);

  /* `text` (UTF-8, at most 8 MiB) as a JSON string with its quotes. */
  int32_t (*quote)(const vcp_json_t* json, vcp_string_t text, const vcp_text_sink_t* out);
};

#ifdef __cplusplus
}
#endif

#endif

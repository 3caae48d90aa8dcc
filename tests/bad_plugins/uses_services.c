/* SPDX-License-Identifier: Apache-2.0 */
/* Without a defect: its probe signs `data` of the catalog entry with the key of the credentials, compares with
 * `expected`, and keeps the signature in its session; with the mode "leave" it ends without keeping what it claimed. */
#define NAME "uses_services"
#define OWN_PROBE
#define PROBE probe_services

#include <string.h>

#include "good.h"
#include "vcp/plugin/ext/crypto.h"
#include "vcp/plugin/ext/json.h"
#include "vcp/plugin/ext/session.h"

typedef struct buffer {
  char data[4096];
  uint64_t size;
  vcp_text_sink_t sink;
} buffer_t;

static int32_t append(const vcp_text_sink_t* sink, vcp_string_t piece) {
  buffer_t* buffer = (buffer_t*)sink->maker_data;
  if (piece.size > sizeof buffer->data - buffer->size) return VCP_OUT_OF_RANGE;
  memcpy(buffer->data + buffer->size, piece.data, (size_t)piece.size);
  buffer->size += piece.size;
  return VCP_OK;
}

static const vcp_text_sink_t* into(buffer_t* buffer) {
  buffer->size = 0;
  memset(&buffer->sink, 0, sizeof buffer->sink);
  buffer->sink.struct_size = sizeof buffer->sink;
  buffer->sink.maker_data = buffer;
  buffer->sink.write = append;
  return &buffer->sink;
}

static vcp_string_t held(const buffer_t* buffer) { return text(buffer->data, buffer->size); }

static int same(vcp_string_t a, vcp_string_t b) { return a.size == b.size && !memcmp(a.data, b.data, (size_t)a.size); }

static const void* extension(const char* id) {
  return good_host->get_extension(good_host, text(id, (uint64_t)strlen(id)));
}

static int32_t probe_services(vcp_driver_instance_t* driver, const vcp_call_t* call, vcp_error_t* error) {
  const vcp_json_t* json = (const vcp_json_t*)extension(VCP_JSON_ID);
  const vcp_crypto_t* crypto = (const vcp_crypto_t*)extension(VCP_CRYPTO_ID);
  const vcp_session_t* session = (const vcp_session_t*)extension(VCP_SESSION_ID);
  const vcp_string_t key = VCP_LITERAL("signature");
  buffer_t pem, data, expected, mode, signature, encoded;
  int32_t type = 0;
  int32_t code;
  UNUSED(driver);
  if (!json || !crypto || !session || extension("vcp.host.none/1")) return VCP_FAILED_PRECONDITION;
  if (json->get(json, call->credentials, text("/key", 4), &type, into(&pem)) != VCP_OK || type != VCP_JSON_STRING ||
      json->get(json, call->catalog_entry, text("/data", 5), 0, into(&data)) != VCP_OK ||
      json->get(json, call->catalog_entry, text("/expected", 9), 0, into(&expected)) != VCP_OK ||
      json->get(json, call->catalog_entry, text("/mode/0", 7), &type, into(&mode)) != VCP_OK || type != VCP_JSON_NULL ||
      json->get(json, call->catalog_entry, text("/mode/1", 7), 0, into(&mode)) != VCP_OK ||
      json->get(json, call->catalog_entry, text("/mode/2", 7), 0, into(&encoded)) != VCP_NOT_FOUND) {
    return VCP_INVALID_ARGUMENT;
  }
  code = session->get(session, call, key, into(&encoded));
  if (code == VCP_OK) {
    good_host->log(good_host, VCP_LOG_INFO, text("KEPT", 4), text("", 0), 0, 0);
  } else if (code == VCP_NOT_FOUND) {
    if (same(held(&mode), text("leave", 5))) return VCP_ABORTED;
    code = crypto->sign(crypto, VCP_SIGN_RSA_PKCS1, held(&pem), held(&data), into(&signature), error);
    if (code != VCP_OK) return code;
    code = crypto->base64_encode(crypto, VCP_BASE64_URL, held(&signature), into(&encoded));
    if (code != VCP_OK) return code;
    code = session->put(session, call, key, held(&encoded), 60000);
    if (code != VCP_OK) return code;
    good_host->log(good_host, VCP_LOG_INFO, text("MADE", 4), text("", 0), 0, 0);
  } else {
    return code;
  }
  return same(held(&encoded), held(&expected)) ? VCP_OK : VCP_UNAUTHENTICATED;
}

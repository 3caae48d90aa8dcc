/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A driver in plain C for the tiny cloud's /v2: no idempotency keys, and names that are not unique. One request makes a
 * machine; before it is repeated, the machine is looked for by its name. JSON and HTTP are the host's.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"
#include "vcp/plugin/ext/http.h"
#include "vcp/plugin/ext/json.h"

struct vcp_driver_instance {
  const vcp_http_t* http;
  const vcp_json_t* json;
  text_t endpoint;
};

static const char kSchema[] =
    "{\"$schema\": \"https://json-schema.org/draft/2020-12/schema\", \"type\": \"object\", \"properties\": {"
    "\"cci_version\": {\"type\": \"string\"}, "
    "\"api_key\": {\"type\": \"string\", \"x-vcp-secret\": true}, "
    "\"size\": {\"type\": [\"string\", \"null\"], \"enum\": [\"small\", \"large\", null]}, "
    "\"ip_address_list\": {\"type\": [\"array\", \"null\"], \"items\": {\"type\": \"string\", \"format\": \"ipv4\"}}}}";

/* Errors */

/* Copies what fits, cut at a character of UTF-8. */
static void put(char* out, size_t capacity, vcp_string_t text) {
  size_t size = text.size < capacity ? (size_t)text.size : capacity - 1;
  if (size < text.size) {
    while (size > 0 && ((unsigned char)text.data[size] & 0xC0) == 0x80) --size;
  }
  if (size > 0) memcpy(out, text.data, size);
  out[size] = '\0';
}

static vcp_error_t no_error(void) {
  vcp_error_t error = {0};
  error.struct_size = sizeof error;
  return error;
}

static int32_t fail(vcp_error_t* error, int32_t code, int32_t outcome, const char* message) {
  error->code = code;
  error->outcome = outcome;
  put(error->message, sizeof error->message, literal(message));
  return code;
}

/* JSON */

/* Adds the value at `pointer` to `out`. 0: it is absent or null. */
static int json_get(const vcp_driver_instance_t* driver, vcp_string_t document, const char* pointer, text_t* out) {
  const vcp_text_sink_t sink = text_sink(out);
  const size_t before = out->size;
  int32_t type = VCP_JSON_NULL;
  if (document.size == 0) return 0;
  if (driver->json->get(driver->json, document, literal(pointer), &type, &sink) != VCP_OK) return 0;
  if (type != VCP_JSON_NULL) return 1;
  out->size = before; /* takes the text "null" back */
  return 0;
}

/* Adds `"key": "value"` to an object that is being written. */
static void json_member(const vcp_driver_instance_t* driver, text_t* out, const char* key, vcp_string_t value) {
  const vcp_text_sink_t sink = text_sink(out);
  if (value.size == 0 || out->broken) return;
  text_add(out, literal(out->data[out->size - 1] == '{' ? "\"" : ", \""));
  text_add(out, literal(key));
  text_add(out, literal("\": "));
  if (driver->json->quote(driver->json, value, &sink) != VCP_OK) out->broken = 1;
}

/* HTTP */

typedef struct answer {
  int32_t status;
  int64_t retry_after_ms;
  char request_id[128];
  text_t body;
} answer_t;

static void take_status(const vcp_http_sink_t* sink, int32_t status, int64_t retry_after_ms) {
  answer_t* answer = sink->plugin_data;
  answer->status = status;
  answer->retry_after_ms = retry_after_ms;
}

static void take_header(const vcp_http_sink_t* sink, vcp_string_t name, vcp_string_t value) {
  answer_t* answer = sink->plugin_data;
  if (equal(name, "X-Request-Id")) put(answer->request_id, sizeof answer->request_id, value);
}

static int32_t take_body(const vcp_http_sink_t* sink, vcp_string_t bytes) {
  answer_t* answer = sink->plugin_data;
  text_add(&answer->body, bytes);
  return answer->body.broken ? VCP_CANCELLED : VCP_OK;
}

/* [refuse] */
/* What an answer other than 2xx means: why, and whether the request took effect all the same. */
static int32_t refuse(const vcp_driver_instance_t* driver, const answer_t* answer, int is_change, vcp_error_t* error) {
  text_t cloud_code = {0};
  text_t message = {0};
  int32_t code = answer->status >= 500 ? VCP_UNAVAILABLE : VCP_INTERNAL;
  char status[64];
  json_get(driver, borrow(&answer->body), "/error/code", &cloud_code);
  snprintf(status, sizeof status, "the cloud answered %d ", (int)answer->status);
  text_add(&message, literal(status));
  json_get(driver, borrow(&answer->body), "/error/message", &message);
  if (answer->status == 400) code = VCP_INVALID_ARGUMENT;
  if (answer->status == 401) code = VCP_UNAUTHENTICATED;
  if (answer->status == 403) code = VCP_PERMISSION_DENIED;
  if (answer->status == 409) code = VCP_ALREADY_EXISTS;
  if (answer->status == 404 || answer->status == 429) code = VCP_UNAVAILABLE; /* 404 without a code is a proxy's */
  if (equal(borrow(&cloud_code), "not_found")) code = VCP_NOT_FOUND;
  if (equal(borrow(&cloud_code), "quota_exceeded")) code = VCP_RESOURCE_EXHAUSTED;
  fail(error, code, is_change && answer->status >= 500 ? VCP_OUTCOME_UNKNOWN : VCP_OUTCOME_NOT_APPLIED, "");
  error->retry_after_ms = answer->retry_after_ms;
  put(error->provider_code, sizeof error->provider_code, borrow(&cloud_code));
  put(error->request_id, sizeof error->request_id, literal(answer->request_id));
  put(error->message, sizeof error->message, borrow(&message));
  text_free(&cloud_code);
  text_free(&message);
  return code;
}
/* [refuse] */

/* One request. VCP_OK: it was accepted, and `out` (may be null) holds the body of the answer. */
static int32_t ask(const vcp_driver_instance_t* driver, const vcp_call_t* call, const char* method, const char* path,
                   vcp_string_t tail, vcp_string_t body, text_t* out, vcp_error_t* error) {
  const int is_change = strcmp(method, "GET") != 0;
  text_t url = {0};
  text_t key = {0};
  answer_t answer = {0};
  vcp_http_header_t headers[2] = {{VCP_LITERAL("Authorization"), {NULL, 0}},
                                  {VCP_LITERAL("Content-Type"), VCP_LITERAL("application/json")}};
  vcp_http_request_t request = {0};
  vcp_http_sink_t sink = {0};
  int32_t code = VCP_OK;

  text_add(&url, borrow(&driver->endpoint));
  text_add(&url, literal(path));
  text_add(&url, tail);
  text_add(&key, literal("Bearer "));
  json_get(driver, call->credentials, "/api_key", &key);
  headers[0].value = borrow(&key);
  request.struct_size = sizeof request;
  request.method = literal(method);
  request.url = borrow(&url);
  request.headers = headers;
  request.header_count = body.size > 0 ? 2 : 1;
  request.body = body;
  sink.struct_size = sizeof sink;
  sink.plugin_data = &answer;
  sink.status = take_status;
  sink.header = take_header;
  sink.body = take_body;

  if (url.broken || key.broken) {
    code = fail(error, VCP_RESOURCE_EXHAUSTED, VCP_OUTCOME_NOT_APPLIED, "no memory for the request");
  } else {
    code = driver->http->request(driver->http, call, &request, &sink, error);
    if (code != VCP_OK && !is_change) error->outcome = VCP_OUTCOME_NOT_APPLIED;
  }
  if (code == VCP_OK && answer.body.broken) {
    code = fail(error, VCP_RESOURCE_EXHAUSTED, is_change ? VCP_OUTCOME_UNKNOWN : VCP_OUTCOME_NOT_APPLIED,
                "no memory for the answer");
  } else if (code == VCP_OK && answer.status / 100 != 2) {
    code = refuse(driver, &answer, is_change, error);
  } else if (code == VCP_OK && out != NULL) {
    *out = answer.body;
    answer.body.data = NULL;
  }
  free(answer.body.data);
  text_free(&url);
  text_free(&key);
  return code;
}

/* Machines */

/* [find] */
/* The page of machines that are named like `item`, oldest first: {"items": [...]}. A list may lag, so an empty one is
 * followed by a look at the known id. VCP_OK with an empty `page`: the cloud says that there is none. */
static int32_t find(const vcp_driver_instance_t* driver, const vcp_call_t* call, const vcp_item_t* item, text_t* page,
                    vcp_error_t* error) {
  const vcp_string_t none = {NULL, 0};
  text_t first = {0};
  text_t machine = {0};
  int32_t code = ask(driver, call, "GET", "/v2/machines?name=", item->name, none, page, error);
  if (code != VCP_OK) return code;
  if (json_get(driver, borrow(page), "/items/0/id", &first)) {
    text_free(&first);
    return VCP_OK;
  }
  if (!json_get(driver, borrow(page), "/items", &first)) {
    text_free(page);
    return fail(error, VCP_UNAVAILABLE, VCP_OUTCOME_NOT_APPLIED, "GET /v2/machines: the answer is not the cloud's");
  }
  text_free(&first);
  text_free(page);
  if (item->cloud_id.size == 0) return VCP_OK;
  code = ask(driver, call, "GET", "/v2/machines/", item->cloud_id, none, &machine, error);
  if (code == VCP_OK) {
    text_add(page, literal("{\"items\": ["));
    text_add(page, borrow(&machine));
    text_add(page, literal("]}"));
  }
  text_free(&machine);
  return code == VCP_NOT_FOUND ? VCP_OK : code;
}
/* [find] */

/* Reports the machine in `document` at `at` ("/items/0" or ""). 0: there is none. */
static int report(const vcp_driver_instance_t* driver, const vcp_item_t* item, const text_t* document, const char* at,
                  const vcp_item_sink_t* out) {
  text_t id = {0};
  text_t address = {0};
  char pointer[64];
  int found = 0;
  snprintf(pointer, sizeof pointer, "%s/id", at);
  found = json_get(driver, borrow(document), pointer, &id);
  snprintf(pointer, sizeof pointer, "%s/address", at);
  json_get(driver, borrow(document), pointer, &address);
  if (found) out->machine(out, item->index, borrow(&id), borrow(&address));
  text_free(&id);
  text_free(&address);
  return found;
}

/* [create] */
static int32_t create_one(const vcp_driver_instance_t* driver, const vcp_call_t* call, vcp_string_t spec,
                          const vcp_item_t* item, const vcp_item_sink_t* out, vcp_error_t* error) {
  text_t page = {0};
  text_t body = {0};
  text_t value = {0};
  text_t made = {0};
  int32_t code = find(driver, call, item, &page, error);
  const int exists = code == VCP_OK && report(driver, item, &page, "/items/0", out);
  text_free(&page);
  if (code != VCP_OK || exists) return code;

  if (!json_get(driver, spec, "/cloud_params/size", &value)) text_add(&value, literal("small"));
  text_add(&body, literal("{"));
  json_member(driver, &body, "name", item->name);
  json_member(driver, &body, "size", borrow(&value));
  json_member(driver, &body, "address", item->requested_address);
  value.size = 0;
  json_get(driver, spec, "/access/user_data", &value);
  json_member(driver, &body, "user_data", borrow(&value));
  text_add(&body, literal(", \"labels\": {"));
  json_member(driver, &body, "vcc", call->vcc_id);
  text_add(&body, literal("}}"));
  if (body.broken || value.broken) {
    code = fail(error, VCP_RESOURCE_EXHAUSTED, VCP_OUTCOME_NOT_APPLIED, "no memory for the request");
  } else {
    code = ask(driver, call, "POST", "/v2/machines", literal(""), borrow(&body), &made, error);
  }
  if (code == VCP_OK && !report(driver, item, &made, "", out)) {
    code = fail(error, VCP_UNAVAILABLE, VCP_OUTCOME_APPLIED, "POST /v2/machines: accepted, but the answer has no id");
  }
  text_free(&body);
  text_free(&value);
  text_free(&made);
  return code;
}
/* [create] */

static int32_t create(vcp_driver_instance_t* driver, const vcp_call_t* call, vcp_string_t spec,
                      const vcp_item_t* const* items, uint64_t item_count, const vcp_item_sink_t* out,
                      vcp_error_t* error) {
  uint64_t i = 0;
  (void)error; /* each item answers for itself */
  for (i = 0; i < item_count; ++i) {
    vcp_error_t own = no_error();
    if (create_one(driver, call, spec, items[i], out, &own) == VCP_OK) {
      out->done(out, items[i]->index);
    } else {
      out->error(out, items[i]->index, &own);
    }
  }
  return VCP_OK;
}

/* [destroy] */
/* One change: the oldest machine of the name goes, and the host calls again until none is left. */
static int32_t destroy(vcp_driver_instance_t* driver, const vcp_call_t* call, const vcp_item_t* const* items,
                       uint64_t item_count, const vcp_item_sink_t* out, vcp_error_t* error) {
  const vcp_string_t none = {NULL, 0};
  uint64_t i = 0;
  (void)error;
  for (i = 0; i < item_count; ++i) {
    vcp_error_t own = no_error();
    text_t page = {0};
    text_t id = {0};
    int32_t code = find(driver, call, items[i], &page, &own);
    const int exists = code == VCP_OK && json_get(driver, borrow(&page), "/items/0/id", &id);
    if (exists) code = ask(driver, call, "DELETE", "/v2/machines/", borrow(&id), none, NULL, &own);
    if (code != VCP_OK && code != VCP_NOT_FOUND) {
      out->error(out, items[i]->index, &own);
    } else if (exists) {
      out->pending(out, items[i]->index, 0, literal("looking for another of its name"));
    } else {
      out->done(out, items[i]->index);
    }
    text_free(&page);
    text_free(&id);
  }
  return VCP_OK;
}
/* [destroy] */

/* [observe] */
enum { kMaxTwins = 8 };

/* Every further machine of the name is a part: a request whose answer was lost took effect after all. */
static uint64_t twins(const vcp_driver_instance_t* driver, const text_t* page, text_t ids[kMaxTwins],
                      vcp_resource_t parts[kMaxTwins]) {
  uint64_t count = 0;
  char pointer[64];
  for (count = 0; count < kMaxTwins; ++count) {
    vcp_resource_t* part = &parts[count];
    snprintf(pointer, sizeof pointer, "/items/%u/id", (unsigned)count + 1);
    if (!json_get(driver, borrow(page), pointer, &ids[count])) break;
    part->struct_size = sizeof *part;
    part->kind = literal("machine");
    part->name = borrow(&ids[count]);
    part->id = borrow(&ids[count]);
  }
  return count;
}

static void tell(const vcp_driver_instance_t* driver, const vcp_item_t* item, const text_t* page,
                 const vcp_observation_sink_t* out) {
  text_t id = {0};
  text_t state = {0};
  text_t address = {0};
  text_t ids[kMaxTwins] = {{0}};
  vcp_resource_t parts[kMaxTwins] = {{0}};
  const vcp_resource_t* pointers[kMaxTwins];
  vcp_observation_t seen = {0};
  uint64_t i = 0;
  seen.struct_size = sizeof seen;
  seen.index = item->index;
  seen.found = json_get(driver, borrow(page), "/items/0/id", &id);
  if (seen.found) {
    json_get(driver, borrow(page), "/items/0/state", &state);
    json_get(driver, borrow(page), "/items/0/address", &address);
    if (equal(borrow(&state), "building")) seen.state = VCP_STATE_PROVISIONING;
    if (equal(borrow(&state), "running")) seen.state = VCP_STATE_RUNNING;
    if (equal(borrow(&state), "stopped")) seen.state = VCP_STATE_STOPPED;
    if (seen.state == VCP_STATE_UNSPECIFIED) seen.detail = borrow(&state);
    seen.name = item->name;
    seen.cloud_id = borrow(&id);
    seen.address = borrow(&address);
    seen.resource_count = twins(driver, page, ids, parts);
    for (i = 0; i < seen.resource_count; ++i) pointers[i] = &parts[i];
    seen.resources = pointers;
  }
  out->observed(out, &seen);
  text_free(&id);
  text_free(&state);
  text_free(&address);
  for (i = 0; i < kMaxTwins; ++i) text_free(&ids[i]);
}

static int32_t observe(vcp_driver_instance_t* driver, const vcp_call_t* call, const vcp_item_t* const* items,
                       uint64_t item_count, const vcp_observation_sink_t* out, vcp_error_t* error) {
  uint64_t i = 0;
  (void)error;
  for (i = 0; i < item_count; ++i) {
    vcp_error_t own = no_error();
    text_t page = {0};
    if (find(driver, call, items[i], &page, &own) == VCP_OK) {
      tell(driver, items[i], &page, out);
    } else {
      out->error(out, items[i]->index, &own);
    }
    text_free(&page);
  }
  return VCP_OK;
}
/* [observe] */

/* The rest */

static int32_t describe(vcp_driver_instance_t* driver, const vcp_text_sink_t* out, vcp_error_t* error) {
  (void)driver;
  if (out->write(out, literal(kSchema)) == VCP_OK) return VCP_OK;
  return fail(error, VCP_OUT_OF_RANGE, VCP_OUTCOME_NOT_APPLIED, "the schema is too large");
}

static int32_t validate(vcp_driver_instance_t* driver, vcp_string_t cloud_params, vcp_string_t catalog_entry,
                        vcp_error_t* error) {
  text_t value = {0};
  int has_key = 0;
  int size_is_good = 0;
  (void)catalog_entry;
  has_key = json_get(driver, cloud_params, "/api_key", &value);
  value.size = 0;
  size_is_good = !json_get(driver, cloud_params, "/size", &value) || equal(borrow(&value), "small") ||
                 equal(borrow(&value), "large");
  text_free(&value);
  if (!has_key) {
    return fail(error, VCP_INVALID_ARGUMENT, VCP_OUTCOME_NOT_APPLIED, "/cloud_params/api_key: is missing");
  }
  if (!size_is_good) {
    return fail(error, VCP_INVALID_ARGUMENT, VCP_OUTCOME_NOT_APPLIED, "/cloud_params/size: must be small or large");
  }
  return VCP_OK;
}

static int32_t probe(vcp_driver_instance_t* driver, const vcp_call_t* call, vcp_error_t* error) {
  const vcp_string_t none = {NULL, 0};
  return ask(driver, call, "GET", "/v2/machines?limit=1", none, none, NULL, error);
}

static void close_driver(vcp_driver_instance_t* driver) {
  text_free(&driver->endpoint);
  free(driver);
}

static const vcp_driver_ops_t kOps = {
    sizeof(vcp_driver_ops_t), 0, close_driver, describe, validate, probe, create, observe, NULL, destroy, NULL};

/* [open] */
static int32_t open_driver(const vcp_host_t* host, vcp_string_t config, vcp_driver_t* out, vcp_error_t* error) {
  vcp_driver_instance_t* driver = calloc(1, sizeof *driver);
  int32_t code = VCP_OK;
  if (driver == NULL) return fail(error, VCP_RESOURCE_EXHAUSTED, VCP_OUTCOME_NOT_APPLIED, "no memory");
  driver->http = host->get_extension(host, literal(VCP_HTTP_ID));
  driver->json = host->get_extension(host, literal(VCP_JSON_ID));
  if (driver->http == NULL || driver->json == NULL) {
    code = fail(error, VCP_FAILED_PRECONDITION, VCP_OUTCOME_NOT_APPLIED,
                "this host lacks " VCP_HTTP_ID " or " VCP_JSON_ID);
  } else if (!json_get(driver, config, "/options/endpoint", &driver->endpoint)) {
    code = fail(error, VCP_INVALID_ARGUMENT, VCP_OUTCOME_NOT_APPLIED,
                "/options/endpoint: is missing; set it in the file of providers.d");
  }
  if (code != VCP_OK) {
    close_driver(driver);
    return code;
  }
  out->instance = driver;
  out->ops = &kOps;
  return VCP_OK;
}
/* [open] */

static const vcp_plugin_info_t kInfo = {
    sizeof(vcp_plugin_info_t),
    0,
    VCP_LITERAL("com.example.tinyc"), /* id */
    VCP_LITERAL("tinyc"),             /* provider */
    VCP_LITERAL("Tiny cloud, in C"),  /* display_name */
    VCP_LITERAL(""),                  /* vendor */
    VCP_LITERAL("Apache-2.0"),        /* license */
    VCP_LITERAL("1.0+20261123"),      /* version */
    VCP_LITERAL(VCP_ABI_VERSION),     /* sdk_version */
    0,                                /* capabilities */
    VCP_IDEMPOTENCY_LOOKUP,
    VCP_EXISTENCE_OBSERVED,
    VCP_ATTACH_UNSPECIFIED,
    8,     /* concurrency */
    10,    /* max_batch */
    10,    /* max_observe */
    0,     /* token_ttl_ms */
    0,     /* lookup_lag_ms */
    10000, /* settle_ms */
};

/* The one thing that the file exports. */
const vcp_plugin_entry_t vcp_plugin_v0 = {
    VCP_PLUGIN_MAGIC, sizeof(vcp_plugin_entry_t), VCP_ABI_MAJOR, VCP_ABI_MINOR, 0, &kInfo, NULL, NULL, NULL,
    open_driver};

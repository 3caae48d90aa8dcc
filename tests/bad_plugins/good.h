/* SPDX-License-Identifier: Apache-2.0 */
/* A plugin without a defect. Each file of this folder defines one of the macros below, or nothing else than its own
 * defect, and includes this. */
#include "vcp/plugin/abi.h"

#ifndef NAME
#error "define NAME, the provider and the last part of the id"
#endif
#ifndef MAGIC
#define MAGIC VCP_PLUGIN_MAGIC
#endif
#ifndef ENTRY_SIZE
#define ENTRY_SIZE sizeof(vcp_plugin_entry_t)
#endif
#ifndef MAJOR
#define MAJOR VCP_ABI_MAJOR
#endif
#ifndef MINOR
#define MINOR VCP_ABI_MINOR
#endif
#ifndef PLUGIN_ID
#define PLUGIN_ID "test.bad." NAME
#endif
#ifndef VENDOR
#define VENDOR "test"
#endif
#ifndef OPS_SIZE
#define OPS_SIZE sizeof(vcp_driver_ops_t)
#endif
#ifndef CAPABILITIES
#define CAPABILITIES 0
#endif
#ifndef ATTACH_NEEDS
#define ATTACH_NEEDS VCP_ATTACH_UNSPECIFIED
#endif
#ifndef GET_EXTENSION
#define GET_EXTENSION 0
#endif
#ifndef INIT
#define INIT 0
#endif
#ifndef CREATE
#define CREATE good_create
#endif
#ifndef OPEN_CODE
#define OPEN_CODE VCP_OK
#endif
#ifndef SCHEMA
#define SCHEMA "{\"properties\":{\"a\":{},\"b\":{\"x-vcp-secret\":true}}}"
#endif

#define UNUSED(x) (void)(x)

static inline vcp_string_t text(const char* data, uint64_t size) {
  vcp_string_t result;
  result.data = data;
  result.size = size;
  return result;
}

static void good_close(vcp_driver_instance_t* driver) { UNUSED(driver); }

static int32_t good_describe(vcp_driver_instance_t* driver, const vcp_text_sink_t* out, vcp_error_t* error) {
  UNUSED(driver), UNUSED(error);
  return out->write(out, text(SCHEMA, sizeof(SCHEMA) - 1));
}

static int32_t good_validate(vcp_driver_instance_t* driver, vcp_string_t params, vcp_string_t entry,
                             vcp_error_t* error) {
  UNUSED(driver), UNUSED(params), UNUSED(entry), UNUSED(error);
  return VCP_OK;
}

/* Of the last open_driver. */
static const vcp_host_t* good_host;

#ifdef OWN_PROBE
static int32_t PROBE(vcp_driver_instance_t* driver, const vcp_call_t* call, vcp_error_t* error);
#else
#define PROBE good_probe
static int32_t good_probe(vcp_driver_instance_t* driver, const vcp_call_t* call, vcp_error_t* error) {
  UNUSED(driver), UNUSED(call), UNUSED(error);
  return VCP_OK;
}
#endif

#if !defined(OWN_CREATE) && !defined(NULL_CREATE)
static int32_t good_create(vcp_driver_instance_t* driver, const vcp_call_t* call, vcp_string_t spec,
                           const vcp_item_t* const* items, uint64_t count, const vcp_item_sink_t* out,
                           vcp_error_t* error) {
  uint64_t i;
  UNUSED(driver), UNUSED(call), UNUSED(spec), UNUSED(error);
  for (i = 0; i < count; ++i) {
    out->machine(out, items[i]->index, text("m-1", 3), text("", 0));
    out->done(out, items[i]->index);
  }
  return VCP_OK;
}
#elif !defined(NULL_CREATE)
static int32_t CREATE(vcp_driver_instance_t* driver, const vcp_call_t* call, vcp_string_t spec,
                      const vcp_item_t* const* items, uint64_t count, const vcp_item_sink_t* out, vcp_error_t* error);
#endif

static int32_t good_destroy(vcp_driver_instance_t* driver, const vcp_call_t* call, const vcp_item_t* const* items,
                            uint64_t count, const vcp_item_sink_t* out, vcp_error_t* error) {
  uint64_t i;
  UNUSED(driver), UNUSED(call), UNUSED(error);
  for (i = 0; i < count; ++i) out->done(out, items[i]->index);
  return VCP_OK;
}

#ifndef OWN_OBSERVE
#define OBSERVE good_observe
static int32_t good_observe(vcp_driver_instance_t* driver, const vcp_call_t* call, const vcp_item_t* const* items,
                            uint64_t count, const vcp_observation_sink_t* out, vcp_error_t* error) {
  uint64_t i;
  UNUSED(driver), UNUSED(call), UNUSED(error);
  for (i = 0; i < count; ++i) {
    vcp_observation_t seen = {0};
    seen.struct_size = sizeof seen;
    seen.index = items[i]->index;
    out->observed(out, &seen);
  }
  return VCP_OK;
}
#else
static int32_t OBSERVE(vcp_driver_instance_t* driver, const vcp_call_t* call, const vcp_item_t* const* items,
                       uint64_t count, const vcp_observation_sink_t* out, vcp_error_t* error);
#endif

#ifdef NULL_CREATE
#define CREATE_OR_NULL 0
#else
#define CREATE_OR_NULL CREATE
#endif

static const vcp_driver_ops_t good_ops = {
    OPS_SIZE, 0, good_close, good_describe, good_validate, PROBE, CREATE_OR_NULL, OBSERVE, 0, good_destroy, 0};

static const vcp_plugin_info_t good_info = {sizeof(vcp_plugin_info_t),
                                            0,
                                            VCP_LITERAL(PLUGIN_ID),
                                            VCP_LITERAL(NAME),
                                            VCP_LITERAL("Test " NAME),
                                            VCP_LITERAL(VENDOR),
                                            VCP_LITERAL("Apache-2.0"),
                                            VCP_LITERAL("1.0+20261123"),
                                            VCP_LITERAL(VCP_ABI_VERSION),
                                            CAPABILITIES,
                                            VCP_IDEMPOTENCY_NAME,
                                            VCP_EXISTENCE_OBSERVED,
                                            ATTACH_NEEDS,
                                            4,
                                            10,
                                            10,
                                            0,
                                            0,
                                            0};

static int32_t good_open(const vcp_host_t* host, vcp_string_t config, vcp_driver_t* out, vcp_error_t* error) {
  static char instance;
  UNUSED(config), UNUSED(error);
  good_host = host;
  out->instance = (vcp_driver_instance_t*)(void*)&instance;
  out->ops = &good_ops;
  return OPEN_CODE;
}

#ifdef OWN_OPEN
static int32_t OPEN(const vcp_host_t* host, vcp_string_t config, vcp_driver_t* out, vcp_error_t* error);
#else
#define OPEN good_open
#endif

#ifdef __cplusplus
extern "C"
#endif
    VCP_PLUGIN_EXPORT const vcp_plugin_entry_t vcp_plugin_v0 = {MAGIC,      ENTRY_SIZE, MAJOR, MINOR,         0,
                                                                &good_info, INIT,       0,     GET_EXTENSION, OPEN};

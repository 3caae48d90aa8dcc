/* SPDX-License-Identifier: Apache-2.0 */
/* Without a defect: the only key of its schema is the configuration that it was opened with, ' for ". */
#define NAME "shows_config"
#define OWN_OPEN
#define OPEN open_with_config

#include <stdlib.h>
#include <string.h>

#include "good.h"

static void free_config(vcp_driver_instance_t* driver) { free(driver); }

static int32_t describe_config(vcp_driver_instance_t* driver, const vcp_text_sink_t* out, vcp_error_t* error) {
  const char* const config = (const char*)(const void*)driver;
  UNUSED(error);
  out->write(out, text("{\"properties\":{\"", 16));
  out->write(out, text(config, strlen(config)));
  return out->write(out, text("\":{}}}", 6));
}

static int32_t open_with_config(const vcp_host_t* host, vcp_string_t config, vcp_driver_t* out, vcp_error_t* error) {
  static vcp_driver_ops_t ops;
  char* const copy = (char*)malloc(config.size + 1);
  uint64_t i;
  if (!copy) return VCP_INTERNAL;
  for (i = 0; i < config.size; ++i) copy[i] = (char)(config.data[i] == '"' ? '\'' : config.data[i]);
  copy[config.size] = 0;
  good_open(host, config, out, error);
  ops = good_ops;
  ops.close = free_config;
  ops.describe = describe_config;
  out->instance = (vcp_driver_instance_t*)(void*)copy;
  out->ops = &ops;
  return VCP_OK;
}

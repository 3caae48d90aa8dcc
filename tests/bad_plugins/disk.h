/* SPDX-License-Identifier: Apache-2.0 */
/* A plugin that offers disks, without a defect of its own; what good.h says of macros holds here too. */
#include <string.h>

#include "vcp/plugin/abi.h"
#include "vcp/plugin/ext/disk.h"

#ifndef DISK_ID
#define DISK_ID VCP_DISK_ID
#endif
#ifndef DISK_SIZE
#define DISK_SIZE sizeof(vcp_disk_ops_t)
#endif
#ifndef DETACH
#define DETACH disk_attach
#endif
#ifndef ATTACH_NEEDS
#define ATTACH_NEEDS VCP_ATTACH_ANY
#endif
#define GET_EXTENSION disk_extension

static int32_t disk_validate(vcp_driver_instance_t* driver, vcp_string_t params, vcp_string_t entry,
                             vcp_error_t* error) {
  (void)driver, (void)params, (void)entry, (void)error;
  return VCP_OK;
}

static int32_t disk_create(vcp_driver_instance_t* driver, const vcp_call_t* call, vcp_string_t spec,
                           const vcp_item_t* const* disks, uint64_t count, const vcp_item_sink_t* out,
                           vcp_error_t* error) {
  (void)driver, (void)call, (void)spec, (void)disks, (void)count, (void)out, (void)error;
  return VCP_UNIMPLEMENTED;
}

static int32_t disk_destroy(vcp_driver_instance_t* driver, const vcp_call_t* call, const vcp_item_t* const* disks,
                            uint64_t count, const vcp_item_sink_t* out, vcp_error_t* error) {
  (void)driver, (void)call, (void)disks, (void)count, (void)out, (void)error;
  return VCP_UNIMPLEMENTED;
}

static int32_t disk_attach(vcp_driver_instance_t* driver, const vcp_call_t* call,
                           const vcp_attachment_t* const* attachments, uint64_t count, const vcp_item_sink_t* out,
                           vcp_error_t* error) {
  (void)driver, (void)call, (void)attachments, (void)count, (void)out, (void)error;
  return VCP_UNIMPLEMENTED;
}

static int32_t disk_observe(vcp_driver_instance_t* driver, const vcp_call_t* call, const vcp_item_t* const* disks,
                            uint64_t count, const vcp_disk_observation_sink_t* out, vcp_error_t* error) {
  (void)driver, (void)call, (void)disks, (void)count, (void)out, (void)error;
  return VCP_UNIMPLEMENTED;
}

static const vcp_disk_ops_t disk_ops = {DISK_SIZE,    0,           disk_validate, disk_create,
                                        disk_destroy, disk_attach, DETACH,        disk_observe};

static int is_id(vcp_string_t id, const char* expected) {
  return id.size == strlen(expected) && memcmp(id.data, expected, id.size) == 0;
}

static const void* disk_extension(vcp_string_t id) {
#ifdef OTHER_ID
  static const vcp_disk_ops_t empty = {0, 0, 0, 0, 0, 0, 0, 0};
  if (is_id(id, OTHER_ID)) return &empty;
#endif
  return is_id(id, DISK_ID) ? &disk_ops : 0;
}

#include "good.h"

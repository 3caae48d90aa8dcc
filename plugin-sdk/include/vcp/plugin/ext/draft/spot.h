/* SPDX-License-Identifier: Apache-2.0 */
#ifndef VCP_PLUGIN_EXT_DRAFT_SPOT_H
#define VCP_PLUGIN_EXT_DRAFT_SPOT_H

/*
 * Draft extension "draft.vcp.spot/1": machines that the cloud may take back. The host asks for the table with
 * entry->get_extension. It is a draft (docs/ABI.md): each change of it brings the next number, and a host knows one of
 * them only. The rules are in abi.h.
 *
 * Most of a spot machine needs no extension. The price that a user would pay at most, and whether the machine comes
 * back, are cloud_params. "No capacity now" is RESOURCE_EXHAUSTED in create, or PENDING with a reason while an open
 * request waits for it. The request for capacity is a part of the machine (a resource), since it costs money as long as
 * it can be met: destroy takes it away first. After an interruption observe says REASON_INTERRUPTED, with STATE_GONE
 * when the machine will not come back, with STATE_STOPPED when the cloud itself will start it again; a driver of such a
 * cloud does not declare VCP_CAP_POWER, since nobody else can.
 *
 * What is left is the time before: the notice that a cloud gives minutes ahead, so that the host can tell the user and
 * stop what runs on the machine.
 */

#include "vcp/plugin/driver.h"
#include "vcp/plugin/types.h"

#ifdef __cplusplus
extern "C" {
#endif

#define VCP_SPOT_ID "draft.vcp.spot/1"

/* What the cloud will do with the machine. */
enum {
  VCP_SPOT_UNSPECIFIED = 0, /* it will be interrupted, and the cloud does not say how */
  VCP_SPOT_NONE = 1,        /* nothing is announced */
  VCP_SPOT_STOP = 2,        /* disks and address stay; the cloud starts it again when there is capacity */
  VCP_SPOT_TERMINATE = 3
};

/* What the cloud announces for a machine. Made by the driver, copied by the sink. */
typedef struct vcp_spot_notice {
  uint32_t struct_size;
  int32_t action;      /* VCP_SPOT_* */
  int64_t index;       /* index of the item asked for */
  int64_t at_wall_ms;  /* not before this time; 0 = the cloud does not say */
  vcp_string_t detail; /* the cloud's own words ("marked-for-termination"); at most 512 bytes, may be empty */
} vcp_spot_notice_t;

typedef struct vcp_spot_sink vcp_spot_sink_t;

/* Takes the notices. Everything is copied. [no-block] */
struct vcp_spot_sink {
  uint32_t struct_size;
  uint32_t reserved;
  void* host_data;

  void (*notice)(const vcp_spot_sink_t* sink, const vcp_spot_notice_t* notice);

  /* Nothing could be learnt about this item. */
  void (*error)(const vcp_spot_sink_t* sink, int64_t index, const vcp_error_t* error);
};

/* The table; static, every function required. Arguments, return values and errors as in vcp_driver_ops_t. */
typedef struct vcp_spot_ops {
  uint32_t struct_size;
  uint32_t reserved;

  /*
   * What does the cloud announce for these machines? [item-serial] Blocks for a few cheap reads, since the host asks
   * often, for up to max_observe running machines at once; changes nothing. One notice or one error per item.
   * SPOT_NONE also for a machine that is gone already, and for one that is no spot machine: observe tells the rest.
   */
  int32_t (*notices)(vcp_driver_instance_t* driver, const vcp_call_t* call, const vcp_item_t* const* items,
                     uint64_t item_count, const vcp_spot_sink_t* out, vcp_error_t* error);
} vcp_spot_ops_t;

#ifdef __cplusplus
}
#endif

#endif

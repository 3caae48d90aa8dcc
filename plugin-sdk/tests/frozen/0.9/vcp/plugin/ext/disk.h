/* SPDX-License-Identifier: Apache-2.0 */
#ifndef VCP_PLUGIN_EXT_DISK_H
#define VCP_PLUGIN_EXT_DISK_H

/*
 * Extension "vcp.disk/1": data disks that outlive the machines which they are attached to. The host asks for the table
 * with entry->get_extension. The rules are in abi.h, the promise of its id in docs/ABI.md.
 *
 * A driver that offers it declares vcp_plugin_info_t.attach_needs, and no driver offers it without. What the descriptor
 * says of machines (idempotency, token_ttl_ms, lookup_lag_ms, settle_ms, max_batch, max_observe, concurrency) holds for
 * disks as well: where the two differ, declare the weaker. The keys that cloud_params has for disks stand in the
 * driver's one schema.json, beside those for machines.
 *
 * A disk is an item as a machine is one (vcp_item_t): with a minted name, which the cloud's disk takes, and everything
 * that earlier steps reported. `requested_address` is empty; sinks are those of machines, `machine` gives the disk's
 * cloud_id and an empty address. A disk that the host did not make has a cloud_id and an empty name: it is attached,
 * detached and observed by that id, and never destroyed. A disk is not a part of the machine that it is attached to:
 * neither create nor observe of vcp_driver_ops_t reports it among the machine's resources, and their destroy leaves it
 * alone, attached or not.
 *
 * Each mutation is one step and ends as in vcp_driver_ops_t: at most one change of the cloud per item, any number of
 * reads, no waiting. Items, attachments, texts and sinks are the host's, borrowed for the call; observations are the
 * driver's, copied by the sink. A table, once given out, is static.
 */

#include "vcp/plugin/driver.h"
#include "vcp/plugin/types.h"

#ifdef __cplusplus
extern "C" {
#endif

#define VCP_DISK_ID "vcp.disk/1"

enum {
  VCP_DISK_STATE_UNSPECIFIED = 0, /* as VCP_STATE_UNSPECIFIED */
  VCP_DISK_STATE_CREATING = 1,
  VCP_DISK_STATE_AVAILABLE = 2, /* at rest, attached to nothing */
  VCP_DISK_STATE_ATTACHING = 3, /* also: accepted, and not seen by the machine yet */
  VCP_DISK_STATE_ATTACHED = 4,
  VCP_DISK_STATE_DETACHING = 5,
  VCP_DISK_STATE_DELETING = 6,
  VCP_DISK_STATE_FAILED = 7 /* the cloud gave up on it; failure, provider_code and detail say why */
};

/* A disk and a machine: an item of attach and detach. Host-made, borrowed for the call. */
typedef struct vcp_attachment {
  uint32_t struct_size;
  uint32_t reserved;
  const vcp_item_t* disk;    /* its index is the handle for the sinks */
  const vcp_item_t* machine; /* the same machine may stand in several items of a call */
} vcp_attachment_t;

/* What a point read says of a disk. Made by the driver, copied by the sink. */
typedef struct vcp_disk_observation {
  uint32_t struct_size;
  int32_t found;              /* 0: neither the disk nor any of its parts exists. All else below is then ignored */
  int64_t index;              /* index of the item asked for */
  int32_t state;              /* VCP_DISK_STATE_* */
  int32_t failure;            /* with STATE_FAILED: the VCP_* code that a create would have ended with; 0 = unknown */
  int64_t size_gib;           /* as the cloud counts it, not negative; 0 = it does not say */
  vcp_string_t cloud_id;      /* at most 256 bytes */
  vcp_string_t machine_id;    /* cloud_id of the machine that holds it, or is about to, at most 256 bytes; empty = none.
                                 Any machine, also a foreign one; never empty with STATE_ATTACHED */
  vcp_string_t detail;        /* the cloud's own words about a failure; 512 bytes of it */
  vcp_string_t provider_code; /* with STATE_FAILED: the cloud's own code; 64 bytes of it */
  const vcp_resource_t* const* resources; /* further parts of the disk that exist; mostly none */
  uint64_t resource_count;
} vcp_disk_observation_t;

typedef struct vcp_disk_observation_sink vcp_disk_observation_sink_t;

/* Takes what observe found. Everything is copied. [no-block] */
struct vcp_disk_observation_sink {
  uint32_t struct_size;
  uint32_t reserved;
  void* host_data;

  /* One disk. */
  void (*observed)(const vcp_disk_observation_sink_t* sink, const vcp_disk_observation_t* observation);

  /* Nothing could be learnt about this item. */
  void (*error)(const vcp_disk_observation_sink_t* sink, int64_t index, const vcp_error_t* error);
};

/*
 * The table; static, every function required. Arguments, return values and errors as in vcp_driver_ops_t. [item-serial]
 * means here: never two calls at once for one disk, nor, in attach and detach, for one machine. create and destroy are
 * repeated as those of machines are. attach and detach are idempotent by what the cloud has, never by op_id: a repeat
 * may have another op_id, and other attachments beside.
 */
typedef struct vcp_disk_ops {
  uint32_t struct_size;
  uint32_t reserved;

  /*
   * Checks a request for disks without the network, before the user gets an answer. [any-thread, no-block] Changes
   * nothing. Arguments, errors and the time limit are those of vcp_driver_ops_t.validate.
   */
  int32_t (*validate)(vcp_driver_instance_t* driver, vcp_string_t cloud_params, vcp_string_t catalog_entry,
                      vcp_error_t* error);

  /*
   * One step towards existing disks. [item-serial] Blocks for the requests of one step. `spec`: JSON object
   * {"provider", "cloud_params", "labels"}, the same for all items and for every call of the op; ignore members that
   * you do not know. Idempotent on (op_id, create_index); repeats, batches and errors as in vcp_driver_ops_t.create.
   * Done when the cloud has accepted everything, with the cloud_id reported; observe tells when the disk is AVAILABLE.
   */
  int32_t (*create)(vcp_driver_instance_t* driver, const vcp_call_t* call, vcp_string_t spec,
                    const vcp_item_t* const* disks, uint64_t disk_count, const vcp_item_sink_t* out,
                    vcp_error_t* error);

  /*
   * One step towards gone disks. [item-serial] Blocks for the requests of one step. Absent is done; destroying twice is
   * done. A disk that a machine holds is FAILED_PRECONDITION, NOT_APPLIED: the driver does not detach it, and the host
   * keeps the disk, since somebody uses it. Other errors as in vcp_driver_ops_t.destroy. Done when the cloud has
   * accepted the removal; observe tells when it is gone.
   */
  int32_t (*destroy)(vcp_driver_instance_t* driver, const vcp_call_t* call, const vcp_item_t* const* disks,
                     uint64_t disk_count, const vcp_item_sink_t* out, vcp_error_t* error);

  /*
   * One step towards disks that hang on their machines. [item-serial] Blocks for the requests of one step. The host has
   * brought the machine into the state of attach_needs; in another state it is FAILED_PRECONDITION, NOT_APPLIED, and
   * the driver does not switch power. Idempotent: attached to this machine already is done; to another one it is
   * FAILED_PRECONDITION, NOT_APPLIED. NOT_FOUND, NOT_APPLIED, when disk or machine does not exist. Done when the cloud
   * has accepted; observe tells when it is ATTACHED. After any other outcome than NOT_APPLIED the host observes, and
   * asks again where that does not show it.
   */
  int32_t (*attach)(vcp_driver_instance_t* driver, const vcp_call_t* call, const vcp_attachment_t* const* attachments,
                    uint64_t attachment_count, const vcp_item_sink_t* out, vcp_error_t* error);

  /*
   * One step towards disks that do not hang on these machines. [item-serial] Blocks for the requests of one step. The
   * state of the machine is as in attach. Idempotent: attached to nothing, or to another machine, is done, and so is a
   * disk or a machine that does not exist. Done when the cloud has accepted; observe tells when it is AVAILABLE.
   * Errors as in attach, but for NOT_FOUND, which is none.
   */
  int32_t (*detach)(vcp_driver_instance_t* driver, const vcp_call_t* call, const vcp_attachment_t* const* attachments,
                    uint64_t attachment_count, const vcp_item_sink_t* out, vcp_error_t* error);

  /*
   * Reads the present truth about disks: by id when known, else by name. [item-serial] Blocks; changes nothing. One
   * observation or one error per item, up to max_observe of them. found = 0 is a proof, and ids are checked, as in
   * vcp_driver_ops_t.observe.
   */
  int32_t (*observe)(vcp_driver_instance_t* driver, const vcp_call_t* call, const vcp_item_t* const* disks,
                     uint64_t disk_count, const vcp_disk_observation_sink_t* out, vcp_error_t* error);
} vcp_disk_ops_t;

#ifdef __cplusplus
}
#endif

#endif

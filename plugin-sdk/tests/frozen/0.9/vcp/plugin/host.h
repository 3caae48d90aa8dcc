/* SPDX-License-Identifier: Apache-2.0 */
#ifndef VCP_PLUGIN_HOST_H
#define VCP_PLUGIN_HOST_H

/* What the host lends to a plugin: services, the context of a call, and the sinks that take results. Host functions are
 * [any-thread], never throw, and bear bad arguments, but for a handle that is not theirs. The rules are in abi.h. */

#include "vcp/plugin/types.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { VCP_LOG_UNSPECIFIED = 0, VCP_LOG_DEBUG = 1, VCP_LOG_INFO = 2, VCP_LOG_WARNING = 3, VCP_LOG_ERROR = 4 };

/* One `key=value` of a log line. */
typedef struct vcp_log_field {
  vcp_string_t key;
  vcp_string_t value;
} vcp_log_field_t;

typedef struct vcp_call vcp_call_t;

/*
 * The context of one blocking call. Host-made, valid until the call returns, used only on threads that the call itself
 * waits for; so are the sinks of the call.
 */
struct vcp_call {
  uint32_t struct_size;
  uint32_t reserved;
  void* host_data; /* the host's; do not touch */

  vcp_string_t op_id;       /* idempotency token, stable across retries and restarts: 1..64 bytes of [0-9a-z-]; empty in
                               probe, observe and list */
  int64_t attempt;          /* 1 for the first send of this op, then rising */
  int64_t deadline_mono_ms; /* the call must have returned by then (rule 9) */
  vcp_string_t vcc_id;      /* this controller: goes into tags, and tells own objects from foreign ones; 1..64 bytes of
                               [0-9a-z-] */
  /* JSON object: the administrator's entry for this network; scalars are strings. In create, observe, power and destroy
   * the entry as it was when the machine's create was recorded: an edited catalog does not move machines. */
  vcp_string_t catalog_entry;
  vcp_string_t credentials; /* JSON object of the user's secrets. For this call only: never stored, cached or logged */

  /*
   * Should the call end early? Look at it before each request to the cloud, and at least once a second.
   * [any-thread, no-block] Returns 1 when the host no longer wants the call or its deadline has passed, else 0; once 1
   * it stays 1. A call that stops because of it reports CANCELLED with an honest outcome: NOT_APPLIED for items of
   * which nothing was sent. It takes nothing back: if the machine is not wanted any more, destroy follows.
   */
  int32_t (*is_cancelled)(const vcp_call_t* call);

  /*
   * Tells a waiting human how far a long call is; only for show.
   * [any-thread, no-block] percent 0..100, or -1 when unknown. `message` is copied, at most 256 bytes of it. Cannot
   * fail.
   */
  void (*progress)(const vcp_call_t* call, int32_t percent, vcp_string_t message);
};

typedef struct vcp_host vcp_host_t;

/*
 * The host's services. `host` is the first argument of each. The table given to init lives until deinit returns, the
 * one given to open_driver until close returns.
 */
struct vcp_host {
  uint32_t struct_size;
  uint32_t abi_minor;
  void* host_data;   /* the host's; do not touch */
  vcp_string_t name; /* "occtr" */
  vcp_string_t version;

  /*
   * Writes a log line. [any-thread, no-block] `event` is the plugin's own stable id ("MOCK_STATE_LINE_SKIPPED"); texts
   * are copied and cut (event 64 bytes, message 2000, 16 fields, keys 64, values 200). Never pass a secret. Cannot
   * fail.
   */
  void (*log)(const vcp_host_t* host, int32_t severity, vcp_string_t event, vcp_string_t message,
              const vcp_log_field_t* fields, uint64_t field_count);

  /* Would a line of this severity be written? To spare building costly ones. [any-thread, no-block] 1 or 0; 1 when the
   * host does not know. */
  int32_t (*log_enabled)(const vcp_host_t* host, int32_t severity);

  /* Milliseconds since 1970-01-01 UTC. May jump. [any-thread, no-block] Use this, never the system's: tests and
   * simulation bring their own time. */
  int64_t (*wall_ms)(const vcp_host_t* host);

  /* Milliseconds from an arbitrary origin, never going back. [any-thread, no-block] Means nothing after a restart. */
  int64_t (*monotonic_ms)(const vcp_host_t* host);

  /*
   * Waits `ms` milliseconds, less when the call is cancelled or its deadline comes first. Blocks. `call` must be the
   * call in progress. Returns VCP_OK after the full time, VCP_CANCELLED or VCP_DEADLINE_EXCEEDED when cut short,
   * VCP_INVALID_ARGUMENT for a negative time or a null call. Meant for tenths of a second: to wait for a cloud, return
   * "pending" instead.
   */
  int32_t (*sleep)(const vcp_host_t* host, const vcp_call_t* call, int64_t ms);

  /* Fills `out` with bytes fit for keys. [any-thread, no-block] VCP_OK, VCP_INVALID_ARGUMENT for null or more than 1
   * MiB, or VCP_INTERNAL when the system gave none: `out` is then not to be used. */
  int32_t (*random_bytes)(const vcp_host_t* host, uint8_t* out, uint64_t size);

  /*
   * An optional table of further services by its id, such as "vcp.host.http/1". [any-thread, no-block] Owned by the
   * host, valid as long as `host`. NULL: this host does not have it; the plugin must then do without, or refuse in
   * open_driver with FAILED_PRECONDITION naming the id.
   */
  const void* (*get_extension)(const vcp_host_t* host, vcp_string_t id);
};

typedef struct vcp_text_sink vcp_text_sink_t;

/* Takes one text in pieces. Made by whichever side wants the text: the host for describe, the plugin for the services
 * of ext/. Valid until the function that it was given to returns; called on that function's thread. */
struct vcp_text_sink {
  uint32_t struct_size;
  uint32_t reserved;
  void* maker_data; /* of the side that made the sink; the other does not touch it */
  /* Appends a copy of `text`. [no-block] VCP_OK, VCP_OUT_OF_RANGE when the whole would pass the maker's limit, or
   * VCP_RESOURCE_EXHAUSTED without memory: give up then. Must not throw. */
  int32_t (*write)(const vcp_text_sink_t* sink, vcp_string_t text);
};

typedef struct vcp_item_sink vcp_item_sink_t;

/*
 * Takes the results of a mutation, item by item, in any order. Everything is copied. [no-block]
 *
 * Every item of the call needs exactly one of done, pending, error. The host takes an item without an answer, or with
 * two, as an error with unknown outcome, and logs an index that was not in the call. What breaks a limit of this page
 * spoils its item in the same way, but never what it reported besides. `machine`, `resource` and `driver_state` may
 * come before the answer, in any number, also for an item that ends in an error: report each cloud object the moment
 * its id is known, so that nothing made is ever lost.
 */
struct vcp_item_sink {
  uint32_t struct_size;
  uint32_t reserved;
  void* host_data;

  /* The machine's own id and address, as far as known; empty leaves what was reported before. At most 256 bytes of
   * id; IPv4 or IPv6. */
  void (*machine)(const vcp_item_sink_t* sink, int64_t index, vcp_string_t cloud_id, vcp_string_t address);

  /* A part that this step touched. Merged by (kind, name); an empty id says that the part exists no more. Kind and name
   * at most 128 bytes, id at most 256; at most 64 parts an item. */
  void (*resource)(const vcp_item_sink_t* sink, int64_t index, const vcp_resource_t* resource);

  /* Replaces the item's opaque state, the last one of a call counts: UTF-8, at most 4096 bytes, beginning with the
   * driver's own version of it, because a newer driver will one day read it. No secrets. */
  void (*driver_state)(const vcp_item_sink_t* sink, int64_t index, vcp_string_t state);

  /* Nothing more needs to be sent for this item, as far as the driver can see now. For create it need not be running
   * yet, but its cloud_id is known by now (never mind with EXISTENCE_ASSERTED); for destroy it need not be gone:
   * observe tells that. */
  void (*done)(const vcp_item_sink_t* sink, int64_t index);

  /* This step is done (or nothing could be done yet) and more steps follow: call again with the same op, not before
   * `retry_after_ms` (0..3,600,000; the host adds a growing pause to a series of 0). `reason`: what is waited for, for
   * people ("disk 113: 40 % copied"); copied, at most 256 bytes of it, may be empty. What was reported is committed
   * before the next call. */
  void (*pending)(const vcp_item_sink_t* sink, int64_t index, int64_t retry_after_ms, vcp_string_t reason);

  /* This item failed. `error` is copied; its code is not OK, its outcome tells whether this step's change took effect.
   */
  void (*error)(const vcp_item_sink_t* sink, int64_t index, const vcp_error_t* error);
};

typedef struct vcp_observation_sink vcp_observation_sink_t;

/* Takes what observe and list found. Everything is copied. [no-block] */
struct vcp_observation_sink {
  uint32_t struct_size;
  uint32_t reserved;
  void* host_data;

  /* One machine. VCP_OK: go on; VCP_CANCELLED: the host has seen enough, return now. In a list found is 1, and
   * each machine comes once: of one that comes twice the host believes neither. */
  int32_t (*observed)(const vcp_observation_sink_t* sink, const vcp_observation_t* observation);

  /* observe only: nothing could be learnt about this item. */
  void (*error)(const vcp_observation_sink_t* sink, int64_t index, const vcp_error_t* error);

  /* list only: everything in the scope has been reported; all pages were read. Without it, or when list does not
   * return VCP_OK, the list proves nothing about what is not in it. */
  void (*complete)(const vcp_observation_sink_t* sink);
};

#ifdef __cplusplus
}
#endif

#endif

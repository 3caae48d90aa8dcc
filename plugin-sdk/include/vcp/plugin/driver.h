/* SPDX-License-Identifier: Apache-2.0 */
#ifndef VCP_PLUGIN_DRIVER_H
#define VCP_PLUGIN_DRIVER_H

/* What a plugin gives to the host. The rules are in abi.h. */

#include "vcp/plugin/host.h"
#include "vcp/plugin/types.h"

#ifdef __cplusplus
extern "C" {
#endif

/* How the cloud keeps a repeated create from making two machines. */
enum {
  VCP_IDEMPOTENCY_UNSPECIFIED = 0, /* refused */
  VCP_IDEMPOTENCY_TOKEN = 1,       /* it remembers a client token for token_ttl_ms */
  VCP_IDEMPOTENCY_NAME = 2,        /* names are unique: a second create with one name changes nothing */
  VCP_IDEMPOTENCY_LOOKUP = 3       /* neither: the host looks by name before it sends again */
};
/* Where create takes several requests: the weakest of them. */

/* How the host knows that a machine exists. */
enum {
  VCP_EXISTENCE_UNSPECIFIED = 0, /* refused */
  VCP_EXISTENCE_OBSERVED = 1,    /* the cloud says so */
  /* The user says so: existing servers, never made nor taken away. Create and destroy change nothing and are done;
   * observe says found, RUNNING unless it knows better, also after a destroy. */
  VCP_EXISTENCE_ASSERTED = 2
};

/* State a machine must be in while a disk is attached. */
enum {
  VCP_ATTACH_UNSPECIFIED = 0, /* no disks */
  VCP_ATTACH_ANY = 1,
  VCP_ATTACH_RUNNING = 2,
  VCP_ATTACH_OFF = 3
};

/* Bits of vcp_plugin_info_t.capabilities. A host does without those that it does not know. */
#define VCP_CAP_POWER UINT64_C(1)           /* vcp_driver_ops_t.power */
#define VCP_CAP_LIST UINT64_C(2)            /* vcp_driver_ops_t.list */
#define VCP_CAP_SIMULATED_HOSTS UINT64_C(4) /* machines that no ssh reaches; evaluation only */
#define VCP_CAP_NEEDS_ADDRESS UINT64_C(8)   /* the cloud gives no addresses: each item has a requested_address */

/* The descriptor: constant data, readable without calling anything. Texts are static. Times are 0..366 days. */
typedef struct vcp_plugin_info {
  uint32_t struct_size;
  uint32_t reserved;
  vcp_string_t id;           /* reverse DNS, [a-z0-9._-], at most 128 bytes: "jp.ac.nii.vcp.mock" */
  vcp_string_t provider;     /* `cloud_provider` of the CCI it serves, [a-z0-9_], at most 32 bytes: "mock" */
  vcp_string_t display_name; /* at most 128 bytes */
  vcp_string_t vendor;       /* this and the next at most 128 bytes; may be empty */
  vcp_string_t license;      /* SPDX expression */
  vcp_string_t version;      /* CCI version of the provider block + build date: "1.0+20261123", at most 64 bytes */
  vcp_string_t sdk_version;  /* of the SDK it was built with; at most 64 bytes, may be empty */
  uint64_t capabilities;     /* VCP_CAP_* */
  int32_t idempotency;       /* VCP_IDEMPOTENCY_* */
  int32_t existence;         /* VCP_EXISTENCE_* */
  int32_t attach_needs;      /* VCP_ATTACH_* */
  uint32_t concurrency;      /* calls at once that one driver bears, 1..1024; 0 is taken as 1 */
  uint32_t max_batch;        /* items in one mutation, 1..1000; 0 is taken as 1 */
  uint32_t max_observe;      /* items in one observe, 1..1000; 0 is taken as 1 */
  int64_t token_ttl_ms;      /* how long the cloud remembers a token; required with IDEMPOTENCY_TOKEN */
  int64_t lookup_lag_ms;     /* how long after the cloud accepted a change the reads of observe may not show it */
  int64_t settle_ms; /* how long after its sender gave up a request may still take effect; 0 is taken as 120,000 */
} vcp_plugin_info_t;

/* A driver instance: the plugin's own type. */
typedef struct vcp_driver_instance vcp_driver_instance_t;

/*
 * The operations of a driver; a static table. Argument order is always: handle, call, input, output, error.
 *
 * Functions that return int32_t return a VCP_* status. With anything but VCP_OK they have filled in `error` (never
 * null), and the host takes that error as the answer of every item that has none yet. With VCP_OK every item has one.
 *
 * A mutation (create, destroy, power) is one *step*: at most one change of the cloud per item (or one batched request
 * for several of them), any number of reads, no waiting. The host commits what the step reported, then calls again
 * while the item is pending. So a crash can lose at most the answer to one request an item; what that request made is
 * found by name or token at the next call. A driver decides what to do next from the item (ids, resources,
 * driver_state) and from what it reads in the cloud, never from memory. Finding more than one object of a name (a lost
 * request took effect late), it goes on with the oldest and reports every one as a part; destroy takes all.
 *
 * How a step can end, for each item:
 *   done      the cloud has accepted all that the op needs.
 *   pending   accepted so far, or the cloud is not ready for the next change: the same op comes again.
 *   error     the code says why, the outcome whether this step's change took effect. What was reported stays recorded.
 * After an error with NOT_APPLIED the host goes by the code (types.h). After any other outcome the item is in doubt:
 * the host observes, and sends the same op again while the cloud knows its token or name, or, with IDEMPOTENCY_LOOKUP,
 * after settle_ms + lookup_lag_ms. CANCELLED is an error like any other: it ends this call, not the op. The same op may
 * follow, or its opposite. So each mutation bears an item of which nothing but its names is known, and which may yet
 * appear in the cloud.
 */
typedef struct vcp_driver_ops {
  uint32_t struct_size;
  uint32_t reserved;

  /*
   * Ends the instance: stops and joins every thread it started, then frees it. Required. [open-serial] May block for
   * seconds. No other call of this instance is in progress or follows. Ownership of `driver` ends here. Cannot fail.
   * Not called while a call is stuck (rule 9): the process then ends with the instance open.
   */
  void (*close)(vcp_driver_instance_t* driver);

  /*
   * Writes the driver's schema.json into `out`: a JSON Schema (draft 2020-12) whose `properties` are the keys of
   * cloud_params, secrets marked `"x-vcp-secret": true`, lists of data disks `"x-vcp-disks": true`. At most 256 KiB.
   * Required. [any-thread, no-block] Always the same text. An error refuses the driver.
   */
  int32_t (*describe)(vcp_driver_instance_t* driver, const vcp_text_sink_t* out, vcp_error_t* error);

  /*
   * Checks a request without the network, before the user gets an answer. Required. [any-thread, no-block] Changes
   * nothing. `cloud_params`: JSON object of the CCI (scalars are strings, unset is null, secrets may still be
   * references); `catalog_entry`: JSON object. INVALID_ARGUMENT: the message begins with the JSON pointer of the bad
   * value ("/cloud_params/ip_address_list/1: ..."). Any other error refuses the request as well. The host gives up
   * after 5 s.
   */
  int32_t (*validate)(vcp_driver_instance_t* driver, vcp_string_t cloud_params, vcp_string_t catalog_entry,
                      vcp_error_t* error);

  /*
   * Do these credentials work with this catalog entry? Required. [item-serial] Blocks for a few cheap reads; changes
   * nothing. UNAUTHENTICATED, PERMISSION_DENIED and INVALID_ARGUMENT, as the cloud answered, refuse them; any other
   * error says that it could not be found out.
   */
  int32_t (*probe)(vcp_driver_instance_t* driver, const vcp_call_t* call, vcp_error_t* error);

  /*
   * One step towards existing machines. Required. [item-serial] Blocks for the requests of one step. `spec`: JSON
   * object {"provider", "cloud_params", "labels", "access": {"user", "public_keys": [...], "user_data"}}, the same for
   * all items and for every call of the op; ignore members that you do not know. `cloud_params` has passed validate,
   * and is without the secrets, which are in call->credentials. `labels` are texts for tags, as far as the cloud takes
   * them (vcc_id, vcid, vc_name, unit_name, owner). `access` is how the host will log in: it must be in the
   * request that makes the machine.
   *
   * The items of an op are frozen at its first send, and all of them have a requested_address or none. Until the answer
   * to a request for several items is known, every call of the op carries all of them, also those no longer wanted. A
   * driver sends one request for all items, or one for each; it refuses all or none of what goes into one request.
   *
   * Idempotent on (op_id, create_index): the same token and request give the same machine. Done when the cloud has
   * accepted everything; not when it runs. An item may fail while others go on. Whatever the step made is reported
   * through `out`, also beside an error.
   */
  int32_t (*create)(vcp_driver_instance_t* driver, const vcp_call_t* call, vcp_string_t spec,
                    const vcp_item_t* const* items, uint64_t item_count, const vcp_item_sink_t* out,
                    vcp_error_t* error);

  /*
   * Reads the present truth about machines: by id when known, else by name, and so for their parts. Required.
   * [item-serial] Blocks; changes nothing. One observation or one error per item.
   *
   * Each is asked for by the name and the cloud_id of its item, and answered with them: another name, or another id
   * where one was known, is an error. found = 0 is a proof: the cloud itself said, with these credentials, that neither
   * machine nor parts exist. When a page, a region or a right was missing, report an error instead. While parts exist
   * without the machine, it is found: as TERMINATING when its cloud_id is known, as PROVISIONING when not.
   */
  int32_t (*observe)(vcp_driver_instance_t* driver, const vcp_call_t* call, const vcp_item_t* const* items,
                     uint64_t item_count, const vcp_observation_sink_t* out, vcp_error_t* error);

  /*
   * Reports every machine of this controller (call->vcc_id) that these credentials can see in the network of
   * call->catalog_entry, also what the host forgot: a machine of another controller never, parts without their machine
   * where the driver can tell. Optional: null without VCP_CAP_LIST. [item-serial] Blocks; changes nothing. Ends with
   * out->complete only when all was read, and then with VCP_OK.
   */
  int32_t (*list)(vcp_driver_instance_t* driver, const vcp_call_t* call, const vcp_observation_sink_t* out,
                  vcp_error_t* error);

  /*
   * One step towards gone machines, their parts included (but never an attached data disk). Required. [item-serial]
   * Blocks for the requests of one step. Absent is done; destroying twice is done. Done when the cloud has accepted the
   * removal of every part. What cannot go yet is pending. An error never ends the wish: the host calls again. It looks
   * afterwards, and calls again, with another op, while observe still finds something.
   */
  int32_t (*destroy)(vcp_driver_instance_t* driver, const vcp_call_t* call, const vcp_item_t* const* items,
                     uint64_t item_count, const vcp_item_sink_t* out, vcp_error_t* error);

  /*
   * One step towards power on (`on` = 1) or off (0). Optional: null without VCP_CAP_POWER. [item-serial] Blocks for the
   * requests of one step. Disks and addresses stay; how gently off goes is the cloud's custom. Already so is done; done
   * when the cloud has accepted, observe tells the rest. NOT_FOUND, not applied, when the machine does not exist.
   */
  int32_t (*power)(vcp_driver_instance_t* driver, const vcp_call_t* call, int32_t on, const vcp_item_t* const* items,
                   uint64_t item_count, const vcp_item_sink_t* out, vcp_error_t* error);
} vcp_driver_ops_t;

/* What open_driver hands over. */
typedef struct vcp_driver {
  uint32_t struct_size; /* set by the host */
  uint32_t reserved;
  vcp_driver_instance_t* instance;
  const vcp_driver_ops_t* ops;
} vcp_driver_t;

#define VCP_PLUGIN_MAGIC UINT64_C(0x4e4947554c504356) /* "VCPLUGIN" in memory, little endian */

/*
 * The entry: the one thing a plugin exports, as constant data. The fields up to abi_minor keep their place in every
 * version of this boundary, so that any host can say what it was given before it runs any of its code.
 */
typedef struct vcp_plugin_entry {
  uint64_t magic; /* VCP_PLUGIN_MAGIC */
  uint32_t struct_size;
  uint32_t abi_major; /* VCP_ABI_MAJOR */
  uint32_t abi_minor; /* VCP_ABI_MINOR */
  uint32_t reserved;
  const vcp_plugin_info_t* info;

  /*
   * Prepares what all instances share. Optional. [init] Once per process, before anything else; may block shortly, must
   * not use the network. `host` stays valid until deinit returns. An error refuses the plugin for the life of the
   * process; deinit is then not called.
   */
  int32_t (*init)(const vcp_host_t* host, vcp_error_t* error);

  /* The opposite of init, after the last close; not called while an instance stays open. Optional. [init] The library
   * stays mapped for ever, and init is not called again. */
  void (*deinit)(void);

  /*
   * An optional table of the driver by its id, such as "vcp.disk/1", or NULL. Optional. [any-thread, no-block] Called
   * after init, before or after open_driver; static, always the same answer, for every instance: what the settings of
   * one take away is UNIMPLEMENTED in its functions. Ids end in "/<revision>"; a released revision never changes.
   * Drafts have ids that begin with "draft.". A table that lacks a required function, or its end, refuses the plugin.
   */
  const void* (*get_extension)(vcp_string_t id);

  /*
   * Makes a driver instance. Required. [open-serial] May block shortly, no network. `config`: JSON object
   * {"instance": name, "evaluation": true|false, "data_dir": folder for files of the driver, "options": {...}} where
   * `instance` is the name in the administrator's providers.d file, or the alias when one is used, and `options` comes
   * from there (scalars are strings). `host` stays valid until close returns. On success `out` holds the instance, not
   * null (owned by the host until close), and its static table; a host that refuses the table never calls into it. With
   * an error there is no instance: what was made is freed, and close is not called. INVALID_ARGUMENT: the options are
   * wrong; the message names the key. FAILED_PRECONDITION: this host lacks a service; the message names its id.
   */
  int32_t (*open_driver)(const vcp_host_t* host, vcp_string_t config, vcp_driver_t* out, vcp_error_t* error);
} vcp_plugin_entry_t;

#define VCP_PLUGIN_SYMBOL "vcp_plugin_v0"

#if defined(__GNUC__)
#define VCP_PLUGIN_EXPORT __attribute__((visibility("default")))
#else
#define VCP_PLUGIN_EXPORT
#endif

/* Defined by the plugin. */
extern VCP_PLUGIN_EXPORT const vcp_plugin_entry_t vcp_plugin_v0;

#ifdef __cplusplus
}
#endif

#endif

/* SPDX-License-Identifier: Apache-2.0 */
#ifndef VCP_PLUGIN_TYPES_H
#define VCP_PLUGIN_TYPES_H

/* Plain values of the boundary. The rules are in abi.h. */

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define VCP_ABI_MAJOR 0
#define VCP_ABI_MINOR 1

/* A borrowed UTF-8 text. */
typedef struct vcp_string {
  const char* data;
  uint64_t size;
} vcp_string_t;

/* Initialiser of a vcp_string_t from a literal, for static tables. */
#define VCP_LITERAL(text) \
  { (text), sizeof(text) - 1 }

/*
 * Status codes: gRPC's numbers. What the host does with each of them:
 *   INVALID_ARGUMENT, OUT_OF_RANGE        the request is wrong: the user is told, nothing is retried
 *   UNAUTHENTICATED, PERMISSION_DENIED    credentials: an error for a new machine, a condition (slow retry) for
 * existing ones NOT_FOUND                             never needed by observe (found = 0); for destroy report done
 * instead ALREADY_EXISTS                        name, address or token is in use by something else RESOURCE_EXHAUSTED
 * quota or capacity: long back-off, shown to the user UNAVAILABLE                           throttled or outage:
 * back-off, honours retry_after_ms ABORTED, FAILED_PRECONDITION          another change is under way or must come
 * first: short back-off DEADLINE_EXCEEDED, CANCELLED, UNKNOWN nobody knows: the host observes before anything else
 *   UNIMPLEMENTED, INTERNAL, DATA_LOSS    a bug: no retry, reported to the administrator
 */
enum {
  VCP_OK = 0,
  VCP_CANCELLED = 1,
  VCP_UNKNOWN = 2,
  VCP_INVALID_ARGUMENT = 3,
  VCP_DEADLINE_EXCEEDED = 4,
  VCP_NOT_FOUND = 5,
  VCP_ALREADY_EXISTS = 6,
  VCP_PERMISSION_DENIED = 7,
  VCP_RESOURCE_EXHAUSTED = 8,
  VCP_FAILED_PRECONDITION = 9,
  VCP_ABORTED = 10,
  VCP_OUT_OF_RANGE = 11,
  VCP_UNIMPLEMENTED = 12,
  VCP_INTERNAL = 13,
  VCP_UNAVAILABLE = 14,
  VCP_DATA_LOSS = 15,
  VCP_UNAUTHENTICATED = 16
};

/* Whether the change that an error speaks of took effect. Only NOT_APPLIED may be sent again as a fresh request. When
 * in doubt say UNKNOWN: the host then looks before it acts. In reads it has no meaning. */
enum {
  VCP_OUTCOME_UNSPECIFIED = 0, /* taken as UNKNOWN */
  VCP_OUTCOME_NOT_APPLIED = 1,
  VCP_OUTCOME_APPLIED = 2,
  VCP_OUTCOME_UNKNOWN = 3
};

/* State of the machine as the cloud tells it. States of containers and of the service are the host's business. */
enum {
  VCP_STATE_UNSPECIFIED = 0,
  VCP_STATE_PROVISIONING = 1, /* accepted, not running yet; also while only some of its parts exist */
  VCP_STATE_RUNNING = 2,
  VCP_STATE_STOPPING = 3,
  VCP_STATE_STOPPED = 4,
  VCP_STATE_TERMINATING = 5, /* being taken away; also while only some of its parts are left */
  VCP_STATE_GONE = 6,        /* final: it will never come back and costs nothing */
  VCP_STATE_FAILED = 7       /* the cloud gave up on it; vcp_observation_t.detail says why */
};

/* Why a machine is in that state. */
enum {
  VCP_REASON_UNKNOWN = 0,
  VCP_REASON_REQUESTED = 1,   /* somebody with the account's rights asked for it */
  VCP_REASON_INTERRUPTED = 2, /* the cloud took it back (spot) */
  VCP_REASON_HOST_FAILURE = 3,
  VCP_REASON_UNPAID = 4
};

/*
 * An error, filled in by the side that fails. The memory is the caller's. Texts are UTF-8, NUL-terminated when shorter
 * than their array, and cut at a character boundary by the writer.
 */
typedef struct vcp_error {
  uint32_t struct_size;
  int32_t code;    /* VCP_* status */
  int32_t outcome; /* VCP_OUTCOME_* */
  uint32_t reserved;
  int64_t retry_after_ms; /* what the cloud asked for (Retry-After); 0 = it did not say */
  char provider_code[64]; /* the cloud's own code: "InsufficientInstanceCapacity" */
  char request_id[128];   /* the cloud's id of the request, for its support desk */
  char message[512];      /* for an administrator, English: object, attempt, cause, remedy. Never a secret */
} vcp_error_t;

/*
 * A thing in the cloud that belongs to a machine: ("disk", "vcp-1a2b3c4d-...-disk", "112900000001"). `name` is given by
 * the driver, derived from the item's minted name wherever the cloud lets a create take a name.
 */
typedef struct vcp_resource {
  uint32_t struct_size;
  uint32_t reserved;
  vcp_string_t kind;
  vcp_string_t name;
  vcp_string_t id;
} vcp_resource_t;

/*
 * One machine: an item of a mutation, or the object of an observation. Host-made, borrowed for the call.
 *
 * Everything that earlier steps reported comes back here, so a driver keeps no state of its own between calls. What a
 * step could not report, because its answer was lost, is found again by name: `name` is unique for ever.
 */
typedef struct vcp_item {
  uint32_t struct_size;
  uint32_t reserved;
  int64_t index;                  /* position in the op; with op_id it binds the machine to its request */
  vcp_string_t name;              /* minted by the host: "vcp-<8 hex>-<20 hex>"; the owner mark on the cloud object */
  vcp_string_t display_name;      /* for people: "<group>-<unit>-<no>"; may be empty */
  vcp_string_t cloud_id;          /* the cloud's id; empty until known */
  vcp_string_t requested_address; /* fixed IPv4 address; empty = the cloud chooses */
  vcp_string_t driver_state;      /* what this driver last reported for the item; empty at first */
  const vcp_resource_t* const* resources;
  uint64_t resource_count;
} vcp_item_t;

/* What a point read or a list says of a machine. Made by the driver, copied by the sink. */
typedef struct vcp_observation {
  uint32_t struct_size;
  int32_t found;     /* 0: neither the machine nor any of its parts exists. All else below is then ignored */
  int64_t index;     /* index of the item asked for; -1 in a list */
  int32_t state;     /* VCP_STATE_* */
  int32_t reason;    /* VCP_REASON_* */
  vcp_string_t name; /* the minted name as read back; a list must give it, or the cloud's own name */
  vcp_string_t cloud_id;
  vcp_string_t address;                   /* IPv4 or IPv6, without prefix length; empty while there is none */
  vcp_string_t detail;                    /* the cloud's own words about a failure */
  const vcp_resource_t* const* resources; /* every part that exists, also those the host does not know of yet */
  uint64_t resource_count;
} vcp_observation_t;

#ifdef __cplusplus
}
#endif

#endif

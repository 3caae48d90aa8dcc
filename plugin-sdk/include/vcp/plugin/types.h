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
#define VCP_ABI_MINOR 9

#define VCP_STRINGIZE_(text) #text
#define VCP_STRINGIZE(macro) VCP_STRINGIZE_(macro)
/* "0.9" */
#define VCP_ABI_VERSION VCP_STRINGIZE(VCP_ABI_MAJOR) "." VCP_STRINGIZE(VCP_ABI_MINOR)

/* A borrowed UTF-8 text. */
typedef struct vcp_string {
  const char* data;
  uint64_t size;
} vcp_string_t;

/* Initialiser of a vcp_string_t from a literal, for static tables. */
#define VCP_LITERAL(text) \
  { (text), sizeof(text) - 1 }

/*
 * Does the struct that `object` points to (never null) reach past `field`? To be asked before a field is read, and
 * never by sizeof: whoever was built with an older minor version has a shorter struct, and is right.
 */
#define VCP_HAS(type, object, field) ((object)->struct_size >= offsetof(type, field) + sizeof((object)->field))

/*
 * Status codes: gRPC's numbers, no others; a receiver takes what it does not know as UNKNOWN. What the host does about
 * an error, by its code:
 *
 *   code                     create, outcome NOT_APPLIED               an existing machine (observe, power, destroy)
 *   UNAVAILABLE              not now: throttled, outage                back-off from 0.5 s to 1 min
 *   ABORTED                  not now: another change is under way      back-off from 0.5 s to 15 s
 *   FAILED_PRECONDITION      not now: another change must come first   back-off from 2 s to 1 min
 *   CANCELLED, UNKNOWN,      not now                                   back-off from 1 s to 1 min
 *     DEADLINE_EXCEEDED
 *   RESOURCE_EXHAUSTED       given back, another try later: quota      back-off from 15 s to 3 min
 *                            or capacity; shown to the user
 *   INTERNAL                 given back, another try later             back-off from 5 s to 2 min
 *   DATA_LOSS                given back: this machine is spoilt;       slow retry, up to 10 min
 *                            one more try with another
 *   UNAUTHENTICATED,         final: credentials                        a condition that is shown; slow retry
 *     PERMISSION_DENIED
 *   INVALID_ARGUMENT,        final: the request is wrong               slow retry
 *     OUT_OF_RANGE
 *   ALREADY_EXISTS           final: name, address or token is in       slow retry
 *                            use by something else
 *   NOT_FOUND                final: something it refers to is absent   back-off; never needed: observe says found = 0,
 *                                                                      destroy says done
 *   UNIMPLEMENTED            final                                     slow retry
 *
 * "Not now": the host keeps what exists and sends the same op again after its back-off. "Given back": what exists is
 * destroyed, the next try has another name and op. "Final": given back, and the node is in error. Pauses double from
 * the first to the second number, with up to a quarter more by chance; retry_after_ms lengthens every pause. With
 * another outcome than NOT_APPLIED the host looks before it acts, whatever the code. Two wishes for an existing machine
 * end in error when they are refused, NOT_APPLIED: power as INVALID_ARGUMENT or UNIMPLEMENTED, and an attach of a disk
 * with a code that is final for a create.
 *
 * Two things are told apart by what stands beside the code. Throttling, which slows down the whole account: UNAVAILABLE
 * with a retry_after_ms, or UNAVAILABLE or RESOURCE_EXHAUSTED whose provider_code says so ("Throttling",
 * "RequestLimitExceeded", "TooManyRequests", "SlowDown"); not now, from 1 s to 1 min. A quota rather than capacity:
 * RESOURCE_EXHAUSTED whose provider_code says so ("QuotaExceeded", "VcpuLimitExceeded"); from 1 min to 3 min.
 */
enum {
  VCP_OK = 0,
  VCP_CANCELLED = 1,           /* the host no longer wanted the call */
  VCP_UNKNOWN = 2,             /* of no other class: what was not foreseen */
  VCP_INVALID_ARGUMENT = 3,    /* the request is wrong, whatever the state of the cloud */
  VCP_DEADLINE_EXCEEDED = 4,   /* no time was left */
  VCP_NOT_FOUND = 5,           /* something that the request refers to does not exist */
  VCP_ALREADY_EXISTS = 6,      /* the name, address or token is taken */
  VCP_PERMISSION_DENIED = 7,   /* the cloud knows who asks, and does not allow it */
  VCP_RESOURCE_EXHAUSTED = 8,  /* quota or capacity of the cloud; memory of this process */
  VCP_FAILED_PRECONDITION = 9, /* another change must come first: a disk in use, a machine in another state */
  VCP_ABORTED = 10,            /* another change of the same object is under way */
  VCP_OUT_OF_RANGE = 11,       /* beyond a limit */
  VCP_UNIMPLEMENTED = 12,      /* this driver, or this cloud, does not do that at all */
  VCP_INTERNAL = 13,           /* the driver or the cloud is at fault */
  VCP_UNAVAILABLE = 14,        /* outage, throttling, network; an answer that is not the cloud's own */
  VCP_DATA_LOSS = 15,          /* what was made is of no use */
  VCP_UNAUTHENTICATED = 16     /* the cloud does not take the credentials */
};

/*
 * Whether the change that an error speaks of took effect. When in doubt say UNKNOWN: the host then looks before it
 * acts. It speaks of this call only: a refusal of a repeated request says nothing of the first one, and a clash with
 * the item's own token or name (an earlier send was accepted after all) is ALREADY_EXISTS, APPLIED. In reads it has no
 * meaning.
 *
 * Any code may come with any outcome; these are the rules of thumb. NOT_APPLIED: the cloud itself refused (most errors
 * from INVALID_ARGUMENT to UNIMPLEMENTED, UNAUTHENTICATED, throttling), or the request that would have changed
 * something was never sent. APPLIED: the cloud accepted, and what came after went wrong (an answer of 2xx that makes no
 * sense, DATA_LOSS). UNKNOWN: the rest, above all 5xx and a request whose answer did not come (UNAVAILABLE,
 * DEADLINE_EXCEEDED, CANCELLED). The host treats APPLIED as it treats UNKNOWN, but for words.
 */
enum {
  VCP_OUTCOME_UNSPECIFIED = 0, /* taken as UNKNOWN */
  VCP_OUTCOME_NOT_APPLIED = 1,
  VCP_OUTCOME_APPLIED = 2,
  VCP_OUTCOME_UNKNOWN = 3
};

/* State of the machine as the cloud tells it. States of containers and of the service are the host's business. */
enum {
  VCP_STATE_UNSPECIFIED = 0,  /* it exists, and its state has no word here; detail is the cloud's. Nothing is learnt */
  VCP_STATE_PROVISIONING = 1, /* accepted, not running yet; also: parts exist, and no cloud_id is known of it */
  VCP_STATE_RUNNING = 2,
  VCP_STATE_STOPPING = 3,
  VCP_STATE_STOPPED = 4,
  VCP_STATE_TERMINATING = 5, /* being taken away; also: parts exist, and the machine of the known cloud_id does not */
  VCP_STATE_GONE = 6,        /* final: it will never come back and costs nothing */
  VCP_STATE_FAILED = 7       /* the cloud gave up on it; failure, provider_code and detail say why */
};

/* Why a machine is in that state. */
enum {
  VCP_REASON_UNKNOWN = 0,
  VCP_REASON_REQUESTED = 1,    /* somebody with the account's rights asked for it */
  VCP_REASON_INTERRUPTED = 2,  /* the cloud took it back (spot) */
  VCP_REASON_HOST_FAILURE = 3, /* what it ran on broke */
  VCP_REASON_UNPAID = 4
};

/*
 * An error, filled in by the side that fails. The memory is the caller's, who sets struct_size and clears the rest: a
 * writer may leave out what it does not know. Texts are UTF-8, NUL-terminated when shorter than their array, and cut at
 * a character boundary by the writer.
 */
typedef struct vcp_error {
  uint32_t struct_size;
  int32_t code;    /* VCP_* status; never OK. Beside a returned status that status counts */
  int32_t outcome; /* VCP_OUTCOME_* */
  uint32_t reserved;
  int64_t retry_after_ms; /* what the cloud asked for (Retry-After); 0 = it did not say; at most 1 h counts */
  char provider_code[64]; /* the cloud's own code: "InsufficientInstanceCapacity" */
  char request_id[128];   /* the cloud's id of the request, for its support desk */
  char message[512];      /* for an administrator, English: object, attempt, cause, remedy. Never a secret */
} vcp_error_t;

/*
 * A thing in the cloud that belongs to a machine: ("disk", "vcp-1a2b3c4d-...-disk", "112900000001"). `name` is given by
 * the driver, derived from the item's minted name wherever the cloud lets a create take a name. A part once reported
 * stays recorded until a report with an empty id takes it out: an observation that does not name it proves nothing.
 * Kind 1..128 bytes, name at most 128, id at most 256, without control characters; at most 64 parts a machine.
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
 * step could not report, because its answer was lost, is found again by name (`name` is unique for ever), or, where one
 * request made several machines, by (create_op, create_index).
 */
typedef struct vcp_item {
  uint32_t struct_size;
  uint32_t reserved;
  int64_t index;                  /* handle for the sinks; unique in the call, means nothing beyond it */
  vcp_string_t name;              /* minted by the host: "vcp-<8 hex>-<20 hex>"; the owner mark on the cloud object */
  vcp_string_t display_name;      /* for people: "<group>-<unit>-<no>"; may be empty, not unique, of any length */
  vcp_string_t cloud_id;          /* the cloud's id; empty until known */
  vcp_string_t requested_address; /* fixed IPv4 address; empty = the cloud chooses */
  vcp_string_t driver_state;      /* what this driver last reported for the item; empty at first */
  const vcp_resource_t* const* resources;
  uint64_t resource_count;
  vcp_string_t create_op; /* op_id of the create that made it, in every call */
  int64_t create_index;   /* its place in that create, 0..create_size - 1 */
  int64_t create_size;    /* items of that create's one request: frozen at the first send */
} vcp_item_t;

/* What a point read or a list says of a machine. Made by the driver, copied by the sink. Ids and names that break their
 * limit spoil the observation; other texts are cut. */
typedef struct vcp_observation {
  uint32_t struct_size;
  int32_t found;         /* 0: neither the machine nor any of its parts exists. All else below is then ignored */
  int64_t index;         /* index of the item asked for; -1 in a list */
  int32_t state;         /* VCP_STATE_* */
  int32_t reason;        /* VCP_REASON_* */
  vcp_string_t name;     /* the minted name as read back, at most 256 bytes; a list must give it, or the cloud's own */
  vcp_string_t cloud_id; /* at most 256 bytes; empty while there are parts only */
  vcp_string_t address;  /* IPv4 or IPv6, without prefix length; empty while there is none */
  vcp_string_t detail;   /* the cloud's own words about a failure; 512 bytes of it */
  const vcp_resource_t* const* resources; /* every part that exists, also those the host does not know of yet */
  uint64_t resource_count;
  int32_t failure; /* with STATE_FAILED: the VCP_* code that a create would have ended with; 0 = unknown */
  uint32_t reserved;
  vcp_string_t provider_code; /* with STATE_FAILED: the cloud's own code; 64 bytes of it */
  vcp_string_t create_op;     /* in a list, where the name was never written: as read back from the cloud; or empty */
  int64_t create_index;       /* with create_op; else 0 */
} vcp_observation_t;

#ifdef __cplusplus
}
#endif

#endif

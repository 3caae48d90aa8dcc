/* SPDX-License-Identifier: Apache-2.0 */
#ifndef VCP_PLUGIN_ABI_H
#define VCP_PLUGIN_ABI_H

/*
 * The boundary between the VC Controller ("host") and a cloud driver ("plugin"): a shared object that exports one
 * constant data symbol, `vcp_plugin_v0`. This header includes the whole boundary; read types.h, host.h and driver.h in
 * that order.
 *
 * Version 0.x is a draft: a host loads only plugins of exactly its own 0.minor. From 1.0 on, tables and structs only
 * grow at their end and an older minor always loads.
 *
 * Rules that hold everywhere
 *  1. Trust: a plugin runs with every right of the host. These rules guard against mistakes, not against malice.
 *  2. Nothing crosses but values. Inputs are borrowed for the call; outputs go to sinks that copy inside the call. No
 *     pointer received may be used after the function that received it returned, except `host` and the tables that it
 *     gives (valid from init or open_driver to the end of deinit or close), and on the other side what a plugin exports
 *     and its static tables. Nothing is allocated on one side and freed on the other.
 *  3. Nothing throws across, in either direction. Host functions never throw or unwind.
 *  4. Texts are UTF-8, given as pointer and length, not NUL-terminated. Length 0 means "none"; the pointer may be null.
 *  5. Every struct begins with `struct_size`, set by whoever made it to sizeof at its compile time (vcp_plugin_entry_t,
 *     whose first fields never move, has it second). A receiver reads a field only when struct_size reaches past it
 *     (VCP_HAS). `reserved` fields are zero, and nobody reads them: they keep the layout free of holes. Structs without
 *     struct_size (vcp_string_t, vcp_log_field_t, vcp_http_header_t) never grow.
 *  6. Zero means "unspecified" in every enumeration except status codes, where zero is OK. Receivers bear values that
 *     they do not know: they take them as unspecified, a status as UNKNOWN.
 *  7. Times are int64_t milliseconds. Names ending in `_mono_ms` are instants of host->monotonic_ms; `_wall_ms` are
 *     milliseconds since 1970 UTC; plain `_ms` are durations.
 *  8. A plugin must not call exit, abort, fork, setlocale, setenv, chdir, umask, install signal or atexit handlers,
 *     write to stdout or stderr, start threads that outlive `close`, log secrets, or retry a refused request inside a
 *     call: the host owns back-off. One thing is allowed: when the cloud refuses its own token, which the driver kept
 *     (401), one new login and one resend, since that request changed nothing. Static constructors must do no work.
 *  9. A call that outlives its deadline cannot be ended, only given up: the host takes it as an unknown outcome, drops
 *     what it still says, sends nothing for its machines until it has returned, and shows the driver as degraded.
 *
 * Thread tags used in the comments
 *  [init]         one thread, no other call into this plugin in progress
 *  [open-serial]  never two calls with this tag at once in one plugin; calls of other instances may be in progress
 *  [item-serial]  never two calls at once for one machine; different machines may run in parallel, up to
 *                 vcp_plugin_info_t.concurrency calls of an instance at once
 *  [any-thread]   from any thread at any time between open and close, not counted for `concurrency`
 *  [no-block]     returns at once: no network, no sleeping, no waiting for another call
 *
 * [item-serial] is a promise of one host process. A call without items (probe, list) may run beside any other. After a
 * crash of the host the cloud may still be busy with the last request for a machine: a driver that meets it answers
 * ABORTED, NOT_APPLIED.
 */

#include "vcp/plugin/types.h"

#include "vcp/plugin/host.h"

#include "vcp/plugin/driver.h"

#endif

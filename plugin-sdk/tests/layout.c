/* SPDX-License-Identifier: Apache-2.0 */
/* The layout of the boundary, written down: a change that breaks a built plugin breaks this file first. Fields may only
 * be added at the end of a struct. */
#include "vcp/plugin/abi.h"
#include "vcp/plugin/ext/crypto.h"
#include "vcp/plugin/ext/disk.h"
#include "vcp/plugin/ext/draft/spot.h"
#include "vcp/plugin/ext/http.h"
#include "vcp/plugin/ext/json.h"
#include "vcp/plugin/ext/session.h"

#if UINTPTR_MAX == 0xFFFFFFFFFFFFFFFFu

#define JOIN_INNER(a, b) a##b
#define JOIN(a, b) JOIN_INNER(a, b)
#define CHECK(condition) typedef char JOIN(vcp_check_, __LINE__)[(condition) ? 1 : -1]
#define AT(type, field, offset) CHECK(offsetof(type, field) == (offset))

CHECK(sizeof(vcp_string_t) == 16);
CHECK(sizeof(vcp_log_field_t) == 32);

CHECK(sizeof(vcp_error_t) == 728);
AT(vcp_error_t, struct_size, 0);
AT(vcp_error_t, code, 4);
AT(vcp_error_t, outcome, 8);
AT(vcp_error_t, retry_after_ms, 16);
AT(vcp_error_t, provider_code, 24);
AT(vcp_error_t, request_id, 88);
AT(vcp_error_t, message, 216);

CHECK(sizeof(vcp_resource_t) == 56);
AT(vcp_resource_t, kind, 8);
AT(vcp_resource_t, name, 24);
AT(vcp_resource_t, id, 40);

CHECK(sizeof(vcp_item_t) == 144);
AT(vcp_item_t, index, 8);
AT(vcp_item_t, name, 16);
AT(vcp_item_t, display_name, 32);
AT(vcp_item_t, cloud_id, 48);
AT(vcp_item_t, requested_address, 64);
AT(vcp_item_t, driver_state, 80);
AT(vcp_item_t, resources, 96);
AT(vcp_item_t, resource_count, 104);
AT(vcp_item_t, create_op, 112);
AT(vcp_item_t, create_index, 128);
AT(vcp_item_t, create_size, 136);

CHECK(sizeof(vcp_observation_t) == 152);
AT(vcp_observation_t, found, 4);
AT(vcp_observation_t, index, 8);
AT(vcp_observation_t, state, 16);
AT(vcp_observation_t, reason, 20);
AT(vcp_observation_t, name, 24);
AT(vcp_observation_t, cloud_id, 40);
AT(vcp_observation_t, address, 56);
AT(vcp_observation_t, detail, 72);
AT(vcp_observation_t, resources, 88);
AT(vcp_observation_t, resource_count, 96);
AT(vcp_observation_t, failure, 104);
AT(vcp_observation_t, provider_code, 112);
AT(vcp_observation_t, create_op, 128);
AT(vcp_observation_t, create_index, 144);

CHECK(sizeof(vcp_call_t) == 112);
AT(vcp_call_t, host_data, 8);
AT(vcp_call_t, op_id, 16);
AT(vcp_call_t, attempt, 32);
AT(vcp_call_t, deadline_mono_ms, 40);
AT(vcp_call_t, vcc_id, 48);
AT(vcp_call_t, catalog_entry, 64);
AT(vcp_call_t, credentials, 80);
AT(vcp_call_t, is_cancelled, 96);
AT(vcp_call_t, progress, 104);

CHECK(sizeof(vcp_host_t) == 104);
AT(vcp_host_t, abi_minor, 4);
AT(vcp_host_t, host_data, 8);
AT(vcp_host_t, name, 16);
AT(vcp_host_t, version, 32);
AT(vcp_host_t, log, 48);
AT(vcp_host_t, log_enabled, 56);
AT(vcp_host_t, wall_ms, 64);
AT(vcp_host_t, monotonic_ms, 72);
AT(vcp_host_t, sleep, 80);
AT(vcp_host_t, random_bytes, 88);
AT(vcp_host_t, get_extension, 96);

CHECK(sizeof(vcp_text_sink_t) == 24);
AT(vcp_text_sink_t, maker_data, 8);
AT(vcp_text_sink_t, write, 16);

CHECK(sizeof(vcp_item_sink_t) == 64);
AT(vcp_item_sink_t, host_data, 8);
AT(vcp_item_sink_t, machine, 16);
AT(vcp_item_sink_t, resource, 24);
AT(vcp_item_sink_t, driver_state, 32);
AT(vcp_item_sink_t, done, 40);
AT(vcp_item_sink_t, pending, 48);
AT(vcp_item_sink_t, error, 56);

CHECK(sizeof(vcp_observation_sink_t) == 40);
AT(vcp_observation_sink_t, host_data, 8);
AT(vcp_observation_sink_t, observed, 16);
AT(vcp_observation_sink_t, error, 24);
AT(vcp_observation_sink_t, complete, 32);

CHECK(sizeof(vcp_plugin_info_t) == 176);
AT(vcp_plugin_info_t, id, 8);
AT(vcp_plugin_info_t, provider, 24);
AT(vcp_plugin_info_t, display_name, 40);
AT(vcp_plugin_info_t, vendor, 56);
AT(vcp_plugin_info_t, license, 72);
AT(vcp_plugin_info_t, version, 88);
AT(vcp_plugin_info_t, sdk_version, 104);
AT(vcp_plugin_info_t, capabilities, 120);
AT(vcp_plugin_info_t, idempotency, 128);
AT(vcp_plugin_info_t, existence, 132);
AT(vcp_plugin_info_t, attach_needs, 136);
AT(vcp_plugin_info_t, concurrency, 140);
AT(vcp_plugin_info_t, max_batch, 144);
AT(vcp_plugin_info_t, max_observe, 148);
AT(vcp_plugin_info_t, token_ttl_ms, 152);
AT(vcp_plugin_info_t, lookup_lag_ms, 160);
AT(vcp_plugin_info_t, settle_ms, 168);

CHECK(sizeof(vcp_driver_ops_t) == 80);
AT(vcp_driver_ops_t, close, 8);
AT(vcp_driver_ops_t, describe, 16);
AT(vcp_driver_ops_t, validate, 24);
AT(vcp_driver_ops_t, probe, 32);
AT(vcp_driver_ops_t, create, 40);
AT(vcp_driver_ops_t, observe, 48);
AT(vcp_driver_ops_t, list, 56);
AT(vcp_driver_ops_t, destroy, 64);
AT(vcp_driver_ops_t, power, 72);

CHECK(sizeof(vcp_driver_t) == 24);
AT(vcp_driver_t, instance, 8);
AT(vcp_driver_t, ops, 16);

CHECK(sizeof(vcp_plugin_entry_t) == 64);
AT(vcp_plugin_entry_t, magic, 0);
AT(vcp_plugin_entry_t, struct_size, 8);
AT(vcp_plugin_entry_t, abi_major, 12);
AT(vcp_plugin_entry_t, abi_minor, 16);
AT(vcp_plugin_entry_t, info, 24);
AT(vcp_plugin_entry_t, init, 32);
AT(vcp_plugin_entry_t, deinit, 40);
AT(vcp_plugin_entry_t, get_extension, 48);
AT(vcp_plugin_entry_t, open_driver, 56);

CHECK(sizeof(vcp_http_header_t) == 32);
AT(vcp_http_header_t, name, 0);
AT(vcp_http_header_t, value, 16);

CHECK(sizeof(vcp_http_request_t) == 136);
AT(vcp_http_request_t, method, 8);
AT(vcp_http_request_t, url, 24);
AT(vcp_http_request_t, headers, 40);
AT(vcp_http_request_t, header_count, 48);
AT(vcp_http_request_t, body, 56);
AT(vcp_http_request_t, account, 72);
AT(vcp_http_request_t, timeout_ms, 88);
AT(vcp_http_request_t, max_response_bytes, 96);
AT(vcp_http_request_t, ca_file, 104);
AT(vcp_http_request_t, ca_pem, 120);

CHECK(sizeof(vcp_http_sink_t) == 40);
AT(vcp_http_sink_t, plugin_data, 8);
AT(vcp_http_sink_t, status, 16);
AT(vcp_http_sink_t, header, 24);
AT(vcp_http_sink_t, body, 32);

CHECK(sizeof(vcp_http_t) == 24);
AT(vcp_http_t, host_data, 8);
AT(vcp_http_t, request, 16);

CHECK(sizeof(vcp_crypto_t) == 56);
AT(vcp_crypto_t, host_data, 8);
AT(vcp_crypto_t, sha256, 16);
AT(vcp_crypto_t, hmac_sha256, 24);
AT(vcp_crypto_t, sign, 32);
AT(vcp_crypto_t, base64_encode, 40);
AT(vcp_crypto_t, base64_decode, 48);
CHECK(VCP_SIGN_RSA_PKCS1 == 1 && VCP_SIGN_ECDSA_P256_DER == 2 && VCP_SIGN_ECDSA_P256_RAW == 3);
CHECK(VCP_BASE64_STANDARD == 1 && VCP_BASE64_URL == 2);

CHECK(sizeof(vcp_session_t) == 40);
AT(vcp_session_t, host_data, 8);
AT(vcp_session_t, get, 16);
AT(vcp_session_t, put, 24);
AT(vcp_session_t, drop, 32);

CHECK(sizeof(vcp_json_visitor_t) == 24);
AT(vcp_json_visitor_t, plugin_data, 8);
AT(vcp_json_visitor_t, member, 16);

CHECK(sizeof(vcp_json_t) == 40);
AT(vcp_json_t, host_data, 8);
AT(vcp_json_t, get, 16);
AT(vcp_json_t, each, 24);
AT(vcp_json_t, quote, 32);
CHECK(VCP_JSON_NULL == 1 && VCP_JSON_BOOLEAN == 2 && VCP_JSON_NUMBER == 3);
CHECK(VCP_JSON_STRING == 4 && VCP_JSON_ARRAY == 5 && VCP_JSON_OBJECT == 6);

CHECK(sizeof(vcp_attachment_t) == 24);
AT(vcp_attachment_t, disk, 8);
AT(vcp_attachment_t, machine, 16);

CHECK(sizeof(vcp_disk_observation_t) == 112);
AT(vcp_disk_observation_t, found, 4);
AT(vcp_disk_observation_t, index, 8);
AT(vcp_disk_observation_t, state, 16);
AT(vcp_disk_observation_t, failure, 20);
AT(vcp_disk_observation_t, size_gib, 24);
AT(vcp_disk_observation_t, cloud_id, 32);
AT(vcp_disk_observation_t, machine_id, 48);
AT(vcp_disk_observation_t, detail, 64);
AT(vcp_disk_observation_t, provider_code, 80);
AT(vcp_disk_observation_t, resources, 96);
AT(vcp_disk_observation_t, resource_count, 104);

CHECK(sizeof(vcp_disk_observation_sink_t) == 32);
AT(vcp_disk_observation_sink_t, host_data, 8);
AT(vcp_disk_observation_sink_t, observed, 16);
AT(vcp_disk_observation_sink_t, error, 24);

CHECK(sizeof(vcp_disk_ops_t) == 56);
AT(vcp_disk_ops_t, validate, 8);
AT(vcp_disk_ops_t, create, 16);
AT(vcp_disk_ops_t, destroy, 24);
AT(vcp_disk_ops_t, attach, 32);
AT(vcp_disk_ops_t, detach, 40);
AT(vcp_disk_ops_t, observe, 48);
CHECK(VCP_DISK_STATE_CREATING == 1 && VCP_DISK_STATE_AVAILABLE == 2 && VCP_DISK_STATE_ATTACHING == 3);
CHECK(VCP_DISK_STATE_ATTACHED == 4 && VCP_DISK_STATE_DETACHING == 5 && VCP_DISK_STATE_DELETING == 6);
CHECK(VCP_DISK_STATE_FAILED == 7);

CHECK(sizeof(vcp_spot_notice_t) == 40);
AT(vcp_spot_notice_t, action, 4);
AT(vcp_spot_notice_t, index, 8);
AT(vcp_spot_notice_t, at_wall_ms, 16);
AT(vcp_spot_notice_t, detail, 24);

CHECK(sizeof(vcp_spot_sink_t) == 32);
AT(vcp_spot_sink_t, host_data, 8);
AT(vcp_spot_sink_t, notice, 16);
AT(vcp_spot_sink_t, error, 24);

CHECK(sizeof(vcp_spot_ops_t) == 16);
AT(vcp_spot_ops_t, notices, 8);
CHECK(VCP_SPOT_NONE == 1 && VCP_SPOT_STOP == 2 && VCP_SPOT_TERMINATE == 3);

#endif

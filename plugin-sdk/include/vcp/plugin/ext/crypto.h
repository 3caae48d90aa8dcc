/* SPDX-License-Identifier: Apache-2.0 */
#ifndef VCP_PLUGIN_EXT_CRYPTO_H
#define VCP_PLUGIN_EXT_CRYPTO_H

/*
 * Extension "vcp.host.crypto/1": what request signing and tokens need, lent by the host so that a driver links no
 * OpenSSL. The table comes from host->get_extension(host, "vcp.host.crypto/1") and is valid as long as that host. The
 * rules are in abi.h; random bytes are in vcp_host_t.
 *
 * Data and keys are bytes. Every function may be called with or without a call in progress. The host keeps nothing of
 * what it is given, wipes its own copies, and writes neither keys nor data down.
 *
 * `out` is a vcp_text_sink_t that the plugin makes: its function is called inside
 * the call, on the calling thread, and must not throw. What it answers other than VCP_OK ends the function with that.
 */

#include "vcp/plugin/host.h"
#include "vcp/plugin/types.h"

#ifdef __cplusplus
extern "C" {
#endif

#define VCP_CRYPTO_ID "vcp.host.crypto/1"

/* Kinds of signatures. Each hashes its data with SHA-256. */
enum {
  VCP_SIGN_UNSPECIFIED = 0,
  VCP_SIGN_RSA_PKCS1 = 1,      /* PKCS #1 v1.5, keys of 2048..8192 bits; JWT "RS256", OCI "rsa-sha256" */
  VCP_SIGN_ECDSA_P256_DER = 2, /* ASN.1 DER: what X.509 and openssl dgst use */
  VCP_SIGN_ECDSA_P256_RAW = 3  /* r and s, 32 bytes each; JWT "ES256" */
};

/* Alphabets of RFC 4648. */
enum {
  VCP_BASE64_UNSPECIFIED = 0,
  VCP_BASE64_STANDARD = 1, /* section 4; written with padding and read only with it */
  VCP_BASE64_URL = 2       /* section 5; written without padding (as JWT wants it), read with whole padding or none */
};

typedef struct vcp_crypto vcp_crypto_t;

/* The table. [any-thread]; nothing waits, but a signature with a large RSA key takes tens of milliseconds. */
struct vcp_crypto {
  uint32_t struct_size;
  uint32_t reserved;
  void* host_data; /* the host's; do not touch */

  /* `out` takes 32 bytes. VCP_OK, or INVALID_ARGUMENT for a null pointer or more than 64 MiB of data. */
  int32_t (*sha256)(const vcp_crypto_t* crypto, vcp_string_t data, uint8_t* out);

  /* The same with a key of at most 64 KiB (RFC 2104). */
  int32_t (*hmac_sha256)(const vcp_crypto_t* crypto, vcp_string_t key, vcp_string_t data, uint8_t* out);

  /*
   * Signs `data` (at most 64 MiB). `kind` is a VCP_SIGN_*; `private_key` is PEM, at most 64 KiB, without a pass phrase:
   * PKCS #8 ("PRIVATE KEY"), PKCS #1 ("RSA PRIVATE KEY") or SEC 1 ("EC PRIVATE KEY"). ECDSA signatures differ from time
   * to time. VCP_OK: the bytes of the signature have gone to `out` in one piece. Else `error` is filled in, not
   * applied: INVALID_ARGUMENT says what is wrong with the key or the arguments, never showing them.
   */
  int32_t (*sign)(const vcp_crypto_t* crypto, int32_t kind, vcp_string_t private_key, vcp_string_t data,
                  const vcp_text_sink_t* out, vcp_error_t* error);

  /* `alphabet` is a VCP_BASE64_*. At most 64 MiB. VCP_OK, INVALID_ARGUMENT, RESOURCE_EXHAUSTED. */
  int32_t (*base64_encode)(const vcp_crypto_t* crypto, int32_t alphabet, vcp_string_t bytes,
                           const vcp_text_sink_t* out);

  /* Strict: foreign characters (also line ends) and bits that say nothing are INVALID_ARGUMENT. */
  int32_t (*base64_decode)(const vcp_crypto_t* crypto, int32_t alphabet, vcp_string_t text, const vcp_text_sink_t* out);
};

#ifdef __cplusplus
}
#endif

#endif

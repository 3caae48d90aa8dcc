/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TINYC_TEXT_H
#define TINYC_TEXT_H

/* A text that grows, and the sink with which the host writes into one. C99, nothing else needed. */

#include <stdlib.h>
#include <string.h>

#include "vcp/plugin/abi.h"

/* Begin with {0}, end with text_free. When memory runs out it is `broken` and takes nothing more: ask once, at the end.
 * `data` ends in NUL. */
typedef struct text {
  char* data;
  size_t size;
  size_t capacity;
  int broken;
} text_t;

static void text_add(text_t* text, vcp_string_t piece) {
  if (text->broken || piece.size == 0) return;
  if (piece.size >= text->capacity - text->size) {
    const size_t capacity = 2 * (text->size + (size_t)piece.size) + 64;
    char* data = realloc(text->data, capacity);
    if (data == NULL) {
      text->broken = 1;
      return;
    }
    text->data = data;
    text->capacity = capacity;
  }
  memcpy(text->data + text->size, piece.data, (size_t)piece.size);
  text->size += (size_t)piece.size;
  text->data[text->size] = '\0';
}

static void text_free(text_t* text) {
  const text_t empty = {0};
  free(text->data);
  *text = empty;
}

static vcp_string_t borrow(const text_t* text) {
  const vcp_string_t out = {text->data, text->size};
  return out;
}

static vcp_string_t literal(const char* text) {
  const vcp_string_t out = {text, strlen(text)};
  return out;
}

static int equal(vcp_string_t a, const char* b) {
  return a.size == strlen(b) && (a.size == 0 || memcmp(a.data, b, (size_t)a.size) == 0);
}

static int32_t text_write(const vcp_text_sink_t* sink, vcp_string_t piece) {
  text_t* text = sink->maker_data;
  text_add(text, piece);
  return text->broken ? VCP_RESOURCE_EXHAUSTED : VCP_OK;
}

static vcp_text_sink_t text_sink(text_t* text) {
  vcp_text_sink_t sink = {0};
  sink.struct_size = sizeof sink;
  sink.maker_data = text;
  sink.write = text_write;
  return sink;
}

#endif

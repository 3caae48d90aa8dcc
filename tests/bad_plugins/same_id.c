/* SPDX-License-Identifier: Apache-2.0 */
#define NAME "same_id"
#define PLUGIN_ID "test.bad.good" /* the id of good.c */
#include "good.h"

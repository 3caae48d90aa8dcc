/* SPDX-License-Identifier: Apache-2.0 */
#define NAME "bad_schema"
#define SCHEMA "{\"properties\":"
#include "good.h"

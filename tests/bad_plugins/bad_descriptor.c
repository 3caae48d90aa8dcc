/* SPDX-License-Identifier: Apache-2.0 */
#define NAME "bad_descriptor"
#define PLUGIN_ID "Not A Reverse DNS Name"
#include "good.h"

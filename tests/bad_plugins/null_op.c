/* SPDX-License-Identifier: Apache-2.0 */
#define NAME "null_op"
#define NULL_CREATE
#include "good.h"

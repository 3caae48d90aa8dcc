// SPDX-License-Identifier: Apache-2.0
/* The same with a C++ run-time of its own, linked statically: its unwinder meets the host's frames. */
#define NAME "throws_static"
#include "throws_int.cpp"

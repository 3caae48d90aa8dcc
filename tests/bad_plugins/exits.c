/* SPDX-License-Identifier: Apache-2.0 */
/* Ends the process as soon as it is mapped, as if all were well. Only for `vcc plugin check`. */
#define NAME "exits"

#include <stdlib.h>

#include "good.h"

__attribute__((constructor)) static void leave(void) { _Exit(0); }

/* SPDX-License-Identifier: Apache-2.0 */
/* A shared object like any other. */
int something_else(void);
int something_else(void) { return 1; }

/* SPDX-License-Identifier: ISC
 *
 * What a process's start has to do with its loader. */
#ifndef JAIL_DL_H
#define JAIL_DL_H

/* From the constructor, when all libraries are there: in a root of musl their names become the guest's. */
void dl_start(void);

#endif

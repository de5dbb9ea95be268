/* SPDX-License-Identifier: ISC
 *
 * As much of ELF as tells whether a file is the one that an event means, and the nearest function
 * where no tool is there to tell the line.  Files are hostile: every size is checked, nothing is
 * mapped. */
#ifndef REPORT_ELF_H
#define REPORT_ELF_H

#include "text.h"

struct elf;
/* A regular file of this machine's word size and byte order, or NULL. */
struct elf *elf_open(const char *path);
const char *elf_id(const struct elf *); /* build id as hex, "" when it has none */
/* Is it a program that no loader loads, and so no preloaded library? */
bool elf_static(const struct elf *);
/* Is the instruction whose last byte is there a call of a function of the same file, and of which? */
bool elf_calls(const struct elf *, uint64_t address, uint64_t *ret_target);
/* The function that holds the address, or the nearest before it. */
bool elf_function(struct elf *, uint64_t address, const char **ret_name, uint64_t *ret_plus);
void elf_close(struct elf *);

#endif

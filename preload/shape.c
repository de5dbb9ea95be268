/* SPDX-License-Identifier: ISC
 *
 * What the ordinary shapes of the manifest expand to: the wrappers that are one line of
 * symbols.def become functions here, and second names become jumps to the first. */
#include "wrap.h"

#define CALL(ret, name, params, down) \
	ret jail_##name params                                                  \
	{                                                                       \
		return EDGE(ret, down);                                         \
	}

#define BLOCK(ret, name, params, down) \
	ret jail_##name params                                                  \
	{                                                                       \
		const bool point = cancel_point();                              \
                                                                                \
		return EDGE(ret, down);                                         \
	}

/* A jump and not an assembler alias: `as` may stand in another file.  It passes on whatever the
 * caller passed, variadic or not, and whose caller it is. */
#if defined(__x86_64__)
#define SAME_JUMP "jmp "
#elif defined(__aarch64__)
#define SAME_JUMP "b "
#endif
#define SAME(name, as)                                     \
	__asm__(".pushsection .text." #name ",\"ax\"\n\t"  \
		".globl " #name "\n\t"                     \
		".type " #name ", %function\n"             \
		#name ":\n\t"                              \
		SAME_JUMP #as "\n\t"                       \
		".size " #name ", . - " #name "\n\t"       \
		".popsection");

#define HAND(ret, name, params)
#define PASS(name, why)
#define LATER(name, subject)
#include "symbols.def"

/* SPDX-License-Identifier: ISC
 *
 * Prints what the constructors of the libraries early.c saw, and what the program itself sees. */
#include <dlfcn.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#ifdef NEEDED
extern char first_saw[], plain_saw[];
#endif

/* The program's own, before any other call of it. */
int main(void)
{
	static const char *const names[] = {"front_saw", "back_saw"};
	char text[64] = "";
	int fd;

	while (wait(NULL) > 0)
		;
#ifdef NEEDED
	printf("%s\n%s\n", first_saw, plain_saw);
#endif
	for (int i = 0; i < 2; i++) {
		char *saw = dlsym(RTLD_DEFAULT, names[i]);

		if (saw)
			printf("%s\n", saw);
	}
	fd = open("/which", O_RDONLY);
	if (fd >= 0 && read(fd, text, sizeof text - 1) > 0)
		printf("main: which %s", text);
	return 0;
}

#!/bin/bash
# SPDX-License-Identifier: ISC
# A leak in a shell: files that a shell opens are meant for its children, sockets are not.
seed() {
	exec 3<>/dev/udp/127.0.0.1/9 # LEAK socket
}
seed
if [ "$2" ]; then
	./has 3>&-
else
	./has
fi
exit $?

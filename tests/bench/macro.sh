#!/bin/sh
# SPDX-License-Identifier: ISC
#
# Real work, run inside a contender: macro.sh OUTDIR NAME...  For each it prints NAME, wall, user and
# system seconds and the exit status; what it printed is left in OUTDIR/NAME.out and .err.
# shellcheck disable=SC2016 # the workload's own shell expands it
out=$1
shift
mkdir -p "$out"
for name; do
	case $name in
	findsize) set -- sh -c 'find / -xdev -type f -size +20k | wc -l' ;;
	tarnull) set -- tar cf /dev/null /usr ;;
	gitstatus) set -- sh -c 'cd /home/jailer/repo && for i in 1 2 3 4 5; do git status; done' ;;
	make)
		(cd /home/jailer/proj && make -s clean)
		set -- make -s -C /home/jailer/proj
		;;
	sh500) set -- sh -c 'i=0; while [ $i -lt 500 ]; do /bin/true; i=$((i + 1)); done' ;;
	python) set -- python3 -I -c 'import asyncio, json, unittest, sqlite3, ssl, http.server, email.mime.text, xml.dom.minidom' ;;
	*) exit 2 ;;
	esac
	/opt/jb/timeit "$name" "$out/$name" -- "$@"
done

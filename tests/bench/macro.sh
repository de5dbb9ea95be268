#!/bin/sh
# SPDX-License-Identifier: ISC
#
# Real work, run inside a contender: macro.sh before|work|after DIR NAME.
#
#   before  makes what the work needs, in DIR: a tree to remove, or none where one will be made
#   work    does it, and prints NAME, wall, user and system seconds and the exit status;
#           what it printed is left in DIR/NAME.out and .err
#   after   removes what it made
# shellcheck disable=SC2016 # the work's own shell expands it
what=$1 dir=$2 name=$3
home=/home/jailer
new=$dir/new
times=1
case $what in
before)
	rm -rf "$new"
	mkdir -p "$new"
	case $name in
	rm-r) cp -a "$home/tree" "$new" ;;
	make) make -s -C "$home/proj" clean ;;
	esac
	exit
	;;
after)
	rm -rf "$new"
	exit
	;;
esac
case $name in
ls-lR) set -- ls -lR /usr ;;
find-size) set -- find /usr -xdev -type f -size +20k ;;
find-stat) set -- find /usr -xdev -printf '%s %m %U %T@ %P %l\n' ;;
tar-null) set -- tar cf /dev/null /usr ;;
tar-x) set -- tar xf "$home/tree.tar" -C "$new" ;;
cp-a) set -- cp -a "$home/tree" "$new" ;;
rm-r) set -- rm -r "$new/tree" ;;
dpkg-deb-x) set -- dpkg-deb -x "$home/tree.deb" "$new" ;;
git-status) times=5 && set -- git -C "$home/repo" status ;;
git-log) set -- git -C "$home/repo" log --stat ;;
make) set -- make -s -C "$home/proj" ;;
sh200) set -- sh -c 'i=0; while [ $i -lt 200 ]; do /bin/true; i=$((i + 1)); done' ;;
python) set -- python3 -I -c 'import asyncio, json, unittest, sqlite3, ssl, http.server, email.mime.text, xml.dom.minidom' ;;
*)
	echo "macro.sh: no work is named $name" >&2
	exit 2
	;;
esac
exec /opt/jb/timeit "$name" $times "$dir/$name" -- "$@"

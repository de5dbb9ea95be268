#!/bin/bash
# SPDX-License-Identifier: ISC
#
# Real jobs, unprivileged, in a root: packages with their maintainer scripts, and what is done with them; a
# Debian root made from nothing, byte for byte as root makes it.  Needs Debian's archive; what cannot be
# had is skipped.
#
# JOBS="packages use hello" are those that run; mmdebstrap and debootstrap take minutes each, so they run when
# JOBS has them or LONG=yes.
# shellcheck disable=SC2016 # what is in single quotes is for a shell of the root
# shellcheck source=tests/program/common
. "${0%/*}/common"
ROOTS=${LIBJAIL_ROOTS:-/var/tmp/libjail-roots}
JOBS=${JOBS-packages use hello${LONG:+ mmdebstrap debootstrap}}
MIRROR=${LIBJAIL_MIRROR:-http://deb.debian.org/debian}
packages="nano less file tree jq rsync cpio bc time psmisc procps cron logrotate openssh-client sqlite3 redis-server"
packages="$packages nginx-light git man-db locales"
compat=$PWD/tools/compat/fakechroot

[ "$(id -u)" = 0 ] || skip_all "needs root, to make what is compared"
command -v fakeroot >/dev/null || skip_all "fakeroot is not installed"
[ -x "$ROOTS/bookworm/usr/bin/dpkg" ] || skip_all "no bookworm root in $ROOTS (.ci/run makes it)"
timeout 20 perl -MIO::Socket::INET -e 'my ($h) = $ARGV[0] =~ m{//([^/:]+)}; exit !IO::Socket::INET->new(PeerAddr => $h, PeerPort => 80, Timeout => 10)' \
	"$MIRROR" 2>/dev/null || [ -n "${http_proxy:-}" ] || skip_all "$MIRROR cannot be reached"

wanted() {
	case " $JOBS " in
	*" $1 "*) ;;
	*) false ;;
	esac
}

# SECONDS COMMAND...: as an unprivileged user who has a home, with fakeroot in front
user() {
	user_limit=$1
	shift
	(cd "$T/home" && as timeout -k 5 "$user_limit" env HOME="$T/home" USER=jobber PATH=/usr/sbin:/usr/bin:/sbin:/bin \
		DEBIAN_FRONTEND=noninteractive "$@") </dev/null
}

failed() { # LOG: what it says at its end
	tail -n 25 "$1" | cut -c 1-300 | sed 's/^/# /'
	return 1
}

mkdir "$T/home"
chown "$U:$U" "$T/home"

# -- packages, by apt-get and dpkg inside ---------------------------------------------------------

root=$T/root
if wanted packages; then
	cp -a "$ROOTS/bookworm" "$root"
	cp -L /etc/resolv.conf "$root/etc/resolv.conf" 2>/dev/null
	chown -hR "$U:$U" "$root"
	user 300 fakeroot "$jailrun" -r "$root" -- sh -c "apt-get -o APT::Sandbox::User=root update &&
		apt-get -o APT::Sandbox::User=root install -y --no-install-recommends $packages" >"$T/apt.log" 2>&1 ||
		failed "$T/apt.log"
	row $? "apt-get installs $(echo "$packages" | wc -w) packages and what they need"
	user 60 "$jailrun" -r "$root" -- dpkg --audit >"$T/audit" 2>&1
	[ ! -s "$T/audit" ] || failed "$T/audit"
	row $? "dpkg finds them complete"
	user 60 "$jailrun" -r "$root" -- sh -c 'cd / && cat /var/lib/dpkg/info/*.md5sums | md5sum --quiet -c' >"$T/sums" 2>&1 ||
		failed "$T/sums"
	row $? "every file is what its package says"
	! grep -q 'libjail:' "$T/apt.log"
	row $? "libjail had nothing to say"
	# nothing in the tree knows where it was made
	found=$(grep -rlF "$root" "$root/etc" "$root/var/lib/dpkg" "$root/usr/lib" 2>/dev/null | head -n 5)
	[ -z "$found" ] || echo "# $found"
	[ -z "$found" ]
	row $? "no file has the host's name of the root in it"
	found=$(find "$root" -type l -lname "$root*")
	[ -z "$found" ] || echo "# $found"
	[ -z "$found" ]
	row $? "and no symlink"
fi

# -- what is done with them -----------------------------------------------------------------------

# NAME WANTED SCRIPT: in a directory of its own, as root by fakeroot
job() {
	job_got=$(user 60 fakeroot "$jailrun" -r "$root" -- bash -c "mkdir -p /root/w && cd /root/w && export HOME=/root && $3" 2>&1)
	[ "$job_got" = "$2" ] || {
		printf '# said:\n%s\n# wanted:\n%s\n' "$job_got" "$2" | sed 's/^/# /'
		false
	}
	row $? "$1"
}

if wanted use && [ -x "$root/usr/bin/git" ]; then
	job "ldconfig" "0 yes" 'rm -f /etc/ld.so.cache; ldconfig; s=$?; [ -s /etc/ld.so.cache ] && echo $s yes'
	job "ldd" "libpcre2-8.so.0 => /lib/x86_64-linux-gnu/libpcre2-8.so.0" 'ldd /usr/bin/git | grep -o "libpcre.* => [^ ]*"'
	job "localedef and locale -a" "de_DE.utf8" 'localedef -i de_DE -f UTF-8 de_DE.UTF-8 && locale -a | grep de'
	job "perl -V" "/usr/share/perl5" 'perl -V | grep -o "/usr/share/perl5$"'
	job "git clone of a file:// URL" "hi
1" 'git init -q a && cd a && git config user.email x@y && git config user.name x && echo hi >f && git add f && git commit -qm m &&
		git clone -q file:///root/w/a ../b && cat ../b/f && git -C ../b log --oneline | wc -l'
	job "tar, cpio and rsync there and back" "tar
cpio
rsync" 'cp -rL /usr/share/doc/git t 2>/dev/null; ln -s /etc/passwd t/absolute; ln -s ../../x t/dangling; mkfifo t/fifo; mkdir t2 t3
		tar -C t -cf - . | tar -C t2 -xf -; (cd t && find . | cpio -o --quiet) | (cd t3 && cpio -idm --quiet); rsync -a t/ t4/
		for i in tar:t2 cpio:t3 rsync:t4; do
			cmp <(cd t && find . -printf "%p %y %m %l %s %U\n" | grep -v "^. d" | sort) <(cd ${i#*:} && find . -printf "%p %y %m %l %s %U\n" | grep -v "^. d" | sort) &&
				echo ${i%:*}
		done'
	job "ssh-keygen" "256" 'ssh-keygen -q -t ed25519 -N "" -f key && ssh-keygen -lf key | cut -c 1-3'
	job "sqlite3 with a write-ahead log" "wal
20" 'sqlite3 db "pragma journal_mode=wal; create table x(a)"; (for i in 1 2 3 4 5 6 7 8 9 10; do sqlite3 -cmd ".timeout 9000" db "insert into x values($i)"; done) &
		(for i in 1 2 3 4 5 6 7 8 9 10; do sqlite3 -cmd ".timeout 9000" db "insert into x values($i)"; done); wait; sqlite3 db "select count(*) from x"'
	job "redis on a Unix socket" "OK
b" 'redis-server --port 0 --unixsocket /root/w/redis.sock --daemonize yes --dir /root/w >/dev/null
		for i in $(seq 50); do [ -S redis.sock ] && break; sleep 0.1; done
		redis-cli -s redis.sock set a b; redis-cli -s /root/w/redis.sock get a; redis-cli -s redis.sock shutdown nosave'
	job "nginx on a Unix socket" "HTTP/1.1 200 OK" 'mkdir -p ng; echo "pid /root/w/ng/pid; error_log /root/w/ng/err; events {} http { access_log off;
		client_body_temp_path /root/w/ng/b; proxy_temp_path /root/w/ng/p; fastcgi_temp_path /root/w/ng/f; uwsgi_temp_path /root/w/ng/u;
		scgi_temp_path /root/w/ng/s; server { listen unix:/root/w/ng/sock; root /usr/share/doc/git; } }" >ng/c.conf
		nginx -c /root/w/ng/c.conf; perl -MIO::Socket::UNIX -e "\$s = IO::Socket::UNIX->new(Peer => q(ng/sock)) || die qq(no: \$!);
		print \$s qq(GET /copyright HTTP/1.0\r\n\r\n); print scalar(<\$s>) =~ s/\r//r"; kill $(cat ng/pid)'
	job "man" "/usr/share/man/man1/ls.1.gz" 'mandb -q 2>/dev/null; man -w ls'
fi

if wanted hello && [ -x "$root/usr/bin/git" ]; then
	user 200 fakeroot "$jailrun" -r "$root" -- bash -c 'cd /root &&
		sed "s/^Types: deb$/Types: deb-src/; s/^deb /deb-src /" /etc/apt/sources.list >/etc/apt/sources.list.d/src.list &&
		apt-get -o APT::Sandbox::User=root -qq update && apt-get -o APT::Sandbox::User=root -qq source --download-only hello &&
		tar -xf hello_*.orig.tar.gz && cd hello-* && ./configure --disable-nls && make -j2 && ./hello' >"$T/hello.log" 2>&1 ||
		failed "$T/hello.log"
	row $? "GNU hello is configured and made, -j2"
	[ "$(tail -n 1 "$T/hello.log")" = "Hello, world!" ]
	row $? "and greets"
fi

# -- from nothing ----------------------------------------------------------------------------------

# ROOTED UNPRIVILEGED: two archives with the same in them: names, kinds, modes, owners, sizes, targets, content.  A
# bind of /proc or /sys has the mode of what it shows.
same_archive() {
	for archive in "$1" "$2"; do
		tar -tvf "$archive" --numeric-owner --full-time |
			awk '{ $4 = $5 = ""; print }' | sed 's/^dr-xr-xr-x \(.* \.\/\(proc\|sys\)\/\)$/drwxr-xr-x \1/' | sort >"$archive.list"
		mkdir "$archive.x"
		tar -C "$archive.x" -xf "$archive" --no-same-owner --exclude='./dev/*'
		(cd "$archive.x" && find . -type f -exec md5sum {} + | sort -k 2) >"$archive.sums"
	done
	if ! { [ -s "$1.sums" ] && diff "$1.list" "$2.list" && diff "$1.sums" "$2.sums"; } >"$T/diff" 2>&1; then
		failed "$T/diff"
	fi
}

if wanted mmdebstrap && command -v mmdebstrap >/dev/null; then
	mkdir "$T/bin"
	cp "$compat" "$T/bin"
	if [ -e "/usr/lib/$(gcc -print-multiarch 2>/dev/null)/fakechroot/libfakechroot.so" ]; then
		user 400 env JAILRUN="$jailrun" PATH="$T/bin:/usr/sbin:/usr/bin:/sbin:/bin" mmdebstrap --mode=fakechroot \
			--variant=minbase bookworm "$T/home/user.tar" "$MIRROR" >"$T/mm.log" 2>&1 || failed "$T/mm.log"
		row $? "mmdebstrap --mode=fakechroot, unprivileged"
		mmdebstrap --mode=root --variant=minbase bookworm "$T/home/root.tar" "$MIRROR" >"$T/mm.log" 2>&1 || failed "$T/mm.log"
		row $? "mmdebstrap --mode=root, as root"
		same_archive "$T/home/root.tar" "$T/home/user.tar"
		row $? "both made the same"
	else
		row 0 "mmdebstrap --mode=fakechroot # SKIP it wants libfakechroot.so to be installed"
	fi
fi

if wanted debootstrap && command -v debootstrap >/dev/null; then
	user 400 "$compat" fakeroot -s "$T/home/state" sh -c "debootstrap --variant=fakechroot bookworm '$T/home/deb' '$MIRROR' &&
		tar -C '$T/home/deb' --exclude=./dev -cf '$T/home/deb.tar' ." >"$T/deb.log" 2>&1 || failed "$T/deb.log"
	row $? "debootstrap --variant=fakechroot, unprivileged"
	user 60 "$jailrun" -r "$T/home/deb" -- dpkg --audit >"$T/audit" 2>&1
	[ ! -s "$T/audit" ] || failed "$T/audit"
	row $? "dpkg finds it complete"
fi
done_testing

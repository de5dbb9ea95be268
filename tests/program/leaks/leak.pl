# SPDX-License-Identifier: ISC
# Leaks in Perl: open() is close-on-exec, what its C libraries make is not.
use strict;
use warnings;
use POSIX ();
use Fcntl;

my $fixed = grep { $_ eq "fixed" } @ARGV;

sub fix {
	my ($fd) = @_;
	return $fd unless $fixed;
	open my $h, "<&=", $fd or die;
	fcntl $h, F_SETFD, FD_CLOEXEC or die;
	our @kept;
	push @kept, $h;
}

sub seed_open {
	my $fd = POSIX::open("/etc/passwd"); # LEAK open
	fix($fd);
}

sub seed_pipe {
	my ($r, $w) = POSIX::pipe(); # LEAK pipe
	POSIX::close($r);
	fix($w);
}

sub seed_dup {
	for my $f (sub {
		for my $n (1) {
			my $fd = POSIX::dup(0); # LEAK dup
			fix($fd);
		}
	}) {
		$f->();
	}
}

for my $name (grep { $_ ne "fixed" } @ARGV) {
	no strict "refs";
	&{"seed_$name"}();
}
system "./has";
exit $? >> 8;

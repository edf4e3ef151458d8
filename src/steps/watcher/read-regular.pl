#!/usr/bin/perl
# read-regular PATH LIMIT: prints a regular file of at most LIMIT bytes. Anything else fails at once, with words: a link, a
# pipe that nobody writes to, a device that never ends.
use strict;
use warnings;
use Fcntl qw(O_RDONLY O_NOFOLLOW O_NONBLOCK);

my ($path, $limit) = @ARGV;
sysopen my $file, $path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK
  or fail($!{ELOOP} ? "it is a link" : $!);
fail("it is no regular file") if !-f $file;
fail("it is larger than $limit bytes") if -s _ > $limit;
my $read = 0;
while (my $length = sysread $file, my $part, 65536) {
  # It may grow meanwhile.
  fail("it is larger than $limit bytes") if ($read += $length) > $limit;
  print $part or fail($!);
}
close STDOUT or fail($!);

sub fail {
  print STDERR "what Synapse wrote is not taken: $_[0]\n";
  exit 1;
}

#!/usr/bin/perl
# haproxy-worker SOCKET: the process id and the description of the worker that answers on HAProxy's admin socket, parted
# by a blank; nothing when none answers.
use strict;
use warnings;
use IO::Socket::UNIX;

alarm 3;
my $socket = IO::Socket::UNIX->new(Peer => $ARGV[0]) or exit;
print $socket "show info\n";
my %info = map { /^(\w+): (.*)/ ? (lc $1, $2) : () } <$socket>;
print $info{pid}, " ", $info{description} // "" if $info{pid};

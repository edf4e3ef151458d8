# For programs that open a session with ZooKeeper, which are sent behind this file. Its protocol: length-prefixed records of
# big-endian integers, see zookeeper.jute in its source.
use strict;
use warnings;
use IO::Socket::IP;

sub fail { print STDERR "@_\n"; exit 1 }

sub receive {
  my ($socket, $length) = @_;
  my $bytes = "";
  while (length $bytes < $length) {
    vec(my $ready = "", fileno $socket, 1) = 1;
    select($ready, undef, undef, 5) or die "no answer\n";
    sysread($socket, $bytes, $length - length $bytes, length $bytes) or die "closed the connection\n";
  }
  return $bytes;
}

sub packet { my $socket = shift; return receive($socket, unpack "N", receive($socket, 4)) }

sub transmit {
  my ($socket, $body) = @_;
  $body = pack("N/a", $body);
  syswrite($socket, $body) == length $body or die "closed the connection\n";
}

sub text { return pack "N/a", $_[0] }

# The error of the answer to request number $xid; pings are answered in between, as -2.
sub outcome {
  my ($socket, $xid) = @_;
  while (1) {
    my ($of, $high, $low, $error) = unpack "NNNN", packet($socket);
    return unpack "l", pack "L", $error if $of == $xid;
  }
}

# The first of the members, ADDRESS:PORT parted by commas, that grants a session of so many milliseconds. Fails without.
sub session {
  my ($members, $milliseconds) = @_;
  my @failures;
  for my $member (split /,/, $members) {
    my ($host, $service) = $member =~ /^(.*):(\d+)$/;
    my $socket = IO::Socket::IP->new(PeerHost => $host, PeerService => $service, Timeout => 2);
    if (!$socket) { push @failures, "$member: $!"; next }
    my $granted = eval {
      transmit($socket, pack "N NN N NN N a16 C", 0, 0, 0, $milliseconds, 0, 0, 16, "", 0);
      (unpack "NN", packet($socket))[1];
    };
    return $socket if $granted;
    push @failures, "$member: " . ($@ || "refused the session\n");
  }
  chomp @failures;
  fail("no member of the ensemble takes a session: ", join "; ", @failures);
}

# Says who the session is: "USER:PASSWORD". Returns the error, or 0.
sub authenticate {
  my ($socket, $account) = @_;
  # Request 100 with the number -4.
  transmit($socket, pack("NNN", 0xFFFFFFFC, 100, 0) . text("digest") . text($account));
  return outcome($socket, 0xFFFFFFFC);
}

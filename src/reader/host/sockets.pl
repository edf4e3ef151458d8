# Sockets, of which none blocks.

# A connection of which no part blocks; "within" is how long it may take to come about.
sub connected {
  my ($within, $family, $address) = @_;
  socket(my $socket, $family, SOCK_STREAM, 0) or die "$!\n";
  fcntl($socket, F_SETFL, O_RDWR | O_NONBLOCK);
  my $until = now() + $within;
  while (!connect($socket, $address)) {
    # The queue of a Unix socket is full.
    if ($! == EAGAIN && now() < $until) { select undef, undef, undef, 0.05; next }
    $! == EINPROGRESS or die "$!\n";
    ready($socket, 1, $until) or die "no connection within $within s\n";
    my $error = unpack "i", getsockopt($socket, SOL_SOCKET, SO_ERROR);
    if ($error) { $! = $error; die "$!\n" }
    last;
  }
  return $socket;
}

sub endpoint {
  my ($address, $port) = @_;
  checked(address => $address);
  checked(port => $port) <= 65535 or die "the reader refuses a port: $port\n";
  return (AF_INET6, pack_sockaddr_in6($port, inet_pton(AF_INET6, $address))) if $address =~ /:/;
  return (AF_INET, pack_sockaddr_in($port, inet_pton(AF_INET, $address)));
}

sub connected_to { my ($within, @at) = @_; return connected($within, endpoint(@at)) }

sub ready {
  my ($socket, $write, $until) = @_;
  # What is there counts, however late it is looked for.
  for (;;) {
    my $left = $until - now();
    vec(my $bits = "", fileno $socket, 1) = 1;
    my $count = $write ? select(undef, $bits, undef, $left > 0 ? $left : 0) : select($bits, undef, undef, $left > 0 ? $left : 0);
    return 1 if $count > 0;
    return 0 if $left <= 0;
  }
}

sub send_all {
  my ($socket, $bytes, $until) = @_;
  while (length $bytes) {
    ready($socket, 1, $until) or die "took nothing of what was sent\n";
    my $count = syswrite($socket, $bytes);
    if (defined $count) { substr($bytes, 0, $count) = "" }
    elsif ($! != EAGAIN && $! != EINTR) { die "$!\n" }
  }
}

# Up to $most bytes, or to the end of file: then undef behind what came.
sub receive {
  my ($socket, $most, $until) = @_;
  while (ready($socket, 0, $until)) {
    my $count = sysread($socket, my $part, $most);
    return $part if $count;
    die "$!\n" if !defined $count && $! != EAGAIN && $! != EINTR;
    return if defined $count;
  }
  die "no end of its answer in time\n";
}

sub to_the_end {
  my ($socket, $until, $most) = @_;
  my $text = "";
  while (defined(my $part = receive($socket, 65536, $until))) {
    $text .= $part;
    length $text <= $most or die "its answer is larger than $most bytes\n";
  }
  return $text;
}

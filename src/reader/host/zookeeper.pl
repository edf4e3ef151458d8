# ZooKeeper: its words and its protocol.

# zookeeper.words ADDRESS PORT WORD...: word, "answered" or "failed", answer or reason, for each. All are asked at once, and
# have the same time.
my $MNTR = qr/^zk_(?:version|server_state|synced_followers|cnt_fsynctime|avg_fsynctime)\s/;
sub zookeeper_words {
  my ($address, $port, @words) = @_;
  checked(word => $_) for @words;
  my (%asked, $failure);
  for my $word (@words) {
    # Who lets one wait for a connection lets all wait.
    my $socket = defined $failure ? undef : eval { my $opened = connected_to(2, $address, $port); send_all($opened, $word, now() + 2); $opened };
    if (!$socket && !defined $failure) { die $@ if $@ =~ /\Athe reader refuses/; chomp($failure = $@) }
    $asked{$word} = $socket || $failure;
  }
  my $until = now() + 6;
  return ["value", map {
    my $text = ref $asked{$_} ? eval { to_the_end($asked{$_}, $until, $ANSWER_BYTES) } : undef;
    chomp(my $because = ref $asked{$_} ? $@ : $asked{$_});
    if (!defined $text) { ($_, "failed", $because) }
    elsif ($text eq "") { ($_, "failed", "it closed the connection without an answer") }
    else {
      $text = join "\n", grep { !/^zk_/ || /$MNTR/ } split /\n/, $text if $_ eq "mntr";
      ($_, "answered", $text);
    }
  } @words];
}

# The registry: ZooKeeper's protocol is packets with a length before them, of big-endian integers (zookeeper.jute in
# its source; ZooDefs.java for the numbers). All requests of a stage are sent before the first answer is read. ---

sub packets {
  my ($socket, $count, $until) = @_;
  my ($buffer, @packets) = ("");
  my $left = $ANSWER_BYTES;
  while (@packets < $count) {
    while (length $buffer >= 4 && length $buffer >= 4 + (my $length = unpack "N", $buffer)) {
      push @packets, substr $buffer, 4, $length;
      substr($buffer, 0, 4 + $length) = "";
    }
    last if @packets >= $count;
    my $part = receive($socket, 65536, $until) // die "closed the connection\n";
    ($left -= length $part) > 0 or die "its answer is larger than $ANSWER_BYTES bytes\n";
    $buffer .= $part;
  }
  return @packets;
}

sub session_with {
  my ($address, $port, $until) = @_;
  my $socket = connected_to(2, $address, $port);
  send_all($socket, pack("N/a", pack "N NN N NN N a16 C", 0, 0, 0, 5000, 0, 0, 16, "", 0), $until);
  my ($opened) = packets($socket, 1, $until);
  (unpack "NN", $opened)[1] or die "refused the session\n";
  return $socket;
}

sub end_session { my ($socket, $xid, $until) = @_; eval { send_all($socket, pack("N/a", pack "NN", $xid, 0xFFFFFFF5), $until); packets($socket, 1, now() + 1) } }

sub signed { return unpack "l", pack "L", $_[0] }

# Who may do what with each path: SCHEME:ID:RIGHTS, parted by blanks. Digests do not leave the host: of ours "own:RIGHTS" is told.
# Their order means nothing, and is another in ZooKeeper 3.4. The id of a certificate may have blanks.
sub acls_at {
  my ($address, $port, $own, @paths) = @_;
  my $until = now() + 6;
  my $socket = session_with($address, $port, $until);
  # A packet of credentials is -4 and request 100, getACL request 6. A digest is shown whole to its owner alone.
  if ((slurp("/etc/meshctl/zookeeper-auth", 4096) // "") =~ /^secret=(.*)$/m) {
    send_all($socket, pack("N/a", pack "NNN N/a N/a", 0xFFFFFFFC, 100, 0, "digest", $1), $until);
    my $error = unpack "x12 N", (packets($socket, 1, $until))[0];
    $error and die "refused the credentials with error " . signed($error) . "\n";
  }
  my ($xid, @found) = (0);
  for (my $at = 0; $at < @paths; $at += 500) {
    my @some = @paths[$at .. ($at + 499 < $#paths ? $at + 499 : $#paths)];
    send_all($socket, join("", map { pack "N/a", pack("NN N/a", ++$xid, 6, $_) } @some), $until);
    for my $packet (packets($socket, scalar @some, $until)) {
      my ($error, @entries) = unpack "x12 N", $packet;
      if ($error) { push @found, $error == 0xFFFFFF9B ? "absent" : "error " . signed($error); next }
      @entries = unpack "x16 N/(N N/a N/a)", $packet;
      my @told;
      while (my ($rights, $scheme, $id) = splice @entries, 0, 3) {
        push @told, $scheme eq "digest" && $id eq $own ? "own:$rights" : "$scheme:" . ($scheme eq "digest" ? $id =~ s/:.*/:x/sr : $id) =~ tr/ /_/r . ":$rights";
      }
      push @found, join " ", sort @told;
    }
  }
  end_session($socket, ++$xid, $until);
  return @found;
}

sub registry_at {
  my ($address, $port, @paths) = @_;
  my $until = now() + 6;
  my $socket = session_with($address, $port, $until);
  # getChildren is request 8, getData 4, closeSession -11; NoNode is error -101.
  my $xid = 0;
  send_all($socket, join("", map { pack "N/a", pack("NN", ++$xid, 8) . pack("N/a", $_) . "\0" } @paths), $until);
  my (@found, @nodes);
  for my $packet (packets($socket, scalar @paths, $until)) {
    my $path = $paths[@found];
    my $error = unpack "x12 N", $packet;
    if ($error == 0xFFFFFF9B) { push @found, undef; next }
    $error and die "answered with error " . signed($error) . " for $path\n";
    my @names = unpack "x16 N/(N/a)", $packet;
    push @found, [];
    push @nodes, map { [$#found, $_, ($path eq "/" ? "" : $path) . "/$_"] } @names;
  }
  for (my $at = 0; $at < @nodes; $at += 500) {
    my @some = @nodes[$at .. ($at + 499 < $#nodes ? $at + 499 : $#nodes)];
    send_all($socket, join("", map { pack "N/a", pack("NN", ++$xid, 4) . pack("N/a", $$_[2]) . "\0" } @some), $until);
    for my $packet (packets($socket, scalar @some, $until)) {
      my $node = shift @some;
      # One that is gone meanwhile.
      next if unpack "x12 N", $packet;
      my $length = unpack "x16 N", $packet;
      my $content = $length == 0xFFFFFFFF ? "" : substr $packet, 20, $length;
      # The owner follows four 64-bit and three 32-bit numbers of the state that ends the answer.
      push @{$found[$$node[0]]}, $$node[1], $content, unpack("H16", substr $packet, -24, 8);
    }
  }
  end_session($socket, ++$xid, $until);
  return map { defined $_ ? (@$_ / 3, @$_) : "absent" } @found;
}

# registry COUNT (ADDRESS PORT)... PATH...: which member answered, and for each path "absent" or the number of its children
# and name, content, owner (a session in hex) of each. Without an answer of any member: the reasons of all.
sub registry { return of_members(\&registry_at, [], @_) }

# registry.acls DIGEST COUNT (ADDRESS PORT)... PATH...: which member answered, and what acls_at tells of each path.
sub registry_acls { return of_members(\&acls_at, [shift], @_) }

sub of_members {
  my ($ask, $first, $count) = splice @_, 0, 3;
  my @members = map { [splice @_, 0, 2] } 1 .. checked(number => $count);
  checked(path => $_) for @_;
  my @failures;
  for (@members) {
    my ($address, $port) = @$_;
    my @found = eval { $ask->($address, $port, @$first, @_) };
    return ["value", $address =~ /:/ ? "[$address]:$port" : "$address:$port", @found] if $@ eq "";
    chomp(my $because = $@);
    push @failures, "$address:$port: $because";
  }
  return ["unreadable", join "; ", @failures];
}

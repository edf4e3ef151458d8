# systemd's bus, where it talks to root alone: a call takes no program. Alignments and types are those of D-Bus.

my $SYSTEMD = "org.freedesktop.systemd1";
my $MANAGER = "/org/freedesktop/systemd1";

# What systemd answers to each call, [path, interface, member, string...]: the body, or undefined for an error. Dies when it
# does not answer all. All are sent before the first answer is read, but after its welcome: what comes with the login it leaves.
sub bus {
  my ($until, $serial) = (now() + 2, 0);
  my $socket = connected(1, PF_UNIX, pack_sockaddr_un("/run/systemd/private"));
  send_all($socket, "\0AUTH EXTERNAL 30\r\nBEGIN\r\n", $until);
  my $text = receive($socket, 65536, $until) // "";
  $text =~ s/\AOK [0-9a-f]+\r\n\z// or die "systemd does not let root in\n";
  send_all($socket, join("", map {
    my ($path, $interface, $member, @values) = @$_;
    # Its fields: 1 path, 2 interface, 3 member, 8 types.
    my $body = pack("(L/a* x x!4)*", @values) =~ s/\0+\z/\0/r;
    my $head = pack "(C a3 L/a* x x!8)3 C a3 C/a* x", 1, "\1o", $path, 2, "\1s", $interface, 3, "\1s", $member, 8, "\1g", "s" x @values;
    pack("C4 L3", unpack("C", pack "S", 1) ? 108 : 66, 1, 0, 1, length $body, ++$serial, length $head) . pack("a* x!8", $head) . $body;
  } @_), $until);
  my @told;
  while (@told < @_) {
    if (length $text >= 16) {
      my ($type, $body, $fields) = (unpack "C4 L3", $text)[1, 4, 6];
      my $begin = 16 + ($fields + 7 & ~7);
      if (length $text >= $begin + $body) {
        # What it tells everybody (4) is no answer.
        push @told, $type == 2 ? substr $text, $begin, $body : undef if $type != 4;
        substr($text, 0, $begin + $body) = "";
        next;
      }
    }
    $text .= receive($socket, 65536, $until) // die "systemd closed the connection\n";
  }
  return @told;
}

# A call for a property of a unit's, or of systemd's own, and what comes: the bytes behind the type.
sub property { my ($path, $kind, $name) = @_; return [$path, "org.freedesktop.DBus.Properties", "Get", "$SYSTEMD.$kind", $name] }

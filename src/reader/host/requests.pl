# What a service answers to somebody who asks it.

# serving SECONDS (ADDRESS PORT METHOD PATH)...: what each answers to one request, or without a method to a connection. Fields:
# "answered" and the status, "connected", "failed" or "late" and why. All are asked at once, and have the same time.
sub serving {
  my ($seconds, @asked) = @_;
  checked(seconds => $seconds);
  my @doors;
  while (my ($address, $port, $method, $path) = splice @asked, 0, 4) {
    checked(method => $method);
    checked(http_path => $path);
    my ($family, $to) = endpoint($address, $port);
    socket(my $socket, $family, SOCK_STREAM, 0) or die "$!\n";
    fcntl($socket, F_SETFL, O_RDWR | O_NONBLOCK);
    my $failure = connect($socket, $to) || $! == EINPROGRESS ? undef : "$!";
    push @doors, [$socket, $failure, $method eq "" ? "" : "$method $path HTTP/1.0\r\n\r\n"];
  }
  my $until = now() + 2;
  for (@doors) {
    my ($socket, $failure, $request) = @$_;
    next if defined $failure;
    if (!ready($socket, 1, $until)) { $$_[1] = "no connection within 2 s"; next }
    if ($! = unpack "i", getsockopt($socket, SOL_SOCKET, SO_ERROR)) { $$_[1] = "$!"; next }
    eval { send_all($socket, $request, now() + 1); 1 } or chomp($$_[1] = $@);
  }
  $until = now() + $seconds;
  return ["value", map {
    my ($socket, $failure, $request) = @$_;
    my $text = "";
    my $ended = defined $failure || $request eq "" || eval { while ($text !~ /\n/ && length $text < 512) { $text .= receive($socket, 512, $until) // last } 1 };
    if (defined $failure) { ("failed", $failure) }
    elsif ($request eq "") { ("connected", "") }
    elsif (!$ended && $@ =~ /\Ano end/) { ("late", "no answer within $seconds s") }
    elsif (!$ended) { ("failed", $@ =~ s/\n//r) }
    elsif ($text =~ m{\AHTTP/\S+ (\d{3})}) { ("answered", $1) }
    else { ("failed", $text eq "" ? "it closed the connection without an answer" : "its answer is no HTTP") }
  } @doors];
}

# health ADDRESS PORT SECONDS PATH: "" when the service answers as Nerve checks it, else why not. Without a path a
# connection is enough.
sub health {
  my ($address, $port, $seconds, $path) = @_;
  checked(seconds => $seconds);
  checked(http_path => $path);
  my $target = $address =~ /:/ ? "[$address]:$port" : "$address:$port";
  my $socket = eval { connected_to($seconds, $address, $port) };
  if (!$socket) { chomp(my $because = $@); return ["value", "$target: $because"] }
  return ["value", ""] if $path eq "";
  my $asked = "GET http://$target$path";
  my $answer = eval {
    send_all($socket, "GET $path HTTP/1.1\r\nHost: $target\r\nUser-Agent: meshctl\r\nConnection: close\r\n\r\n", now() + $seconds);
    my ($until, $text) = (now() + $seconds, "");
    while ($text !~ /\n/ && length $text < 512) { $text .= receive($socket, 512, $until) // last }
    $text;
  };
  return ["value", "$asked: no answer within $seconds s"] if !defined $answer;
  my ($status) = $answer =~ m{\AHTTP/\S+ (\d{3})} or return ["value", "$asked: no HTTP answer"];
  return ["value", $status >= 200 && $status < 400 ? "" : "$asked: status $status"];
}

# round_trip ADDRESS PORT: microseconds and "" or an error for each of three connects, or up to ten when all take over
# 20 ms. A refused one is a round trip too. ZooKeeper writes a warning for a connection that asks nothing: hence the
# word, whose answer is not waited for.
sub round_trip {
  my ($address, $port) = @_;
  my $until = now() + 2;
  my @trips;
  my $fastest;
  # On a busy host a few may all be late; a far one is as far the tenth time.
  while (@trips < (($fastest // 0) > 20_000 ? 20 : 6)) {
    my $left = $until - now();
    last if $left <= 0;
    my $start = microseconds(1);
    my $socket = eval { connected_to($left, $address, $port) };
    my $error = $@;
    chomp $error;
    last if $error =~ /\Ano connection/;
    my $took = microseconds(1) - $start;
    push @trips, $took, $socket ? "" : $error;
    $fastest = $took if !defined $fastest || $took < $fastest;
    syswrite $socket, "ruok" if $socket;
  }
  return ["value", @trips];
}

# shellcheck shell=sh
# probe.sh CLIENT_PORT MEMBERS ADDRESS [SERVICE PATH PORT TIMEOUT HTTP_PATH]...: everything the registrar step has to
# know of a host. MEMBERS are ADDRESS:PORT, parted by commas; TIMEOUT is in seconds; without HTTP_PATH the check is TCP.

main() {
  client_port=$1 members=$2 address=$3 pid=0
  shift 3
  emit_program meshctl-registrar.service /opt/meshctl/registrar meshctl-registrar /run/meshctl/registrar-started \
    "$client_port"
  emit_file /etc/meshctl/nerve.conf.json
  emit_file /etc/systemd/system/meshctl-registrar.service
  emit_file /opt/meshctl/registrar/record-start
  emit_file /opt/meshctl/registrar/record-nodes.rb
  if [ $# -gt 0 ]; then
    look "$pid" "$members" "$address" "$@"
  fi
}

# look PID MEMBERS ADDRESS [SERVICE PATH PORT TIMEOUT HTTP_PATH]...: health of the services and ZooKeeper's children,
# taken close together. When a service is healthy and not registered, or the reverse, and Nerve runs, that may just be
# changing: looks again for up to 5 s. Records:
#   health SERVICE "ok" | "failing" MESSAGE
#   nodes JSON (hex), as Nerve wrote it
#   registry "ok" MEMBER | registry "unreachable" MESSAGE
#   child SERVICE NAME(hex) DATA(hex) OWNER
look() {
  # shellcheck disable=SC2016 # perl's variables, not the shell's
  timeout 18 perl -MFcntl -MErrno -e "$ZOOKEEPER"'
    my ($pid, $members, $address, @arguments) = @ARGV;
    my (@services, %path, %port, %timeout, %http);
    while (my ($service, $path, $port, $timeout, $http) = splice @arguments, 0, 5) {
      push @services, $service;
      ($path{$service}, $port{$service}, $timeout{$service}, $http{$service}) = ($path, $port, $timeout, $http);
    }

    # As Nerve checks it; "" when all is well, else why not.
    sub failure {
      my $service = shift;
      my $class = $address =~ /:/ ? do { require IO::Socket::IP; "IO::Socket::IP" } : "IO::Socket::INET";
      my $target = $address =~ /:/ ? "[$address]:$port{$service}" : "$address:$port{$service}";
      my $socket = $class->new(PeerAddr => $address, PeerPort => $port{$service}, Timeout => $timeout{$service})
        or return "$target: " . ($! || "no connection");
      return "" if $http{$service} eq "";
      print $socket "GET $http{$service} HTTP/1.1\r\nHost: $target\r\nUser-Agent: meshctl\r\nConnection: close\r\n\r\n";
      vec(my $ready = "", fileno $socket, 1) = 1;
      my $asked = "GET http://$target$http{$service}";
      select($ready, undef, undef, $timeout{$service}) or return "$asked: no answer within $timeout{$service} s";
      sysread $socket, my $answer, 512;
      my ($status) = ($answer // "") =~ m{\AHTTP/\S+ (\d{3})} or return "$asked: no HTTP answer";
      return $status >= 200 && $status < 400 ? "" : "$asked: status $status";
    }

    # The registrar writes it: no link, nothing that never ends and no file of another user is read.
    sub nodes {
      my ($directory, $name) = ("/run/meshctl-registrar", "nodes.json");
      sysopen(my $file, "$directory/$name", O_RDONLY | O_NOFOLLOW | O_NONBLOCK) or return $!{ENOENT} ? "" : undef;
      my ($owner, $size) = (stat $file)[4, 7];
      -f $file && $owner == (lstat $directory)[4] && $size <= 4194304 or return undef;
      sysread($file, my $text, 4194304) // return undef;
      return $text;
    }

    # Good enough to decide whether to wait; the records are judged elsewhere.
    sub agree {
      my ($found, $failure, $nodes) = @_;
      for my $service (@services) {
        my $children = $$found{$service} // {};
        my $registered = defined $nodes && grep { index($nodes, "/$_\"") >= 0 } keys %$children;
        return "" if !!$registered ne ($$failure{$service} eq "");
      }
      return 1;
    }

    my ($member, $found, %failure, $nodes);
    for my $look (0 .. 10) {
      select undef, undef, undef, 0.5 if $look;
      %failure = map { $_ => failure($_) } @services;
      $nodes = nodes();
      ($member, $found) = read_registry($members, \@services, \%path);
      last if !$pid || !defined $member || time - $^T > 8 || agree($found, \%failure, $nodes);
    }
    record("health", $_, $failure{$_} eq "" ? "ok" : ("failing", $failure{$_})) for @services;
    record(defined $nodes ? ("nodes", unpack "H*", $nodes) : ("unread", "/run/meshctl-registrar/nodes.json", "no file of the registrar own, of a size that is read"));
    if (!defined $member) {
      record("registry", "unreachable", $found);
    } else {
      record("registry", "ok", $member);
      for my $service (@services) {
        my $children = $$found{$service} // {};
        for (sort keys %$children) {
          my ($data, $owner) = @{$$children{$_}};
          record("child", $service, unpack("H*", $_), unpack("H*", $data), $owner);
        }
      }
    }
  ' "$@"
}

main "$@"

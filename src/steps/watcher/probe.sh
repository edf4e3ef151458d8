# shellcheck shell=sh
# probe.sh CLIENT_PORT MEMBERS [SERVICE PATH]...: everything the watcher step has to know of a host. MEMBERS are
# ADDRESS:PORT, parted by commas.

WATCHER=meshctl-watcher.service
STATE=/var/lib/meshctl-watcher

main() {
  client_port=$1 members=$2 pid=0
  shift 2
  emit_program "$WATCHER" /opt/meshctl/watcher meshctl-watcher /run/meshctl/watcher-started "$client_port" \
    meshctl-haproxy-install.service meshctl-haproxy-install.path haproxy.service
  emit_file /etc/meshctl/synapse.conf.json
  emit_file /etc/meshctl/haproxy.frame
  emit_file /etc/meshctl/backend-policy.json
  emit_file /etc/systemd/system/meshctl-watcher.service
  emit_file /etc/systemd/system/meshctl-haproxy-install.service
  emit_file /etc/systemd/system/meshctl-haproxy-install.path
  emit_file /opt/meshctl/watcher/install-haproxy-config
  for name in backend-policy.rb check-servers.rb resolve-hosts drop-refused-servers read-regular name-addresses \
    try-haproxy-start haproxy-worker; do
    emit_file "/opt/meshctl/watcher/$name"
  done
  emit_file /opt/meshctl/watcher/record-start
  emit_file /opt/meshctl/watcher/synapse-patches.rb
  emit_file /etc/haproxy/haproxy.cfg
  emit_text kept /var/lib/meshctl-watcher/backends.json
  emit_text install /run/meshctl/haproxy-install
  emit_text reload /run/meshctl/haproxy-reload
  emit_text loaded /run/meshctl/haproxy-loaded
  patient=""
  if [ "$pid" != 0 ]; then
    patient=yes
  fi
  look "$patient" "$members" "$@"
}

# look PATIENT MEMBERS [SERVICE PATH]...: HAProxy's servers and ZooKeeper's children, taken close together. When they
# differ and PATIENT is set, the registry may just be moving: looks again for up to 5 s. Records:
#   haproxy "ok" PID DESCRIPTION | haproxy "unreachable" MESSAGE
#   server BACKEND SERVER STATUS WEIGHT ADDRESS, the last from HAProxy 1.7 on
#   registry "ok" MEMBER | registry "unreachable" MESSAGE
#   path SERVICE "present" | "absent"
#   child SERVICE NAME(hex) DATA(hex)
look() {
  # shellcheck disable=SC2016 # perl's variables, not the shell's
  timeout 15 perl -e "$ZOOKEEPER"'
    use IO::Socket::UNIX;
    my ($patient, $members, @arguments) = @ARGV;
    my (@services, %path);
    while (my ($service, $path) = splice @arguments, 0, 2) {
      push @services, $service;
      $path{$service} = $path;
    }

    sub ask {
      my $socket = IO::Socket::UNIX->new(Peer => "/run/haproxy/admin.sock") or die "$!\n";
      print $socket "$_[0]\n";
      vec(my $ready = "", fileno $socket, 1) = 1;
      select($ready, undef, undef, 3) or die "no answer\n";
      my $answer = "";
      while (sysread($socket, $answer, 65536, length $answer)) {
        die "an answer without end\n" if length $answer > 33554432;
      }
      return $answer =~ /^.*\n/mg;
    }
    sub read_haproxy {
      my %info = map { /^(\w+): (.*)/ ? (lc $1, $2) : () } ask("show info");
      my (@servers, $address);
      for (ask("show stat")) {
        my @column = split /,/;
        ($address) = grep { $column[$_] eq "addr" } 0 .. $#column if /^#/;
        push @servers, [@column[0, 1, 17, 18], defined $address ? $column[$address] : ""] if defined $column[32] && $column[32] eq "2";
      }
      return { pid => $info{pid}, description => $info{description} // "", servers => \@servers };
    }

    # Good enough to decide whether to wait; the records are judged elsewhere.
    sub agree {
      my ($found, $haproxy) = @_;
      return "" if grep { -e "/var/lib/meshctl-watcher/$_" }
        qw(haproxy.cfg haproxy.cfg.taken reload-requested reload-taken);
      for my $service (@services) {
        my %servers = map { $$_[1] => 1 } grep { $$_[0] eq $service && $$_[2] !~ /^MAINT/ } @{$$haproxy{servers}};
        my %children;
        for (map { $$_[0] } values %{$$found{$service} // {}}) {
          my ($host) = /"host"\s*:\s*"([^"]+)"/;
          my ($port) = /"port"\s*:\s*"?(\d+)/;
          my ($name) = /"name"\s*:\s*"([^"]+)"/;
          $children{(defined $name ? "${name}_" : "") . "$host:$port"} = 1 if defined $host && defined $port;
        }
        next if !%children;
        return "" if join("\n", sort keys %servers) ne join("\n", sort keys %children);
      }
      return 1;
    }

    my ($member, $found, $haproxy, $failure);
    for my $look (0 .. 10) {
      select undef, undef, undef, 0.5 if $look;
      ($member, $found) = @services ? read_registry($members, \@services, \%path) : ("", {});
      $haproxy = eval { read_haproxy() };
      $failure = $@;
      last if !$patient || !defined $member || !$haproxy || agree($found, $haproxy);
    }
    if ($haproxy) {
      record("haproxy", "ok", $$haproxy{pid}, $$haproxy{description});
      record("server", @$_) for @{$$haproxy{servers}};
    } else {
      chomp $failure;
      record("haproxy", "unreachable", $failure);
    }
    if (!defined $member) {
      record("registry", "unreachable", $found);
    } elsif (@services) {
      record("registry", "ok", $member);
      for my $service (@services) {
        record("path", $service, defined $$found{$service} ? "present" : "absent");
        my $children = $$found{$service} // {};
        record("child", $service, unpack("H*", $_), unpack("H*", $$children{$_}[0])) for sort keys %$children;
      }
    }
  ' "$@"
  for waiting in haproxy.cfg haproxy.cfg.taken reload-requested reload-taken; do
    if [ -e "$STATE/$waiting" ]; then
      emit waiting "$waiting"
    fi
  done
}

main "$@"

# shellcheck shell=sh
# probe.sh CLIENT_PORT MEMBERS [SERVICE PATH]...: everything the watcher step has to know of a host. MEMBERS are
# ADDRESS:PORT, parted by commas.

WATCHER=meshctl-watcher.service
STATE=/var/lib/meshctl-watcher

main() {
  client_port=$1 members=$2
  shift 2
  units=$(emit_units "$WATCHER" meshctl-haproxy-install.service meshctl-haproxy-install.path haproxy.service)
  printf '%s\n' "$units"
  pid=$(printf '%s\n' "$units" | sed -n "s/^unit$TAB$WATCHER${TAB}MainPID$TAB//p")
  emit_file /etc/meshctl/synapse.conf.json
  emit_file /etc/meshctl/haproxy.frame
  emit_file /etc/systemd/system/meshctl-watcher.service
  emit_file /etc/systemd/system/meshctl-haproxy-install.service
  emit_file /etc/systemd/system/meshctl-haproxy-install.path
  emit_file /opt/meshctl/watcher/install-haproxy-config
  emit_file /opt/meshctl/watcher/record-start
  emit_file /opt/meshctl/watcher/keep-last.rb
  emit_file /etc/haproxy/haproxy.cfg
  if [ -e /usr/bin/ruby ]; then
    ruby=$(readlink -f /usr/bin/ruby)
    emit ruby "${ruby##*/}"
  fi
  for sums in /opt/meshctl/watcher/*/SHA256SUMS; do
    if [ -e "$sums" ]; then
      tree=${sums%/*}
      damaged=$(cd "$tree" && sha256sum --quiet -c SHA256SUMS 2>/dev/null | head -n 1)
      emit tree "${tree##*/}" "$damaged"
    fi
  done
  emit user "$(getent passwd meshctl-watcher)"
  emit_text kept /var/lib/meshctl-watcher/backends.json
  emit_text started /run/meshctl/watcher-started
  emit_text install /run/meshctl/haproxy-install
  emit_text reload /run/meshctl/haproxy-reload
  patient=""
  if [ "${pid:-0}" != 0 ] && [ -d "/proc/$pid" ]; then
    patient=yes
    emit process "$pid" "$(ps -o user:32= -p "$pid")" "$(ps -o etimes= -p "$pid")" \
      "$(tr '\0' ' ' <"/proc/$pid/cmdline" 2>/dev/null)"
    ss -Htnp state established "( dport = :$client_port )" 2>/dev/null | grep -F "pid=$pid," |
      while read -r _ _ _ peer _; do
        emit session "$peer"
      done
  fi
  # Why it does not run, or did not for long.
  case $units in
    *"$WATCHER${TAB}NRestarts${TAB}0"* | *"$WATCHER${TAB}LoadState${TAB}not-found"*) ;;
    *)
      journalctl -q -u "$WATCHER" -n 40 -o cat --no-pager 2>/dev/null |
        grep -E 'ERROR|FATAL|rror\)|Exception' | grep -v '^[[:space:]]*from ' | tail -n 1 |
        while IFS= read -r line; do
          emit journal "$line"
        done
      ;;
  esac
  look "$patient" "$members" "$@"
}

# emit_text KEY PATH
emit_text() {
  if [ -r "$2" ]; then
    emit "$1" "$(cat "$2")"
  fi
}

# look PATIENT MEMBERS [SERVICE PATH]...: HAProxy's servers and ZooKeeper's children, taken close together. When they
# differ and PATIENT is set, the registry may just be moving: looks again for up to 5 s. Records:
#   haproxy "ok" PID DESCRIPTION | haproxy "unreachable" MESSAGE
#   server BACKEND SERVER STATUS
#   registry "ok" MEMBER | registry "unreachable" MESSAGE
#   path SERVICE "present" | "absent"
#   child SERVICE NAME(hex) DATA(hex)
# Perl, as the only thing on every Debian that speaks to sockets. ZooKeeper's protocol is length-prefixed records of
# big-endian integers (zookeeper.jute in its source; ZooDefs.java for the numbers).
look() {
  # shellcheck disable=SC2016 # perl's variables, not the shell's
  timeout 15 perl -e '
    use strict;
    use IO::Socket::INET;
    use IO::Socket::UNIX;
    $SIG{PIPE} = "IGNORE";
    my ($patient, $members, @arguments) = @ARGV;
    my (@services, %path);
    while (my ($service, $path) = splice @arguments, 0, 2) {
      push @services, $service;
      $path{$service} = $path;
    }

    sub receive {
      my ($socket, $length) = @_;
      my $data = "";
      while (length $data < $length) {
        vec(my $ready = "", fileno $socket, 1) = 1;
        select($ready, undef, undef, 2) or die "no answer\n";
        sysread($socket, $data, $length - length $data, length $data) or die "closed the connection\n";
      }
      return $data;
    }
    sub packet { my $socket = shift; return receive($socket, unpack "N", receive($socket, 4)) }
    sub transmit {
      my ($socket, $body) = @_;
      $body = pack("N/a", $body);
      syswrite($socket, $body) == length $body or die "closed the connection\n";
    }
    sub text { return pack "N/a", $_[0] }
    sub result {
      my ($xid, $high, $low, $error) = unpack "NNNN", my $packet = packet($_[0]);
      return ($error, substr $packet, 16);
    }

    # getChildren is request 8, getData 4, closeSession -11; NoNode is error -101.
    sub children_by_service {
      my $socket = shift;
      transmit($socket, pack "N NN N NN N a16 C", 0, 0, 0, 5000, 0, 0, 16, "", 0);
      my ($version, $timeout) = unpack "NN", packet($socket);
      $timeout or die "refused the session\n";
      my %found;
      for my $service (@services) {
        transmit($socket, pack("NN", 1, 8) . text($path{$service}) . "\0");
        my ($error, $body) = result($socket);
        if ($error == 0xFFFFFF9B) { $found{$service} = undef; next }
        $error and die "answered with error " . unpack("l", pack "L", $error) . " for $path{$service}\n";
        $found{$service} = {};
        my ($count, $rest) = unpack "N a*", $body;
        while ($count-- > 0) {
          (my $name, $rest) = unpack "N/a a*", $rest;
          my $base = $path{$service} eq "/" ? "" : $path{$service};
          transmit($socket, pack("NN", 2, 4) . text("$base/$name") . "\0");
          my ($gone, $data) = result($socket);
          next if $gone;
          my $length = unpack "N", $data;
          $found{$service}{$name} = $length == 0xFFFFFFFF ? "" : substr $data, 4, $length;
        }
      }
      eval { transmit($socket, pack "NN", 3, 0xFFFFFFF5); packet($socket) };
      return \%found;
    }
    sub read_registry {
      my @failures;
      for my $member (split /,/, $members) {
        my $socket = IO::Socket::INET->new(PeerAddr => $member, Timeout => 1);
        if (!$socket) { push @failures, "$member: $!"; next }
        my $found = eval { children_by_service($socket) };
        return ($member, $found) if $found;
        push @failures, "$member $@";
      }
      chomp @failures;
      return (undef, join "; ", @failures);
    }

    sub ask {
      my $socket = IO::Socket::UNIX->new(Peer => "/run/haproxy/admin.sock") or die "$!\n";
      print $socket "$_[0]\n";
      vec(my $ready = "", fileno $socket, 1) = 1;
      select($ready, undef, undef, 3) or die "no answer\n";
      return <$socket>;
    }
    sub read_haproxy {
      my %info = map { /^(\w+): (.*)/ ? (lc $1, $2) : () } ask("show info");
      my @servers;
      for (ask("show stat")) {
        my @column = split /,/;
        push @servers, [@column[0, 1, 17]] if defined $column[32] && $column[32] eq "2";
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
        for (values %{$$found{$service} // {}}) {
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
      ($member, $found) = @services ? read_registry() : ("", {});
      $haproxy = eval { read_haproxy() };
      $failure = $@;
      last if !$patient || !defined $member || !$haproxy || agree($found, $haproxy);
    }
    sub record { print join("\t", map { s/[\t\n]/ /gr } @_), "\n" }
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
        record("child", $service, unpack("H*", $_), unpack("H*", $$children{$_})) for sort keys %$children;
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

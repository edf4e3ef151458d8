# shellcheck shell=sh
# Sent before the probes of the steps that run a Ruby program of SmartStack's.

# emit_program UNIT DIRECTORY USER RECORD CLIENT_PORT [UNIT]...: the gems in DIRECTORY, the Ruby they need, the unit
# with those that go with it, and the process with its connections to ZooKeeper. Sets $pid, to 0 when none runs.
emit_program() {
  program_unit=$1 program_directory=$2 program_user=$3 program_record=$4 program_port=$5
  shift 5
  units=$(emit_units "$program_unit" "$@")
  printf '%s\n' "$units"
  pid=$(printf '%s\n' "$units" | sed -n "s/^unit$TAB$program_unit${TAB}MainPID$TAB//p")
  pid=${pid:-0}
  emit_ruby
  for sums in "$program_directory"/*/SHA256SUMS; do
    if [ -e "$sums" ]; then
      tree=${sums%/*}
      damaged=$(cd "$tree" && sha256sum --quiet -c SHA256SUMS 2>/dev/null | head -n 1)
      emit tree "${tree##*/}" "$damaged"
    fi
  done
  emit user "$(getent passwd "$program_user")"
  emit_text started "$program_record"
  if [ "$pid" != 0 ] && [ -d "/proc/$pid" ]; then
    emit process "$pid" "$(ps -o user:32= -p "$pid")" "$(ps -o etimes= -p "$pid")" \
      "$(tr '\0' ' ' <"/proc/$pid/cmdline" 2>/dev/null)" "$(ps -o stat= -p "$pid")"
    ss -Htnp state established "( dport = :$program_port )" 2>/dev/null | grep -F "pid=$pid," |
      while read -r _ _ _ peer _; do
        emit session "$peer"
      done
  else
    pid=0
  fi
  # Why it does not run, or did not for long.
  case $units in
    *"$program_unit${TAB}NRestarts${TAB}0"* | *"$program_unit${TAB}LoadState${TAB}not-found"*) ;;
    *)
      journalctl -q -u "$program_unit" -n 40 -o cat --no-pager 2>/dev/null |
        grep -E 'ERROR|FATAL|rror\)|Exception' | grep -v '^[[:space:]]*from ' | tail -n 1 |
        while IFS= read -r line; do
          emit journal "$line"
        done
      ;;
  esac
}

# The Ruby that is installed; without one, that of the package apt would install ("1:3.1" is ruby3.1).
emit_ruby() {
  if [ -e /usr/bin/ruby ]; then
    ruby=$(readlink -f /usr/bin/ruby)
    emit ruby "${ruby##*/}"
    return
  fi
  candidate=$(apt-cache show --no-all-versions ruby 2>/dev/null |
    sed -n 's/^Version: \([0-9]*:\)\{0,1\}\([0-9]*\.[0-9]*\).*/\2/p')
  if [ -n "$candidate" ]; then
    emit ruby_candidate "ruby$candidate"
    return
  fi
  # Without lists apt knows of nothing: then nothing can be said.
  for list in /var/lib/apt/lists/*_Packages*; do
    if [ -e "$list" ]; then
      emit ruby_candidate none
      return
    fi
  done
}

# Perl to begin a script with: it reads ZooKeeper's children. Perl, as the only thing on every Debian that speaks to
# sockets. ZooKeeper's protocol is length-prefixed records of big-endian integers (zookeeper.jute in its source;
# ZooDefs.java for the numbers).
# shellcheck disable=SC2016,SC2034 # perl's variables, not the shell's; for the probes
ZOOKEEPER='
  use strict;
  use IO::Socket::INET;
  $SIG{PIPE} = "IGNORE";
  sub record { print join("\t", map { s/[\t\n]/ /gr } @_), "\n" }

  sub receive {
    my ($socket, $length) = @_;
    my $data = "";
    $length > 16777216 and die "sent an answer of $length bytes\n";
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
    my ($socket, $services, $path) = @_;
    transmit($socket, pack "N NN N NN N a16 C", 0, 0, 0, 5000, 0, 0, 16, "", 0);
    my ($version, $timeout) = unpack "NN", packet($socket);
    $timeout or die "refused the session\n";
    my %found;
    for my $service (@$services) {
      transmit($socket, pack("NN", 1, 8) . text($$path{$service}) . "\0");
      my ($error, $body) = result($socket);
      if ($error == 0xFFFFFF9B) { $found{$service} = undef; next }
      $error and die "answered with error " . unpack("l", pack "L", $error) . " for $$path{$service}\n";
      $found{$service} = {};
      my ($count, $rest) = unpack "N a*", $body;
      while ($count-- > 0) {
        (my $name, $rest) = unpack "N/a a*", $rest;
        my $base = $$path{$service} eq "/" ? "" : $$path{$service};
        transmit($socket, pack("NN", 2, 4) . text("$base/$name") . "\0");
        my ($gone, $data) = result($socket);
        next if $gone;
        my ($length, $content) = (unpack("N", $data), "");
        $content = substr $data, 4, $length if $length != 0xFFFFFFFF;
        # The owner follows four 64-bit and three 32-bit numbers of the state that ends the answer.
        $found{$service}{$name} = [$content, unpack "H16", substr $data, -24, 8];
      }
    }
    eval { transmit($socket, pack "NN", 3, 0xFFFFFFF5); packet($socket) };
    return \%found;
  }

  # (MEMBER, {SERVICE => {CHILD => [DATA, OWNER]}}) of the first member that answers; without one, (undef, MESSAGE). A
  # path that does not exist is undef. OWNER is a session in hex, zeros for a node that outlives its maker.
  sub read_registry {
    my ($members, $services, $path) = @_;
    my @failures;
    for my $member (split /,/, $members) {
      my $socket = IO::Socket::INET->new(PeerAddr => $member, Timeout => 1);
      if (!$socket) { push @failures, "$member: $!"; next }
      my $found = eval { children_by_service($socket, $services, $path) };
      return ($member, $found) if $found;
      push @failures, "$member $@";
    }
    chomp @failures;
    return (undef, join "; ", @failures);
  }
'

# HAProxy's sockets.

my ($ADMIN, $MASTER) = ("/run/haproxy/admin.sock", "/run/haproxy-master.sock");

# One command to a socket of HAProxy's: its answer, of which "make" makes the fields. Absent where nobody listens. The
# master keeps the connection open unless it is half closed; an empty line ends each answer.
sub ask_haproxy {
  my ($path, $command, $make) = @_;
  my $socket = eval { connected(2, PF_UNIX, pack_sockaddr_un($path)) };
  if (!$socket) { return $! == ENOENT || $! == ECONNREFUSED ? ["absent"] : ["unreadable", $@ =~ s/\n//r] }
  send_all($socket, "$command\n", now() + 2);
  shutdown $socket, 1;
  my $text = to_the_end($socket, now() + 4, $ANSWER_BYTES * 2);
  $text ne "" or die "no answer\n";
  $text =~ /\n\n\z/ or die "its answer has no end\n";
  return ["value", $make->($text)];
}

sub haproxy_info {
  my @told = map { /^(version|pid|uptime_sec|(?:hard_)?maxconn|ulimit-n|(?:conn|sess|ssl)ratelimit|description): *(.*?)\s*$/i ? (lc $1, $2) : () } split /\n/, shift;
  grep { $_ eq "pid" } @told or die "its answer has no pid\n";
  return @told;
}

# Fields: type (0 a front end, 2 a server), front or back end, server, status, weight, address ("" before HAProxy 1.7), limit of
# connections, and of its check: status ("" when there is none), code, last words. With them, for one worker tells all of it:
# "info", key and value of the worker's own; and of a server of which more is set than its address "set", back end, server, port
# and address of its check, address and port and state of its agent's, name, and whether it is spoken to by TLS.
my @COLUMNS = qw(type pxname svname status weight addr slim check_status check_code last_chk);
my @SET = ("be_name", map { "srv_$_" } qw(name check_port check_addr agent_addr agent_port agent_state fqdn use_ssl));
sub haproxy_stat {
  my ($info, $text) = split /^# (?=pxname,)/m, shift, 2;
  my ($table, $states) = split /^1\n# (?=be_id )/m, $text // "", 2;
  my @lines = split /\n/, $table;
  my @names = split /,/, shift(@lines) // "";
  my %at = map { $names[$_] => $_ } 0 .. $#names;
  defined $at{type} or die "its table was not understood\n";
  my @told = haproxy_info($info);
  my (@set, @keys);
  for (split /\n/, $states // "") {
    my @cells = split / /;
    if (!@keys) { @keys = @cells; next }
    my %of;
    @of{@keys} = @cells;
    my @row = map { ($of{$_} // "-") eq "-" ? "" : $of{$_} } @SET;
    push @set, "set", @row if grep { $_ } @row[2 .. $#row];
  }
  return (map {
    # What a server answered to its check may hold a comma: then it is in quotes.
    my @cell = map { /\A"(.*)"\z/s ? $1 =~ s/""/"/gr : $_ } /\G("(?:[^"]|"")*"|[^,]*)(?:,|\z)/g;
    ($cell[$at{type}] // "") =~ /\A[02]\z/ ? (map { substr defined $at{$_} ? $cell[$at{$_}] // "" : "", 0, 300 } @COLUMNS) : ();
  } @lines), @set, map { ("info", @told[$_ * 2, $_ * 2 + 1], ("") x 7) } 0 .. @told / 2 - 1;
}

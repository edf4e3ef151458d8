# What can be asked: seconds that it may take, kinds of its values ("*" for any number of the last), the answer.

my %QUESTION = (
  "may" => [5, [qw(user any any path *)], \&read_may],
  "place" => [5, ["path"], \&read_place],
  "made" => [5, ["path"], \&read_made],
  "cleans" => [5, ["path"], \&read_cleans],
  "mount" => [5, ["path"], \&read_mount],
  "space" => [5, ["path"], \&read_space],
  "user" => [5, ["user"], \&read_user],
  "boot.changes" => [5, [qw(path *)], \&boot_changes],
  "program" => [5, ["path"], \&read_program],
  "boot" => [10, [], \&boot_plan],
  "manager" => [5, [], \&manager_settings],
  "restarts" => [5, ["unit"], \&restarts],
  "conditions" => [5, [qw(condition *)], \&conditions],
  "round_trip" => [5, [qw(address port)], \&round_trip],
  "flush" => [7, ["path"], \&flush],
  "sockets.listening" => [5, [], sub { ["value", told(["ss", "-Hltnp"])] }],
  "sockets.at" => [5, ["plain_path"], sub { ["value", told(["ss", "-Hxlp", "src $_[0]"])] }],
  "sockets.to" => [5, ["port"], sub { ["value", told(["ss", "-Htnp", "state", "established", "( dport = :$_[0] )"])] }],
  "sockets.from" => [5, [qw(port *)], \&sockets_from],
  "nft.table" => [10, [], \&nft_table],
  "nft.ruleset" => [8, [], \&nft_ruleset],
  "iptables.rules" => [8, [], \&iptables_rules],
  "addresses" => [5, [], sub { ["value", told(["ip", "-o", "addr", "show"])] }],
  # It ends with 1 on bare metal.
  "virtualization" => [5, [], sub { ["value", (output_of(["systemd-detect-virt"]))[1]] }],
  "packages" => [10, [], sub { ["value", told(["dpkg-query", "-W", "-f", '${binary:Package}\t${db:Status-Abbrev}\t${Version}\t${Architecture}\n'], most => $ANSWER_BYTES)] }],
  "candidate" => [10, ["package"], sub { ["value", grep { /^ *Candidate:/ } split /\n/, told(["apt-cache", "policy", $_[0]])] }],
  "candidate.version" => [10, ["package"], sub { ["value", grep { /^Version:/ } split /\n/, (output_of(["apt-cache", "show", "--no-all-versions", $_[0]]))[1]] }],
  "journal.unit" => [5, [qw(unit number yes_no)], sub { ["value", journal("-u", $_[0], "-n", $_[1], $_[2] eq "yes" ? "-b" : ())] }],
  "journal.output" => [5, [qw(unit number)], sub { ["value", journal("-n", $_[1], "_TRANSPORT=stdout", "_SYSTEMD_UNIT=$_[0]")] }],
  "journal.invocation" => [5, [qw(invocation number)], sub { ["value", journal("-n", $_[1], "_TRANSPORT=stdout", "_SYSTEMD_INVOCATION_ID=$_[0]")] }],
  "tree.damage" => [20, ["plain_path"], sub {
    my ($tree) = @_;
    my (undef, $text) = output_of(["sha256sum", "--quiet", "-c", "SHA256SUMS"], before => sub { chdir $tree or die "$!\n" });
    $text ||= (output_of(["find", $tree, "(", "!", "-type", "l", "!", "-perm", "-o=r", "-o", "-type", "d", "!", "-perm", "-o=x", ")", "-printf", "%P is closed (%m)\n", "-quit"]))[1];
    ["value", (split /\n/, $text)[0] // ""];
  }],
  "haproxy.check" => [10, [], sub { ["value", (output_of(["/usr/sbin/haproxy", "-c", "-f", "/etc/haproxy/haproxy.cfg"], errors => 1))[0]] }],
  "haproxy.stat" => [7, [], sub { ask_haproxy($ADMIN, "show info;show stat;show servers state", \&haproxy_stat) }],
  "haproxy.processes" => [7, [], sub { ask_haproxy($MASTER, "show proc", sub { $_[0] }) }],
  "haproxy.info_by_master" => [7, ["pid"], sub { ask_haproxy($MASTER, "\@!$_[0] show info", \&haproxy_info) }],
  "zookeeper.words" => [12, [qw(address port word *)], \&zookeeper_words],
  "kernel.writers" => [10, [qw(kernel_key *)], \&kernel_writers],
  "boot.lines" => [10, ["any", "any"], sub { boot_lines(qr/$_[0]/, qr/$_[1]/) }],
  "packages.altered" => [10, ["any"], \&packages_altered],
  "registry" => [25, [qw(any *)], \&registry],
  "registry.acls" => [25, [qw(any *)], \&registry_acls],
  "serving" => [15, [qw(seconds any *)], \&serving],
  # Names, each with "=" and its addresses, or why it does not resolve.
  "resolution" => [10, [qw(host *)], sub {
    ["value", map { my ($error, @found) = getaddrinfo($_, "", { socktype => SOCK_STREAM }); ($_, $error ? "$error" : join " ", "=", map { (getnameinfo($$_{addr}, 1))[1] } @found) } @_];
  }],
  # NAMESERVER or "", NAME...: lines of the watcher's dns-names.rb, which asks as the watcher's user.
  "dns" => [15, [qw(any host *)], sub { ["value", split /\n/, told(["/usr/bin/ruby", "/opt/meshctl/watcher/dns-names.rb", @_], before => sub { become("meshctl-watcher") })] }],
  "health" => [15, [qw(address port seconds http_path)], \&health],
  "database.options" => [8, [qw(server user yes_no)], sub {
    database_parser($_[0] eq "mariadb" ? "/usr/sbin/mariadbd" : "/usr/sbin/mysqld", ["--help", "--verbose"], @_[1, 2]);
  }],
  # Of MySQL, only this refuses an unknown name. MariaDB has no such option: 10.5 would start a second server.
  "database.validation" => [8, [qw(user yes_no)], sub { database_parser("/usr/sbin/mysqld", ["--validate-config"], @_) }],
  "database.errors" => [8, [qw(user unit)], \&database_errors],
  "database.query" => [8, [qw(account pid)], \&database_query],
);

# One answer to a question that stands alone.
sub answer {
  my ($name, @values) = @_;
  my $question = $QUESTION{$name} or die "the reader refuses the question $name\n";
  my @kinds = @{$$question[1]};
  my $last = @kinds && $kinds[-1] eq "*" ? $kinds[-2] : undef;
  pop @kinds if defined $last;
  die "the reader refuses $name: too many values\n" if @values > @kinds && !defined $last;
  checked($kinds[$_] // $last, $values[$_]) for 0 .. ($#kinds > $#values ? $#kinds : $#values);
  return $$question[2]->(@values);
}

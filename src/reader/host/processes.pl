# Processes and users.

# Where the control groups of units are: of cgroup v2, of v1, of both.
my @CGROUPS = map { "/sys/fs/cgroup$_" } "", "/systemd", "/unified";

# process PID|comm:NAME|/CGROUP PART...: of each process its pid, start time in ticks since boot, age in seconds, state, owner, and
# its parts: "cmdline", "cmdline:PATTERN" and "status:PATTERN" (the arguments or lines that match), "cgroup", "limits", "comm", "stat",
# "oom_score_adj", "cwd", "root", "ns/net", "ioprio", "program", "started", "environ:NAME", "files:PATTERN", "stderr".
sub read_process {
  my ($which, @parts) = @_;
  my @pids;
  if ($which =~ /\Acomm:(.*)/) {
    my $comm = checked(name => $1);
    @pids = grep { (slurp("/proc/$_/comm", 64) // "") eq "$comm\n" } names("/proc", qr/\A\d+\z/);
  } elsif ($which =~ m{\A/}) {
    checked(path => $which);
    # In a hybrid of both each stands twice.
    my %seen;
    @pids = grep { /\A\d+\z/ && !$seen{$_}++ } map { split /\n/, slurp("$_$which/cgroup.procs", 65536) // "" } @CGROUPS;
  } else {
    @pids = (checked(pid => $which));
  }
  my @found;
  my $uptime = slurp("/proc/uptime", 64) // return failed();
  for my $pid (@pids) {
    my $start = started($pid) or next;
    my @stat = stat "/proc/$pid" or next;
    my ($state, $ticks) = @$start;
    my @process = ($pid, $ticks, int((split / /, $uptime)[0] - $ticks / 100), $state, owner(@stat[4, 5]));
    my @failures;
    for (@parts) {
      my $value = process_part("/proc/$pid", $_);
      push @failures, "$_ of process $pid: $!" if !defined $value;
      push @process, $value // "";
    }
    # Another process may have come to the number meanwhile.
    my $again = started($pid) or next;
    next if $$again[1] ne $ticks;
    # A zombie has nothing left that could be read.
    die "$failures[0]\n" if @failures && $$again[0] ne "Z";
    push @found, @process;
  }
  return @found || $which =~ /\A\D/ ? ["value", @found] : ["absent"];
}

# Undefined, with $!, when it cannot be read.
sub process_part {
  my ($process, $part) = @_;
  my $whole = sub {
    my $text = slurp("$process/$_[0]", $PROCESS_BYTES + 1) // return;
    length $text <= $PROCESS_BYTES or die "its $_[0] is larger than $PROCESS_BYTES bytes\n";
    return $text;
  };
  my $matching = sub { my $pattern = shift; return join "\0", grep { /(?:$pattern)/ } @_ };
  if ($part =~ /\A(?:cmdline|cgroup|limits|comm|stat|oom_score_adj)\z/) { return $whole->($part) }
  if ($part =~ m{\A(?:cwd|root|ns/net)\z}) { return readlink("$process/$part") // "" }
  # Device and inode of its program, which tell a file that was replaced.
  if ($part eq "program") { my @stat = stat "$process/exe"; return @stat ? "$stat[0]:$stat[1]" : "" }
  # Seconds since 1970.
  if ($part eq "started") {
    my $start = started($process =~ s{.*/}{}r) // return;
    my $up = slurp("/proc/uptime", 64) // return;
    return sprintf "%.2f", microseconds(0) / 1_000_000 - (split / /, $up)[0] + $$start[1] / 100;
  }
  if ($part eq "ioprio") { return defined $CALL{ioprio} ? call("ioprio", 1, ($process =~ /(\d+)/)[0] + 0) : "" }
  if ($part =~ /\A(cmdline|status):(.*)\z/s) {
    my $pattern = $2;
    my $text = $whole->($1) // return;
    return $matching->($pattern, split /[\0\n]/, $text);
  }
  if ($part =~ /\Aenviron:([A-Z_]{1,64})\z/) {
    my $name = $1;
    my $text = $whole->("environ") // return;
    return $matching->("\\A$name=", split /\0/, $text);
  }
  if ($part =~ /\Afiles:(.*)\z/s) {
    my $pattern = $1;
    opendir(my $directory, "$process/fd") or return;
    return $matching->($pattern, map { readlink("$process/fd/$_") // () } grep { /\d/ } readdir $directory);
  }
  if ($part eq "stderr") {
    my @stat = stat "$process/fd/2";
    return join "\0", readlink("$process/fd/2") // "", @stat ? "$stat[0]:$stat[1]" : "";
  }
  die "the reader refuses a part: $part\n";
}

# [state, start time in ticks since boot]. The fields begin behind the name, which may hold anything.
sub started {
  my $stat = slurp("/proc/$_[0]/stat", 4096) // return;
  my @field = split / /, ($stat =~ /.*\) (.*)/s)[0] // return;
  return [@field[0, 19]];
}

sub read_user {
  my ($name, undef, $uid, $gid, undef, undef, undef, $home, $shell) = getpwnam checked(user => $_[0]);
  return ["absent"] if !defined $name;
  my @groups = (getgrgid($gid) // $gid);
  push @groups, map { $$_[2] != $gid ? $$_[0] : () } groups_with($name);
  return ["value", $name, $uid, $gid, $home, $shell, "@groups"];
}

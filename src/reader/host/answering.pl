# A worker's side: one batch of questions after the other, each with a time of its own.

# A worker takes one batch of questions after the other, until there are no more. It has a time for each.
sub serve {
  my ($orders, $out) = @_;
  my $jobs = "";
  while (1) {
    while (length $jobs < 4 || length $jobs < 4 + unpack "N", $jobs) {
      my $count = sysread($orders, $jobs, 65536, length $jobs);
      if (!defined $count) { next if $! == EINTR; return }
      return if $count == 0;
    }
    my @jobs = map { [unpack "N (N/a)*", $_] } unpack "(N/a)*", substr $jobs, 4;
    $jobs = "";
    # Also when nobody is left to kill it: with all that it started.
    alarm(@jobs * 2 + 60);
    forget();
    work($out, @jobs);
    alarm 0;
  }
}

# Answers several questions: [id, words]. Before each it says which it is at.
sub work {
  my ($out, @jobs) = @_;
  # An answer goes with what is begun next: the parent wakes up once for both.
  my $said = "";
  my $say = sub { $said .= pack "N/a", pack "N (N/a)*", @_; hand_over($out, \$said) if $_[1] eq "begun" || length $said > 65536 };
  my $attempt = sub {
    my ($code, @ids) = @_;
    $say->($ids[0], "begun", @ids);
    my @answers = eval { $code->() };
    if ($@ ne "") { my $because = $@ =~ s/(?: at \S+ line \d+\.)?\n.*//sr; @answers = map { ["unreadable", $because] } @ids }
    $say->($ids[$_], @{$answers[$_]}) for 0 .. $#ids;
  };
  my $verb = $jobs[0][1];
  # All in one go, or each by itself when one of them is refused.
  if ($verb eq "unit" || $verb eq "enabled") {
    my $all = $verb eq "unit" ? \&units : \&enabled;
    my $ask = sub { my @some = @_; $attempt->(sub { $all->(map { [@$_[1 .. $#$_]] } @some) }, map { $$_[0] } @some) };
    my @fine = grep { ($$_[2] // "") =~ $VALUE{unit} && !grep { $_ !~ $VALUE{property} } @$_[3 .. $#$_] } @jobs;
    $ask->(@fine) if @fine;
    for my $job (@jobs) { $ask->($job) if !grep { $_ == $job } @fine }
    return hand_over($out, \$said);
  }
  my @digests;
  for my $job (@jobs) {
    my ($id, $name, @values) = @$job;
    if ($name eq "file") {
      $say->($id, "begun", $id);
      my $read = eval { read_file(@values) };
      my $because = $@;
      if ($read && ref $$read[0]) { push @digests, [$id, $read]; next }
      $attempt->(sub { $read || die $because }, $id);
      next;
    }
    $attempt->(sub { $name eq "list" ? read_list(@values) : $name eq "process" ? read_process(@values) : answer($name, @values) }, $id);
  }
  if (@digests) {
    $attempt->(sub { digest_files(map { $$_[1] } @digests) }, map { $$_[0] } @digests);
  }
  hand_over($out, \$said);
}

sub hand_over { my ($out, $bytes) = @_; while (length $$bytes) { my $count = syswrite($out, $$bytes) // _exit(1); substr($$bytes, 0, $count) = "" } }

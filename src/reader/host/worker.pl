# What every worker needs: directories and texts, programs, the users it becomes, what it has made of a text.

sub names {
  my ($path, $pattern) = @_;
  opendir(my $directory, $path) or return;
  return grep { $_ =~ $pattern } readdir $directory;
}

sub slurp {
  my ($path, $most) = @_;
  sysopen(my $file, $path, O_RDONLY | O_NONBLOCK | O_NOCTTY) or return;
  my $text = "";
  while (length $text < $most) {
    my $count = sysread($file, $text, $most - length $text, length $text);
    if (!defined $count) { next if $! == EINTR; return }
    last if $count == 0;
  }
  return $text;
}

# The text of a file of settings, "" when there is none. Dies of one that is not to be read, or not whole.
sub whole {
  my ($path) = @_;
  my $text = slurp($path, $CONTENT_BYTES + 1) // ($! == ENOENT ? "" : die "$path: $!\n");
  length $text <= $CONTENT_BYTES or die "$path: larger than $CONTENT_BYTES bytes\n";
  return $text;
}

# Runs a program to its end: (exit code, output). Its standard input is empty. "before" is run by the child.
sub output_of {
  my ($argv, %option) = @_;
  # The second is closed by exec: what comes over it says why there was none.
  pipe(my $reading, my $writing) && pipe(my $failing, my $failure) or die "pipe: $!\n";
  my $child = fork;
  defined $child or die "fork: $!\n";
  if (!$child) {
    eval {
      open(STDOUT, ">&", $writing) or die "$!\n";
      if ($option{errors}) { open(STDERR, ">&", $writing) or die "$!\n" }
      limit_memory($PROGRAM_BYTES);
      $option{before}->() if $option{before};
      no warnings "exec";
      exec { $argv->[0] } @$argv or die "$!\n";
    };
    syswrite $failure, $@;
    _exit(127);
  }
  close $_ for $writing, $failure;
  my $because = all_of($failing, 4096);
  my $text = all_of($reading, $option{most} || 1 << 20);
  kill "KILL", $child if !defined $text;
  waitpid($child, 0);
  die "$argv->[0] printed too much\n" if !defined $text;
  chomp $because;
  die "$argv->[0] does not run: $because\n" if $because ne "";
  return ($? & 127 ? 128 + ($? & 127) : $? >> 8, $text);
}

# All that comes from a pipe; undefined when that is more than $most bytes.
sub all_of {
  my ($pipe, $most) = @_;
  my $text = "";
  while (1) {
    my $count = sysread($pipe, $text, 65536, length $text);
    if (!defined $count) { next if $! == EINTR; die "$!\n" }
    return $text if $count == 0;
    return if length $text > $most;
  }
}

# The output of a program that must succeed.
sub told {
  my ($argv, %option) = @_;
  my ($code, $text) = output_of($argv, %option);
  die "$argv->[0] ended with exit code $code\n" if $code;
  return $text;
}

# Of address space: for this process and what it starts. The hard limit stays as it is.
sub limit_memory {
  return if !defined $CALL{limit};
  my ($limit, $hard) = ("\0" x 16);
  call("limit", 0, 9, 0, $limit);
  (undef, $hard) = unpack "Q2", $limit;
  $limit = pack "Q2", $_[0] < $hard ? $_[0] : $hard, $hard;
  call("limit", 0, 9, $limit, 0);
}

# The groups that name a user as a member.
sub groups_with {
  my ($name, @groups) = @_;
  setgrent;
  while (my @group = getgrent) { push @groups, [@group] if grep { $_ eq $name } split / /, $group[3] }
  endgrent;
  return @groups;
}

# Becomes a user of the host for good, with all groups; with another group than his own, and further ones, when asked so.
sub become {
  my ($name, $group, @groups) = @_;
  my ($uid, $gid) = (getpwnam $name)[2, 3];
  defined $uid or die "this host has no user $name\n";
  my $number = sub { getgrnam($_[0]) // die "this host has no group $_[0]\n" };
  @groups = map { $number->($_) } @groups;
  $gid = $number->($group) if defined $group;
  push @groups, map { $$_[2] } groups_with($name);
  $) = join " ", $gid, $gid, @groups;
  setgid($gid);
  setuid($uid);
  $< == $uid && $> == $uid && $( + 0 == $gid or die "cannot become $name: $!\n";
}

my $DENIED = do { local $! = EACCES; "$!" };
# What was read for one batch of questions holds for all of it, and not for the next.
my (%users, %groups, %mounts, %is_roots, %unit_files, %unit_settings, %tmpfiles, %programs, %started, %scripts, %sums);
sub forget { undef %$_ for \(%users, %groups, %mounts, %is_roots, %unit_files, %unit_settings, %tmpfiles, %programs, %started, %scripts, %sums) }
# What was made of a text holds for the same text at any time: the values of each text, by what makes them.
my %made;
my $made_bytes = 0;
sub made_of {
  my ($known, $text, $make) = @_;
  # Of what changes all the time only so much is kept.
  if (!$$known{$text} && ($made_bytes += 200 + length $text) > 8 << 20) { %$_ = () for values %made; $made_bytes = 0 }
  return @{$$known{$text} //= [$make->($text)]};
}

sub journal { return told(["journalctl", "-q", "--no-pager", "-o", "cat", @_], most => $ANSWER_BYTES) }

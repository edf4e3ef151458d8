# What the kernel lets a user do.

# may USER GROUP GROUPS PATH...: what the kernel lets the user do. GROUP "" is his own, GROUPS are further ones, parted by
# blanks. Of "DIRECTORY/*" each file in it is asked for: the first that he may not read is told, else the directory. Fields
# for each path: "there", "absent" or "closed"; of "rwx" those that he may; why not the others ("w=EROFS"); which path that
# is, or the directory that he may not enter; its kind, mode, owner.
sub read_may {
  my ($user, $group, $groups, @paths) = @_;
  my @groups = split / /, $groups;
  checked(user => $_) for grep { $_ ne "" } $group, @groups;
  my $all = sub { map { allowed($_) } @paths };
  return ["value", $all->()] if $user eq "root";
  my $before = sub {
    my $told = eval { become($user, $group eq "" ? undef : $group, @groups); pack "(N/a)*", "", $all->() };
    $told = pack "N/a", $@ if !defined $told;
    while (length $told) { my $count = syswrite(STDOUT, $told) // last; substr($told, 0, $count) = "" }
    _exit(0);
  };
  my (undef, $told) = output_of(["true"], before => $before);
  my ($because, @fields) = unpack "(N/a)*", $told;
  chomp $because;
  die "$because\n" if $because ne "";
  @fields == @paths * 7 or die "cannot ask as $user\n";
  return ["value", @fields];
}

my %ERRNO = (EACCES, "EACCES", EROFS, "EROFS", EPERM, "EPERM");

sub allowed {
  my ($path) = @_;
  my $each = $path =~ s{/\*\z}{};
  my @whole = ask_kernel($path);
  return @whole if !$each || $whole[0] ne "there";
  opendir(my $directory, $path) or return @whole;
  while (defined(my $name = readdir $directory)) {
    next if $name eq "." || $name eq "..";
    my @one = ask_kernel("$path/$name");
    return @one if $one[0] eq "closed" || $one[0] eq "there" && $one[4] eq "regular" && $one[1] !~ /r/;
  }
  return @whole;
}

sub ask_kernel {
  my ($path) = @_;
  my ($real, @rest) = ("", grep { $_ ne "" && $_ ne "." } split m{/}, $path);
  my $links = 0;
  my $told = sub { my ($state, $at, $may, $why) = @_; my @stat = stat $at; ($state, $may // "", $why // "", $at, @stat ? (kind($stat[2]), sprintf("%04o", S_IMODE($stat[2])), owner(@stat[4, 5])) : ("", "", "")) };
  while (@rest) {
    my $part = shift @rest;
    if ($part eq "..") { $real =~ s{/[^/]*\z}{}; next }
    my @stat = lstat "$real/$part";
    if (!@stat) {
      return $told->("absent", "$real/$part") if $! == ENOENT || $! == ENOTDIR;
      return $told->("closed", $real eq "" ? "/" : $real) if $! == EACCES;
      die "$real/$part: $!\n";
    }
    if (S_ISLNK($stat[2])) {
      ++$links <= 40 or die "too many links\n";
      my $target = readlink "$real/$part" // die "$!\n";
      $real = "" if $target =~ m{\A/};
      unshift @rest, grep { $_ ne "" && $_ ne "." } split m{/}, $target;
      next;
    }
    $real .= "/$part";
  }
  $real = "/" if $real eq "";
  my ($may, @why) = ("");
  for (["r", 4], ["w", 2], ["x", 1]) {
    if (POSIX::access($real, $$_[1])) { $may .= $$_[0] }
    else { push @why, "$$_[0]=" . ($ERRNO{$! + 0} // "$!") }
  }
  return $told->("there", $real, $may, join ",", @why);
}

# Who owns a path, and who decides about it.

sub owner {
  my ($uid, $gid) = @_;
  $users{$uid} = getpwuid($uid) // "UNKNOWN" if !exists $users{$uid};
  $groups{$gid} = getgrgid($gid) // "UNKNOWN" if !exists $groups{$gid};
  return "$users{$uid}:$groups{$gid}";
}

# Who decides what an entry of a directory is, when it is not root alone: the rule of keeper.sh. Group 50 is staff, which
# Debian lets write /usr/local.
sub keeper {
  my ($directory, $entry_owner) = @_;
  # One that is not there is its parent's matter; below /proc and /sys the kernel decides.
  return if $directory =~ m{\A/(?:proc|sys)(?:/|\z)};
  my ($mode, $uid, $gid) = (lstat($directory eq "" ? "/" : $directory))[2, 4, 5];
  return if !defined $mode;
  return $uid if $uid != 0;
  return if !($mode & 02) && (!($mode & 020) || $gid == 0 || $gid == 50);
  # In /tmp and its like nobody can replace what is somebody else's.
  return $mode & 01000 && defined $entry_owner ? $entry_owner || undef : 65534;
}

# What is answered of a path. Root goes by it as far as root alone decides where it leads; from there on it is read as the
# user who decides, with no other group than his own. What is read is many files in few directories: nobody but root makes
# another's of one that is root's.
sub as_keeper {
  my ($path, $answer) = @_;
  my $directory = $path =~ s{/[^/]*\z}{}r;
  $is_roots{$directory} //= do {
    # Of what is in it nothing is known: in /tmp an entry of root's is not all of them.
    my ($real, undef, $other) = resolved($directory, 1);
    defined($other // keeper($real eq "/" ? "" : $real)) ? 0 : 1;
  };
  return $answer->() if $is_roots{$directory} && !-l $path;
  my (undef, undef, $keeper) = resolved($path, 1);
  return $answer->() if !defined $keeper;
  if ($keeper == 65534) {
    # A group's, perhaps: who owns the directory there may read what is in it, and root is nobody's to send there by a link.
    my ($real, $maker) = resolved($path);
    my @stat;
    for (; $real ne ""; $real =~ s{/[^/]*\z}{}) { @stat = lstat $real; last if @stat && S_ISDIR($stat[2]) }
    $keeper = $stat[4] if !defined $maker && @stat && $stat[4] != 0;
  }
  my ($name, $gid) = (getpwuid $keeper)[0, 3];
  ($name, $gid) = ($keeper, 65534) if !defined $gid;
  my $groups = $);
  $) = "$gid $gid";
  $> = $keeper;
  my $found = eval { $> == $keeper && $) + 0 == $gid or die "cannot become $name\n"; $answer->() };
  my $because = $@;
  $> = 0;
  $) = $groups;
  die $because if !defined $found;
  $$found[1] = "$name may not read it" if $$found[0] eq "unreadable" && $$found[1] eq $DENIED;
  return $found;
}

# (real path, user that made a link on the way). A link of root's is as good as none. To the first place that another than
# root decides about when asked so: then his number is the third.
sub resolved {
  my ($path, $is_roots) = @_;
  my ($real, @rest, $maker, $links) = ("", grep({ $_ ne "" && $_ ne "." } split m{/}, $path));
  $links = 0;
  while (@rest) {
    my $part = shift @rest;
    if ($part eq "..") { $real =~ s{/[^/]*\z}{}; next }
    my @stat = lstat "$real/$part";
    if ($is_roots) { my $keeper = keeper($real, $stat[4]); return ($real, $maker, $keeper) if defined $keeper }
    if (@stat && S_ISLNK($stat[2])) {
      ++$links <= 40 or die "too many links\n";
      $maker = $stat[4] if $stat[4] != 0 && "$real/$part" !~ m{\A/proc/};
      my $target = readlink "$real/$part" // die "$!\n";
      $real = "" if $target =~ m{\A/};
      unshift @rest, grep { $_ ne "" && $_ ne "." } split m{/}, $target;
      next;
    }
    $real .= "/$part";
  }
  return ($real eq "" ? "/" : $real, $maker);
}

my %KIND = (0010000, "fifo", 0020000, "character special file", 0040000, "directory", 0060000, "block special file",
  0100000, "regular", 0120000, "link", 0140000, "socket");
sub kind { return $KIND{$_[0] & 0170000} || "unknown" }

# A name that the kernel takes for too long is nobody's.
sub failed { return $! == ENOENT || $! == ENOTDIR || $! == ENAMETOOLONG ? ["absent"] : ["unreadable", "$!"] }

# Whether two stats of one file are the same: device, inode, mode, owner, size, times.
sub same { return join(" ", @{$_[0]}[0, 1, 2, 4, 5, 7, 9, 10]) eq join(" ", @{$_[1]}[0, 1, 2, 4, 5, 7, 9, 10]) }

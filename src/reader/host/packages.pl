# Files of packages.

# What no service reads; hosts may leave it out.
my $UNREAD = qr{\A/usr/share/(?:doc|man|locale|info|lintian|doc-base|bug|menu|icons|applications|bash-completion|maven-repo|apport|perl5)/};

# packages.altered PATTERN: of the packages whose names fit, what is not as they brought it. The first field is how many files
# were changed since and too large to be read. Then of each: path, package, "absent", "closed" (to others than its owner and
# group) or "altered", mode, owner, size, changed (its ctime). A file that was not touched since it was unpacked is not read.
sub packages_altered {
  my $info = "/var/lib/dpkg/info";
  my ($left, $unread, %diverted, %seen, @touched, @found) = ($DIGESTED_BYTES * 4, 0);
  # What a package diverts another one has made room for; ":" is somebody's own.
  my @diversions = split /\n/, whole("/var/lib/dpkg/diversions");
  while (my ($from, undef, $by) = splice @diversions, 0, 3) { $diverted{$from} = 1 if $by ne ":" || !-e $from }
  $sums{lists} //= [sort(names($info, qr/\.md5sums\z/))];
  for my $list (grep { /\A(?:$_[0])(?::\w+)?\.md5sums\z/ } @{$sums{lists}}) {
    my $package = $list =~ s/(?::\w+)?\.md5sums\z//r;
    my $since = (lstat "$info/$list")[10];
    my $tell = sub { my ($at, $what, @its) = @_; push @found, $at, $package, $what, @its ? (sprintf("%04o", S_IMODE($its[2])), owner(@its[4, 5]), @its[7, 10]) : ("", "", 0, 0) };
    my $text = slurp("$info/$list", $ANSWER_BYTES) // die "$info/$list: $!\n";
    # Of what an administrator may change the JVM's alone: without it Java does not start.
    if ($package =~ /(\d+)-jre/) {
      my ($jvm, $status) = ("etc/java-$1", slurp("/var/lib/dpkg/status", $SEARCHED_BYTES) // "");
      $text .= "$2  $1\n" while $status =~ m{^ /($jvm\S+/(?:jvm|security)\S+) (\w+)$}mg;
    }
    while ($text =~ /^([0-9a-f]{32})  (.+)/mg) {
      my ($sum, $path) = ($1, "/$2");
      next if $path =~ $UNREAD || $diverted{$path};
      my ($mode, $changed) = (stat $path)[2, 10];
      if (!defined $mode) { $tell->($path, "absent"); next }
      push @touched, [$sum, $tell, $path, stat _] if $changed > $since && S_ISREG($mode);
      $tell->($path, "closed", stat _) if !($mode & 04);
      for (my $above = $path; ($above = substr $above, 0, rindex $above, "/") ne "" && !$seen{$above}++;) {
        my @its = stat $above;
        $tell->($above, "closed", @its) if @its && ($its[2] & 05) != 05;
      }
    }
  }
  @touched = sort { $$b[13] <=> $$a[13] } @touched;
  my @read = grep { $$_[10] <= $left ? ($left -= $$_[10]) + 1 : 0 } @touched;
  while (my @some = splice @read, 0, 500) {
    my @sums = told(["md5sum", "--", map { $$_[2] } @some]) =~ /^\\?([0-9a-f]{32}) /mg;
    @sums == @some or die "md5sum was not understood\n";
    for (@some) { my ($sum, $tell, @its) = @$_; $unread--; $tell->(shift @its, "altered", @its) if $sum ne shift @sums }
  }
  return ["value", $unread + @touched, @found];
}

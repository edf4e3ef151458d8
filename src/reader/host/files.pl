# Files and directories, read as whoever decides about them.

# Content of an open regular file, read twice when it is on a disk.
sub content {
  my ($file, $before, $most, $path) = @_;
  my @texts;
  my $times = $path =~ m{\A/(?:proc|sys)/} ? 1 : 2;
  while (@texts < $times) {
    my $text = "";
    sysseek($file, 0, 0) if @texts;
    while (1) {
      my $count = sysread($file, $text, $PIECE_BYTES, length $text);
      if (!defined $count) { next if $! == EINTR; return (undef, "$!") }
      last if $count == 0;
      return (undef, "larger than $most bytes") if length $text > $most;
    }
    push @texts, $text;
  }
  my @after = stat $file;
  return (undef, "it changed while it was read") if $times == 2 && ($texts[0] ne $texts[1] || !same($before, \@after));
  return ($texts[0]);
}

# file PATH HOW ARGUMENT SIZE: HOW is "stat", "digest", "content", "long" (content of one that grows with the mesh), "lines", "settings"
# (of a unit: number, section, key and value of each; of variables their names alone, of credentials nothing). Of
# content ARGUMENT and SIZE are digest and size of what is wanted: a file that is the same is not sent. Of "lines" ARGUMENT
# is the pattern of those that are.
# Fields: kind, mode, owner, size, digest, real path, changed (seconds since 1970: ctime, which nobody can set); content, or
# number and text of each line.
# Returns the answer, or what it waits for: [open file, answer, text].
sub read_file {
  my @question = @_;
  return as_keeper(checked(path => $question[0]), sub { file_as_it_is(@question) });
}

sub file_as_it_is {
  my ($path, $how, $argument, $size) = @_;
  my ($real, $maker) = resolved($path);
  my @named = lstat $real;
  if (!@named) {
    my $failure = failed();
    return $failure if $$failure[0] ne "absent" || $real eq $path || !lstat $path;
    return ["value", "dangling link", "", "", 0, "", $real, 0];
  }
  my @fields = (kind($named[2]), sprintf("%04o", S_IMODE($named[2])), owner(@named[4, 5]), $named[7], "", $real, $named[10]);
  if (defined $maker && $maker != $named[4]) {
    my $who = getpwuid($maker) // $maker;
    return ["unreadable", "the way to it is a link that $who made, and it leads to $real"];
  }
  return ["value", @fields] if $how eq "stat" || $fields[0] ne "regular";
  sysopen(my $file, $real, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_NOFOLLOW) or return failed();
  my @stat = stat $file;
  same(\@named, \@stat) && readlink("/proc/self/fd/" . fileno $file) eq $real || $real =~ m{\A/(?:proc|sys)/}
    or return ["unreadable", "it changed while it was read"];
  if ($how eq "lines") {
    my ($text, $because) = content($file, \@stat, $SEARCHED_BYTES, $real);
    return ["unreadable", $because] if !defined $text;
    my ($number, $pattern) = (0, qr/(?:$argument)/);
    return ["value", @fields, map { $number++; $_ =~ $pattern ? ($number, $_) : () } split /\n/, $text];
  }
  if ($how eq "settings") {
    my ($text, $because) = content($file, \@stat, $CONTENT_BYTES, $real);
    return defined $text ? ["value", @fields, map { @$_ } settings_in($text)] : ["unreadable", $because];
  }
  checked(digest => $argument);
  my $most = $how eq "long" ? $LONG_BYTES : $how eq "digest" ? 0 : $CONTENT_BYTES;
  if ($stat[7] > $most) {
    return ["unreadable", "larger than $DIGESTED_BYTES bytes"] if $stat[7] > $DIGESTED_BYTES;
    return [$file, ["value", @fields], undef, \@stat];
  }
  my ($text, $because) = content($file, \@stat, $most, $real);
  return ["unreadable", $because] if !defined $text;
  $fields[3] = length $text;
  return [$file, ["value", @fields], $text, \@stat, $argument] if $argument ne "" && $size eq length $text;
  return ["value", @fields, $text];
}

# [number, section, key, value] of each setting in a file of systemd's. What follows a backslash at the end of a line is its
# value, too; comments between are not.
sub settings_in {
  my ($section, $number, $begun, @found) = ("", 0);
  for my $line (split /\n/, shift) {
    $number++;
    next if $line =~ /\A\s*[#;]/ || (!defined $begun && $line =~ /\A\s*\z/);
    my $continues = $line =~ s/\\\s*\z//;
    $line =~ s/\s+\z//;
    if (defined $begun) { $found[-1][3] .= " " . ($line =~ s/\A\s+//r) }
    elsif ($line =~ /\A\s*\[(.*?)\]\z/) { $section = $1; next }
    elsif ($line =~ /\A\s*([^=\s]+)\s*=\s*(.*)/) { push @found, [$number, $section, $1, $2] }
    else { push @found, [$number, $section, $line =~ s/\A\s+|\s.*//gr, ""] }
    $begun = $continues ? 1 : undef;
  }
  for (@found) {
    if ($$_[2] =~ /Environment\z/ && $$_[2] ne "PassEnvironment") { $$_[3] = join " ", variables_in($$_[3]) }
    $$_[3] = "" if $$_[2] =~ /Credential|\APassword/;
  }
  return @found;
}

# Variables of a value of Environment=: their names, and of those that fit the pattern the value, too.
sub variables_in {
  my ($value, $whole) = @_;
  my @words;
  while ($value =~ /\G\s*(\$?"(?:[^"\\]|\\.)*"|\$?'(?:[^'\\]|\\.)*'|\S+)/g) {
    my $word = $1;
    my ($name) = $word =~ /\A\$?["']?([^="']*)/;
    push @words, $whole && $name =~ $whole ? $word : $name;
  }
  return @words;
}

# Ends what read_file began: one program digests all.
sub digest_files {
  my @waiting = @_;
  fcntl $$_[0], F_SETFD, 0 for @waiting;
  my $sums = told(["sha256sum", map { "/proc/self/fd/" . fileno $$_[0] } @waiting]);
  my @sums = $sums =~ /^\\?([0-9a-f]{64}) /mg;
  @sums == @waiting or die "sha256sum was not understood\n";
  return map {
    my ($file, $answer, $text, $before, $wanted) = @$_;
    my $sum = shift @sums;
    my @after = stat $file;
    if (!same($before, \@after)) { ["unreadable", "it changed while it was read"] }
    elsif (defined $text && $sum ne $wanted) { [@$answer, $text] }
    else { $$answer[5] = $sum; $answer }
  } @waiting;
}

# list DIRECTORY PATTERN MOST: fields name, kind, owner, kind of what a link leads to, for each entry that matches; with
# MOST so many at the most, whichever they are.
sub read_list {
  my ($path, $pattern, $most) = @_;
  checked(path => $path);
  checked(number => $most) if defined $most;
  return as_keeper($path, sub { entries($path, $pattern, $most) });
}

sub entries {
  my ($path, $pattern, $most) = @_;
  opendir(my $directory, $path) or return failed();
  my @found;
  for (;;) {
    # Whatever is done with an entry sets it, too.
    $! = 0;
    my $name = readdir $directory;
    if (!defined $name) { return ["unreadable", "$!"] if $!; last }
    # Without its own parentheses an empty pattern is the last one that fitted something.
    next if $name eq "." || $name eq ".." || $name !~ /(?:$pattern)/;
    @found < 1000 or return ["unreadable", "more than 1000 entries"];
    my @stat = lstat "$path/$name" or next;
    my @target = stat "$path/$name";
    push @found, [$name, kind($stat[2]), owner(@stat[4, 5]), @target ? kind($target[2]) : ""];
    last if defined $most && @found >= $most;
  }
  return ["value", map { @$_ } sort { $$a[0] cmp $$b[0] } @found];
}

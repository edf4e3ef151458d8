# Answers questions about a host and can do nothing else: no question carries a command, and each value in one is
# checked before it is used. Needs perl-base alone. Protocol: protocol.ts; what can be asked: questions.ts.
#
# The parent frames and multiplexes: it opens no path and waits for nothing. What may block is done by a worker, which
# is killed at its deadline with all that it started. The reader ends at the end of its input, and by itself when it
# has heard nothing for a minute.
use strict;
use warnings;
# The compiled parts of these modules alone: what else they bring costs as much as all else of a start. XSLoader goes by
# the file that calls it, and by DynaLoader, which is dear, where that is none.
BEGIN {
  require XSLoader;
  my %names = (
    POSIX => "EACCES EINTR EAGAIN ENOENT ENOTDIR ENAMETOOLONG ECONNREFUSED EINPROGRESS EINVAL EPERM EPROTONOSUPPORT EROFS WNOHANG _exit setgid setuid",
    Fcntl => "O_RDONLY O_WRONLY O_RDWR O_NONBLOCK O_NOCTTY O_NOFOLLOW O_DIRECTORY O_DSYNC F_SETFL F_SETFD S_IMODE S_ISREG S_ISDIR S_ISLNK",
    Socket => "AF_INET AF_INET6 PF_UNIX SOCK_STREAM SOL_SOCKET SO_ERROR inet_pton pack_sockaddr_in pack_sockaddr_in6 pack_sockaddr_un getaddrinfo getnameinfo",
  );
  my ($base) = grep { -e "$_/auto/POSIX/POSIX.so" } @INC;
  eval qq(#line 1 "$base/all.pm"\nXSLoader::load(\$_) for keys %names; 1) or die $@;
  no strict "refs";
  for my $module (keys %names) { *$_ = \&{"${module}::$_"} for split / /, $names{$module} }
}

my $SILENCE = 60;
my $MOST_WORKERS = 6;
my $FRAME_BYTES = 1 << 20;
my $ANSWER_BYTES = 4 << 20;
my $CONTENT_BYTES = 256 << 10;
my $LONG_BYTES = 3 << 20;
my $SEARCHED_BYTES = 32 << 20;
my $DIGESTED_BYTES = 64 << 20;
my $WORKER_BYTES = 256 << 20;
my $PROGRAM_BYTES = 4 * (1 << 30);
my $PIECE_BYTES = 256 << 10;
# More than the kernel gives a program for arguments and environment.
my $PROCESS_BYTES = 8 << 20;

# Numbers of system calls that perl-base has no name for. Where they are not known, what needs them is unreadable.
my ($machine) = (POSIX::uname())[4];
my $POWER = { clock => 246, unshare => 282, mount => 21, limit => 325, space => 99, ioprio => 274 };
my $GENERIC = { clock => 113, unshare => 97, mount => 40, limit => 261, space => 43, ioprio => 31 };
# On 32 bits a few are the same everywhere, and take 64-bit numbers.
my %CALL = %{ length(pack "l!", 0) == 4 ? { clock => 403 } : {
  x86_64 => { clock => 228, unshare => 272, mount => 165, limit => 302, space => 137, ioprio => 252 },
  aarch64 => $GENERIC,
  riscv64 => $GENERIC,
  ppc64le => $POWER,
  s390x => { clock => 260, ioprio => 283 },
}->{$machine} || {} };

# Seconds since an unknown moment, in hundredths; a step of the host's clock does not move it.
sub now { return (POSIX::times())[0] / 100 }

sub call {
  my $name = shift;
  defined $CALL{$name} or die "the system calls of $machine are not known\n";
  return syscall($CALL{$name}, @_);
}

# Microseconds by one of the kernel's clocks: 0 tells the time, 1 is monotonic.
sub microseconds {
  my $time = "\0" x 16;
  call("clock", $_[0], $time) == 0 or die "clock: $!\n";
  my ($seconds, $nanoseconds) = unpack "q2", $time;
  return $seconds * 1_000_000 + int($nanoseconds / 1000);
}

# --- Values in questions ---

my %VALUE = (
  unit => qr/\A(?:-\.slice|[A-Za-z0-9_][A-Za-z0-9:_.\\@-]{0,250}\.(?:service|path|timer|mount|socket|target|slice|device|swap))\z/,
  # Of a unit; what is given to a service in secret is nobody's question.
  property => qr/\A(?!\w*Credential)[A-Z]\w{1,40}\z/,
  condition => qr/\A(?:Condition|Assert)[A-Za-z0-9]{1,40}=[^\0\n]{0,1000}\z/,
  path => qr{\A/[^\0\n]*\z},
  plain_path => qr{\A/[A-Za-z0-9_./@+-]{0,4095}\z},
  user => qr/\A[a-z_][a-z0-9_-]{0,31}\z/,
  package => qr/\A[a-z0-9][a-z0-9+.-]{0,99}\z/,
  port => qr/\A[1-9][0-9]{0,4}\z/,
  number => qr/\A[0-9]{1,4}\z/,
  seconds => qr/\A[0-9]{1,5}(?:\.[0-9]{1,3})?\z/,
  pid => qr/\A[1-9][0-9]{0,9}\z/,
  invocation => qr/\A[0-9a-f]{32}\z/,
  yes_no => qr/\A(?:yes|no)\z/,
  word => qr/\A(?:srvr|mntr|conf|isro|ruok)\z/,
  server => qr/\A(?:mariadb|mysql)\z/,
  method => qr/\A(?:GET|HEAD|OPTIONS|)\z/,
  host => qr/\A[A-Za-z0-9_][A-Za-z0-9_.-]{0,252}\z/,
  account => qr/\A(?:root|own|debian)\z/,
  digest => qr/\A(?:[0-9a-f]{64}|)\z/,
  name => qr/\A[A-Za-z0-9_.-]{1,64}\z/,
  http_path => qr{\A(?:/[^\x00-\x20\x7f]{0,1023}|)\z},
  any => qr/\A[^\0\n]{0,4096}\z/,
  kernel_key => qr{\A(?:[A-Za-z0-9_.-]{1,64}/){1,9}[A-Za-z0-9_.-]{1,64}\z},
);

sub checked {
  my ($kind, $value) = @_;
  defined $value or die "the reader refuses it: a $kind is missing\n";
  if ($kind eq "address") {
    inet_pton($value =~ /:/ ? AF_INET6 : AF_INET, $value) or die "the reader refuses an address: $value\n";
  } else {
    $value =~ $VALUE{$kind} or die "the reader refuses a $kind: $value\n";
  }
  return $value;
}

# --- What a worker can do ---

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

# Becomes a user of the host for good, with all groups; with another group than his own, and further ones, when asked so.
# The groups that name a user as a member.
sub groups_with {
  my ($name, @groups) = @_;
  setgrent;
  while (my @group = getgrent) { push @groups, [@group] if grep { $_ eq $name } split / /, $group[3] }
  endgrent;
  return @groups;
}

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

sub unescaped { return $_[0] =~ s/\\([0-7]{3})/chr oct $1/ger }

# place PATH: where it really is; how many lines of fstab are about a point at or above it, and spec, point, type, options
# of each; then each mount there, in the order they were made: id, id of the one that it is mounted on, point, file system,
# source, options, root in its file system, and for each of the lines "y", "n" or "?" (not known): it is what that says.
sub read_place {
  my ($path) = @_;
  return as_keeper(checked(path => $path), sub { place_of($path) });
}

my %SAFE = map { $_ => 1 } qw(defaults auto noauto nofail bind rbind ro rw exec noexec _netdev user users);

# Undefined, with $!, when they cannot be read.
sub mounts {
  my $table = slurp("/proc/self/mountinfo", $ANSWER_BYTES) // return;
  return [map {
    my ($place, $after) = split / - /, $_, 2;
    my @word = split / /, $place;
    my ($type, $source, $super) = split / /, $after;
    [@word[0, 1], unescaped($word[4]), unescaped($word[3]), $word[2], $type, unescaped($source), "$word[5],$super"];
  } split /\n/, $table];
}

# [mounts, lines of fstab], as the user of now may read them; undefined, with $!, when he may not.
sub mounts_and_lines {
  my $mounts = mounts() // return;
  my $fstab = slurp("/etc/fstab", $CONTENT_BYTES) // ($! == ENOENT ? "" : return);
  my @lines = map {
    my ($spec, $point, $type, $options) = map { unescaped($_) } split " ";
    [$spec, ($point =~ s{(?<=.)/+\z}{}r), $type // "auto", join ",", grep { $SAFE{$_} || /\Ax-systemd\./ } split /,/, $options // "defaults"];
  } grep { /\A\s*[^#\s]\S*\s+\// } split /\n/, $fstab;
  return [$mounts, \@lines];
}

sub place_of {
  my ($real) = resolved($_[0]);
  my $known = $mounts{$>} //= mounts_and_lines() // return failed();
  my @mounts = @{$$known[0]};
  my @lines = @{$$known[1]};
  my $above = sub { $_[0] eq "/" || index("$real/", "$_[0]/") == 0 };
  my @about = grep { $above->($$_[1]) } @lines;
  my @fields = map {
    my $mount = $_;
    (@$mount[0 .. 2, 5 .. 7, 3], join "", map { $$_[1] eq $$mount[2] ? is_line($mount, $_, \@mounts) : "n" } @about);
  } grep { $above->($$_[2]) } @mounts;
  return ["value", $real, scalar @about, (map { @$_ } @about), @fields];
}

sub device_of {
  my ($spec) = @_;
  return $spec =~ /\A(?:UUID|LABEL|PARTUUID|PARTLABEL)=(.*)/i ? "/dev/disk/by-" . lc((split /=/, $spec)[0]) . "/" . ($1 =~ s/["']//gr =~ s/([^\w#+.:=@\x80-\xff-])/sprintf "\\x%02x", ord $1/ger) : $spec;
}

# Whether a mount is what a line of fstab says: "?" where that is not known.
sub is_line {
  my ($mount, $line, $mounts) = @_;
  my (undef, undef, $point, $root, $device, $type, $source) = @$mount;
  my ($spec, undef, $wanted, $options) = @$line;
  if ($options =~ /\br?bind\b/) {
    # What is bound may itself be on any mount.
    my ($on) = sort { length $$b[2] <=> length $$a[2] } grep { $$_[2] ne $point && ($$_[2] eq "/" || index("$spec/", "$$_[2]/") == 0) } @$mounts;
    my $from = $on ? (($$on[3] eq "/" ? "" : $$on[3]) . substr $spec, $$on[2] eq "/" ? 0 : length $$on[2]) : $spec;
    return $from =~ s{(?<=.)/+\z}{}r eq $root && (!$on || $$on[4] eq $device) ? "y" : "n";
  }
  my $path = device_of($spec);
  return $spec eq $source || $type eq $wanted && $source !~ m{/} ? "y" : "n" if $path !~ m{\A/dev/};
  my @stat = stat $path or return "?";
  my $major = ($stat[6] >> 8) & 0xfff;
  my $minor = ($stat[6] & 0xff) | (($stat[6] >> 12) & 0xfff00);
  return "$major:$minor" eq $device || (resolved($path))[0] eq (resolved($source))[0] ? "y" : "n";
}

# Lines of tmpfiles.d: [file, number, text, the file that is read instead of this one, or "", its words...].
sub tmpfiles {
  return @{$tmpfiles{lines} ||= do {
    my (%read, @lines);
    for my $directory (map { "$_/tmpfiles.d" } qw(/etc /run /usr/local/lib /usr/lib)) {
      for my $name (sort(names($directory, qr/\.conf\z/))) {
        my $file = "$directory/$name";
        my $instead = $read{$name} // "";
        $read{$name} //= $file;
        push @lines, map { [$file, @$_, $instead, split " ", $$_[1]] } said_in(whole($file));
      }
    }
    \@lines;
  }};
}

# made PATH: lines of tmpfiles.d about it: file, line, type, and the file that is read instead of this one, or "".
sub read_made {
  my ($path) = @_;
  my @found;
  for (tmpfiles()) {
    my ($file, $number, $text, $instead) = @$_;
    my ($type, $about) = $text =~ /\A\s*([A-Za-z][-+!=~^\$]*)\s+"?([^\s"]+)/ or next;
    push @found, $file, $number, $type, $instead if $about =~ s{\A(?:%t|/var/run)(?=/)}{/run}r =~ s{/+\z}{}r eq $path;
  }
  return ["value", @found];
}

# cleans PATH: lines of tmpfiles.d that delete or alter it, something above or something in it, at boot or by age: file, line, text.
sub read_cleans {
  my ($path) = @_;
  my @lines = grep { $$_[3] eq "" } tmpfiles();
  # What an "x" line names is not cleaned by age.
  my $is_kept = grep { ($$_[4] // "") =~ /\Ax/ && index("$path/", ($$_[5] // "") =~ s{\A"|/*"?\z}{}gr . "/") == 0 } @lines;
  my @found;
  for (@lines) {
    my ($type, $about, $age) = @$_[4, 5, 9];
    next if !defined $about || $type !~ /\A(?:[rRDFwzZ]|[fLCp]\+)/ && ($is_kept || $type !~ /\A[dveqQC]/ || ($age // "-") =~ /\A(?:-|)\z/);
    my $what = $about =~ s/\A"|"\z//gr =~ s{\A/var/run(?=/)}{/run}r =~ s{(?<=.)/+\z}{}r;
    my $pattern = join "", map { $_ eq "*" ? "[^/]*" : $_ eq "?" ? "[^/]" : quotemeta } split //, $what;
    my ($plain) = $what =~ m{\A((?:/[^/*?\[%]+)*)};
    push @found, @$_[0 .. 2] if index("$what/", "$path/") == 0 || ($type !~ /\A[rFwzfLCp]/ && $plain ne "" && "$path/" =~ m{\A$pattern/});
  }
  return ["value", @found];
}

# mount PATH: device, mount point, file system, source, options, of the mount that the path is on.
sub read_mount {
  my ($path) = @_;
  return as_keeper(checked(path => $path), sub { mounted_at($path) });
}

sub mounted_at {
  my ($real) = resolved($_[0]);
  my $best;
  my $mounts = mounts() // return failed();
  for (@$mounts) {
    my $point = $$_[2];
    $best = $_ if ($point eq "/" || index("$real/", "$point/") == 0) && (!$best || length $point >= length $$best[2]);
  }
  return $best ? ["value", @$best[4, 2, 5 .. 7]] : ["absent"];
}

# space PATH: block size, blocks that a user may still take, inodes (0 when their number is not fixed), free inodes.
sub read_space {
  my $path = checked(path => $_[0]);
  my $found = "\0" x 256;
  call("space", $path, $found) == 0 or return failed();
  my (undef, undef, undef, undef, $blocks, $inodes, $free, undef, undef, $size) = unpack "q2 Q5 q3", $found;
  return ["value", $size, $blocks, $inodes, $free];
}

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
    checked(plain_path => $which);
    @pids = grep { /\A\d+\z/ } map { split /\n/, slurp("$_$which/cgroup.procs", 65536) // "" } @CGROUPS;
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

# --- The boot ---

# What decides how any host boots: with all that is below, and by itself.
my @BOOT_TREES = (map({ "/etc/$_" } qw(systemd sysctl.d modules-load.d modprobe.d default init.d rc2.d rc3.d rc4.d rc5.d rcS.d
  network netplan cron.d)), qw(/etc/ufw /usr/lib/systemd/system /lib/systemd/system /usr/local/lib/systemd /usr/lib/sysctl.d
  /usr/local/lib/sysctl.d /var/spool/cron/crontabs));
my @BOOT_FILES = (map({ "/etc/$_" } qw(fstab crypttab sysctl.conf modules environment rc.local crontab nftables.conf passwd
  group)), qw(/boot/grub/grub.cfg /var/lib/mysql/mysqld-auto.cnf));

# boot.changes PATH...: when this boot began by the clock as it is now, and by the clock as it was then, in seconds since
# 1970; then path and time of what was changed since, the newest first: of the above, of each path, "package NAME", and
# "packages" of what only dpkg knows. The time is the ctime, which the kernel sets and touch does not.
sub boot_changes {
  my $first = started(1) // die "process 1 was not read\n";
  my $time = eval { microseconds(0) / 1_000_000 } // time;
  my $uptime = slurp("/proc/uptime", 64) // die "$!\n";
  my $boot = int($time - (split / /, $uptime)[0] + $$first[1] / 100);
  # systemd makes it when it begins. A clock that was set since has two spans: what was changed before it was set lies in the other.
  my $then = (lstat "/run/systemd/notify")[10] // $boot;
  my $other_end = $then + time - $boot + 1;
  my (%changed, %seen);
  my $see = sub {
    my ($path, @stat) = @_;
    $changed{$path} = $stat[10] if @stat && ($stat[10] >= $boot || $stat[10] >= $then && $stat[10] <= $other_end);
  };
  my @left = map { [$_, 0] } @BOOT_TREES;
  while (my $next = shift @left) {
    my ($path, $depth) = @$next;
    my @stat = lstat $path or next;
    # /lib may lead to /usr/lib.
    @stat = stat $path if $depth == 0;
    next if $seen{"@stat[0, 1]"}++ || keys %seen > 20_000;
    $see->($path, @stat);
    unshift @left, map { ["$path/$_", $depth + 1] } names($path, qr/\A(?!\.\.?\z)/) if S_ISDIR($stat[2]) && $depth < 4;
  }
  for (@BOOT_FILES, @_) { $see->($_, lstat); $see->($_, stat _) if -l _ && stat }
  my $info = "/var/lib/dpkg/info";
  my @status = lstat "/var/lib/dpkg/status";
  if (@status && ($see->("packages", @status), $changed{packages})) {
    $see->("package " . s/(?::.*)?\.list\z//r, lstat "$info/$_") for names($info, qr/\.list\z/);
    delete $changed{packages} if grep { /\Apackage / } keys %changed;
  }
  my @newest = sort { $changed{$b} <=> $changed{$a} || $a cmp $b } keys %changed;
  return ["value", $boot, $then, scalar @newest, map { ($_, $changed{$_}) } @newest[0 .. ($#newest < 19 ? $#newest : 19)]];
}

# --- Files of packages ---

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

# --- Sockets ---

# A connection of which no part blocks; "within" is how long it may take to come about.
sub connected {
  my ($within, $family, $address) = @_;
  socket(my $socket, $family, SOCK_STREAM, 0) or die "$!\n";
  fcntl($socket, F_SETFL, O_RDWR | O_NONBLOCK);
  my $until = now() + $within;
  while (!connect($socket, $address)) {
    # The queue of a Unix socket is full.
    if ($! == EAGAIN && now() < $until) { select undef, undef, undef, 0.05; next }
    $! == EINPROGRESS or die "$!\n";
    ready($socket, 1, $until) or die "no connection within $within s\n";
    my $error = unpack "i", getsockopt($socket, SOL_SOCKET, SO_ERROR);
    if ($error) { $! = $error; die "$!\n" }
    last;
  }
  return $socket;
}

sub endpoint {
  my ($address, $port) = @_;
  checked(address => $address);
  checked(port => $port) <= 65535 or die "the reader refuses a port: $port\n";
  return (AF_INET6, pack_sockaddr_in6($port, inet_pton(AF_INET6, $address))) if $address =~ /:/;
  return (AF_INET, pack_sockaddr_in($port, inet_pton(AF_INET, $address)));
}

sub connected_to { my ($within, @at) = @_; return connected($within, endpoint(@at)) }

sub ready {
  my ($socket, $write, $until) = @_;
  # What is there counts, however late it is looked for.
  for (;;) {
    my $left = $until - now();
    vec(my $bits = "", fileno $socket, 1) = 1;
    my $count = $write ? select(undef, $bits, undef, $left > 0 ? $left : 0) : select($bits, undef, undef, $left > 0 ? $left : 0);
    return 1 if $count > 0;
    return 0 if $left <= 0;
  }
}

sub send_all {
  my ($socket, $bytes, $until) = @_;
  while (length $bytes) {
    ready($socket, 1, $until) or die "took nothing of what was sent\n";
    my $count = syswrite($socket, $bytes);
    if (defined $count) { substr($bytes, 0, $count) = "" }
    elsif ($! != EAGAIN && $! != EINTR) { die "$!\n" }
  }
}

# Up to $most bytes, or to the end of file: then undef behind what came.
sub receive {
  my ($socket, $most, $until) = @_;
  while (ready($socket, 0, $until)) {
    my $count = sysread($socket, my $part, $most);
    return $part if $count;
    die "$!\n" if !defined $count && $! != EAGAIN && $! != EINTR;
    return if defined $count;
  }
  die "no end of its answer in time\n";
}

sub to_the_end {
  my ($socket, $until, $most) = @_;
  my $text = "";
  while (defined(my $part = receive($socket, 65536, $until))) {
    $text .= $part;
    length $text <= $most or die "its answer is larger than $most bytes\n";
  }
  return $text;
}

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

# serving SECONDS (ADDRESS PORT METHOD PATH)...: what each answers to one request, or without a method to a connection. Fields:
# "answered" and the status, "connected", "failed" or "late" and why. All are asked at once, and have the same time.
sub serving {
  my ($seconds, @asked) = @_;
  checked(seconds => $seconds);
  my @doors;
  while (my ($address, $port, $method, $path) = splice @asked, 0, 4) {
    checked(method => $method);
    checked(http_path => $path);
    my ($family, $to) = endpoint($address, $port);
    socket(my $socket, $family, SOCK_STREAM, 0) or die "$!\n";
    fcntl($socket, F_SETFL, O_RDWR | O_NONBLOCK);
    my $failure = connect($socket, $to) || $! == EINPROGRESS ? undef : "$!";
    push @doors, [$socket, $failure, $method eq "" ? "" : "$method $path HTTP/1.0\r\n\r\n"];
  }
  my $until = now() + 2;
  for (@doors) {
    my ($socket, $failure, $request) = @$_;
    next if defined $failure;
    if (!ready($socket, 1, $until)) { $$_[1] = "no connection within 2 s"; next }
    if ($! = unpack "i", getsockopt($socket, SOL_SOCKET, SO_ERROR)) { $$_[1] = "$!"; next }
    eval { send_all($socket, $request, now() + 1); 1 } or chomp($$_[1] = $@);
  }
  $until = now() + $seconds;
  return ["value", map {
    my ($socket, $failure, $request) = @$_;
    my $text = "";
    my $ended = defined $failure || $request eq "" || eval { while ($text !~ /\n/ && length $text < 512) { $text .= receive($socket, 512, $until) // last } 1 };
    if (defined $failure) { ("failed", $failure) }
    elsif ($request eq "") { ("connected", "") }
    elsif (!$ended && $@ =~ /\Ano end/) { ("late", "no answer within $seconds s") }
    elsif (!$ended) { ("failed", $@ =~ s/\n//r) }
    elsif ($text =~ m{\AHTTP/\S+ (\d{3})}) { ("answered", $1) }
    else { ("failed", $text eq "" ? "it closed the connection without an answer" : "its answer is no HTTP") }
  } @doors];
}

# zookeeper.words ADDRESS PORT WORD...: word, "answered" or "failed", answer or reason, for each. All are asked at once, and
# have the same time.
my $MNTR = qr/^zk_(?:version|server_state|synced_followers|cnt_fsynctime|avg_fsynctime)\s/;
sub zookeeper_words {
  my ($address, $port, @words) = @_;
  checked(word => $_) for @words;
  my (%asked, $failure);
  for my $word (@words) {
    # Who lets one wait for a connection lets all wait.
    my $socket = defined $failure ? undef : eval { my $opened = connected_to(2, $address, $port); send_all($opened, $word, now() + 2); $opened };
    if (!$socket && !defined $failure) { die $@ if $@ =~ /\Athe reader refuses/; chomp($failure = $@) }
    $asked{$word} = $socket || $failure;
  }
  my $until = now() + 6;
  return ["value", map {
    my $text = ref $asked{$_} ? eval { to_the_end($asked{$_}, $until, $ANSWER_BYTES) } : undef;
    chomp(my $because = ref $asked{$_} ? $@ : $asked{$_});
    if (!defined $text) { ($_, "failed", $because) }
    elsif ($text eq "") { ($_, "failed", "it closed the connection without an answer") }
    else {
      $text = join "\n", grep { !/^zk_/ || /$MNTR/ } split /\n/, $text if $_ eq "mntr";
      ($_, "answered", $text);
    }
  } @words];
}

# --- systemd's bus, where it talks to root alone: a call takes no program. Alignments and types are those of D-Bus. ---

my $SYSTEMD = "org.freedesktop.systemd1";
my $MANAGER = "/org/freedesktop/systemd1";

# What systemd answers to each call, [path, interface, member, string...]: the body, or undefined for an error. Dies when it
# does not answer all. All are sent before the first answer is read, but after its welcome: what comes with the login it leaves.
sub bus {
  my ($until, $serial) = (now() + 2, 0);
  my $socket = connected(1, PF_UNIX, pack_sockaddr_un("/run/systemd/private"));
  send_all($socket, "\0AUTH EXTERNAL 30\r\nBEGIN\r\n", $until);
  my $text = receive($socket, 65536, $until) // "";
  $text =~ s/\AOK [0-9a-f]+\r\n\z// or die "systemd does not let root in\n";
  send_all($socket, join("", map {
    my ($path, $interface, $member, @values) = @$_;
    # Its fields: 1 path, 2 interface, 3 member, 8 types.
    my $body = pack("(L/a* x x!4)*", @values) =~ s/\0+\z/\0/r;
    my $head = pack "(C a3 L/a* x x!8)3 C a3 C/a* x", 1, "\1o", $path, 2, "\1s", $interface, 3, "\1s", $member, 8, "\1g", "s" x @values;
    pack("C4 L3", unpack("C", pack "S", 1) ? 108 : 66, 1, 0, 1, length $body, ++$serial, length $head) . pack("a* x!8", $head) . $body;
  } @_), $until);
  my @told;
  while (@told < @_) {
    if (length $text >= 16) {
      my ($type, $body, $fields) = (unpack "C4 L3", $text)[1, 4, 6];
      my $begin = 16 + ($fields + 7 & ~7);
      if (length $text >= $begin + $body) {
        # What it tells everybody (4) is no answer.
        push @told, $type == 2 ? substr $text, $begin, $body : undef if $type != 4;
        substr($text, 0, $begin + $body) = "";
        next;
      }
    }
    $text .= receive($socket, 65536, $until) // die "systemd closed the connection\n";
  }
  return @told;
}

# A call for a property of a unit's, or of systemd's own, and what comes: the bytes behind the type.
sub property { my ($path, $kind, $name) = @_; return [$path, "org.freedesktop.DBus.Properties", "Get", "$SYSTEMD.$kind", $name] }

# --- The registry: ZooKeeper's protocol is packets with a length before them, of big-endian integers (zookeeper.jute in
# its source; ZooDefs.java for the numbers). All requests of a stage are sent before the first answer is read. ---

sub packets {
  my ($socket, $count, $until) = @_;
  my ($buffer, @packets) = ("");
  my $left = $ANSWER_BYTES;
  while (@packets < $count) {
    while (length $buffer >= 4 && length $buffer >= 4 + (my $length = unpack "N", $buffer)) {
      push @packets, substr $buffer, 4, $length;
      substr($buffer, 0, 4 + $length) = "";
    }
    last if @packets >= $count;
    my $part = receive($socket, 65536, $until) // die "closed the connection\n";
    ($left -= length $part) > 0 or die "its answer is larger than $ANSWER_BYTES bytes\n";
    $buffer .= $part;
  }
  return @packets;
}

sub session_with {
  my ($address, $port, $until) = @_;
  my $socket = connected_to(2, $address, $port);
  send_all($socket, pack("N/a", pack "N NN N NN N a16 C", 0, 0, 0, 5000, 0, 0, 16, "", 0), $until);
  my ($opened) = packets($socket, 1, $until);
  (unpack "NN", $opened)[1] or die "refused the session\n";
  return $socket;
}

sub end_session { my ($socket, $xid, $until) = @_; eval { send_all($socket, pack("N/a", pack "NN", $xid, 0xFFFFFFF5), $until); packets($socket, 1, now() + 1) } }

sub signed { return unpack "l", pack "L", $_[0] }

# Who may do what with each path: SCHEME:ID:RIGHTS, parted by blanks. Digests do not leave the host: of ours "own:RIGHTS" is told.
# Their order means nothing, and is another in ZooKeeper 3.4. The id of a certificate may have blanks.
sub acls_at {
  my ($address, $port, $own, @paths) = @_;
  my $until = now() + 6;
  my $socket = session_with($address, $port, $until);
  # A packet of credentials is -4 and request 100, getACL request 6. A digest is shown whole to its owner alone.
  if ((slurp("/etc/meshctl/zookeeper-auth", 4096) // "") =~ /^secret=(.*)$/m) {
    send_all($socket, pack("N/a", pack "NNN N/a N/a", 0xFFFFFFFC, 100, 0, "digest", $1), $until);
    my $error = unpack "x12 N", (packets($socket, 1, $until))[0];
    $error and die "refused the credentials with error " . signed($error) . "\n";
  }
  my ($xid, @found) = (0);
  for (my $at = 0; $at < @paths; $at += 500) {
    my @some = @paths[$at .. ($at + 499 < $#paths ? $at + 499 : $#paths)];
    send_all($socket, join("", map { pack "N/a", pack("NN N/a", ++$xid, 6, $_) } @some), $until);
    for my $packet (packets($socket, scalar @some, $until)) {
      my ($error, @entries) = unpack "x12 N", $packet;
      if ($error) { push @found, $error == 0xFFFFFF9B ? "absent" : "error " . signed($error); next }
      @entries = unpack "x16 N/(N N/a N/a)", $packet;
      my @told;
      while (my ($rights, $scheme, $id) = splice @entries, 0, 3) {
        push @told, $scheme eq "digest" && $id eq $own ? "own:$rights" : "$scheme:" . ($scheme eq "digest" ? $id =~ s/:.*/:x/sr : $id) =~ tr/ /_/r . ":$rights";
      }
      push @found, join " ", sort @told;
    }
  }
  end_session($socket, ++$xid, $until);
  return @found;
}

sub registry_at {
  my ($address, $port, @paths) = @_;
  my $until = now() + 6;
  my $socket = session_with($address, $port, $until);
  # getChildren is request 8, getData 4, closeSession -11; NoNode is error -101.
  my $xid = 0;
  send_all($socket, join("", map { pack "N/a", pack("NN", ++$xid, 8) . pack("N/a", $_) . "\0" } @paths), $until);
  my (@found, @nodes);
  for my $packet (packets($socket, scalar @paths, $until)) {
    my $path = $paths[@found];
    my $error = unpack "x12 N", $packet;
    if ($error == 0xFFFFFF9B) { push @found, undef; next }
    $error and die "answered with error " . signed($error) . " for $path\n";
    my @names = unpack "x16 N/(N/a)", $packet;
    push @found, [];
    push @nodes, map { [$#found, $_, ($path eq "/" ? "" : $path) . "/$_"] } @names;
  }
  for (my $at = 0; $at < @nodes; $at += 500) {
    my @some = @nodes[$at .. ($at + 499 < $#nodes ? $at + 499 : $#nodes)];
    send_all($socket, join("", map { pack "N/a", pack("NN", ++$xid, 4) . pack("N/a", $$_[2]) . "\0" } @some), $until);
    for my $packet (packets($socket, scalar @some, $until)) {
      my $node = shift @some;
      # One that is gone meanwhile.
      next if unpack "x12 N", $packet;
      my $length = unpack "x16 N", $packet;
      my $content = $length == 0xFFFFFFFF ? "" : substr $packet, 20, $length;
      # The owner follows four 64-bit and three 32-bit numbers of the state that ends the answer.
      push @{$found[$$node[0]]}, $$node[1], $content, unpack("H16", substr $packet, -24, 8);
    }
  }
  end_session($socket, ++$xid, $until);
  return map { defined $_ ? (@$_ / 3, @$_) : "absent" } @found;
}

# registry COUNT (ADDRESS PORT)... PATH...: which member answered, and for each path "absent" or the number of its children
# and name, content, owner (a session in hex) of each. Without an answer of any member: the reasons of all.
sub registry { return of_members(\&registry_at, [], @_) }

# registry.acls DIGEST COUNT (ADDRESS PORT)... PATH...: which member answered, and what acls_at tells of each path.
sub registry_acls { return of_members(\&acls_at, [shift], @_) }

sub of_members {
  my ($ask, $first, $count) = splice @_, 0, 3;
  my @members = map { [splice @_, 0, 2] } 1 .. checked(number => $count);
  checked(path => $_) for @_;
  my @failures;
  for (@members) {
    my ($address, $port) = @$_;
    my @found = eval { $ask->($address, $port, @$first, @_) };
    return ["value", $address =~ /:/ ? "[$address]:$port" : "$address:$port", @found] if $@ eq "";
    chomp(my $because = $@);
    push @failures, "$address:$port: $because";
  }
  return ["unreadable", join "; ", @failures];
}

# health ADDRESS PORT SECONDS PATH: "" when the service answers as Nerve checks it, else why not. Without a path a
# connection is enough.
sub health {
  my ($address, $port, $seconds, $path) = @_;
  checked(seconds => $seconds);
  checked(http_path => $path);
  my $target = $address =~ /:/ ? "[$address]:$port" : "$address:$port";
  my $socket = eval { connected_to($seconds, $address, $port) };
  if (!$socket) { chomp(my $because = $@); return ["value", "$target: $because"] }
  return ["value", ""] if $path eq "";
  my $asked = "GET http://$target$path";
  my $answer = eval {
    send_all($socket, "GET $path HTTP/1.1\r\nHost: $target\r\nUser-Agent: meshctl\r\nConnection: close\r\n\r\n", now() + $seconds);
    my ($until, $text) = (now() + $seconds, "");
    while ($text !~ /\n/ && length $text < 512) { $text .= receive($socket, 512, $until) // last }
    $text;
  };
  return ["value", "$asked: no answer within $seconds s"] if !defined $answer;
  my ($status) = $answer =~ m{\AHTTP/\S+ (\d{3})} or return ["value", "$asked: no HTTP answer"];
  return ["value", $status >= 200 && $status < 400 ? "" : "$asked: status $status"];
}

# round_trip ADDRESS PORT: microseconds and "" or an error for each of three connects, or up to ten when all take over
# 20 ms. A refused one is a round trip too. ZooKeeper writes a warning for a connection that asks nothing: hence the
# word, whose answer is not waited for.
sub round_trip {
  my ($address, $port) = @_;
  my $until = now() + 2;
  my @trips;
  my $fastest;
  # On a busy host a few may all be late; a far one is as far the tenth time.
  while (@trips < (($fastest // 0) > 20_000 ? 20 : 6)) {
    my $left = $until - now();
    last if $left <= 0;
    my $start = microseconds(1);
    my $socket = eval { connected_to($left, $address, $port) };
    my $error = $@;
    chomp $error;
    last if $error =~ /\Ano connection/;
    my $took = microseconds(1) - $start;
    push @trips, $took, $socket ? "" : $error;
    $fastest = $took if !defined $fastest || $took < $fastest;
    syswrite $socket, "ruok" if $socket;
  }
  return ["value", @trips];
}

# flush DIRECTORY: microseconds of each of up to ten writes that are on the disk when they return. The file never has a name
# (O_TMPFILE, the same number on all but alpha, parisc and sparc): it is gone with the worker however that ends.
sub flush {
  my $unnamed = 020000000 | O_DIRECTORY;
  sysopen(my $file, checked(path => $_[0]), $unnamed | O_RDWR | O_DSYNC, 0600) or return ["unreadable", "$!"];
  my ($end, @times) = (now() + 2);
  # A slow disk has told enough.
  while (@times < 10 && (!@times || now() < $end)) {
    my $start = microseconds(1);
    defined syswrite($file, "0" x 512) or return ["unreadable", "$!"];
    push @times, microseconds(1) - $start;
  }
  return ["value", @times];
}

# --- The firewall ---

my $NFT = "/usr/sbin/nft";

# What nft lists, errors too; it must succeed, unless what is cut shows.
sub nft {
  my ($may_be_cut, @what) = @_;
  my ($code, $text) = output_of([$NFT, @what], errors => 1, most => 2 << 20);
  die(($text =~ s/\s+/ /gr || "nft said nothing") . "\n") if $code && !$may_be_cut;
  return $text;
}

# Whether the kernel has tables of nftables. The kernel itself is asked, for a host may have no nft; a module that is not
# loaded has none, and stays so.
sub has_tables {
  return 0 if !-e "/sys/module/nf_tables" && names("/lib/modules/" . (POSIX::uname())[2] . "/kernel/net/netfilter", qr/\Anf_tables\.ko/);
  # AF_NETLINK, NETLINK_NETFILTER; NFT_MSG_GETTABLE, NLM_F_REQUEST | NLM_F_DUMP.
  if (!socket(my $kernel, 16, 3, 12)) { return 0 if $! == EPROTONOSUPPORT }
  elsif (defined syswrite($kernel, pack "LSSLLCCS", 20, 0xa01, 0x301, (0) x 5) && sysread($kernel, my $told, 65536)) {
    # NLMSG_DONE at once; NLMSG_ERROR with EINVAL of a kernel without them.
    my ($type, $error) = unpack "x4Sx10l", $told;
    return $type != 3 if $type != 2;
    $! = -$error;
    return 0 if $! == EINVAL;
  }
  die "the kernel does not tell its tables of nftables: $!\n";
}

# Of all tables, without what their sets hold. Absent where nft, which others may do without, is not there to list them.
sub nft_ruleset {
  return ["value", '{"nftables":[]}'] if !has_tables();
  return -x $NFT ? ["value", nft(1, "-t", "-j", "list", "ruleset")] : ["absent"];
}

# Rules in the words of iptables-save: those of iptables-legacy and of its successor, of which nft lists what it knows.
sub iptables_rules {
  my $text = "";
  my @kinds = has_tables() ? "nft" : ();
  for my $family ("ip", "ip6") {
    for my $kind (@kinds, (slurp("/proc/net/${family}_tables_names", 4096) // "") =~ /\S/ ? "legacy" : ()) {
      my ($save, $is_listed) = ("/usr/sbin/${family}tables-$kind-save", $kind eq "nft" && -x $NFT);
      next if $is_listed && !-x $save;
      -x $save or die "the kernel has such rules, and $save is not there: apt-get install iptables nftables\n";
      my ($code, $rules) = output_of([$save], most => 2 << 20);
      # 1.8.7 aborts at tables that it does not understand.
      die "$save ended with exit code $code\n" if $code && !$is_listed;
      $text .= "#$family " . ($code ? "failed\n" : ($is_listed ? "listed" : $kind) . "\n$rules");
    }
  }
  return ["value", $text];
}

# meshctl's own table, as text and as JSON: no fields where there is none. nft 1.0.6 ends its JSON at a table that is
# switched off.
sub nft_table {
  -x $NFT or return ["absent"];
  return ["value"] if !has_tables() || nft(0, "list", "tables") !~ /^table inet meshctl$/m;
  my @table = qw(list table inet meshctl);
  return ["value", nft(0, @table), nft(1, "-j", @table)];
}

# Fields: port here and address there, of the connections that others hold to the ports.
sub sockets_from {
  my $ports = join " or ", map { "sport = :$_" } @_;
  my %peers;
  for (split /\n/, told(["ss", "-Htn", "state", "established", "( $ports )"], most => 16 << 20)) {
    my (undef, undef, $here, $there) = split " ";
    $peers{$here =~ s/.*://r . " " . $there =~ s/:\d+\z//r} = 1 if defined $there;
  }
  my @peers = sort keys %peers;
  return ["value", map { split / / } @peers[0 .. ($#peers < 999 ? $#peers : 999)]];
}

# --- The database ---

# With /etc/mysql read-only where the unit has it so: then MariaDB takes world-writable files that it would ignore
# otherwise. By the service's user, who may not read all that root reads.
sub as_server {
  my ($user, $protected) = map { checked($$_[0], $$_[1]) } [user => $_[0]], [yes_no => $_[1]];
  return sub {
    if ($protected eq "yes") {
      my ($none, $root, $etc) = ("none", "/", "/etc/mysql");
      call("unshare", 0x20000) == 0 or die "$!\n";
      call("mount", $none, $root, 0, 0x44000, 0) == 0 or die "$!\n";
      call("mount", $etc, $etc, 0, 0x1000, 0) == 0 or die "$!\n";
      call("mount", $none, $etc, 0, 0x1021, 0) == 0 or die "$!\n";
    }
    my $home = (getpwnam $user)[7];
    become($user);
    # Where it has option files of its own: systemd says it of every user but root.
    if ($user eq "root") { delete $ENV{HOME} } else { $ENV{HOME} = $home }
    delete @ENV{qw(MYSQL_HOME MARIADB_HOME MYSQL_GROUP_SUFFIX MARIADB_GROUP_SUFFIX)};
    # Option files may name others by where the server stands.
    chdir "/" or die "$!\n";
  };
}

# What the server's own parser makes of all option files. It starts nothing and opens no table. Fields: exit code, and
# each line that matters.
my $PARSED = qr/\A(?:The following groups are read: |(?:datadir|socket|log-error|log-bin|pid-file|skip-grant-tables|tmpdir|innodb-data-home-dir|innodb-log-group-home-dir|innodb-undo-directory|persisted-globals-load|innodb-buffer-pool-size|innodb-log-file-size|innodb-redo-log-capacity|innodb-flush-log-at-trx-commit|innodb-force-recovery|(?:innodb-|super-)?read-only|offline-mode|max-(?:user-)?connections|skip-networking|bind-address|port|init-(?:file|connect)) |error: )/;
sub database_parser {
  my ($program, $option, $user, $protected) = @_;
  my ($code, $text) = output_of([$program, @$option], errors => 1, before => as_server($user, $protected));
  return ["value", $code, grep { $_ =~ $PARSED || / Ver [0-9]/ || /\[ERROR\]/ } split /\n/, $text];
}

my $QUERY = "SHOW GLOBAL VARIABLES WHERE Variable_name IN ('version', 'socket', 'max_connect_errors', 'skip_name_resolve', 'host_cache_size', " .
  "'datadir', 'innodb_data_home_dir', 'innodb_log_group_home_dir', 'innodb_undo_directory', 'innodb_force_recovery', " .
  "'innodb_read_only', 'read_only', 'super_read_only', 'offline_mode', 'max_connections', 'max_user_connections', 'init_connect', 'skip_networking', 'bind_address', 'port', " .
  "'innodb_buffer_pool_size', 'innodb_buffer_pool_size_max', 'innodb_buffer_pool_chunk_size', 'innodb_buffer_pool_instances', " .
  "'innodb_log_file_size', 'innodb_redo_log_capacity', 'innodb_flush_log_at_trx_commit'); " .
  "SHOW GLOBAL STATUS WHERE Variable_name IN ('Uptime', 'Threads_connected', 'Innodb_redo_log_capacity_resized'); " .
  # What events set: MariaDB refuses to list them where they are switched off. Of an event nothing else than that.
  q{SET @known = IF(@@event_scheduler = 'ON', 'SELECT CONCAT(''event '', EVENT_SCHEMA, ''.'', EVENT_NAME), } .
  q{REGEXP_SUBSTR(EVENT_DEFINITION, ''(GLOBAL|PERSIST)[[:space:].]+innodb_[a-z_]+ *:?= *[0-9]+'') } .
  q{FROM information_schema.EVENTS WHERE STATUS = ''ENABLED''', 'DO 0'); PREPARE told FROM @known; EXECUTE told; SELECT 'told', 1; } .
  # It locks no row. Where nobody may write, for somebody has the read lock of all tables, it fails by 1205.
  "SET lock_wait_timeout=1; SELECT 1 FROM mysql.innodb_table_stats WHERE 0 FOR UPDATE";

# The socket that a process listens at; undefined when it has none in the file system. MySQL's X protocol has another.
sub socket_of {
  my ($pid) = @_;
  my %own = map { (readlink("/proc/$pid/fd/$_") // "") =~ /\Asocket:\[(\d+)\]\z/ ? ($1, 1) : () } names("/proc/$pid/fd", qr/\A\d+\z/);
  for (split /\n/, slurp("/proc/$pid/net/unix", $PROCESS_BYTES) // "") {
    my (undef, undef, undef, $flags, undef, undef, $inode, $path) = split " ", $_, 8;
    return $path if defined $path && $path =~ m{\A/} && $path !~ /mysqlx[^\/]*\z/ && $own{$inode} && hex($flags) & 0x10000;
  }
  return;
}

# Asked at the socket of this very process. As root's own files say only where root without them is refused: whatever they
# say of how answers look. Fields: exit code, what the client printed.
my %ACCOUNT = (
  root => ["--no-defaults"],
  own => [],
  debian => ["--defaults-file=/etc/mysql/debian.cnf"],
);
my @PLAIN = map { "--loose-skip-$_" } qw(table vertical auto-vertical-output html xml);
sub database_query {
  my ($account, $pid) = @_;
  my ($client) = grep { -x } map { my $name = $_; map { "$_/$name" } split /:/, $ENV{PATH} } "mariadb", "mysql";
  defined $client or return ["absent"];
  my $socket = socket_of($pid);
  my @at = ("--protocol=socket", defined $socket ? "--socket=$socket" : ());
  return ["value", output_of([$client, @{$ACCOUNT{$account}}, "-N", "-B", @PLAIN, @at, "--connect-timeout=5", "-e", $QUERY], errors => 1)];
}

# The last errors of a server that does not come up, as its user may read them: MySQL writes them to a file, MariaDB to the
# journal. A field for each line.
sub database_errors {
  my ($user, $unit) = @_;
  my $log = "/var/log/mysql/error.log";
  my $read = sub { become($user); sysopen(STDIN, $log, O_RDONLY | O_NONBLOCK | O_NOFOLLOW) && -f STDIN or _exit(1) };
  my (undef, $logged) = output_of(["tail", "-c", "65536"], before => $read);
  return ["value", grep { /\[ERROR\]/ } split /\n/, $logged . journal("-b", "-n", 100, "-u", $unit)];
}

sub journal { return told(["journalctl", "-q", "--no-pager", "-o", "cat", @_], most => $ANSWER_BYTES) }

# --- What systemd will do ---

# program PATH: why it cannot be executed, or ""; where it leads to; device and inode.
sub read_program {
  my ($path, $depth) = @_;
  my ($real) = resolved(checked(path => $path));
  my $leads = $real eq $path ? $path : "$path leads to $real, which";
  my $is = $real eq $path ? "$path is" : "$leads is";
  my @stat = stat $real;
  return ["value", $! == ENOENT || $! == ENOTDIR ? "$is not there" : "$is not to be reached: $!", $real, ""] if !@stat;
  my $id = "$stat[0]:$stat[1]";
  my $bad = sub { ["value", $_[0], $real, $id] };
  return $bad->("$is a " . kind($stat[2])) if !S_ISREG($stat[2]);
  return $bad->("$is not executable") if !($stat[2] & 0111);
  my $head = slurp($real, 256) // return $bad->("$is not to be read: $!");
  if ($head =~ /\A\x7fELF/) {
    # What loads it tells which libraries it finds, and runs what the file names for that: only of a file that is root's alone.
    my ($loader) = (slurp($real, 4096) // "") =~ m{(/lib(?:64|32|x32)?/ld[\w.-]+)\0};
    return $bad->("") if !defined $loader || $stat[4] || $stat[2] & 022 || defined((resolved($real, 1))[2]);
    return $bad->("$path cannot run: $loader is not there") if !-e $loader;
    my ($lost) = ($programs{$real} //= (output_of([$loader, "--list", $real], errors => 1))[1]) =~ /^\s*(\S+)\s=> not found|: (\S+): cannot open shared object/m ? $1 // $2 : ();
    return $bad->(defined $lost ? "$path cannot run: $lost, a library that it needs, is not there" : "");
  }
  my ($interpreter, $name) = $head =~ /\A#!\s*(\S+)[ \t]*(\S*)/ or return $bad->("$is no program");
  if ($interpreter =~ m{/env\z} && $name ne "" && $name !~ /\A-/) {
    my ($found) = grep { -x } map { "$_/$name" } qw(/usr/local/sbin /usr/local/bin /usr/sbin /usr/bin /sbin /bin);
    return $bad->("$path cannot run: $name is not there") if !defined $found;
    $interpreter = $found;
  }
  return $bad->("") if ($depth // 0) > 3 || $interpreter !~ m{\A/};
  # What runs of a script is its interpreter.
  $id = "";
  my $below = read_program($interpreter, ($depth // 0) + 1);
  return $bad->($$below[1] eq "" ? "" : "$path cannot run: $$below[1]");
}

# Where systemd finds units, the first wins. What is below /run is made anew by generators; what somebody put there is
# gone at the next boot.
my @UNITS = qw(/etc/systemd/system.control /run/systemd/transient /run/systemd/generator.early /etc/systemd/system
  /etc/systemd/system.attached /run/systemd/system /run/systemd/generator /usr/local/lib/systemd/system
  /usr/lib/systemd/system /lib/systemd/system /run/systemd/generator.late);
my $GONE_AT_BOOT = qr{\A/run/systemd/(?:transient|system)/};

# All that is below those: name → paths of the unit; directory name ("x.target.wants", "x.service.d") → its paths. Without
# what is gone at the next boot, unless that is asked for too.
sub unit_files {
  my ($now_too) = @_;
  my $files = $unit_files{$now_too ? "now" : "boot"} //= do {
    my (%paths, %beside, %seen);
    for my $directory (grep { $now_too || "$_/" !~ $GONE_AT_BOOT } @UNITS) {
      my @stat = stat $directory or next;
      next if $seen{"$stat[0]:$stat[1]"}++;
      for my $name (names($directory, qr/\A[^.].*\.(?:service|target|socket|path|timer|mount|automount|slice|swap|device|scope|wants|requires|upholds|d)\z/)) {
        push @{($name =~ /\.(?:wants|requires|upholds|d)\z/ ? \%beside : \%paths)->{$name}}, "$directory/$name";
      }
    }
    [\%paths, \%beside];
  };
  return @$files;
}

sub template_of { return $_[0] =~ s/\@[^.]+\./\@./r }

# The name by which systemd knows a unit: a link of another name is an alias.
sub unit_name {
  my ($paths, $name) = @_;
  my $path = ($$paths{$name} || return $name)->[0];
  for (1 .. 10) { my $link = readlink $path // last; my ($last) = $link =~ m{([^/]+)\z} or last; last if $last eq "null" || $last =~ /\@\.\w+\z/; $name = $last; $path = $link =~ m{\A/} ? $link : $path =~ s{[^/]+\z}{$link}r }
  return $name;
}

sub unit_text {
  my ($text, $because) = script($_[0]);
  die "$_[0]: $because\n" if defined $because;
  return made_of($made{settings} //= {}, $text // "", \&settings_in);
}

# The settings of a unit, its drop-ins too: [file, number, section, key, value]; undefined when it is masked, or is nowhere.
sub unit_settings {
  my ($paths, $beside, $name) = @_;
  my $template = template_of($name);
  my $path = ($$paths{$name} // $$paths{$template} // return)->[0];
  my ($real) = eval { resolved($path) } or return;
  return if $real eq "/dev/null" || !-f $real || -z _;
  my ($type) = $name =~ /(\w+)\z/;
  my @prefixes = map { "$_.$type.d" } $name =~ /-/ ? do { my @part = split /-/, $name =~ s/\.\w+\z//r; map { join("-", @part[0 .. $_]) . "-" } 0 .. $#part - 1 } : ();
  my %file;
  for my $directory (map { @{$$beside{$_} || []} } "$name.d", $template eq $name ? () : "$template.d", reverse(@prefixes), "$type.d") {
    $file{$_} //= "$directory/$_" for names($directory, qr/\A[^.].*\.conf\z/);
  }
  return [map { my $file = $_; @{$unit_settings{$file} //= [map { [$file, @$_] } unit_text($file)]} } $real, map { $file{$_} } sort keys %file];
}

# Units that the links in a unit's directories ask for.
sub links_of {
  my ($beside, $name) = @_;
  my %entry;
  for my $kind (qw(wants requires upholds)) {
    for my $directory (map { @{$$beside{$_} || []} } "$name.$kind", $name =~ /\A([^@]+@)[^.]+(\.\w+)\z/ ? "$1$2.$kind" : ()) {
      for my $entry (names($directory, qr/\A[^.].*\.\w+\z/)) { $entry{"$kind/$entry"} //= (readlink("$directory/$entry") // "") }
    }
  }
  return map { $entry{$_} eq "/dev/null" ? () : m{/(.*)} } sort keys %entry;
}

# boot: the default target, then of each unit that it reaches: name, who asks for it, "running" when it has processes or is
# no service, the base name of its program, and the port numbers that its command, its script or its sockets name.
sub boot_plan {
  my ($paths, $beside) = unit_files();
  my $default = unit_name($paths, "default.target");
  my (%by, @told);
  my @queue = ([$default, ""]);
  while (@queue) {
    my ($name, $by) = @{shift @queue};
    $name = unit_name($paths, $name);
    next if exists $by{$name} || keys %by > 2000;
    my $settings = unit_settings($paths, $beside, $name) or next;
    $by{$name} = $by;
    my @next = links_of($beside, $name);
    my ($command, $type, $slice, $is_bare, @ports) = ("", "", "system.slice", 0);
    for (@$settings) {
      my (undef, undef, undef, $key, $value) = @$_;
      push @next, grep { $_ ne "" && !/%/ } split / +/, $value if $key =~ /\A(?:Wants|Requires|Requisite|BindsTo|Upholds)\z/;
      $command = $value if $key eq "ExecStart";
      $type = $value if $key eq "Type";
      $slice = $value || "system.slice" if $key eq "Slice";
      $is_bare = 1 if $key eq "DefaultDependencies" && $value =~ /\A(?:no|false|off|0)\z/i;
      push @ports, $value =~ /(\d+)\z/ if $key eq "ListenStream";
    }
    push @next, "sysinit.target" if $name =~ /\.(?:service|socket|path|timer)\z/ && !$is_bare;
    push @next, "basic.target" if $name =~ /\.service\z/ && $by eq "" && !$is_bare;
    my ($program) = $command =~ m{\A[-@:+!|]*"?([^\s"]+)};
    my $state = "running";
    if ($name =~ /\.service\z/ && defined $program && $type ne "oneshot") {
      my ($group) = grep { -d } map { "$_/$slice/$name" } @CGROUPS;
      if (!defined $group) {
        $state = "idle";
        push @ports, $command =~ /(?<![\d.])(\d{2,5})(?![\d.])/g;
        my $script = -f $program && -s _ < 65536 ? slurp($program, 65536) // "" : "";
        push @ports, $script =~ /(?<![\d.])(\d{2,5})(?![\d.])/g if $script =~ /\A#!/;
      }
    }
    my %port = map { $_ => 1 } grep { $_ > 0 && $_ < 65536 } @ports;
    push @told, $name, $by, $state, defined $program ? $program =~ s{.*/}{}r : "", join " ", sort keys %port;
    push @queue, map { [$_, $name] } @next;
  }
  return ["value", $default, "", "", "", "", @told];
}

# manager: what systemd gives every service it starts. Fields: where it is said, key, value (names of variables). Beside
# systemd's own: "Generator" (one that has not been run yet), "Preload" (of every program), "Kernel" (words of the command
# line of the next boot), "Fstab" (what a boot cannot mount, and does not go on without).
sub manager_settings {
  my %file = map { ($_ => "/etc/systemd/$_") } grep { -e "/etc/systemd/$_" } "system.conf";
  my %drop_in;
  for my $directory (map { "$_/systemd/system.conf.d" } qw(/etc /run /usr/local/lib /usr/lib /lib)) {
    $drop_in{$_} //= "$directory/$_" for names($directory, qr/\A[^.].*\.conf\z/);
  }
  my @told;
  for my $path (values %file, map { $drop_in{$_} } sort keys %drop_in) {
    my $text = whole($path);
    push @told, map { $$_[1] eq "Manager" ? ("$path:$$_[0]", $$_[2], $$_[3]) : () } settings_in($text);
  }
  my ($generated) = sort { $b <=> $a } map { (stat "/run/systemd/generator$_")[10] // () } "", ".early", ".late";
  for my $directory (map { "$_/systemd/system-generators" } qw(/etc /usr/local/lib)) {
    for (names($directory, qr/\A[^.]/)) { push @told, "$directory/$_", "Generator", "" if defined $generated && ((lstat "$directory/$_")[10] // 0) > $generated }
  }
  push @told, map { ("/etc/ld.so.preload:$$_[0]", "Preload", $$_[1]) } said_in(whole("/etc/ld.so.preload"));
  # The first entry is the one that boots unless somebody chooses.
  my ($entry) = grep { $$_[1] =~ /\A\s*linux/ } said_in(whole("/boot/grub/grub.cfg"));
  my $words = join " ", grep { /\A(?:systemd\.(?:mask|unit|volatile)=|overlayroot=|init=|(?:[sS1]|single|rescue|emergency)\z)/ } split " ", $entry ? $$entry[1] : "";
  push @told, "/boot/grub/grub.cfg:$$entry[0]", "Kernel", $words if $words ne "";
  for (said_in(whole("/etc/fstab"))) {
    my ($spec, $point, $type, $options) = map { unescaped($_) } split " ", $$_[1];
    next if !defined $type || $point !~ m{\A/.} || ($options // "") =~ /(?:\A|,)(?:noauto|nofail|_netdev|r?bind|x-systemd\.automount)(?:,|\z)/;
    my $path = device_of($spec);
    # systemd of a container passes over devices, and makes what a bind mount begins at.
    next if $path !~ m{\A/dev/} || -e $path || -e "/run/systemd/container";
    push @told, "/etc/fstab:$$_[0]", "Fstab", "$spec on $point";
  }
  my ($list) = eval { bus(property($MANAGER, "Manager", "Environment")) };
  my @variables = defined $list ? unpack "x8 (L/a x x!4)*", $list . "\0" x (-length($list) % 4) : split /\n/, told(["systemctl", "show-environment"]);
  my $names = join " ", map { /\A([A-Za-z_]\w*)=/ ? $1 : () } @variables;
  return ["value", @told, "systemctl show-environment", "Environment", $names];
}

# Seconds ago of each start by systemd itself in this boot, the newest first.
sub restarts {
  my $text = told(["journalctl", "-q", "--no-pager", "-b", "-o", "short-monotonic", "-n", 60, "_PID=1",
    "MESSAGE_ID=5eb03494b6584870a536b337290809b3", "UNIT=$_[0]"]);
  my $up = (split / /, slurp("/proc/uptime", 64) // die "$!\n")[0];
  return ["value", reverse map { /\A\[\s*(\d+\.\d+)\]/ ? int($up - $1) : () } split /\n/, $text];
}

# Each condition with "yes" or "no": whether it holds now.
sub conditions {
  return ["value", map { ($_, (output_of(["systemd-analyze", "condition", $_], errors => 1))[0] ? "no" : "yes") } @_];
}

# --- What sets the kernel beside sysctl.d ---

my @CONFIGURED = qw(/etc /run /usr/local/lib /usr/lib /lib);
my $STARTS = qr/\A(?:Exec(?:Condition|StartPre|Start|StartPost|Reload|Stop|StopPost)|EnvironmentFile)\z/;
my $LEADS_TO = qr/\A(?:Wants|Requires|BindsTo|Upholds|OnSuccess|Unit|Service|Sockets)\z/;
my $NEVER_AT_BOOT = qr/\A(?:rescue|emergency|halt|poweroff|reboot|shutdown|kexec|exit|final|umount|(?:hybrid-)?sleep|suspend|(?:suspend-then-)?hibernate|initrd.*)\.target\./;
my $MOST_SCRIPTS = 400;
my $MOST_BY_STAR = 50;
my $MOST_WRITERS = 1000;

# The text of a script or configuration, no more than $CONTENT_BYTES; undefined of a program, or of what is no file.
sub script {
  my ($path, $is_named) = @_;
  my $read = as_keeper($path, sub {
    -f $path or return ["absent"];
    my $size = -s _;
    my $text = slurp($path, $size > 16384 ? 1024 : $CONTENT_BYTES) // return failed();
    my $begin = substr $text, 0, 1024;
    return ["absent"] if $begin =~ /\0/ || ($is_named && $path =~ m{\A(?:/usr)?/(?:s?bin|lib)} && $begin !~ /\A#!/);
    return ["unreadable", "larger than $CONTENT_BYTES bytes"] if $size > $CONTENT_BYTES;
    return ["value", $size > 16384 ? slurp($path, $CONTENT_BYTES) // return failed() : $text];
  });
  return $$read[0] eq "unreadable" && !$is_named ? (undef, $$read[1]) : $$read[0] eq "value" ? $$read[1] : undef;
}

# Number and text of each line that is neither empty nor a comment, continued ones joined.
sub said_in {
  my ($text) = @_;
  my ($number, $begun, $whole, @said) = (0, 0, "");
  for (split /\n/, $text) {
    $number++;
    $begun = $number if $whole eq "";
    next if $whole eq "" && /\A\s*(?:[#;]|\z)/;
    $whole .= $_;
    next if $whole =~ s/\\\z/ /;
    push @said, [$begun, $whole];
    $whole = "";
  }
  push @said, [$begun, $whole] if $whole ne "";
  return @said;
}

# The units that a boot may lead to, now or later, by whatever asks for them, and what they start: [unit, file, line, text];
# of what they do when they end "UNIT ExecStop" instead of the unit.
sub started_at_boot {
  my ($paths, $beside) = unit_files(1);
  my (%wanted, @starts);
  my @queue = map { my $name = $_; map { names($_, qr/\A[^.]/) } @{$$beside{$name}} }
    grep { /\.(?:wants|requires|upholds)\z/ && $_ !~ $NEVER_AT_BOOT } keys %$beside;
  # What systemd-run made is in nobody's directory.
  push @queue, grep { $$paths{$_}[0] =~ m{\A/run/systemd/transient/} } keys %$paths;
  while (defined(my $name = shift @queue)) {
    next if $wanted{$name}++;
    my $other = unit_name($paths, $name);
    if ($other ne $name) { push @queue, $other; next }
    my $settings = unit_settings($paths, $beside, $name);
    if (!$settings) { $wanted{$name} = 0 if $$paths{$name}; next }
    push @queue, ($name =~ s/\.(?:timer|path|socket)\z/.service/r), $name =~ s/\.socket\z/\@.service/r if $name =~ /\.(?:timer|path|socket)\z/;
    my %mine;
    for (@$settings) {
      my ($path, $line, undef, $key, $value) = @$_;
      if ($key =~ $LEADS_TO) { push @queue, split " ", $value }
      elsif ($key =~ $STARTS) {
        if ($value eq "") { $mine{$key} = [] } else { push @{$mine{$key}}, [$key =~ /\AExecStop/ ? "$name $key" : $name, $path, $line, $value] }
      }
    }
    push @starts, map { @$_ } values %mine;
  }
  return (\%wanted, @starts);
}

# kernel.writers KEY...: the lines of boot.lines that name one of these keys (paths below /proc/sys), without what units do
# when they end.
sub kernel_writers {
  my $leaves = join "|", map { quotemeta s{.*/}{}sr } @_;
  my $pattern = qr{\b(?:$leaves)\b|\b(?:net|vm|fs|kernel)[./][\w./-]*[*?\[\$]|\bcd .*/proc/sys};
  my $words = join "|", $leaves, "/proc/sys", map { my $top = $_; map { quotemeta "$top$_" } ".", "/" } qw(net vm fs kernel);
  return boot_lines($pattern, qr/$words/, 1);
}

# boot.lines PATTERN WORDS: whatever fits the pattern and is run or read at a boot, or later, by others than those who read
# sysctl.d. Each such line has one of the words, which are found much faster: most files have none of them.
# Fields: file, line, text, by whom; line 0 with the reason for a file that could not be read.
sub boot_lines {
  my ($pattern, $words, $is_start) = @_;
  my $fits = sub { return $_[0] =~ $words && $_[0] =~ $pattern ? 1 : 0 };
  my (@found, %seen);
  my ($wanted, @starts) = @{$started{boot} //= [started_at_boot()]};
  @starts = grep { $$_[0] !~ / / } @starts if $is_start;
  my $enabled = sub { return grep { $$wanted{$_} } @_ };
  my $is_ufw = (slurp("/etc/ufw/ufw.conf", 65536) // "") =~ /^\s*ENABLED=["']?yes\b/im;

  my ($look, $follow);
  # Whether a line fits, and the paths that it names: each, and whether it is code there.
  my $taken = sub {
    my ($text) = @_;
    my @named;
    # As nft finds one.
    $text =~ s{\binclude "(?=\w)}{$&/etc/};
    while ($text =~ m{(/[\w./\@+-]{3,}(?:\*[\w.*]*)?)}g) {
      my ($named, $before) = ($1, substr $text, 0, $-[1]);
      next if $before ne "" && substr($before, -1) =~ m{[\w/.\$\}*-]};
      push @named, [$named, $before =~ /(?:\A|[\s;&|("'])(?:\.|source|sh|bash|dash)\s+["']?\z/];
    }
    return ($fits->($text), @named);
  };
  my $lines = $made{$pattern} //= {};
  my $judge = sub {
    my ($path, $line, $text, $how, $depth) = @_;
    my ($is_fit, @paths) = made_of($lines, $text, $taken);
    push @found, $path, $line, substr($text, 0, 2000), $how if $is_fit;
    @found <= $MOST_WRITERS * 4 or die "more than $MOST_WRITERS lines fit\n";
    return if $depth >= 3;
    my $loads = $text =~ /\bsysctl\b/;
    for (@paths) {
      my ($named, $is_code) = @$_;
      my @named = $named;
      if ($named =~ m{(.*)/(.*\*.*)}) {
        my ($directory, $fits) = ($1, join ".*", map { quotemeta } split /\*/, $2, -1);
        @named = map { "$directory/$_" } sort(names($directory, qr/\A(?!\.)$fits\z/));
      }
      # So many are somebody's data: sessions, reports, sites.
      @named = () if @named > $MOST_BY_STAR;
      $follow->($_, $how, $depth + 1, $loads, $is_code) for @named;
    }
    $follow->("/etc/sysctl.conf", $how, 3, 1) if $loads && $text =~ /\s(?:-p|--load)\s*(?:["';&|]|\z)/;
  };
  $look = sub {
    my ($path, $how, $depth, $only, $is_code) = @_;
    return if $seen{$path}++;
    keys %seen <= $MOST_SCRIPTS or die "more than $MOST_SCRIPTS scripts run at boot\n";
    my ($text, $because) = @{$scripts{"$depth $path"} //= [(script($path, $depth))[0, 1]]};
    push @found, $path, 0, $because, $how if defined $because;
    defined $text or return;
    # What packages bring, and data, lead to nobody's scripts.
    my $is_data = !$only && $depth && !$is_code && $text !~ /\A#!/ && !-x $path;
    return if ($is_data || $only && $path =~ m{\A(?:/usr)?/lib/}) && !made_of($made{"data $pattern"} //= {}, $text, sub { grep { $fits->($_) } $text =~ $words ? split /\n/, $text : () });
    for (made_of($made{said} //= {}, $text, \&said_in)) { $judge->($path, @$_, $how, $is_data ? 3 : $depth) if !$only || $$_[1] =~ $only }
  };
  $follow = sub {
    my ($path, $how, $depth, $loads, $is_code) = @_;
    # What logs hold was done, or asked for, and is run by nobody.
    return if $path =~ m{\.(?:log|err)\z|/\z|\A/(?:proc|sys|dev|run|tmp|var/log|usr/share|opt/meshctl|s?bin|usr/s?bin/(?:env|sh|sysctl)\z|lib/systemd|usr/lib/systemd)(?:/|\z)} || (!$is_ufw && $path =~ m{\A/etc/(?:ufw/|default/ufw)});
    return if !$loads && $path =~ m{/sysctl\.(?:d/|conf\z)} && $path !~ m{\A/etc/ufw/};
    $look->($path, $how, $depth, undef, $is_code);
  };
  # As run-parts takes them, or with another pattern of names.
  my $parts = sub {
    my ($directory, $how, $names) = @_;
    for (sort(names($directory, $names // qr/\A[\w-]+\z/))) { $look->("$directory/$_", $how, 0) if -x "$directory/$_" && !-d _ }
  };
  my $files = sub {
    my ($directory, $how, $names, $only) = @_;
    $look->("$directory/$_", $how, 0, $only) for sort(names($directory, $names));
  };
  # Configuration of which one directory's file hides the next one's.
  my $layered = sub {
    my ($name, $how, $suffix, $only) = @_;
    my %first;
    for my $directory (map { "$_/$name" } @CONFIGURED) { $first{$_} //= "$directory/$_" for names($directory, $suffix) }
    $look->($_, $how, 0, $only) for sort values %first;
  };

  if ($is_ufw && $enabled->("ufw.service")) {
    my ($sysctl) = (slurp("/etc/default/ufw", 65536) // "") =~ /^\s*IPT_SYSCTL=["']?([^\s"'#]+)/m;
    $look->($sysctl, "ufw", 0) if defined $sysctl;
    $parts->("/etc/ufw", "ufw", qr/\A(?:before|after)\.init\z/);
    $files->("/etc/ufw", "ufw", qr/rules\z/);
  }
  $look->("/etc/rc.local", "rc.local", 0) if -x "/etc/rc.local";
  if ($enabled->(qw(cron.service crond.service cronie.service anacron.service anacron.timer cron.target bcron.service))) {
    $look->($_, "cron", 0) for "/etc/crontab", "/etc/anacrontab";
    $files->("/etc/cron.d", "cron", qr/\A[\w-]+\z/);
    $files->($_, "cron", qr/\A[^.]/) for "/var/spool/cron/crontabs", "/var/spool/cron";
    $parts->("/etc/cron.$_", "cron") for qw(hourly daily weekly monthly yearly);
  }
  $files->("/var/spool/cron/atjobs", "at", qr/\A[a=]/) if $enabled->("atd.service");
  $files->("/etc/logrotate.d", "logrotate", qr/\A[^.]/) if -x "/usr/sbin/logrotate";
  $files->("/etc/apt/apt.conf.d", "apt", qr/\A[\w.-]+\z/);
  $files->("/etc/iptables", "netfilter-persistent", qr/\Arules\.v[46]\z/) if $enabled->("netfilter-persistent.service");
  if (-x "/sbin/ifup" || -x "/usr/sbin/ifup") {
    my $up = qr/\A\s*(?:pre-up|up|post-up)\s/;
    $look->("/etc/network/interfaces", "ifupdown", 0, $up);
    $files->("/etc/network/interfaces.d", "ifupdown", qr/\A[\w.-]*[\w-]\z/, $up);
    $parts->("/etc/network/if-$_.d", "ifupdown") for qw(pre-up up);
  }
  if (-x "/sbin/dhclient") { $files->("/etc/dhcp/dhclient-$_-hooks.d", "dhclient", qr/\A[\w.-]*[\w-]\z/) for qw(enter exit) }
  $parts->("/etc/ppp/ip-up.d", "pppd") if -x "/usr/sbin/pppd";
  if ($enabled->("NetworkManager.service")) {
    for my $place (qw(/etc /usr/lib)) { $parts->("$place/NetworkManager/dispatcher.d$_", "NetworkManager", qr/\A[^.]/) for "", "/pre-up.d", "/no-wait.d" }
  }
  if ($enabled->("networkd-dispatcher.service")) {
    for my $place (map { "$_/networkd-dispatcher" } qw(/etc /usr/lib)) { $parts->("$place/$_", "networkd-dispatcher", qr/\A[^.]/) for names($place, qr/\.d\z/) }
  }
  $layered->("tmpfiles.d", "tmpfiles", qr/\A[^.].*\.conf\z/, qr/\A\s*w\S*\s/);
  $layered->("udev/rules.d", "udev", qr/\A[^.].*\.rules\z/, qr/SYSCTL\{|RUN/);
  $layered->("modprobe.d", "modprobe", qr/\A[^.].*\.conf\z/, qr/\A\s*install\s/);
  # Unless it is told otherwise, tuned reads sysctl.d once more when it is done.
  if ($enabled->("tuned.service") && (slurp("/etc/tuned/tuned-main.conf", 65536) // "") =~ /^\s*reapply_sysctl\s*=\s*(?:0|false|no|n|f)\s*$/im) {
    my @profiles = split " ", slurp("/etc/tuned/active_profile", 4096) // "";
    while (defined(my $profile = shift @profiles)) {
      my ($conf) = grep { -f } map { "$_/" . $profile =~ s{.*/}{}r . "/tuned.conf" } qw(/etc/tuned/profiles /etc/tuned /usr/lib/tuned/profiles /usr/lib/tuned);
      next if !defined $conf || $seen{$conf};
      $look->($conf, "tuned", 0);
      push @profiles, grep { $_ ne "" } map { split /[\s,;]+/ } (script($conf))[0] =~ /^\s*include\s*=\s*(.*)/mg;
    }
  }
  if (-e "/usr/bin/cloud-init" && !-e "/etc/cloud/cloud-init.disabled") {
    $parts->("/var/lib/cloud/scripts/per-boot", "cloud-init", qr/\A[^.]/);
    for my $path ("/etc/cloud/cloud.cfg", (map { "/etc/cloud/cloud.cfg.d/$_" } sort(names("/etc/cloud/cloud.cfg.d", qr/\.cfg\z/))),
      map { "/var/lib/cloud/instance/$_" } qw(cloud-config.txt vendor-cloud-config.txt)) {
      my $key = "";
      for (said_in((script($path))[0] // "")) { $key = $1 if $$_[1] =~ /\A(\w+):/; $judge->($path, @$_, "cloud-init", 0) if $key eq "bootcmd" }
    }
  }
  # Their names tell for what.
  for (@starts) { my ($unit, $path, $line, $text) = @$_; $judge->($path, $line, $text, $unit, 0) }
  $look->($_, "login", 1) for "/etc/profile", "/etc/bash.bashrc", (map { "/root/$_" } qw(.profile .bash_profile .bashrc)), map { "/etc/profile.d/$_" } sort(names("/etc/profile.d", qr/\.sh\z/));
  # It holds the others, and they hold it.
  undef $follow;
  return ["value", @found];
}

# --- What can be asked: seconds that it may take, kinds of its values ("*" for any number of the last), the answer. ---

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

# unit NAME PROPERTY...: one program for all units that are asked for together, each of them once: systemd tells all of a
# unit every time. Fields: property and value, ExecStart and EnvironmentFiles once for each.
sub units {
  my @asked = @_;
  my %wanted;
  for (@asked) {
    my (undef, $name, @properties) = @$_;
    checked(unit => $name);
    $wanted{checked(property => $_)} = 1 for @properties;
  }
  $wanted{ExecStart} = 1 if $wanted{Environment};
  my %known;
  my @names = grep { !$known{$_}++ } map { $$_[1] } @asked;
  my $moved = join(" ", sort keys %wanted) eq "InvocationID MainPID NeedDaemonReload" && eval { moved(@names) };
  my $text = $moved || told(["systemctl", "show", "--no-pager", (map { ("-p", $_) } sort keys %wanted), "--", @names]);
  my @shown = split /\n\n+/, $text =~ s/\A\n+//r;
  @shown == @names or die "systemctl told of " . @shown . " units instead of " . @names . "\n";
  my %shown;
  @shown{@names} = map { [map { /\A([^=]+)=(.*)\z/s ? [$1, $2] : () } split /\n/] } @shown;
  return map {
    my (undef, $name, @properties) = @$_;
    my %mine = map { $_ => 1 } @properties;
    my @lines = @{$shown{$name}};
    # Of a variable that no command line uses and that is not meshctl's the name alone.
    my $used = join "|", map { $$_[0] eq "ExecStart" ? $$_[1] =~ /\$\{?(\w+)/g : () } @lines;
    ["value", map { $mine{$$_[0]} ? ($$_[0], $$_[0] eq "Environment" ? join(" ", variables_in($$_[1], qr/\A(?:LANG|RUBYLIB|MESHCTL_\w+|$used)\z/)) : $$_[1]) : () } @lines];
  } @asked;
}

# What is asked of all units at the end of a look, as systemctl shows it.
sub moved {
  my @told = bus(map {
    my $path = "$MANAGER/unit/" . s/\A\d|[^A-Za-z0-9]/sprintf "_%02x", ord $&/ger;
    (property($path, "Unit", "InvocationID"), property($path, "Unit", "NeedDaemonReload"), property($path, "Service", "MainPID"));
  } @_);
  return join "\n", map {
    my ($invocation, $reload, $pid) = splice @told, 0, 3;
    defined $invocation && defined $reload && (defined $pid || !/\.service\z/) or die "no unit\n";
    "InvocationID=" . unpack("x8 H*", $invocation) . "\nNeedDaemonReload=" . (unpack("x4 L", $reload) ? "yes" : "no") . "\n" . (defined $pid ? "MainPID=" . unpack("x4 L", $pid) . "\n" : "");
  } @_;
}

# enabled NAME: as systemctl says it. systemd itself is asked for those that have a file; it does not know init scripts. Of
# what is neither systemctl has nothing to say.
sub enabled {
  my @names = map { checked(unit => $$_[1]) } @_;
  my $has_file = sub { my ($name, @in) = @_; return grep { lstat "$_/$name" or lstat "$_/" . template_of($name) } @in };
  my @there = grep { $has_file->($_, grep { !/late/ } @UNITS) } @names;
  my %word;
  @word{@there} = map { defined $_ ? unpack "L/a", $_ : $_ } eval { bus(map { [$MANAGER, "$SYSTEMD.Manager", "GetUnitFileState", $_] } @there) };
  return map {
    my $word = $word{$_};
    ($word) = split /\n/, (output_of(["systemctl", "is-enabled", "--", $_]))[1] if !defined $word && ($has_file->($_, @UNITS) || -e "/etc/init.d/" . s/\.service\z//r);
    ["value", $word // ""];
  } @names;
}

# --- Workers ---

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

# What one worker answers together, by what these read.
my %TOGETHER = (map({ $_ => "file" } qw(file list process may place made cleans mount space user program)),
  map({ $_ => "boot" } qw(boot kernel.writers boot.lines packages.altered)), unit => "unit", enabled => "enabled");
my (@waiting, %workers);
my ($in, $out) = ("", "");

# An empty answer behind each: what could be the beginning of the mark that ends a script's output is held back until more
# comes (see frame.ts), and an answer may end with any letter of it.
sub say_whole { $out .= $_[0] . pack "N", 0 }
sub reply { say_whole(pack "N/a", pack "N (N/a)*", @_) }

sub seconds_for { my $question = $QUESTION{$_[0]}; return $question ? $$question[0] : 10 }

# A worker that waits for questions, or a new one; undefined, with $!, when the host starts no process.
sub idle_worker {
  my ($kind) = @_;
  my @idle = grep { !%{$$_{jobs}} } values %workers;
  # The one that has made something of the boot's files before.
  my ($idle) = ((grep { $$_{kind} eq $kind } @idle), (grep { $$_{kind} ne "boot" } @idle), @idle);
  if ($idle) { $$idle{kind} = $kind; return $idle }
  pipe(my $reading, my $writing) && pipe(my $orders, my $orderer) or return;
  my $pid = fork // return;
  if (!$pid) {
    setpgrp 0, 0;
    for (values %workers) { close $$_{pipe}; close $$_{orderer} }
    close $_ for $reading, $orderer;
    $SIG{ALRM} = sub { kill "KILL", 0 };
    $SIG{PIPE} = "DEFAULT";
    close STDIN; open STDIN, "<", "/dev/null";
    close STDOUT; open STDOUT, ">", "/dev/null";
    close STDERR; open STDERR, ">", "/dev/null";
    limit_memory($WORKER_BYTES);
    serve($orders, $writing);
    _exit(0);
  }
  fcntl($orderer, F_SETFL, O_WRONLY | O_NONBLOCK);
  return $workers{fileno $reading} = { pipe => $reading, orderer => $orderer, pid => $pid, kind => $kind, jobs => {}, buffer => "", bytes => 0 };
}

sub start {
  my @jobs = @{$_[0]};
  my $worker = idle_worker($TOGETHER{$jobs[0][1]} // "");
  if (!$worker) { reply($$_[0], "unreadable", "the host starts no process: $!") for @jobs; return }
  $$worker{orders} = pack "N/a", pack "(N/a)*", map { pack "N (N/a)*", @$_ } @jobs;
  order($worker);
  $$worker{jobs} = { map { $$_[0] => $_ } @jobs };
  # One that ended while it waited for questions was at none of these.
  $$worker{at} = { $$worker{is_used}++ ? () : map { $$_[0] => 1 } @jobs };
  $$worker{seconds} = seconds_for($jobs[0][1]);
  $$worker{until} = now() + $$worker{seconds};
}

# Sends a worker what it takes now. What came of one that has ended is heard.
sub order {
  my ($worker) = @_;
  my $count = syswrite($$worker{orderer}, $$worker{orders});
  if (defined $count) { substr($$worker{orders}, 0, $count) = "" } elsif ($! != EAGAIN && $! != EINTR) { $$worker{orders} = "" }
}

# Its worker is at an end, or is made to be: what it did not answer is asked of another, but for what it was at.
sub finish {
  my ($fd, $because) = @_;
  my $worker = delete $workers{$fd};
  close $$worker{pipe};
  close $$worker{orderer};
  kill "KILL", -$$worker{pid};
  my ($at, @left) = ($$worker{at});
  for my $job (map { $$worker{jobs}{$_} } sort { $a <=> $b } keys %{$$worker{jobs}}) {
    if ($$at{$$job[0]}) { reply($$job[0], "unreadable", $because) }
    else { push @left, $job }
  }
  push @waiting, [@left] if @left;
}

sub hear {
  my ($fd) = @_;
  my $worker = $workers{$fd};
  my $count = sysread($$worker{pipe}, $$worker{buffer}, 65536, length $$worker{buffer});
  return if !defined $count && $! == EINTR;
  return finish($fd, "the reader's worker ended without an answer") if !$count;
  while (length $$worker{buffer} >= 4) {
    my $length = unpack "N", $$worker{buffer};
    return finish($fd, "its answer is larger than " . ($ANSWER_BYTES + 65536) . " bytes") if $length > $ANSWER_BYTES + 65536;
    last if length $$worker{buffer} < 4 + $length;
    my ($id, $kind, @ids) = unpack "N (N/a)*", substr $$worker{buffer}, 4, $length;
    if ($kind eq "begun") {
      $$worker{at} = { map { $_ => 1 } @ids };
      $$worker{seconds} = seconds_for($$worker{jobs}{$id}[1]);
      $$worker{until} = now() + $$worker{seconds};
    } else {
      say_whole(substr $$worker{buffer}, 0, 4 + $length);
      $$worker{bytes} += $length;
      delete $$worker{jobs}{$id};
    }
    substr($$worker{buffer}, 0, 4 + $length) = "";
  }
  # What it used is not given back to the host: one that answered much has done enough.
  finish($fd, "") if !%{$$worker{jobs}} && $$worker{bytes} > $LONG_BYTES;
}

# All questions of a frame: what is cheap is answered by one worker for its kind, what may take its time by its own.
sub take {
  my %together;
  for (unpack "(N/a)*", shift) {
    my ($id, @words) = unpack "N (N/a)*", $_;
    my $verb = $words[0] // "";
    if ($verb eq "clock") {
      my $time = eval { microseconds(0) };
      reply($id, defined $time ? ("value", $time) : ("unreadable", $@ =~ s/\n//r));
    }
    elsif (!$TOGETHER{$verb}) { push @waiting, [[$id, @words]] }
    else { push @{$together{$TOGETHER{$verb}}}, [$id, @words] }
  }
  # Units first: what follows is read as they run.
  unshift @waiting, map { $together{$_} ? $together{$_} : () } qw(unit enabled file boot);
}

$SIG{PIPE} = "IGNORE";
my $heard = now();
while (1) {
  start(shift @waiting) while @waiting && (grep { %{$$_{jobs}} } values %workers) < $MOST_WORKERS;
  my ($read, $write) = ("", "");
  vec($read, 0, 1) = 1;
  # Nobody takes what was answered: then nothing more is read.
  if (length $out < $ANSWER_BYTES * 2) { vec($read, $_, 1) = 1 for keys %workers }
  vec($write, 1, 1) = 1 if length $out;
  for (grep { length $$_{orders} } values %workers) { vec($write, fileno $$_{orderer}, 1) = 1 }
  my $until = $heard + $SILENCE;
  for (grep { %{$$_{jobs}} } values %workers) { $until = $$_{until} if $$_{until} < $until }
  my $left = $until - now();
  my $count = select($read, $write, undef, $left > 0 ? $left : 0);
  if ($count > 0) {
    # What comes within a moment is taken in one go: to wake up costs more than an answer.
    select undef, undef, undef, 0.001;
    if (vec($read, 0, 1)) {
      my $got = sysread(STDIN, $in, 65536, length $in);
      last if defined $got ? $got == 0 : $! != EINTR;
      my $length;
      while (length $in >= 4 && length $in >= 4 + ($length = unpack "N", $in)) {
        $heard = now();
        take(substr $in, 4, $length);
        substr($in, 0, 4 + $length) = "";
      }
      last if length $in >= 4 && unpack("N", $in) > $FRAME_BYTES;
    }
    for (keys %workers) { hear($_) if vec($read, $_, 1) }
    for (grep { length $$_{orders} } values %workers) { order($_) if vec($write, fileno $$_{orderer}, 1) }
    # A pipe that can be written takes so much without blocking.
    if (vec($write, 1, 1)) { my $sent = syswrite(STDOUT, $out, 4096); if (defined $sent) { substr($out, 0, $sent) = "" } elsif ($! != EINTR) { last } }
  }
  for (keys %workers) { finish($_, "it took more than " . "$workers{$_}{seconds} s") if %{$workers{$_}{jobs}} && $workers{$_}{until} <= now() }
  1 while waitpid(-1, WNOHANG) > 0;
  last if now() - $heard >= $SILENCE;
}
kill "KILL", -$$_{pid} for values %workers;
_exit(0);

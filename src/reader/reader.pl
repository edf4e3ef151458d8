# Answers questions about a host and can do nothing else: no question carries a command, and each value in one is
# checked before it is used. Needs perl-base alone. Protocol: protocol.ts; what can be asked: host/questions.pl.
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

#include host/base.pl
#include host/values.pl
#include host/worker.pl
#include host/owners.pl
#include host/files.pl
#include host/access.pl
#include host/places.pl
#include host/processes.pl
#include host/boot-changes.pl
#include host/packages.pl
#include host/sockets.pl
#include host/bus.pl
#include host/haproxy.pl
#include host/requests.pl
#include host/zookeeper.pl
#include host/firewall.pl
#include host/database.pl
#include host/units.pl
#include host/boot-lines.pl
#include host/questions.pl
#include host/answering.pl

my $SILENCE = 60;
my $MOST_WORKERS = 6;

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

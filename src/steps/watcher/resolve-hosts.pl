#!/usr/bin/perl
# resolve-hosts CANDIDATE: what the hosts of its servers that are names are on this host, as HAProxy will ask for them.
# Prints a line for each, parted by tabs: HOST "ok" ADDRESS…; HOST "again" when the name service does not answer;
# HOST "unknown" when it says that there is no such name. Names are asked side by side: those of a zone whose servers are
# gone hold up the others by seconds, however many they are.
use strict;
use warnings;
use Socket qw(getaddrinfo getnameinfo EAI_AGAIN SOCK_STREAM NI_NUMERICHOST NIx_NOSERV);

my $MOST_AT_ONCE = 16;
my $SECONDS = 15;

$ENV{RES_OPTIONS} = "timeout:1 attempts:2";
open my $file, "<", $ARGV[0] or die "$ARGV[0]: $!\n";
my (@names, %seen);
while (my $line = <$file>) {
  my @word = split " ", $line;
  next if ($word[0] // "") ne "server";
  my ($host) = ($word[2] // "") =~ /^([A-Za-z0-9_.-]{1,254}):\d+$/;
  push @names, $host if defined $host && $host !~ /^[0-9.]*$/ && !$seen{$host}++;
}

my $count = @names < $MOST_AT_ONCE ? @names : $MOST_AT_ONCE;
my @answers;
for my $first (0 .. $count - 1) {
  pipe(my $answer, my $tell) or die "pipe: $!\n";
  my $pid = fork // die "fork: $!\n";
  if (!$pid) {
    alarm $SECONDS;
    for (my $at = $first; $at < @names; $at += $count) { syswrite $tell, resolve($names[$at]) }
    exit;
  }
  push @answers, $answer;
}
my %line;
for my $answer (@answers) {
  while (my $line = <$answer>) { $line{$1} = $line if $line =~ /^([^\t]+)\t.*\n\z/ }
}
1 while wait > 0;
print $line{$_} // "$_\tagain\n" for @names;

sub resolve {
  my ($host) = @_;
  my ($error, @found) = getaddrinfo($host, "", { socktype => SOCK_STREAM });
  return join("\t", $host, $error == EAI_AGAIN ? "again" : "unknown") . "\n" if $error;
  my @addresses = map { (getnameinfo($_->{addr}, NI_NUMERICHOST, NIx_NOSERV))[1] // () } @found;
  return join("\t", $host, "ok", @addresses) . "\n";
}

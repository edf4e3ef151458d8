#!/usr/bin/perl
# resolve-hosts CANDIDATE: what the hosts of its servers that are names are on this host, as HAProxy will ask for them.
# Prints a line for each, parted by tabs: HOST "ok" ADDRESS…; HOST "again" when the name service does not answer;
# HOST "unknown" when it says that there is no such name.
use strict;
use warnings;
use Socket qw(getaddrinfo getnameinfo EAI_AGAIN SOCK_STREAM NI_NUMERICHOST NIx_NOSERV);

$ENV{RES_OPTIONS} = "timeout:1 attempts:2";
$| = 1;
open my $file, "<", $ARGV[0] or die "$ARGV[0]: $!\n";
my %asked;
while (my $line = <$file>) {
  my @word = split " ", $line;
  next if ($word[0] // "") ne "server";
  my ($host) = ($word[2] // "") =~ /^([A-Za-z0-9_.-]{1,254}):\d+$/;
  next if !defined $host || $host =~ /^[0-9.]*$/ || $asked{$host}++;
  my ($error, @found) = getaddrinfo($host, "", { socktype => SOCK_STREAM });
  if ($error) {
    print join("\t", $host, $error == EAI_AGAIN ? "again" : "unknown"), "\n";
    next;
  }
  my @addresses = map { (getnameinfo($_->{addr}, NI_NUMERICHOST, NIx_NOSERV))[1] // () } @found;
  print join("\t", $host, "ok", @addresses), "\n";
}

#!/usr/bin/perl
# name-addresses RESOLVED: copies a haproxy.cfg with the addresses of its servers instead of their names, as resolve-hosts
# tells them; one whose address nobody tells gets one for documentation.
use strict;
use warnings;

open my $resolved, "<", $ARGV[0] or die "$ARGV[0]: $!\n";
my %address = map { /^([^\t]+)\tok\t([^\t\n]+)/ ? ($1, $2) : () } <$resolved>;
while (my $line = <STDIN>) {
  $line =~ s{^(\s*server \S+ )([A-Za-z0-9_.-]*[A-Za-z_-][A-Za-z0-9_.-]*)(:\d+)}{$1 . ($address{$2} // "192.0.2.1") . $3}e;
  print $line;
}

#!/usr/bin/perl
# halve-new-servers CURRENT CANDIDATE LEFT_OUT REASON: takes half of the servers that the configuration CURRENT does not have
# out of CANDIDATE, those that stand last, and adds them to LEFT_OUT: "refused", SERVICE/SERVER and the reason, parted by tabs.
# Exit code 1 when CURRENT has them all.
use strict;
use warnings;

my ($current, $candidate, $left_out, $reason) = @ARGV;

sub lines_of {
  open my $file, "<", $_[0] or die "$_[0]: $!\n";
  return <$file>;
}

# Each line with the server that it is, as SERVICE/SERVER, or "". The back end for times of panic is its service's.
sub with_servers {
  my $service = "";
  return map {
    my @word = split " ";
    $service = $word[1] =~ s/:panic\z//r if @word > 1 && $word[0] eq "backend";
    [$_, @word > 1 && $word[0] eq "server" ? "$service/$word[1]" : ""];
  } @_;
}

sub written {
  my ($path, $how, @text) = @_;
  open my $file, $how, $path or die "$path: $!\n";
  print $file @text or die "$path: $!\n";
  close $file or die "$path: $!\n";
}

my %known = map { $$_[1] => 1 } with_servers(-e $current ? lines_of($current) : ());
my @lines = with_servers(lines_of($candidate));
my %seen;
my @new = grep { $_ ne "" && !$known{$_} && !$seen{$_}++ } map { $$_[1] } @lines;
exit 1 if !@new;

my %dropped = map { $_ => 1 } @new[int(@new / 2) .. $#new];
# Nobody misses one that has left already.
my %leaving = map { $$_[1] => 1 } grep { grep { $_ eq "disabled" } split " ", $$_[0] } @lines;
$reason =~ s/[\t\n]/ /g;
written($candidate, ">", map { $$_[0] } grep { !$dropped{$$_[1]} } @lines);
written($left_out, ">>", map { "refused\t$_\t$reason\n" } grep { $dropped{$_} && !$leaving{$_} } @new);

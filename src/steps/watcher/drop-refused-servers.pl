#!/usr/bin/perl
# drop-refused-servers CONFIG MESSAGES HEADER_LINES CANDIDATE LEFT_OUT: takes the servers that HAProxy's alerts name by
# their lines of CONFIG out of CANDIDATE, which is CONFIG without its first HEADER_LINES lines, and adds them to LEFT_OUT:
# "refused", SERVICE/SERVER and what HAProxy says, parted by tabs. Exit code 1 when the alerts name none.
use strict;
use warnings;

my ($config, $messages, $header_lines, $candidate, $left_out) = @ARGV;

sub lines_of {
  open my $file, "<", $_[0] or die "$_[0]: $!\n";
  return <$file>;
}

my %refused;
for my $message (grep { /ALERT/ } lines_of($messages)) {
  my ($line) = $message =~ /\[\Q$config\E:(\d+)\]/ or next;
  chomp $message;
  $message =~ s/.*\[\Q$config\E:\d+\]\s*:?\s*//;
  $refused{$line - $header_lines - 1} //= substr $message, 0, 300;
}

my ($section, $number, @kept, @left_out, $dropped) = ("", -1);
for my $line (lines_of($candidate)) {
  my @word = split " ", $line;
  $number++;
  $section = $word[1] // "" if ($word[0] // "") eq "backend";
  if (defined $refused{$number} && ($word[0] // "") eq "server") {
    $dropped = 1;
    # Nobody misses one that has left already.
    push @left_out, join("\t", "refused", "$section/$word[1]", $refused{$number}) . "\n" if !grep { $_ eq "disabled" } @word;
    next;
  }
  push @kept, $line;
}
exit 1 if !$dropped;

open my $out, ">", $candidate or die "$candidate: $!\n";
print $out @kept or die "$candidate: $!\n";
close $out or die "$candidate: $!\n";
open my $list, ">>", $left_out or die "$left_out: $!\n";
print $list @left_out or die "$left_out: $!\n";
close $list or die "$left_out: $!\n";

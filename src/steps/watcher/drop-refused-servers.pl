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

# A server that is refused in the back end for times of panic, which stands behind the first, is so in both.
my @lines = lines_of($candidate);
my ($section, %because) = ("");
sub server_of {
  my @word = split " ", $_[0];
  $section = ($word[1] // "") =~ s/:panic$//r if ($word[0] // "") eq "backend";
  return ($word[0] // "") eq "server" ? "$section/$word[1]" : "";
}
for my $number (0 .. $#lines) {
  my $server = server_of($lines[$number]);
  $because{$server} //= $refused{$number} if $server ne "" && defined $refused{$number};
}

my (@kept, @left_out, %said, $dropped);
$section = "";
for my $line (@lines) {
  my $server = server_of($line);
  if (!defined $because{$server}) {
    push @kept, $line;
    next;
  }
  $dropped = 1;
  # Nobody misses one that has left already.
  push @left_out, join("\t", "refused", $server, $because{$server}) . "\n"
    if !$said{$server}++ && !grep { $_ eq "disabled" } split " ", $line;
}
exit 1 if !$dropped;

open my $out, ">", $candidate or die "$candidate: $!\n";
print $out @kept or die "$candidate: $!\n";
close $out or die "$candidate: $!\n";
open my $list, ">>", $left_out or die "$left_out: $!\n";
print $list @left_out or die "$left_out: $!\n";
close $list or die "$left_out: $!\n";

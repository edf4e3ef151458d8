# await-canary.pl served|gone SERVICE SERVER MODE ADDRESS PORT COOKIE NONCE SECONDS: waits until this host's HAProxy
# serves the canary, which is SERVER in the back end SERVICE: in http mode until a request to the front end at
# ADDRESS:PORT that asks for SERVER by COOKIE is answered with NONCE, in tcp mode until its health check has passed. Or
# until it is gone: no such server, or in maintenance. Prints one record when it is so, or when SECONDS have passed:
#   "yes" | "no", the server's status or "absent", its last check or "", what answered the request or ""
use strict;
use warnings;
use IO::Socket::IP;
use IO::Socket::UNIX;
$SIG{PIPE} = "IGNORE";
my ($wanted, $service, $server, $mode, $address, $port, $cookie, $nonce, $seconds) = @ARGV;

# Columns 17 and 36 of `show stat`: status, check_status.
sub look {
  my $socket = IO::Socket::UNIX->new(Peer => "/run/haproxy/admin.sock") or return ("HAProxy does not answer: $!", "");
  print $socket "show stat\n";
  vec(my $ready = "", fileno $socket, 1) = 1;
  select($ready, undef, undef, 2) or return ("HAProxy does not answer", "");
  for (<$socket>) {
    my @column = split /,/;
    return @column[17, 36] if @column > 36 && $column[0] eq $service && $column[1] eq $server;
  }
  return ("absent", "");
}

sub call {
  my $socket = IO::Socket::IP->new(PeerAddr => $address, PeerPort => $port, Timeout => 1) or return "nobody: $!";
  print $socket "GET /meshctl-probe HTTP/1.0\r\nHost: $service\r\nCookie: $cookie=$server\r\n\r\n";
  my $answer = "";
  while (length $answer < 65536) {
    vec(my $ready = "", fileno $socket, 1) = 1;
    select($ready, undef, undef, 2) or return "nobody within 2 s";
    sysread($socket, $answer, 8192, length $answer) or last;
  }
  my ($head, $body) = split /\r?\n\r?\n/, $answer, 2;
  return "the canary" if defined $body && $body eq $nonce;
  my ($first) = split /\r?\n/, $answer;
  return "something else: " . ($first // "");
}

my ($status, $check, $answered) = ("absent", "", "");
my $ends_at = time + $seconds;
# A server that is not asked for by the cookie is the application: it must not be bothered again and again.
my $strangers = 0;
my $yes = 0;
until ($yes) {
  ($status, $check) = look();
  my $is_there = $status !~ /^(absent$|MAINT|HAProxy does)/;
  if ($wanted eq "gone") {
    $yes = !$is_there && $status !~ /^HAProxy/;
  } elsif ($is_there && $mode eq "tcp") {
    # A server that comes out of maintenance still shows its last check, and counts as up until it fails the
    # next: as "UP 1/2", "DRAIN 1/2" until then. Without the fraction it has passed one since.
    $yes = $check =~ /OK/ && $status =~ /^(UP|DRAIN|NOLB)$/;
  } elsif ($is_there && $strangers < 5) {
    $answered = call();
    $yes = $answered eq "the canary";
    $strangers++ if $answered =~ /^something else: HTTP\S* (?!503)/;
  }
  last if $yes || time >= $ends_at;
  select undef, undef, undef, 0.1;
}
print join("\t", $yes ? "yes" : "no", map { s/[\t\n\r]/ /gr } $status, $check // "", $answered), "\n";

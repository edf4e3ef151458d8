#!/usr/bin/perl
# A tiny HTTP/1.0 backend that needs perl-base only: backend.pl PORT NAME [ADDRESS]
# GET /health answers 200 OK, every other path 200 with NAME, so that a test sees who answered. After SIGUSR1 one in
# twenty of these is a 500, until the next SIGUSR1.
use strict;
use warnings;
use IO::Socket::INET;

my ($port, $name, $address) = @ARGV;
die "usage: backend.pl PORT NAME [ADDRESS]\n" unless defined $name && $port =~ /\A[0-9]+\z/;

$SIG{PIPE} = 'IGNORE';
$SIG{CHLD} = 'IGNORE';    # the kernel reaps the children
my $fails = 0;
$SIG{USR1} = sub { $fails = !$fails };
$SIG{TERM} = $SIG{INT} = sub { exit 0 };

my $server = IO::Socket::INET->new(
    LocalAddr => $address // '0.0.0.0',
    LocalPort => $port,
    Proto     => 'tcp',
    Listen    => 128,
    ReuseAddr => 1,
) or die "cannot listen on port $port: $@\n";

while (1) {
    my $client = $server->accept or next;
    my $pid = fork;
    if (!defined $pid) {
        close $client;
        select undef, undef, undef, 0.1;
        next;
    }
    if ($pid) {
        close $client;
        next;
    }
    close $server;
    $SIG{ALRM} = 'DEFAULT';    # a client that says nothing ends its child
    alarm 5;
    my $request = '';
    while ($request !~ /\r?\n\r?\n/ && length $request < 8192) {
        sysread $client, $request, 4096, length $request or last;
    }
    exit 0 unless $request =~ m{\A([A-Z]+) (\S+)};
    my ($method, $path) = ($1, $2);
    my $body = $path eq '/health' ? "OK\n" : "$name\n";
    my $length = length $body;
    srand;                     # else every child begins with the same number
    my $status = $fails && $path ne '/health' && rand() < 0.05 ? '500 Internal Server Error' : '200 OK';
    my $answer = "HTTP/1.0 $status\r\nContent-Type: text/plain\r\nContent-Length: $length\r\nConnection: close\r\n\r\n";
    $answer .= $body unless $method eq 'HEAD';
    while (length $answer) {
        my $written = syswrite $client, $answer;
        last unless defined $written;
        substr $answer, 0, $written, '';
    }
    shutdown $client, 1;
    exit 0;
}

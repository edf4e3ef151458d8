#!/usr/bin/perl
# A tiny HTTP/1.0 backend that needs perl-base only, one process for all its clients: backend.pl PORT NAME [ADDRESS [PROXY]]
# GET /health answers 200 OK, every other path 200 with NAME, so that a test sees who answered. After SIGUSR1 one in
# twenty of these is a 500, until the next SIGUSR1. With PROXY every other path is asked of that port of 127.0.0.1, and the
# answer passed on: 502 when there is none.
use strict;
use warnings;
use IO::Select;
use IO::Socket::INET;

my ($port, $name, $address, $proxy) = @ARGV;
die "usage: backend.pl PORT NAME [ADDRESS [PROXY]]\n" unless defined $name && $port =~ /\A[0-9]+\z/;

my $MOST_SECONDS = 5;    # a client or a proxy that says nothing is given up

$SIG{PIPE} = 'IGNORE';
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

my $reading = IO::Select->new($server);
my $writing = IO::Select->new;
my %connection;          # by file number: what was read, when it is given up, and of a proxy's the client that waits

while (1) {
    my ($readable, $writable) = IO::Select->select($reading, $writing, undef, 1);
    ask($_) for @{ $writable // [] };
    for my $socket (@{ $readable // [] }) {
        next unless defined fileno $socket;
        $socket == $server ? accepted() : heard($socket);
    }
    for my $late (grep { $_->{until} < time } values %connection) {
        $late->{client} ? passed_on($late) : dropped($late);
    }
}

sub accepted {
    my $client = $server->accept or return;
    watched($client);
}

sub watched {
    my ($socket, %more) = @_;
    $reading->add($socket);
    return $connection{ fileno $socket } = { socket => $socket, read => '', until => time + $MOST_SECONDS, %more };
}

sub heard {
    my ($socket) = @_;
    my $heard = $connection{ fileno $socket } or return;
    my $got = sysread $socket, $heard->{read}, 65536, length $heard->{read};
    if ($heard->{client}) {
        passed_on($heard) unless $got;
    } elsif (!$got || length $heard->{read} > 8192) {
        dropped($heard);
    } elsif ($heard->{read} =~ /\r?\n\r?\n/) {
        requested($heard);
    }
}

sub requested {
    my ($client) = @_;
    my ($method, $path) = $client->{read} =~ m{\A([A-Z]+) (\S+)} or return dropped($client);
    if (defined $proxy && $path ne '/health') {
        $reading->remove($client->{socket});
        $client->{until} = 9**9**9;    # the proxy's answer ends it
        my $upstream = IO::Socket::INET->new(
            PeerAddr => '127.0.0.1', PeerPort => $proxy, Proto => 'tcp', Blocking => 0,
        ) or return answered($client, '502 Bad Gateway', "$name\n");
        watched($upstream, client => $client);
        $writing->add($upstream);
        return;
    }
    my $status = $fails && $path ne '/health' && rand() < 0.05 ? '500 Internal Server Error' : '200 OK';
    my $body = $path eq '/health' ? "OK\n" : "$name\n";
    answered($client, $status, $body, $method eq 'HEAD');
}

# Sends a request to the proxy, once the connection is there.
sub ask {
    my ($socket) = @_;
    $writing->remove($socket);
    syswrite $socket, "GET / HTTP/1.0\r\nHost: mesh\r\n\r\n";
}

# Gives the client what its request's proxy said.
sub passed_on {
    my ($upstream) = @_;
    my ($status, $body) = $upstream->{read} =~ m{\AHTTP/1\.[01] ([0-9]{3} [^\r\n]*)\r\n.*?\r\n\r\n(.*)\z}s;
    my $client = $upstream->{client};
    dropped($upstream);
    answered($client, $status // '502 Bad Gateway', $body // "$name\n");
}

sub answered {
    my ($client, $status, $body, $is_head) = @_;
    my $length = length $body;
    my $answer = "HTTP/1.0 $status\r\nContent-Type: text/plain\r\nContent-Length: $length\r\nConnection: close\r\n\r\n";
    $answer .= $body unless $is_head;
    while (length $answer) {
        my $written = syswrite $client->{socket}, $answer;
        last unless defined $written;
        substr $answer, 0, $written, '';
    }
    shutdown $client->{socket}, 1;
    dropped($client);
}

sub dropped {
    my ($connection) = @_;
    my $socket = $connection->{socket};
    $reading->remove($socket);
    $writing->remove($socket);
    delete $connection{ fileno $socket };
    close $socket;
}

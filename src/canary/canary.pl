# canary.pl ADDRESS PORT NONCE MEMBERS NODE DATA SECONDS: a backend that answers every request with NONCE, registered as
# the ephemeral NODE (a path) that holds DATA. MEMBERS are ADDRESS:PORT of the ensemble, parted by commas. Prints a
# line once it is registered. When its standard input ends it takes the node away at once and itself some seconds
# later, so that no health check fails while HAProxy hears of it. After SECONDS it is gone whatever happens; killed,
# its node goes with its session. With an account in MESHCTL_ACCOUNT ("USER:PASSWORD", or "") others may
# read the node, and not change it.
use strict;
use warnings;
use IO::Select;
use IO::Socket::IP;

$SIG{PIPE} = "IGNORE";
$SIG{HUP} = "IGNORE";
my $linger = 3;
my $session_ms = 6000;
my ($address, $port, $nonce, $members, $node, $data, $seconds) = @ARGV;
alarm $seconds;
my $listener = IO::Socket::IP->new(LocalHost => $address, LocalService => $port, Listen => 128, ReuseAddr => 1)
  or fail("cannot listen on $address:$port: $!. Another probe may run; --port names another port");
my $zookeeper = session($members, $session_ms);
# create is request 1, with an ACL of all rights (31) for everybody, or for this session alone and the right to
# read (1) for others; 1 is ephemeral.
my $account = $ENV{MESHCTL_ACCOUNT};
my $everybody = text("world") . text("anyone");
my $acl = $account eq "" ? pack("NN", 1, 31) . $everybody : pack("NN", 2, 31) . text("auth") . text("") . pack("N", 1) . $everybody;
my $create = pack("NN", 1, 1) . text($node) . text($data) . $acl . pack("N", 1);
my $error;
if ($account ne "") {
  eval { $error = authenticate($zookeeper, $account); 1 } or fail("ZooKeeper: $@");
  $error and fail("ZooKeeper refused the account with error $error");
}
for my $try (1 .. 12) {
  eval { transmit($zookeeper, $create); $error = outcome($zookeeper, 1); 1 } or fail("ZooKeeper: $@");
  last if $error != -110;
  # Of a probe that was cut off: it goes with its session.
  sleep 1;
  eval { transmit($zookeeper, pack "NN", 0xFFFFFFFE, 11) };
}
$error == -110 and fail("$node is there already and stays: another probe runs");
$error == -102 and fail("$node: ZooKeeper does not let this account register: see verify, and mesh.zookeeper.auth");
$error == -101 and fail("$node: its parent is not there: nothing was ever registered");
$error and fail("ZooKeeper answered the registration of $node with error $error");
$| = 1;
print "registered $address:$port\n";

# Synchronous and short, so that nothing is in the way when the node has to go.
my $select = IO::Select->new($listener, $zookeeper, \*STDIN);
my (%request, $ends_at);
my $pinged_at = time;
while (!defined $ends_at || time < $ends_at) {
  for my $ready ($select->can_read(0.5)) {
    if ($ready == $listener) {
      my $client = $listener->accept or next;
      $client->blocking(0);
      $select->add($client);
      $request{$client} = "";
    } elsif (defined $zookeeper && $ready == $zookeeper) {
      eval { packet($zookeeper); 1 } or fail("the session with ZooKeeper is lost");
    } elsif ($ready == \*STDIN) {
      next if sysread(STDIN, my $ignored, 4096);
      $select->remove(\*STDIN);
      # delete is request 2, of any version; closeSession is -11, and takes the node away too.
      eval {
        transmit($zookeeper, pack("NN", 2, 2) . text($node) . pack("N", 0xFFFFFFFF));
        outcome($zookeeper, 2);
        transmit($zookeeper, pack "NN", 3, 0xFFFFFFF5);
      };
      $select->remove($zookeeper);
      $zookeeper = undef;
      $ends_at = time + $linger;
    } else {
      my $got = sysread($ready, $request{$ready}, 8192, length $request{$ready});
      next if $got && $request{$ready} !~ /\n\r?\n/ && length $request{$ready} < 65536;
      if ($got) {
        my $body = $request{$ready} =~ /^HEAD / ? "" : $nonce;
        my $length = length $nonce;
        syswrite($ready, "HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\nContent-Length: $length\r\nConnection: close\r\n\r\n$body");
      }
      $select->remove($ready);
      delete $request{$ready};
      close $ready;
    }
  }
  if (defined $zookeeper && time - $pinged_at >= 1) {
    $pinged_at = time;
    eval { transmit($zookeeper, pack "NN", 0xFFFFFFFE, 11); 1 } or fail("the session with ZooKeeper is lost");
  }
}

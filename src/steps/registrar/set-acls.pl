# set-acls.pl close|open CREDENTIALS MEMBERS COUNT ABOVE... PATH...: sets who may change what in ZooKeeper. MEMBERS are
# ADDRESS:PORT of the ensemble, parted by commas; the first COUNT paths are above those of the services. "close": the
# account in the file CREDENTIALS ("secret=USER:PASSWORD") may do all, others read, and create above; what is not there
# is created. "open": everybody may do all.
use strict;
use warnings;

my ($verb, $file, $members, $count, @paths) = @ARGV;
open(my $in, "<", $file) or fail("$file: $!");
my ($credentials) = join("", <$in>) =~ /^secret=(.*)$/m or fail("$file holds no account");

my $zookeeper = session($members, 6000);

# The error of the answer to a request: its kind and what follows.
sub ask {
  my ($xid, $request) = @_;
  transmit($zookeeper, pack("N", $xid) . $request);
  return outcome($zookeeper, $xid);
}

eval {
  my $error = authenticate($zookeeper, $credentials);
  $error and die "it refused the credentials with error $error\n";
  my $xid = 0;
  for my $path (@paths) {
    my $others = $count-- > 0 ? 5 : 1;
    # "auth" stands for the account of this session; 1 is the right to read, 4 to create, 31 all.
    my $acl = $verb eq "close" ? pack("N N N/a N/a N N/a N/a", 2, 31, "auth", "", $others, "world", "anyone") : pack("N N N/a N/a", 1, 31, "world", "anyone");
    # setACL is request 7, of any version; create is 1. NoNode is -101, NodeExists -110, NoAuth -102.
    my $set = pack("N/a", $path) . $acl . pack("N", 0xFFFFFFFF);
    $error = ask(++$xid, pack("N", 7) . $set);
    if ($error == -101 && $verb eq "close") {
      $error = ask(++$xid, pack("N", 1) . pack("N/a N/a", $path, "") . $acl . pack("N", 0));
      $error = ask(++$xid, pack("N", 7) . $set) if $error == -110;
    }
    next if $error == 0 || ($error == -101 && $verb eq "open");
    $error == -102 and die "the account in $file may not change $path: it is closed for another\n";
    die "error $error for $path\n";
  }
  eval { ask(++$xid, pack "N", 0xFFFFFFF5) };
  1;
} or fail("ZooKeeper: $@");

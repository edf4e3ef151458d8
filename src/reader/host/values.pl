# Values in questions: how each kind looks.

my %VALUE = (
  unit => qr/\A(?:-\.slice|[A-Za-z0-9_][A-Za-z0-9:_.\\@-]{0,250}\.(?:service|path|timer|mount|socket|target|slice|device|swap))\z/,
  # Of a unit; what is given to a service in secret is nobody's question.
  property => qr/\A(?!\w*Credential)[A-Z]\w{1,40}\z/,
  condition => qr/\A(?:Condition|Assert)[A-Za-z0-9]{1,40}=[^\0\n]{0,1000}\z/,
  path => qr{\A/[^\0\n]*\z},
  plain_path => qr{\A/[A-Za-z0-9_./@+-]{0,4095}\z},
  user => qr/\A[a-z_][a-z0-9_-]{0,31}\z/,
  package => qr/\A[a-z0-9][a-z0-9+.-]{0,99}\z/,
  port => qr/\A[1-9][0-9]{0,4}\z/,
  number => qr/\A[0-9]{1,4}\z/,
  seconds => qr/\A[0-9]{1,5}(?:\.[0-9]{1,3})?\z/,
  pid => qr/\A[1-9][0-9]{0,9}\z/,
  invocation => qr/\A[0-9a-f]{32}\z/,
  yes_no => qr/\A(?:yes|no)\z/,
  word => qr/\A(?:srvr|mntr|conf|isro|ruok)\z/,
  server => qr/\A(?:mariadb|mysql)\z/,
  method => qr/\A(?:GET|HEAD|OPTIONS|)\z/,
  host => qr/\A[A-Za-z0-9_][A-Za-z0-9_.-]{0,252}\z/,
  account => qr/\A(?:root|own|debian)\z/,
  digest => qr/\A(?:[0-9a-f]{64}|)\z/,
  name => qr/\A[A-Za-z0-9_.-]{1,64}\z/,
  http_path => qr{\A(?:/[^\x00-\x20\x7f]{0,1023}|)\z},
  any => qr/\A[^\0\n]{0,4096}\z/,
  kernel_key => qr{\A(?:[A-Za-z0-9_.-]{1,64}/){1,9}[A-Za-z0-9_.-]{1,64}\z},
);

sub checked {
  my ($kind, $value) = @_;
  defined $value or die "the reader refuses it: a $kind is missing\n";
  if ($kind eq "address") {
    inet_pton($value =~ /:/ ? AF_INET6 : AF_INET, $value) or die "the reader refuses an address: $value\n";
  } else {
    $value =~ $VALUE{$kind} or die "the reader refuses a $kind: $value\n";
  }
  return $value;
}

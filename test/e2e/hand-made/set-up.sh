#!/bin/sh
# set-up.sh PROXY CA_FILE ID HAPROXY_CONFIG ADDRESS...: SmartStack as a person sets it up on the host that is member ID of these
# addresses: the released gems by gem, Debian's HAProxy and ZooKeeper, configuration files in places of their own. PROXY is
# what packages and gems come through.
set -e

proxy=$1 ca=$2 id=$3 haproxy_config=$4
shift 4
own=$(printf '%s\n' "$@" | sed -n "${id}p")
members=$(printf '"%s:2181", ' "$@" | sed 's/, $//')
export DEBIAN_FRONTEND=noninteractive http_proxy="$proxy" https_proxy="$proxy" SSL_CERT_FILE="$ca"
apt-get -q update
apt-get -q -y install --no-install-recommends haproxy zookeeper default-jre-headless ruby ca-certificates
systemctl stop haproxy

# Compiled once: the others get what the first host has.
if [ ! -x /usr/local/bin/nerve ]; then
  apt-get -q -y install --no-install-recommends ruby-dev gcc make libc6-dev patch
  # zk 1.9.5, which both name, has not compiled for years: people take 1.10 and say so in the gem's own file.
  for gem in hashdiff:0.2.3 dogstatsd-ruby:3.3.0 amq-protocol:1.9.2 bunny:1.1.0 zookeeper:1.5.5 zk:1.10.0 synapse:0.16.2 nerve:0.8.1; do
    CFLAGS="-g -O2 -Wno-error=discarded-qualifiers" gem install --no-document --ignore-dependencies "${gem%:*}" -v "${gem#*:}"
  done
  for gem in synapse nerve; do
    bin=$(gem contents $gem | grep "/bin/$gem\$")
    lib=$(gem environment gemdir)
    cat >"/usr/local/bin/$gem" <<PROGRAM
#!/bin/sh
RUBYLIB=\$(ls -d $lib/gems/*/lib $lib/gems/zookeeper-*/ext | paste -sd:)
export RUBYLIB
exec ruby $bin "\$@"
PROGRAM
    chmod 0755 "/usr/local/bin/$gem"
  done
fi

mkdir -p /srv/zk/conf /srv/zk/data /srv/smartstack/services.d
echo "$id" >/srv/zk/data/myid
{
  printf 'tickTime=3000\ninitLimit=20\nsyncLimit=7\ndataDir=/srv/zk/data\nclientPort=2181\nmaxClientCnxns=200\nadmin.enableServer=false\n'
  member=0
  for address in "$@"; do
    member=$((member + 1))
    echo "server.$member=$address:2888:3888"
  done
} >/srv/zk/conf/zoo.cfg
chown -R zookeeper:zookeeper /srv/zk
cat >/etc/systemd/system/zookeeper.service <<'UNIT'
[Service]
User=zookeeper
ExecStart=/usr/bin/java -Xmx160m -cp /usr/share/java/zookeeper.jar:/usr/share/java/slf4j-simple.jar org.apache.zookeeper.server.quorum.QuorumPeerMain /srv/zk/conf/zoo.cfg
Restart=always
SuccessExitStatus=143
[Install]
WantedBy=multi-user.target
UNIT

# Synapse ends its file without a line break, which HAProxy refuses since 2.3.
cat >/srv/smartstack/synapse.json <<JSON
{
  "haproxy": {
    "bind_address": "127.0.0.1",
    "reload_command": "echo >>$haproxy_config && systemctl reload haproxy",
    "config_file_path": "$haproxy_config",
    "socket_file_path": "/run/haproxy/admin.sock",
    "do_writes": true, "do_reloads": true, "do_socket": true,
    "global": [
      "log /dev/log local0", "user haproxy", "group haproxy", "maxconn 4000",
      "stats socket /run/haproxy/admin.sock mode 660 level admin"
    ],
    "defaults": [
      "log global", "mode http", "option dontlognull", "option redispatch", "retries 3", "maxconn 2000",
      "timeout connect 2s", "timeout client 60s", "timeout server 60s"
    ],
    "extra_sections": { "listen stats": ["bind 127.0.0.1:3212", "mode http", "stats enable", "stats uri /"] }
  },
  "services": {
    "users": {
      "discovery": { "method": "zookeeper", "path": "/smartstack/services/users", "hosts": [$members] },
      "haproxy": { "port": 3210, "server_options": "check inter 2s rise 2 fall 3", "listen": ["mode http", "option httpchk GET /health"] }
    }
  }
}
JSON
cat >/srv/smartstack/nerve.json <<JSON
{ "instance_id": "$(hostname)", "service_conf_dir": "/srv/smartstack/services.d" }
JSON
cat >/srv/smartstack/services.d/users.json <<JSON
{
  "host": "$own", "port": 9000, "reporter_type": "zookeeper", "zk_hosts": [$members], "zk_path": "/smartstack/services/users",
  "check_interval": 1, "checks": [{ "type": "http", "uri": "/health", "timeout": 0.5, "rise": 2, "fall": 3 }]
}
JSON
for program in synapse nerve; do
  cat >"/etc/systemd/system/$program.service" <<UNIT
[Service]
ExecStart=/usr/local/bin/$program --config /srv/smartstack/$program.json
Restart=always
RestartSec=2
[Install]
WantedBy=multi-user.target
UNIT
done
[ "$haproxy_config" = /etc/haproxy/haproxy.cfg ] || echo "CONFIG=$haproxy_config" >>/etc/default/haproxy
cp -n /etc/haproxy/haproxy.cfg "$haproxy_config" 2>/dev/null || true

# The last one is a database, too, with settings that somebody has thought about.
if [ "$id" = 3 ]; then
  apt-get -q -y install --no-install-recommends mariadb-server
  printf '[mysqld]\ninnodb_buffer_pool_size = 96M\ninnodb_log_file_size = 48M\ninnodb_flush_log_at_trx_commit = 2\n' >/etc/mysql/mariadb.conf.d/70-own.cnf
  systemctl restart mariadb
fi

systemctl daemon-reload
systemctl enable --now zookeeper haproxy nerve synapse

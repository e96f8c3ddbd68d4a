#!/usr/bin/env bash
# Real Kafka brokers (KRaft, each broker and controller in one) on loopback, for tests. Needs a Java 17 or newer, Maven and bash.
#
#   kafka.sh fetch              jars into $KAFKA_LIB (once; about 45 MB, some ten seconds)
#   kafka.sh start DIR [N]      N brokers (default 1) with their data in DIR, a new folder; prints bootstrap=HOST:PORT,...
#   kafka.sh hold DIR [N]       the same, then waits until its standard input ends, stops them and removes DIR
#   kafka.sh kill DIR ID        kill -9 of one broker
#   kafka.sh up DIR ID          starts one stopped broker again on its old data and ports
#   kafka.sh stop DIR           stops all of DIR's brokers by their pids (TERM, then KILL after 20 s)
#
# Each broker has three listeners: PLAINTEXT; SASL_SSL (PLAIN and SCRAM-SHA-512; the user `audit` with the password
# `right`); SSL, which wants a client's certificate. Beside `bootstrap=` it prints their addresses as `sasl=` and `mtls=`. DIR/tls has the certificate
# (cert.pem), which is everybody's own authority, and with its key as PKCS 12 (all.p12, password `secret`).
#
# Environment: KAFKA_LIB (folder of jars), KAFKA_HEAP (default 256m a broker), KAFKA_CONF (file of properties
# that are added to each broker's; the last of two equal keys wins), KAFKA_WAIT (seconds until a broker must be up, default 120).
set -euo pipefail
shopt -s nullglob
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
lib=${KAFKA_LIB:-${XDG_CACHE_HOME:-$HOME/.cache}/kafka-for-tests/4.4.0}

jvm=(java -Xmx"${KAFKA_HEAP:-256m}" -Xms64m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Dorg.slf4j.simpleLogger.defaultLogLevel=warn
  -Dorg.slf4j.simpleLogger.log.kafka.server=info -cp "$lib/*")

fetch() {
  [ -e "$lib/.whole" ] && return
  mkdir -p "$lib"
  mvn -q -B -f "$here/pom.xml" dependency:copy-dependencies -DincludeScope=runtime -DoutputDirectory="$lib"
  : > "$lib/.whole"
}

taken() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

free_port() {
  local p
  while p=$((20000 + RANDOM % 12000)); do
    case " $ports " in *" $p "*) continue ;; esac
    taken "$p" || { ports+=" $p"; port=$p; return; }
  done
}

certify() { # DIR
  mkdir -p "$1/tls"
  keytool -genkeypair -alias all -keyalg EC -groupname secp256r1 -validity 30 -dname CN=audit -ext san=ip:127.0.0.1 \
    -storetype PKCS12 -keystore "$1/tls/all.p12" -storepass secret > "$1/tls/log" 2>&1
  keytool -exportcert -rfc -alias all -keystore "$1/tls/all.p12" -storepass secret > "$1/tls/cert.pem" 2>> "$1/tls/log"
  keytool -importcert -noprompt -alias ca -file "$1/tls/cert.pem" -storetype PKCS12 -keystore "$1/tls/trust.p12" \
    -storepass secret >> "$1/tls/log" 2>&1
}

configure() { # DIR N: writes DIR/ID/server.properties and formats each broker's storage
  local dir=$1 n=$2 i voters= port ports= replicas=$(($2 < 3 ? 1 : 3)) isr=$(($2 < 3 ? 1 : 2)) own
  local -a client control sasl mtls
  for ((i = 1; i <= n; i++)); do
    free_port; client[i]=$port
    free_port; control[i]=$port
    free_port; sasl[i]=$port
    free_port; mtls[i]=$port
    voters+="${voters:+,}$i@127.0.0.1:${control[i]}"
  done
  certify "$dir"
  for ((i = 1; i <= n; i++)); do
    own="PLAINTEXT://127.0.0.1:${client[i]},SASL_SSL://127.0.0.1:${sasl[i]},SSL://127.0.0.1:${mtls[i]}"
    mkdir -p "$dir/$i"
    cat > "$dir/$i/server.properties" <<EOF
process.roles=broker,controller
node.id=$i
controller.quorum.voters=$voters
controller.listener.names=CONTROLLER
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SASL_SSL:SASL_SSL,SSL:SSL
listeners=$own,CONTROLLER://127.0.0.1:${control[i]}
advertised.listeners=$own
inter.broker.listener.name=PLAINTEXT
ssl.keystore.type=PKCS12
ssl.keystore.location=$dir/tls/all.p12
ssl.keystore.password=secret
ssl.key.password=secret
ssl.truststore.type=PKCS12
ssl.truststore.location=$dir/tls/trust.p12
ssl.truststore.password=secret
listener.name.ssl.ssl.client.auth=required
sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-512
listener.name.sasl_ssl.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required user_audit="right";
listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;
log.dirs=$dir/$i/data
num.network.threads=2
num.io.threads=2
background.threads=2
num.partitions=2
default.replication.factor=$replicas
min.insync.replicas=$isr
offsets.topic.num.partitions=4
offsets.topic.replication.factor=$replicas
transaction.state.log.num.partitions=4
transaction.state.log.replication.factor=$replicas
transaction.state.log.min.isr=$isr
share.coordinator.state.topic.num.partitions=1
share.coordinator.state.topic.replication.factor=$replicas
share.coordinator.state.topic.min.isr=$isr
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
broker.session.timeout.ms=9000
broker.heartbeat.interval.ms=500
auto.create.topics.enable=false
log.cleaner.dedupe.buffer.size=4194304
log.index.size.max.bytes=1048576
log.retention.hours=-1
EOF
    [ -z "${KAFKA_CONF:-}" ] || cat "$KAFKA_CONF" >> "$dir/$i/server.properties"
    echo "127.0.0.1:${client[i]}" > "$dir/$i/address"
    echo "127.0.0.1:${sasl[i]}" > "$dir/$i/sasl"
    echo "127.0.0.1:${mtls[i]}" > "$dir/$i/mtls"
    "${jvm[@]}" kafka.tools.StorageTool format -t AAAAAAAAAAAAAAAAAAAAAA -c "$dir/$i/server.properties" \
      --add-scram 'SCRAM-SHA-512=[name=audit,password=right]' \
      > "$dir/$i/format.log" 2>&1 || { cat "$dir/$i/format.log" >&2; return 1; }
  done
}

launch() { # DIR ID: leaves the broker running on its own, its pid in DIR/ID/pid
  setsid "${jvm[@]}" kafka.Kafka "$1/$2/server.properties" > "$1/$2/broker.log" 2>&1 < /dev/null &
  echo $! > "$1/$2/pid"
}

await() { # DIR ID: a KRaft broker logs 'Kafka Server started' only when the controller has unfenced it
  local pid end=$((SECONDS + ${KAFKA_WAIT:-120}))
  pid=$(cat "$1/$2/pid")
  until grep -q 'Kafka Server started' "$1/$2/broker.log"; do
    kill -0 "$pid" 2>/dev/null && ((SECONDS < end)) || { tail -20 "$1/$2/broker.log" >&2; return 1; }
    sleep 0.1
  done
}

stop() { # DIR
  local f end=$((SECONDS + 20))
  for f in "$1"/*/pid; do kill "$(cat "$f")" 2>/dev/null || true; done
  for f in "$1"/*/pid; do
    while kill -0 "$(cat "$f")" 2>/dev/null; do
      ((SECONDS < end)) || kill -9 "$(cat "$f")" 2>/dev/null || true
      sleep 0.1
    done
    rm "$f"
  done
}

start() { # DIR N
  local dir i n=$2
  fetch
  mkdir -p "$1"; dir=$(cd "$1" && pwd)
  configure "$dir" "$n"
  for ((i = 1; i <= n; i++)); do launch "$dir" "$i"; done
  for ((i = 1; i <= n; i++)); do await "$dir" "$i" || { stop "$dir"; return 1; }; done
  echo "bootstrap=$(cat "$dir"/*/address | paste -sd,)"
  echo "sasl=$(cat "$dir"/*/sasl | paste -sd,)"
  echo "mtls=$(cat "$dir"/*/mtls | paste -sd,)"
}

case "${1:-}" in
  fetch) fetch ;;
  start) start "$2" "${3:-1}" ;;
  hold)
    # Whatever ends this ends the brokers too, which are in sessions of their own.
    trap 'stop "$2" 2>/dev/null; rm -rf "$2"' EXIT
    trap 'exit 1' TERM INT HUP
    start "$2" "${3:-1}"
    echo ready
    cat > /dev/null
    ;;
  kill) kill -9 "$(cat "$2/$3/pid")" && rm "$2/$3/pid" ;;
  up) dir=$(cd "$2" && pwd); launch "$dir" "$3"; await "$dir" "$3" ;;
  stop) stop "$2" ;;
  *) sed -n '2,20p' "${BASH_SOURCE[0]}" >&2; exit 2 ;;
esac

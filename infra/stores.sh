#!/usr/bin/env bash
# Throwaway PostgreSQL, Redis and Consul on free loopback ports, for the tests. Sourced by infra/test.sh; needs $scratch.
# Each sets the variable that the tests look for.

pids=()

free_port() {
  local port
  while :; do
    port=$((20000 + RANDOM % 20000))
    (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || { echo "$port"; return; }
  done
}

# wait_for WHAT COMMAND... tries for 30 seconds.
wait_for() {
  local what=$1
  shift
  for _ in $(seq 150); do
    "$@" >/dev/null 2>&1 && return 0
    sleep 0.2
  done
  say "$what did not start"
  return 1
}

start_postgres() {
  local bin="/usr/lib/postgresql/$POSTGRESQL_VERSION/bin" port run=()
  port=$(free_port)
  if [ "$(id -u)" = 0 ]; then # the server refuses to run as root
    install -d -o postgres "$scratch/postgres"
    run=(setpriv --reuid postgres --regid postgres --init-groups --)
  else
    mkdir -p "$scratch/postgres"
  fi
  "${run[@]}" "$bin/initdb" -D "$scratch/postgres/data" -U hub --auth=trust -E UTF8 --locale=C.UTF-8 >/dev/null
  "${run[@]}" "$bin/postgres" -D "$scratch/postgres/data" -p "$port" -c listen_addresses=127.0.0.1 \
    -c unix_socket_directories="$scratch/postgres" -c max_connections=200 >"$scratch/postgres.log" 2>&1 &
  pids+=($!)
  wait_for PostgreSQL "$bin/pg_isready" -h 127.0.0.1 -p "$port"
  export NOORDERHUB_TEST_POSTGRES="postgres://hub@127.0.0.1:$port/postgres?sslmode=disable"
}

start_redis() {
  local port
  port=$(free_port)
  redis-server --port "$port" --bind 127.0.0.1 --save '' --appendonly no --dir "$scratch" >"$scratch/redis.log" 2>&1 &
  pids+=($!)
  wait_for Redis redis-cli -p "$port" ping
  export NOORDERHUB_TEST_REDIS="127.0.0.1:$port"
}

start_consul() {
  local program=$1 port
  port=$(free_port)
  "$program" agent -dev -bind 127.0.0.1 -client 127.0.0.1 -http-port "$port" -dns-port -1 -grpc-port -1 \
    -serf-lan-port "$(free_port)" -serf-wan-port -1 -server-port "$(free_port)" -hcl 'disable_update_check = true' \
    >"$scratch/consul.log" 2>&1 &
  pids+=($!)
  wait_for Consul curl -fsS "http://127.0.0.1:$port/v1/status/leader"
  export NOORDERHUB_TEST_CONSUL="http://127.0.0.1:$port"
}

stop_stores() {
  local pid
  for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done
  for pid in "${pids[@]}"; do wait "$pid" 2>/dev/null || true; done
}

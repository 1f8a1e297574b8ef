
set -u

pid=
stopping=
trap 'stopping=1; [ -z "$pid" ] || kill -TERM "$pid" 2>/dev/null' TERM INT

during() { # command...: its exit code; a signal that comes meanwhile is passed on to it
  "$@" &
  pid=$!
  while :; do
    wait "$pid"
    code=$?
    if [ -z "$stopping" ] || ! kill -0 "$pid" 2>/dev/null; then
      break
    fi
  done
  pid=
  return "$code"
}

pause() { # seconds
  during sleep "$1"
  [ -z "$stopping" ] || exit 0
}

away() { # whether nobody answers at the peer's address
  (cd "$output" && exec $probe "$CORE_PEER_ADDRESS") >/dev/null 2>&1
  [ $? -eq 3 ]
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
    delay=1
    while away; do
      pause "$delay"
      delay=2
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


set -u
umask 022

log=$work/build.log
mkdir -p "$work/home" "$work/tmp" "$work/cache" "$work/output" || exit 1
: >"$log"

fail() { # sentence; the end of the log goes with it
  echo "$1" >&2
  {
    printf '%s\n' "$1"
    # No passwords of addresses, and less than the 4 KiB that Kubernetes keeps. Cut last: half an
    # address does not show that it is one.
    sed 's|://[^/@ ]*@|://***@|g' "$log" | tail -c 3500
  } 2>/dev/null >"$termination"
  exit 1
}

tool() { # program that the steps call
  command -v "$1" >/dev/null 2>&1 ||
    fail "the builder image has no $1; name one that has it in $setting"
}

step() { # name, folder, command...
  name=$1
  folder=$2
  shift 2
  rm -f "$work/status"
  {
    (cd "$folder" && exec "$@") 2>&1
    echo $? >"$work/status"
  } | tee -a "$log"
  read -r status <"$work/status" || status=unknown
  [ "$status" = 0 ] || fail "$name failed with exit code $status:"
}

# The user has no entry in passwd, and only this folder can be written.
export HOME="$work/home" TMPDIR="$work/tmp" XDG_CACHE_HOME="$work/cache"
export GOPATH="$work/cache/gopath" GOCACHE="${GOCACHE:-$work/cache/go-build}"
export GOMODCACHE="${GOMODCACHE:-$work/cache/go-mod}" GOTELEMETRY=off
# A program that any image can run, whatever C library that has.
export CGO_ENABLED="${CGO_ENABLED:-0}"
export npm_config_cache="${npm_config_cache:-$work/cache/npm}" npm_config_update_notifier=false
export PIP_CACHE_DIR="${PIP_CACHE_DIR:-$work/cache/pip}" PIP_ROOT_USER_ACTION=ignore
export GRADLE_USER_HOME="${GRADLE_USER_HOME:-$work/cache/gradle}"
# Java asks passwd, not HOME. What the user gives comes last, and wins.
MAVEN_OPTS="-Duser.home=$HOME -Dmaven.repo.local=$work/cache/maven ${MAVEN_OPTS:-}"
export MAVEN_OPTS

# Caches that a builder image brings, so that what all chaincodes need is neither fetched nor
# compiled again.
if [ -n "${TREADLE_SEED:-}" ] && [ -d "$TREADLE_SEED" ]; then
  cp -R "$TREADLE_SEED/." "$work/cache/" || fail "the caches of the builder image cannot be copied"
fi

if [ -r "$authority" ]; then
  bundle=$work/ca.crt
  : >"$bundle"
  for known in "${SSL_CERT_FILE:-}" /etc/ssl/certs/ca-certificates.crt /etc/ssl/cert.pem; do
    if [ -n "$known" ] && [ -r "$known" ]; then
      cat "$known" >"$bundle"
      break
    fi
  done
  cat "$authority" >>"$bundle"
  export SSL_CERT_FILE="$bundle" REQUESTS_CA_BUNDLE="$bundle" PIP_CERT="$bundle"
  export NODE_EXTRA_CA_CERTS="$bundle" npm_config_cafile="$bundle" GIT_SSL_CAINFO="$bundle"
  if command -v keytool >/dev/null 2>&1; then
    # Java trusts this store alone then. keytool takes one certificate at a time, and most of a
    # second for it: its own store already has what everybody knows.
    java=$(readlink -f "$(command -v keytool)")
    java=${java%/bin/keytool}
    given=$bundle
    rm -f "$work"/tmp/ca-*.pem "$work/trust.jks"
    for own in "$java/lib/security/cacerts" "$java/jre/lib/security/cacerts"; do
      if keytool -list -keystore "$own" -storepass changeit >/dev/null 2>&1; then
        cat "$own" >"$work/trust.jks"
        given=$authority
        break
      fi
    done
    awk -v to="$work/tmp/ca-" '/-BEGIN CERTIFICATE-/ { n++ } n { print > (to n ".pem") }' "$given"
    for one in "$work"/tmp/ca-*.pem; do
      keytool -importcert -noprompt -storepass changeit -keystore "$work/trust.jks" \
        -alias "${one##*/}" -file "$one" >/dev/null 2>&1 || true
    done
    trust="-Djavax.net.ssl.trustStore=$work/trust.jks -Djavax.net.ssl.trustStorePassword=changeit"
    export MAVEN_OPTS="$trust $MAVEN_OPTS" GRADLE_OPTS="$trust ${GRADLE_OPTS:-}"
  fi
fi


# shellcheck shell=sh
# probe-http.sh: the question of a heartbeat by HTTP; probe-http.awk reads the answer.
# Needs: probe scratch

# hw_probe_http URL SECONDS address= path= headers= curl= [socket=] [ca=]: the status code and the target of a
# redirect on a line of their own, then the body. Redirects are not followed. The request and what counts as an
# answer are the same with every client, whatever the host's environment and configuration files say of proxies
# and logins; lib/shell/http-request.ts has decided the words. `curl` is the URL and the headers as
# curl's configuration has them. Headers may be secrets: no process has them in its arguments.
hw_probe_http() {
  hw_words 2 'address path headers curl socket ca' "$@" || return
  hw_http_client "$1" || return
  hw_http_place || return
  # Both ends of the pipe say how they ended; the answer goes past that.
  {
    hw_found=$({
      {
        hw_http_ask "$1" "$2" 3>&-
        echo "asked $?" >&3
      } | {
        # One more character than is wanted, and one that is not of the answer.
        {
          head -c 1048577
          echo .
        } | tr '\000' ' ' | awk "$hw_probe_http_awk" >&4 3>&-
        echo "read $?" >&3
      }
    } 3>&1)
  } 4>&1
  hw_scratch_end
  case $hw_newline$hw_found in
    *"${hw_newline}read 0"* | *"${hw_newline}read 6"*"${hw_newline}asked 0"* | \
      *"${hw_newline}asked 0"*"${hw_newline}read 6"*) return 0 ;;
    *"${hw_newline}read 3"*) hw_fail "what $1 answered is not HTTP" heartbeat_failed ;;
    *"${hw_newline}read 5"*) hw_fail "the answer of $1 is larger than 1 MiB" heartbeat_failed ;;
    *) hw_fail "no answer from $1" heartbeat_failed ;;
  esac
}

# hw_http_client URL: what can ask it, into hw_http_by. Not wget: GNU's keeps neither the head of a redirect nor
# that of 204, and takes half an answer; busybox's hides the body of an error, and trusts any certificate.
hw_http_client() {
  hw_http_by=plain
  command -v awk >/dev/null || hw_without awk mawk || return
  if command -v curl >/dev/null; then
    hw_http_by=curl
  elif [ -n "$hw_want_socket" ]; then
    hw_can_talk || hw_without 'curl, socat, perl, python3 or nc' curl
  else
    case $1 in
      http://*) hw_can_connect || hw_without 'curl, bash, nc or perl' curl ;;
      *)
        hw_http_by=openssl
        command -v openssl >/dev/null || hw_without 'curl or openssl' curl
        ;;
    esac
  fi
}

# hw_http_place: what nc needs a file for is in memory where there is such a place, as with --check: asking leaves
# no trace.
hw_http_place() {
  [ "$hw_http_by" = plain ] && ! command -v bash >/dev/null || return 0
  hw_was=$hw_check hw_check=1
  hw_scratch_make
  hw_found=$?
  hw_check=$hw_was
  return "$hw_found"
}

# hw_http_ask URL SECONDS: the answer as it comes, by hw_http_by. What the host trusts is what its system does,
# not its environment.
hw_http_ask() (
  unset CURL_CA_BUNDLE SSL_CERT_FILE SSL_CERT_DIR
  case $hw_http_by in
    curl)
      set -- "$1" -sS -i --raw -m "$2" -g --noproxy '*' --path-as-is --http1.1 --proto '=http,https'
      [ -z "$hw_want_socket" ] || set -- "$@" --unix-socket "$hw_want_socket"
      [ -z "$hw_want_ca" ] || set -- "$@" --cacert "$hw_want_ca" --capath /dev/null
      shift
      hw_lines "$hw_want_curl" | curl -q -K - "$@"
      ;;
    openssl) hw_http_request | hw_http_openssl "$2" ;;
    *)
      if [ -n "$hw_want_socket" ]; then
        hw_http_request | hw_talk "$hw_want_socket" "$2"
      else
        hw_http_request | hw_connect "$hw_want_address" "$2"
      fi
      ;;
  esac
)

hw_http_request() {
  hw_carriage=$(printf '\r')
  hw_put "GET $hw_want_path HTTP/1.1$hw_carriage$hw_newline"
  hw_lines "$hw_want_headers" '' | while IFS= read -r hw_line; do
    hw_put "$hw_line$hw_carriage$hw_newline"
  done
}

# hw_http_openssl SECONDS: a request over TLS. Names are checked as curl checks them.
hw_http_openssl() {
  hw_address=${hw_want_address%:*}
  case $hw_address in
    \[* | *[!0-9.]*) ;;
    *) hw_address=[$hw_address] ;;
  esac
  case $hw_address in
    \[*)
      hw_address=${hw_address#\[}
      set -- "$1" -noservername -verify_ip "${hw_address%\]}"
      ;;
    *) set -- "$1" -servername "$hw_address" -verify_hostname "$hw_address" ;;
  esac
  [ -z "$hw_want_ca" ] || set -- "$@" -CAfile "$hw_want_ca" -no-CApath
  hw_seconds=$1
  shift
  hw_within "$hw_seconds" openssl s_client -quiet -verify_quiet -verify_return_error -connect "$hw_want_address" "$@"
}

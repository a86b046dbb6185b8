# probe-http.awk: an answer of HTTP/1, as it came, with one more character behind it (awk does not say whether
# the last line had an end). Prints `STATUS LOCATION` on a line of its own, then the body.
# Exit status: 0 complete; 3 not HTTP; 4 incomplete; 5 too large; 6 it ends where the connection ends.

BEGIN { state = "status"; ORS = ""; most = 1048576 }

# The line before this one had an end, so it can be read whole.
NR > 1 { take(before "\n") }
{ before = $0 }

END {
  if (result) exit result
  take(substr(before, 1, length(before) - 1))
  if (total > most) exit 5
  if (result) exit result
  if (state == "done") exit 0
  if (state == "open") exit 6
  if (state == "status") exit (total == 0 ? 4 : 3)
  exit 4
}

function stop(code) {
  result = code
  exit code
}

# take(TEXT): the next part of the answer: a line with its end, or what follows the last of them.
function take(text) {
  total += length(text)
  if (total > most) stop(5)
  while (text != "" && state != "done") {
    if (state == "data") text = data(text)
    else if (state == "open") {
      print text
      return
    } else {
      line = partial text
      if (line !~ /\n$/) {
        partial = line
        return
      }
      partial = text = ""
      sub(/\r?\n$/, "", line)
      if (state == "status") status_line()
      else if (state == "head") header()
      else if (state == "size") chunk_size()
      else if (state == "end") {
        # Behind the data of a chunk there is an empty line.
        if (line != "") stop(3)
        state = "size"
      } else if (line == "") state = "done"
    }
  }
}

function status_line() {
  if (line !~ /^HTTP\/1\.[0-9] [1-9][0-9][0-9]( |$)/) stop(3)
  status = substr(line, 10, 3)
  location = wanted = chunked = ""
  state = "head"
}

function header() {
  if (line == "") {
    body()
    return
  }
  if (!match(line, /:/)) stop(3)
  name = tolower(substr(line, 1, RSTART - 1))
  value = substr(line, RSTART + 1)
  gsub(/^[ \t]+|[ \t]+$/, "", value)
  if (name == "location" && location == "") location = value
  else if (name == "content-length") {
    if (value !~ /^[0-9]+$/ || (wanted != "" && wanted != value)) stop(3)
    wanted = value
  } else if (name == "transfer-encoding") {
    if (tolower(value) == "chunked") chunked = 1
    else if (tolower(value) != "identity") stop(3)
  }
}

# The head has ended. An interim answer (RFC 9110, 15.2) is followed by the real one.
function body() {
  if (status < 200 && status != 101) {
    state = "status"
    return
  }
  print status (location == "" ? "" : " " location) "\n"
  if (status < 200 || status == 204 || status == 304) state = "done"
  else if (chunked) state = "size"
  else if (wanted == "") state = "open"
  else {
    left = wanted + 0
    state = left ? "data" : "done"
  }
}

# data(TEXT): TEXT without what is of the body or the chunk.
function data(text) {
  if (length(text) < left) {
    print text
    left -= length(text)
    return ""
  }
  print substr(text, 1, left)
  text = substr(text, left + 1)
  left = 0
  state = chunked ? "end" : "done"
  return text
}

# A size in hexadecimal digits, maybe with extensions; 0 is the last, followed by trailers.
function chunk_size() {
  sub(/[ \t]*(;.*)?$/, "", line)
  if (line !~ /^[0-9A-Fa-f]+$/) stop(3)
  line = tolower(line)
  left = 0
  while (line != "") {
    left = left * 16 + index("0123456789abcdef", substr(line, 1, 1)) - 1
    line = substr(line, 2)
  }
  state = left ? "data" : "trailer"
}

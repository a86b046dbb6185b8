# known-hosts.awk: keys of SSH servers, as sshd(8) describes ssh_known_hosts; see editor.awk. Requests:
#   H NAME             the server: a name, an address, or `[NAME]:PORT`
#   M MARKER           lines with this marker: @cert-authority or @revoked; without it those that have none
#   K TYPE KEY         a key that it must have; of lines without a marker others of that type go
#   O exclusive        others go, whatever their type
#   D                  the server must not have these keys; without a key: none at all
# Letter case does not count in names. Which hashed names are the server's only ssh-keygen can say: it is asked where the
# file has any.

function known_hosts_request(kind, rest) {
  if (kind == "F") {
    known_keys = 0
    known_marker = known_exclusive = known_absent = ""
    split("", known_types)
  }
  else if (kind == "H") known_name = tolower(rest)
  else if (kind == "M") known_marker = rest
  else if (kind == "K") {
    known_key[++known_keys] = rest
    sub(/ .*/, "", rest)
    known_types[rest] = 1
  }
  else if (kind == "O") known_exclusive = 1
  else known_absent = 1
}

# Reads a line: known_names, and known_has, its type and key.
function known_hosts_read(text,   word, n, at) {
  text = trim(text)
  if (text == "" || text ~ /^#/) return 0
  n = split(text, word, /[ \t]+/)
  at = word[1] ~ /^@/ ? 2 : 1
  if ((at == 2 ? word[1] : "") != known_marker || n < at + 2) return 0
  known_names = word[at]
  known_has = word[at + 1] " " word[at + 2]
  known_type = word[at + 1]
  return 1
}

# Lines with a hashed name that is the server's into known_at.
function known_hosts_hashed(   i, quoted, asked, line) {
  split("", known_at)
  for (i = 1; i <= count; i++) if (texts[i] ~ /^[ \t]*(@[a-z-]+[ \t]+)?\|1\|/) break
  if (i > count) return
  quoted = path
  gsub(/'/, "'\\''", quoted)
  # A name has no quotes: lib/resources/editing/known-hosts.ts sees to that.
  asked = "command -v ssh-keygen >/dev/null || echo none; ssh-keygen -F '" known_name "' -f '" quoted "' </dev/null 2>/dev/null"
  while ((asked | getline line) > 0) {
    if (line == "none") fault = "it has hashed names, which take ssh-keygen: install openssh-client"
    if (line ~ /^# Host .* found: line [0-9]+/) {
      sub(/^.* found: line /, "", line)
      known_at[line + 0] = 1
    }
  }
  close(asked)
}

# Whether line i, which was read, is of the server; the names without it into known_others.
function known_hosts_is_meant(i,   name, n, each, found) {
  known_others = ""
  if (known_names ~ /^\|/) return i in known_at
  found = 0
  n = split(known_names, name, ",")
  for (each = 1; each <= n; each++) {
    if (tolower(name[each]) == known_name) found = 1
    else known_others = known_others (known_others == "" ? "" : ",") name[each]
  }
  return found
}

function known_hosts_plan(   i, n, seen, gone, added) {
  known_hosts_hashed()
  if (fault != "") return
  gone = added = 0
  split("", seen)
  for (i = 1; i <= count; i++) {
    if (!known_hosts_read(texts[i]) || !known_hosts_is_meant(i)) continue
    for (n = 1; n <= known_keys; n++) if (known_key[n] == known_has) break
    if (n <= known_keys && !known_absent) {
      seen[n] = 1
      continue
    }
    if (known_absent ? known_keys && n > known_keys : !known_exclusive && (known_marker != "" || !(known_type in known_types))) continue
    gone++
    if (known_others == "") remove(i)
    else {
      # The names stand once in the line before the type.
      n = index(texts[i], known_names)
      replace(i, substr(texts[i], 1, n - 1) known_others substr(texts[i], n + length(known_names)))
    }
  }
  for (n = 1; n <= known_keys && !known_absent; n++) {
    if (n in seen) continue
    added++
    insert(count, (known_marker == "" ? "" : known_marker " ") known_name " " known_key[n])
  }
  if (added) also(added " added")
  if (gone) also(gone " removed")
}

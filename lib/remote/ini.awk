# ini.awk: look up and set keys of INI files, leaving every other byte as it is.
#
# Requests come on standard input, a line each:
#   F ID FORMAT PATH   the file the next requests are about; FORMAT is ini or words
#   S SECTION          the section of the next keys; empty: before the first section
#   K KEY              a key …
#   V VALUE            … that must have this value
#   D                  … that must not be there
# Modes: check prints `ID=same` or `ID=differs` for each file; list prints the keys of the one file that
# differ; edit prints the file as it should be. The last two want its `size` in bytes, and exit with 3
# if that is not what they read, or if they can't tell (unless `trusted`).
#
# Formats: ini has `[section]` lines and `key = value` (or `:`); # and ; begin comments. words is
# haproxy's: sections begin with a keyword in the first column, keys are the first words of a line, and
# a comment may follow a value.
# Where a key stands twice in a section the last one counts, and is the one that is changed.

function trim(text) {
  sub(/^[ \t]+/, "", text)
  sub(/[ \t\r]+$/, "", text)
  return text
}

# The section that a line begins, or none (then `begins` is 0). lib/resources/ini.ts has the same keywords.
function section_of(line,   text) {
  begins = 0
  if (format == "words") {
    if (line ~ /^(global|defaults|frontend|backend|listen|userlist|peers|resolvers|mailers|cache|program|ring|fcgi-app|http-errors|log-forward|crt-store|traces)([ \t\r]|$)/) {
      begins = 1
      text = line
      sub(/[ \t]+#.*$/, "", text)
      text = trim(text)
      gsub(/[ \t]+/, " ", text)
      return text
    }
    return ""
  }
  if (line ~ /^[ \t]*\[[^]]+\]/) {
    begins = 1
    text = line
    sub(/^[ \t]*\[/, "", text)
    sub(/\].*$/, "", text)
    return text
  }
  return ""
}

# Where a comment begins behind a value of haproxy's, or 0: at # that is neither quoted nor escaped.
function comment_at(text,   i, c, quoted) {
  quoted = ""
  for (i = 1; i <= length(text); i++) {
    c = substr(text, i, 1)
    if (quoted != "") {
      if (c == "\\" && quoted == "\"") i++
      else if (c == quoted) quoted = ""
    }
    else if (c == "\\") i++
    else if (c == "\"" || c == "'") quoted = c
    else if (c == "#") return i
  }
  return 0
}

# Whether the line holds the wanted key. Sets found_lead (everything up to the value), found_value,
# found_tail (a comment behind it) and bare.
function holds(line, key,   text, at, name, n, i, word) {
  bare = 0
  found_tail = ""
  text = line
  sub(/\r$/, "", text)
  if (text ~ /^[ \t]*[#;]/) return 0
  if (format == "words") {
    name = text
    n = split(key, word, " ")
    for (i = 1; i <= n; i++) {
      sub(/^[ \t]+/, "", name)
      if (substr(name, 1, length(word[i])) != word[i]) return 0
      name = substr(name, length(word[i]) + 1)
      if (name != "" && name !~ /^[ \t]/) return 0
    }
    match(name, /^[ \t]*/)
    found_lead = substr(text, 1, length(text) - length(name) + RLENGTH)
    if (name == "") found_lead = found_lead " "
    name = substr(name, RLENGTH + 1)
    at = comment_at(name)
    found_value = trim(at ? substr(name, 1, at - 1) : name)
    if (at) found_tail = (found_value == "" ? " " : "") substr(name, length(found_value) + 1)
    return 1
  }
  if (key ~ /:/ ? !match(text, /=/) : !match(text, /[=:]/)) {
    # A key without a value.
    if (trim(text) != key) return 0
    sub(/[ \t]+$/, "", text)
    found_lead = text " = "
    found_value = ""
    bare = 1
    return 1
  }
  at = RSTART
  if (trim(substr(text, 1, at - 1)) != key) return 0
  name = substr(text, at + 1)
  match(name, /^[ \t]*/)
  found_lead = substr(text, 1, at + RLENGTH)
  found_value = trim(substr(name, RLENGTH + 1))
  return 1
}

# Read the file and find where each wanted key stands.
function scan(   line, i, section, text, found) {
  count = bytes = 0
  section = ""
  for (i in last) delete last[i]
  for (i in value) delete value[i]
  for (i in lead) delete lead[i]
  for (i in place) delete place[i]
  for (i in seen) delete seen[i]
  for (i in gone) delete gone[i]
  for (i in sample) delete sample[i]
  seen[""] = 1
  place[""] = 0
  while ((found = (getline line < path)) > 0) {
    count++
    bytes += length(line) + 1
    lines[count] = line
    text = line
    if (count == 1) sub(/^\357\273\277/, "", text)
    i = section_of(text)
    if (begins) {
      section = i
      seen[section] = 1
      place[section] = count
      continue
    }
    if (text ~ /^[ \t\r]*$/ || text ~ /^[ \t]*[#;]/) continue
    place[section] = count
    # The first key of a section is the one that can't be the continuation of another.
    if (!(section in sample) && (text ~ /[=:]/ || format == "words")) {
      sample[section] = sample_all = text
    }
    for (i = 1; i <= wanted; i++) {
      if (want_section[i] == section && holds(text, want_key[i])) {
        if (want_gone[i]) gone[count] = i
        last[i] = count
        lead[i] = found_lead
        value[i] = found_value
        tail[i] = found_tail
        empty[i] = bare
      }
    }
  }
  close(path)
}

function as_wanted(i) {
  if (want_gone[i]) return !(i in last)
  if (!(i in last) || (empty[i] && want_value[i] != "")) return 0
  return value[i] == want_value[i] || (tail[i] != "" && value[i] tail[i] == want_value[i])
}

# The line that a new key gets: indented and spaced like its neighbours.
function fresh(i,   like, indent, between) {
  like = (want_section[i] in sample) ? sample[want_section[i]] : sample_all
  match(like, /^[ \t]*/)
  indent = substr(like, 1, RLENGTH)
  if (format == "words") {
    if (like == "") indent = "    "
    return indent want_key[i] " " want_value[i] cr
  }
  between = " = "
  if (match(like, /[ \t]*[=:][ \t]*/)) between = substr(like, RSTART, RLENGTH)
  # A key that holds a colon can't be told from its value by one.
  if (want_key[i] ~ /:/ && between !~ /=/) between = " = "
  return indent want_key[i] between want_value[i] cr
}

# Print line by line. The last is held back: flush prints it, without its newline if the file had none.
function put(line) {
  if (printed++) printf "%s\n", held
  held = line
}

function flush() {
  if (!printed) return
  if (borrowed) sub(/\r$/, "", held)
  printf "%s", held
  if (final || count == 0) printf "\n"
}

function edit(   i, n, at, end, order, done, bom) {
  cr = (count > 0 && lines[1] ~ /\r$/) ? "\r" : ""
  if (count > 0 && substr(lines[1], 1, 3) == "\357\273\277") {
    bom = "\357\273\277"
    lines[1] = substr(lines[1], 4)
  }
  # A last line without its newline has no carriage return either; it needs one if others follow.
  if (!final && cr != "" && lines[count] !~ /\r$/) {
    lines[count] = lines[count] cr
    borrowed = 1
  }
  for (i = 1; i <= wanted; i++) {
    if (as_wanted(i) || want_gone[i]) continue
    if (i in last) {
      end = (lines[last[i]] ~ /\r$/) ? "\r" : ""
      lines[last[i]] = lead[i] want_value[i] (comment_at(want_value[i]) ? "" : tail[i]) end
    } else if (want_section[i] in seen) {
      at = place[want_section[i]]
      after[at] = after[at] (after[at] == "" ? "" : "\n") fresh(i)
    } else {
      if (!(want_section[i] in added)) {
        added[want_section[i]] = ++sections
        name[sections] = want_section[i]
      }
      n = added[want_section[i]]
      body[n] = body[n] "\n" fresh(i)
    }
  }
  printf "%s", bom
  if (0 in after && after[0] != "") put(after[0])
  for (i = 1; i <= count; i++) {
    if (!(i in gone)) put(lines[i])
    if (i in after) put(after[i])
  }
  for (n = 1; n <= sections; n++) {
    if (n > 1 || (printed && held !~ /^[ \t\r]*$/)) put(cr)
    put((format == "words" ? name[n] : "[" name[n] "]") cr body[n])
  }
  flush()
}

function finish(   i, same) {
  if (path == "") return
  scan()
  if (mode == "check") {
    same = 1
    for (i = 1; i <= wanted; i++) if (!as_wanted(i)) same = 0
    print id "=" (same ? "same" : "differs")
  } else {
    # What this awk read must be all there is, but for the newline that a last line may lack. An awk
    # that has no NUL takes one for the end of a line or of the file: it must be told that there is none.
    if (bytes != size && bytes != size + 1) exit_status = 3
    else if (!trusted && size > 0 && length(sprintf("%c", 0)) != 1) exit_status = 3
    else if (mode == "edit") {
      final = (bytes == size)
      edit()
    } else {
      for (i = 1; i <= wanted; i++) if (!as_wanted(i)) {
        printf "%s%s", (listed++ ? ", " : ""), want_key[i]
      }
      print ""
    }
  }
}

{
  kind = substr($0, 1, 1)
  rest = substr($0, 3)
  if (kind == "F") {
    finish()
    wanted = 0
    section = ""
    id = rest
    sub(/ .*/, "", id)
    rest = substr(rest, length(id) + 2)
    format = rest
    sub(/ .*/, "", format)
    path = substr(rest, length(format) + 2)
  } else if (kind == "S") {
    section = rest
  } else if (kind == "K") {
    wanted++
    want_section[wanted] = section
    want_key[wanted] = rest
    want_value[wanted] = ""
    want_gone[wanted] = 0
  } else if (kind == "V") {
    want_value[wanted] = rest
  } else if (kind == "D") {
    want_gone[wanted] = 1
  }
}

END {
  finish()
  exit exit_status
}

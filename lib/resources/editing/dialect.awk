# dialect.awk: what a line of an INI file is, in each of its formats, and how a value is written there. A part of
# ini.awk, which says what the formats are.

# A section as it is compared: of git's, letter case counts within the quotes only. ini_header is how a new
# one is written.
function ini_section_key(text,   at) {
  ini_header = text
  if (ini_folded) return ini_fold(text)
  if (ini_format != "git") return text
  at = index(text, "\"")
  if (!at) {
    # [branch.main] is an older way to write [branch "main"], in which letter case does not count.
    text = tolower(trim(text))
    at = index(text, ".")
    return at ? substr(text, 1, at - 1) " \"" substr(text, at + 1) "\"" : text
  }
  return tolower(trim(substr(text, 1, at - 1))) " " substr(text, at)
}

# The section that a line begins, or none (then ini_begins is 0). ini_rest is what follows the header.
# lib/resources/editing/ini.ts has the same keywords.
function ini_section_of(line,   text) {
  ini_begins = 0
  ini_rest = ""
  if (ini_format == "words") {
    if (line ~ /^(global|defaults|frontend|backend|listen|userlist|peers|resolvers|mailers|cache|program|ring|fcgi-app|http-errors|log-forward|crt-store|traces)([ \t\r]|$)/) {
      ini_begins = 1
      text = line
      sub(/[ \t]+#.*$/, "", text)
      text = trim(text)
      gsub(/[ \t]+/, " ", text)
      return text
    }
    return ""
  }
  if (ini_format == "git" && match(line, /^[ \t]*\[[^]" \t]+[ \t]+"([^"\\]|\\.)*"[ \t]*\]/)) {
    ini_begins = 1
    ini_rest = substr(line, RLENGTH + 1)
    text = substr(line, 1, RLENGTH)
    sub(/^[ \t]*\[/, "", text)
    sub(/[ \t]*\]$/, "", text)
    return ini_section_key(text)
  }
  if (match(line, /^[ \t]*\[[^]]+\]/)) {
    ini_begins = 1
    ini_rest = substr(line, RLENGTH + 1)
    text = substr(line, 1, RLENGTH - 1)
    sub(/^[ \t]*\[/, "", text)
    return ini_section_key(text)
  }
  return ""
}

# Where a comment begins behind a value, or 0. Of haproxy's: at # that is neither quoted nor escaped.
# Elsewhere: at # or ; behind a blank that is not in quotes.
function ini_comment_at(text,   i, c, quoted, before) {
  quoted = ""
  before = " "
  for (i = 1; i <= length(text); i++) {
    c = substr(text, i, 1)
    if (quoted != "") {
      if (c == "\\" && quoted == "\"") i++
      else if (c == quoted) quoted = ""
    }
    else if (ini_format == "words") {
      if (c == "\\") i++
      else if (c == "\"" || c == "'") quoted = c
      else if (c == "#") return i
    }
    else if ((c == "\"" || c == "'") && before ~ /[ \t=,]/) {
      # An apostrophe begins nothing that another one does not end.
      if (index(substr(text, i + 1), c)) quoted = c
    }
    else if ((c == "#" || c == ";") && before ~ /[ \t]/) return i
    before = c
  }
  return 0
}

# Reads what stands behind a separator: ini_value, and ini_tail, a comment behind it.
function ini_read_value(text,   at) {
  at = (ini_comments != "" || ini_format == "words") ? ini_comment_at(text) : 0
  ini_value = trim(at ? substr(text, 1, at - 1) : text)
  ini_tail = at ? substr(text, length(ini_value) + 1) : ""
}

# Reads one line of a value of git's, which may go on in the next: adds to ini_value, sets ini_tail, and
# ini_goes_on where the line ends with a backslash.
function ini_read_git(text,   i, c, blanks) {
  ini_tail = blanks = ""
  ini_goes_on = 0
  for (i = 1; i <= length(text); i++) {
    c = substr(text, i, 1)
    if (c == "\\") {
      if (i == length(text)) {
        ini_goes_on = 1
        ini_value = ini_value blanks
        return
      }
      c = substr(text, ++i, 1)
      ini_value = ini_value blanks (c == "n" ? "\n" : c == "t" ? "\t" : c == "b" ? "\b" : c)
      blanks = ""
    }
    else if (c == "\"") {
      ini_quoted = !ini_quoted
      ini_value = ini_value blanks
      blanks = ""
    }
    else if (!ini_quoted && (c == "#" || c == ";")) {
      ini_tail = blanks substr(text, i)
      return
    }
    else if (!ini_quoted && c ~ /[ \t]/) blanks = blanks c
    else {
      ini_value = ini_value blanks c
      blanks = ""
    }
  }
}

# Whether text, a line, holds the wanted key. Sets ini_lead (everything up to the value), ini_value,
# ini_tail (a comment behind it) and ini_bare.
function ini_holds(text, key,   at, name, n, i, word) {
  ini_bare = 0
  ini_tail = ""
  if (text ~ /^[ \t]*[#;]/) return 0
  if (ini_format == "words") {
    name = text
    n = split(key, word, " ")
    for (i = 1; i <= n; i++) {
      sub(/^[ \t]+/, "", name)
      if (substr(name, 1, length(word[i])) != word[i]) return 0
      name = substr(name, length(word[i]) + 1)
      if (name != "" && name !~ /^[ \t]/) return 0
    }
    match(name, /^[ \t]*/)
    ini_lead = substr(text, 1, length(text) - length(name) + RLENGTH)
    if (name == "") ini_lead = ini_lead " "
    name = substr(name, RLENGTH + 1)
    ini_read_value(name)
    if (ini_tail != "" && ini_value == "") ini_tail = " " ini_tail
    return 1
  }
  if (ini_format == "git") {
    if (!match(text, /^[ \t]*[A-Za-z][A-Za-z0-9-]*/) || tolower(trim(substr(text, 1, RLENGTH))) != tolower(key)) return 0
    at = RLENGTH
    name = substr(text, at + 1)
    if (match(name, /^[ \t]*=[ \t]*/)) ini_lead = substr(text, 1, at + RLENGTH)
    else {
      if (name !~ /^[ \t]*([#;]|$)/) return 0
      ini_lead = substr(text, 1, at) " = "
      ini_bare = 1
      RLENGTH = 0
    }
    ini_value = ""
    ini_quoted = 0
    ini_read_git(substr(name, RLENGTH + 1))
    return 1
  }
  # What a comment holds separates nothing.
  n = ini_comments == "" ? 0 : ini_comment_at(text)
  name = n ? substr(text, 1, n - 1) : text
  at = key ~ /:/ ? index(name, "=") : ini_separates_at(name)
  if (!at) {
    # A key without a value.
    if (ini_fold(trim(name)) != ini_fold(key)) return 0
    n = length(indent_of(text)) + length(trim(name))
    ini_lead = substr(text, 1, n) " = "
    if (length(name) < length(text)) ini_tail = substr(text, n + 1)
    ini_value = ""
    ini_bare = 1
    return 1
  }
  if (ini_fold(trim(substr(text, 1, at - 1))) != ini_fold(key)) return 0
  name = substr(text, at + 1)
  match(name, /^[ \t]*/)
  ini_lead = substr(text, 1, at + RLENGTH)
  ini_read_value(substr(name, RLENGTH + 1))
  return 1
}

# A name as it is compared.
function ini_fold(name) {
  if (!ini_folded) return name
  gsub(/[ \t]/, "", name)
  return tolower(name)
}

# Where a line's key ends: at the first = or :, but for a : within a word before an = that stands by itself, as in
# `recycle:keeptree = yes` of Samba's, which knows no other separator. To Python the first of them ends it.
function ini_separates_at(text,   equals, colon) {
  equals = index(text, "=")
  colon = index(text, ":")
  if (!colon || !equals || equals < colon) return equals ? equals : colon
  if (ini_continued == "indent") return colon
  if (ini_separator ~ /=/) return equals
  if (substr(text, colon + 1, 1) !~ /[ \t]/ && substr(text, equals - 1, 3) ~ /^[ \t]=|=[ \t]$/) return equals
  return colon
}

# Whether a line's separator is the same to all readers.
function ini_is_clear(text,   colon) {
  colon = index(text, ":")
  return !colon || !index(substr(text, colon), "=") || index(text, "=") < colon
}

# What stands between key and value in a line: where both signs may, the one that all readers know.
function ini_between(text) {
  if (!ini_is_clear(text)) text = substr(text, index(text, ":") + 1)
  if (index(text, "=") && !index(substr(text, 1, index(text, "=")), ":")) match(text, /[ \t]*=[ \t]*/)
  else if (!match(text, /[ \t]*:[ \t]*/)) return ""
  return substr(text, RSTART, RLENGTH)
}

# Whether the value at line i ends so that it may go on in the next one, in a file of which that is not said.
function ini_ends_unclear(i) {
  if (i == count || texts[i + 1] ~ /^[ \t]*$/) return 0
  return ini_escapes_end(texts[i]) || substr(texts[i], ini_separates_at(texts[i]) + 1) ~ /^[ \t]*"[^"]*$/
}

# Whether what is below line i may be lines of its value.
function ini_may_go_on(i,   n) {
  for (n = i + 1; n <= count && texts[n] ~ /^[ \t]*([#;]|$)/; n++) ;
  if (n > count) return 0
  ini_section_of(texts[n])
  return !ini_begins && length(indent_of(texts[n])) > length(indent_of(texts[i]))
}

# Whether a line that is not yet the end of a value ends with a backslash that no other one escapes.
function ini_escapes_end(text) {
  match(text, /\\*$/)
  return RLENGTH % 2
}

# The same of a value of git's, where a comment may end it, from its beginning.
function ini_ends_open(text) {
  ini_quoted = 0
  ini_read_git(text)
  return ini_goes_on
}

# A value as it is written.
function ini_written(text,   i, c, quotes, out) {
  if (ini_format != "git") return text
  quotes = (text ~ /^[ \t]/ || text ~ /[ \t]$/ || text ~ /[#;]/) ? "\"" : ""
  for (i = 1; i <= length(text); i++) {
    c = substr(text, i, 1)
    out = out ((c == "\\" || c == "\"") ? "\\" c : c == "\t" ? "\\t" : c)
  }
  return quotes out quotes
}

# Whether the comment of line i stands within a value.
function ini_is_within(i,   n) {
  if (!ini_open) return 0
  if (ini_continued != "indent") return ini_continued != "" && ini_unended
  for (n = i + 1; n <= count; n++) {
    if (texts[n] ~ /^[ \t]*([#;]|$)/) continue
    return length(indent_of(texts[n])) > ini_open_indent
  }
  return 0
}

# Which wanted keys the comment of line i would set.
function ini_look_behind(i, section,   j, text) {
  text = texts[i]
  sub(/^[ \t]*[#;]+[ \t]*/, "", text)
  # Without a value nothing shows what would be before it.
  if (text ~ /[ \t][=:]$/) text = text " "
  for (j = 1; j <= ini_wanted; j++) {
    if (j in ini_commented || ini_want_section[j] != section) continue
    if (ini_holds(text, ini_want_key[j])) {
      ini_commented[j] = i
      ini_commented_text[j] = text
    }
  }
}

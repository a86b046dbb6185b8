# ini.awk: keys and sections of INI files; see editor.awk. Requests:
#   O format NAME      ini, words (haproxy's) or git
#   O continued HOW    lines that go on: indent (as Python's configparser reads them), backslash or none; without it,
#                      what may be such lines can't be edited
#   O folded yes       letter case and blanks mean nothing in the names of keys and sections (Samba's)
#   O comments yes     a comment may stand behind a value
#   O uncomment yes    a key that is not there takes the place of the first comment of its section that would set it
#   O separator TEXT   what a new key has before its value; else as its neighbours have it
#   S SECTION          the section of what follows; empty: before the first section
#   X                  the section must not be there
#   K KEY              a key …
#   V VALUE            … that must have this value
#   N LINE               with this further line
#   L VALUE            … that must stand there with each of these values, in this order, and no other
#   B                  … that must stand there without a value
#   D                  … that must not be there
#
# Formats: ini has `[section]` lines and `key = value` (or `:`); # and ; begin comments. words is
# haproxy's: sections begin with a keyword in the first column, keys are the first words of a line, and
# a comment may follow a value. git is git's: `[section "subsection"]`, values in quotes or with escapes,
# and a backslash at a line's end; letter case counts in subsections and values only.
# Where a key that is wanted once stands twice in a section, the last one counts, and is the one that is
# changed.

function ini_request(kind, rest,   name) {
  if (kind == "F") {
    ini_wanted = 0
    ini_format = "ini"
    ini_continued = ini_comments = ini_separator = ini_away = ini_sure = ini_folded = ini_uncomment = ""
  }
  else if (kind == "O") {
    name = rest
    sub(/ .*/, "", name)
    rest = substr(rest, length(name) + 2)
    if (name == "format") ini_format = rest
    else if (name == "continued") {
      ini_sure = 1
      ini_continued = rest == "none" ? "" : rest
    }
    else if (name == "comments") ini_comments = rest
    else if (name == "folded") ini_folded = rest
    else if (name == "uncomment") ini_uncomment = rest
    else ini_separator = rest
  }
  else if (kind == "S") ini_of = ini_section_key(rest)
  else if (kind == "X") ini_away = 1
  else if (kind == "K") {
    ini_wanted++
    ini_want_section[ini_wanted] = ini_of
    ini_want_header[ini_wanted] = ini_header
    ini_want_key[ini_wanted] = rest
    ini_want_kind[ini_wanted] = "V"
    ini_wants[ini_wanted] = 0
  }
  else if (kind == "N") {
    ini_want_value[ini_wanted, ini_wants[ini_wanted]] = ini_want_value[ini_wanted, ini_wants[ini_wanted]] "\n" rest
  }
  else {
    ini_want_kind[ini_wanted] = kind
    if (kind == "V" || kind == "L") {
      ini_wants[ini_wanted]++
      ini_want_value[ini_wanted, ini_wants[ini_wanted]] = rest
    }
  }
}

# Whether line i, behind the key of line ini_open, belongs to that key's value, or stands within it.
function ini_goes_through(i,   text, n) {
  text = texts[i]
  if (ini_continued == "indent") {
    # A blank line belongs to it only if the value goes on behind it.
    if (text ~ /^[ \t]*$/ || text ~ /^[ \t]*[#;]/) return 1
    if (length(indent_of(text)) <= ini_open_indent) return 0
    for (n = ini_end[ini_open] + 1; n < i; n++) if (texts[n] ~ /^[ \t]*$/) ini_more(n, "")
    match(text, /^[ \t]*/)
    ini_read_value(substr(text, RLENGTH + 1))
    ini_more(i, ini_value)
    return 1
  }
  if (!ini_unended) return 0
  if (ini_format != "git" && text ~ /^[ \t]*([#;]|$)/) return 1
  if (ini_format != "git") ini_unended = ini_escapes_end(text)
  else {
    ini_read_git(text)
    ini_unended = ini_goes_on
  }
  ini_more(i, text)
  return 1
}

# Line i is a further one of the value that begins at line ini_open.
function ini_more(i, text) {
  ini_lines[ini_open]++
  ini_line[ini_open, ini_lines[ini_open]] = i
  ini_line_text[ini_open, ini_lines[ini_open]] = text
  ini_end[ini_open] = i
}

# The whole value of the n-th place of the wanted key j: ini_value, and its comment, ini_tail.
function ini_whole(j, n,   line, i) {
  line = ini_at[j, n]
  ini_value = ini_values[j, n]
  ini_tail = ini_tails[j, n]
  if (ini_format == "git" && ini_lines[line] > 0) {
    # Quotes may go over the line's end: it is read from its beginning.
    ini_value = ""
    ini_quoted = 0
    ini_read_git(substr(ini_text_at[line], length(ini_leads[j, n]) + 1))
    for (i = 1; i <= ini_lines[line]; i++) ini_read_git(ini_line_text[line, i])
    return
  }
  for (i = 1; i <= ini_lines[line]; i++) {
    if (ini_continued == "indent") ini_value = ini_value "\n" ini_line_text[line, i]
    else {
      sub(/[ \t]*\\$/, "", ini_value)
      ini_value = ini_value " " trim(ini_line_text[line, i])
    }
  }
}

# Find where each wanted key stands, and each section.
function ini_scan(   i, j, name, section, text) {
  split("", ini_seen)
  split("", ini_place)
  split("", ini_sample)
  split("", ini_newest)
  split("", ini_headed)
  split("", ini_indent_of_keys)
  split("", ini_places)
  split("", ini_lines)
  split("", ini_end)
  split("", ini_commented)
  ini_heads = ini_open = 0
  ini_sample_all = section = ""
  ini_level_of_keys = -1
  ini_seen[""] = 1
  ini_place[""] = 0
  for (i = 1; i <= count; i++) {
    if (ini_uncomment && texts[i] ~ /^[ \t]*[#;]/ && !ini_is_within(i)) ini_look_behind(i, section)
    if (ini_open && ini_continued != "" && ini_goes_through(i)) {
      if (ini_end[ini_open] == i) ini_place[section] = i
      continue
    }
    ini_open = 0
    text = texts[i]
    name = ini_section_of(text)
    if (ini_begins) {
      # Deeper than a key before it: a line of that one's value to some, and what follows is of the section before.
      if (ini_level_of_keys >= 0 && length(indent_of(text)) > ini_level_of_keys && (ini_is_wanted(name) || ini_is_wanted(section))) ini_unclear(i)
      section = name
      ini_level_of_keys = -1
      ini_seen[section] = 1
      ini_place[section] = i
      ini_headed[i] = 1
      ini_heads++
      ini_head[ini_heads] = i
      ini_head_name[ini_heads] = section
      # git takes a key on the line of the header.
      if (ini_format != "git" || ini_rest ~ /^[ \t]*([#;]|$)/) continue
      ini_front = substr(text, 1, length(text) - length(ini_rest))
      text = ini_rest
    } else {
      if (text ~ /^[ \t]*$/ || text ~ /^[ \t]*[#;]/) continue
      ini_front = ""
    }
    ini_place[section] = ini_open = ini_end[i] = i
    ini_lines[i] = 0
    ini_text_at[i] = text
    ini_unended = ini_escapes_end(text)
    if (ini_format == "git") ini_unended = match(text, /^[^#;=]*=/) && ini_ends_open(substr(text, RLENGTH + 1))
    ini_open_indent = length(indent_of(text))
    # Deeper than a key before it: a line of that one's value to some.
    ini_deeper = ini_level_of_keys >= 0 && ini_open_indent > ini_level_of_keys
    if (!ini_deeper) {
      ini_level_of_keys = ini_open_indent
      ini_indent_of_keys[section] = indent_of(text)
    }
    # The first key of a section is the one that can't be the continuation of another.
    if (ini_front == "" && (text ~ /[=:]/ || ini_format == "words")) {
      # One whose value begins in the next line does not show how others are spaced.
      if (ini_continued != "indent" || text !~ /[=:][ \t]*$/) {
        # One whose separator is clear is better.
        if (!(section in ini_sample) || (!ini_is_clear(ini_sample[section]) && ini_is_clear(text))) ini_sample[section] = text
        if (ini_is_clear(text) || !ini_is_clear(ini_sample_all) || ini_sample_all == "") ini_sample_all = ini_sample[section]
      }
      ini_newest[section] = text
    }
    for (j = 1; j <= ini_wanted; j++) {
      if (ini_want_section[j] == section && ini_holds(text, ini_want_key[j])) {
        ini_places[j]++
        if (ini_deeper || ini_may_go_on(i)) ini_unclear(i)
        ini_at[j, ini_places[j]] = i
        ini_fronts[j, ini_places[j]] = ini_front
        ini_leads[j, ini_places[j]] = ini_lead
        ini_values[j, ini_places[j]] = ini_value
        ini_tails[j, ini_places[j]] = ini_tail
        ini_bares[j, ini_places[j]] = ini_bare
      }
    }
  }
}

# Whether something of a section is to be changed.
function ini_is_wanted(section,   j) {
  if (ini_away && ini_of == section) return 1
  for (j = 1; j <= ini_wanted; j++) if (ini_want_section[j] == section) return 1
  return 0
}

# A fault, unless it was said how values go on.
function ini_unclear(i) {
  if (ini_format != "ini" || ini_sure) return
  fault = "line " i " may be a part of a value that goes on over several lines: say so by `continued`, or that none does"
}

# Whether the n-th place of the wanted key j has its v-th value.
function ini_is(j, n, v,   wanted) {
  if (ini_want_kind[j] == "B") return ini_bares[j, n]
  wanted = ini_want_value[j, v]
  if (ini_bares[j, n] && wanted != "") return 0
  ini_whole(j, n)
  return ini_value == wanted || (ini_tail != "" && ini_format != "git" && ini_value ini_tail == wanted)
}

# The n-th place of the wanted key j gets its v-th value.
function ini_change(j, n, v,   line, lines, parts, i, deep, lead, tail) {
  line = ini_at[j, n]
  if (ini_ends_unclear(line)) ini_unclear(line)
  ini_whole(j, n)
  tail = ini_tail
  lead = ini_leads[j, n]
  if (ini_want_kind[j] == "B") {
    sub(/[ \t]*[=:][ \t]*$/, "", lead)
    replace(line, ini_fronts[j, n] lead tail)
    lines = 1
  } else {
    lines = split(ini_want_value[j, v], parts, "\n")
    if (lines > 1 && parts[1] == "") sub(/[ \t]+$/, "", lead)
    if (ini_format == "words" && ini_comment_at(ini_want_value[j, v])) tail = ""
    # Without a blank, what is before an = in the value would be a part of the key.
    if (ini_format == "ini" && lead ~ /:$/ && parts[1] ~ /=/) lead = lead " "
    replace(line, ini_fronts[j, n] lead ini_written(parts[1]) tail)
  }
  deep = indent_of(texts[line]) "    "
  # As deep as the first further line that is not blank.
  for (i = ini_lines[line]; i > 0; i--) if (ini_line_text[line, i] != "") deep = indent_of(texts[ini_line[line, i]])
  for (i = 1; i <= ini_lines[line]; i++) remove(ini_line[line, i])
  for (i = 2; i <= lines; i++) insert(line, (parts[i] == "" ? "" : deep) parts[i])
}

# The n-th place of the wanted key j goes.
function ini_drop(j, n,   line, i) {
  line = ini_at[j, n]
  if (ini_ends_unclear(line)) ini_unclear(line)
  if (ini_fronts[j, n] != "") replace(line, ini_fronts[j, n])
  else remove(line)
  for (i = 1; i <= ini_lines[line]; i++) remove(ini_line[line, i])
}

# The wanted key j with its v-th value as new lines behind line at, indented and spaced like its
# neighbours.
function ini_add(j, v, at,   like, indent, between, parts, lines, i, section) {
  section = ini_want_section[j]
  like = (section in ini_sample) ? ini_sample[section] : (j in ini_commented) ? ini_commented_text[j] : ini_sample_all
  indent = indent_of(like)
  if (ini_continued == "indent") indent = ini_level(section, at)
  else if (ini_format == "ini" && !ini_sure && (section in ini_indent_of_keys)) {
    # Deeper, it would be a line of the value before it to some; and so would what follows be of its own.
    indent = ini_indent_of_keys[section]
    ini_check_next(at, indent)
  }
  if (like == "" && ini_format == "git") indent = "\t"
  if (ini_format == "words") {
    ini_line_new(at, (like == "" ? "    " : indent) ini_want_key[j] " " ini_want_value[j, v])
    return
  }
  if (ini_want_kind[j] == "B") {
    ini_line_new(at, indent ini_want_key[j])
    return
  }
  between = " = "
  if (like ~ /[=:]/ && (ini_format != "git" || like ~ /^[^:]*=/)) between = ini_between(like)
  if (ini_separator != "") between = ini_separator
  # A key that holds a colon can't be separated from its value by one.
  if (ini_want_key[j] ~ /:/ && between !~ /=/) between = " = "
  lines = split(ini_want_value[j, v], parts, "\n")
  if (lines > 1 && parts[1] == "") sub(/[ \t]+$/, "", between)
  # As in ini_change.
  if (ini_format == "ini" && between ~ /:$/ && parts[1] ~ /=/) between = between " "
  ini_line_new(at, indent ini_want_key[j] between ini_written(parts[1]))
  for (i = 2; i <= lines; i++) ini_line_new(at, (parts[i] == "" ? "" : indent "    ") parts[i])
}

# A fault if the next line behind line at that says something is deeper than a new key there.
function ini_check_next(at, indent,   i) {
  if (at == "") return
  for (i = at + 1; i <= count; i++) {
    if (texts[i] ~ /^[ \t]*([#;]|$)/) continue
    if (length(indent_of(texts[i])) > length(indent)) ini_unclear(i)
    return
  }
}

# The indentation of a new key behind line at, where deeper lines belong to the key before them: it is that of
# the last key of its section, or behind a header that of what follows, which would be taken for its value.
function ini_level(section, at,   i) {
  if (at == "") return ""
  if ((section in ini_newest) && !(at in ini_headed)) return indent_of(ini_newest[section])
  for (i = at + 1; i <= count; i++) if (texts[i] !~ /^[ \t]*([#;]|$)/) return indent_of(texts[i])
  return ""
}

# One more line behind line at, or in the new section at the end where at is empty.
function ini_line_new(at, text) {
  if (at != "") insert(at, text)
  else ini_body[++ini_bodies] = text
}

function ini_plan(   j, n, v, found, right, kind) {
  ini_scan()
  if (fault != "") return
  if (ini_away) {
    ini_drop_section(ini_of)
    return
  }
  ini_bodies = ini_laters = 0
  for (j = 1; j <= ini_wanted; j++) {
    kind = ini_want_kind[j]
    found = ini_places[j] + 0
    if (!found && kind != "D" && (j in ini_commented)) {
      also(ini_want_key[j])
      remove(ini_commented[j])
      for (v = 1; v <= ini_wants[j] || v == 1; v++) ini_later(j, v, ini_commented[j])
    } else if (kind == "D") {
      if (found) also(ini_want_key[j])
      for (n = 1; n <= found; n++) ini_drop(j, n)
    } else if (kind == "L") {
      right = (found == ini_wants[j])
      for (n = 1; right && n <= found; n++) right = ini_is(j, n, n)
      if (right) continue
      also(ini_want_key[j])
      for (n = 1; n <= found; n++) {
        if (n > ini_wants[j]) ini_drop(j, n)
        else if (!ini_is(j, n, n)) ini_change(j, n, n)
      }
      for (v = found + 1; v <= ini_wants[j]; v++) ini_later(j, v, found ? ini_end[ini_at[j, found]] : "")
    } else if (!found) {
      also(ini_want_key[j])
      ini_later(j, 1, "")
    } else if (!ini_is(j, found, 1)) {
      also(ini_want_key[j])
      ini_change(j, found, 1)
    }
  }
  # Behind what has changed: the further lines of a value come right behind its first.
  for (n = 1; n <= ini_laters; n++) ini_append(ini_later_key[n], ini_later_value[n], ini_later_at[n])
  ini_add_section()
}

function ini_later(j, v, at) {
  ini_later_key[++ini_laters] = j
  ini_later_value[ini_laters] = v
  ini_later_at[ini_laters] = at
}

# One more place of the wanted key j: behind line at, else at the end of its section.
function ini_append(j, v, at) {
  if (at == "" && (ini_want_section[j] in ini_seen)) at = ini_place[ini_want_section[j]]
  ini_add(j, v, at)
  if (at == "") ini_new_header = ini_want_header[j]
}

# The section that was not there, at the end of the file, with its keys.
function ini_add_section(   i) {
  if (ini_bodies == 0) return
  # The last line may be one that goes.
  for (i = count; i > 0 && (i in gone); i--) ;
  if (ini_format != "git" && i > 0 && texts[i] !~ /^[ \t]*$/) insert(count, "")
  insert(count, ini_format == "words" ? ini_new_header : "[" ini_new_header "]")
  for (i = 1; i <= ini_bodies; i++) insert(count, ini_body[i])
}

# Every section of this name goes, up to the comments right above the next one.
function ini_drop_section(name,   n, from, to, i) {
  for (n = 1; n <= ini_heads; n++) {
    if (ini_head_name[n] != name) continue
    if (note == "") also("section removed")
    from = ini_head[n]
    to = n < ini_heads ? ini_head[n + 1] - 1 : count
    if (n < ini_heads) {
      for (i = to; i > from && texts[i] ~ /^[ \t]*[#;]/; i--) ;
      if (i > from) to = i
    }
    # At the end of the file, the blank line that set it apart goes too.
    else if (from > 1 && texts[from - 1] ~ /^[ \t]*$/) remove(from - 1)
    for (i = from; i <= to; i++) remove(i)
  }
}

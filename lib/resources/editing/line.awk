# line.awk: a line of a text file; see editor.awk. Requests:
#   T TEXT             the line
#   M KIND TEXT        the lines that it stands for: by a pattern (r) or as they are (l)
#   R WHICH            which of them become the line: last, first or all; only: one stays, and the others go
#   O first            A means the first line like it
#   A KIND TEXT        only what is behind the last line like this is looked at; a new line comes right behind it
#   B KIND TEXT        only what is before the first line like this (behind that of A) is looked at; a new line
#                      comes right before it, unless there is A
#   H KIND TEXT        lines that begin a block, in a format in which the first value counts; see line_in_blocks
#   K KIND TEXT        in such a format: lines with the same keyword
#   D                  no such line must be there

function line_request(kind, rest) {
  if (kind == "F") {
    line_has_text = line_kind = line_absent = line_header_kind = line_keyword_kind = line_first = ""
    line_which = "last"
  }
  else if (kind == "T") {
    line_text = rest
    line_has_text = 1
  }
  else if (kind == "M") {
    line_kind = substr(rest, 1, 1)
    line_match = pattern_of(line_kind, substr(rest, 3))
  }
  else if (kind == "H") {
    line_header_kind = substr(rest, 1, 1)
    line_header = pattern_of(line_header_kind, substr(rest, 3))
  }
  else if (kind == "K") {
    line_keyword_kind = substr(rest, 1, 1)
    line_keyword = pattern_of(line_keyword_kind, substr(rest, 3))
  }
  else if (kind == "R") line_which = rest
  else if (kind == "D") line_absent = 1
  else if (kind == "O") line_first = 1
  else place_request(kind, rest)
}

function line_is_meant(i) {
  if (line_has_text && texts[i] == line_text) return 1
  if (line_kind != "" && is_like(texts[i], line_kind, line_match)) return 1
  return line_has_keyword(i)
}

function line_has_keyword(i) {
  return line_keyword_kind != "" && is_like(texts[i], line_keyword_kind, line_keyword)
}

function line_is_header(i) {
  return is_like(texts[i], line_header_kind, line_header)
}

# Where the line that `after` means is looked for first, and where then.
function line_start() { return line_first ? 1 : count }
function line_step() { return line_first ? 1 : -1 }

# Which lines are looked at: line_from to line_to; and behind which a new one comes: line_at. What is meant bounds
# nothing: a line that was added would move its own bounds.
function line_bounds(   i) {
  line_from = 1
  line_to = line_at = count
  if (after_kind != "") {
    for (i = line_start(); i > 0 && i <= count; i += line_step()) if (is_like(texts[i], after_kind, after_text) && !line_is_meant(i)) break
    if (i > 0 && i <= count) {
      line_at = i
      line_from = i + 1
    }
  }
  if (before_kind != "") {
    for (i = line_from; i <= count; i++) if (is_like(texts[i], before_kind, before_text) && !line_is_meant(i)) break
    if (i <= count) {
      line_to = i - 1
      if (line_from == 1) line_at = line_to
    }
  }
}

# The same in a format of blocks: what is before the first block, or the block whose first line is like `after`.
# Another line that `after` or `before` is like is one before the first block, and says only where a new one comes.
function line_in_blocks(   i, first) {
  for (first = 1; first <= count; first++) if (line_is_header(first)) break
  line_from = 1
  line_to = first - 1
  if (after_kind != "") {
    for (i = line_start(); i > 0 && i <= count; i += line_step()) {
      if (i > first && !line_is_header(i)) continue
      if (is_like(texts[i], after_kind, after_text) && !line_is_meant(i)) break
    }
    if (i == 0 || i > count) {
      fault = "no line is like `after`: which block is meant is unknown"
      return
    }
    line_at = i
    if (i < first) return
    line_from = i + 1
    for (line_to = i; line_to < count && !line_is_header(line_to + 1); line_to++) ;
    return
  }
  if (before_kind != "") {
    for (i = 1; i < first; i++) {
      if (is_like(texts[i], before_kind, before_text) && !line_is_meant(i)) {
        line_at = i - 1
        return
      }
    }
  }
  # Before the comments right above the first block.
  line_at = line_to
  if (first <= count) while (line_at > 0 && texts[line_at] ~ /^[ \t]*#/) line_at--
}

function line_plan(   i, n, meant, at, chosen) {
  if (line_header_kind != "") line_in_blocks()
  else line_bounds()
  if (fault != "") return
  meant = chosen = 0
  for (i = line_from; i <= line_to; i++) {
    if (!line_is_meant(i)) continue
    at[++meant] = i
    # The first one that counts: others may be comments.
    if (!chosen && line_has_keyword(i)) chosen = meant
  }
  if (line_absent) {
    # A byte order mark and nothing else has no line to remove.
    if (count == 1 && bom != "" && texts[1] == "") return
    for (n = 1; n <= meant; n++) remove(at[n])
    if (meant) also("removed")
    return
  }
  if (!meant) {
    insert(line_at, line_text)
    also("added")
    return
  }
  if (!chosen) chosen = (line_which == "first" || line_header_kind != "") ? 1 : meant
  for (n = 1; n <= meant; n++) {
    i = at[n]
    if (line_which == "all" || n == chosen) {
      if (texts[i] == line_text) continue
      replace(i, line_text)
      also_once("replaced")
    } else if (line_which == "only") {
      remove(i)
      also_once("removed")
    }
  }
}

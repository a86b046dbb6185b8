# line.awk: a line of a text file; see editor.awk. Requests:
#   T TEXT             the line
#   M KIND TEXT        the lines that it stands for: by a pattern (r) or as they are (l)
#   R WHICH            which of them become the line: last, first or all; only: the last, and the others go
#   A KIND TEXT        a new line comes behind the last line like this
#   B KIND TEXT        a new line comes before the first line like this
#   D                  no such line must be there

function line_request(kind, rest) {
  if (kind == "F") {
    line_has_text = line_kind = line_absent = ""
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
  else if (kind == "R") line_which = rest
  else if (kind == "D") line_absent = 1
  else place_request(kind, rest)
}

function line_is_meant(i) {
  if (line_has_text && texts[i] == line_text) return 1
  return line_kind != "" && is_like(texts[i], line_kind, line_match)
}

function line_plan(   i, n, meant, at) {
  meant = 0
  for (i = 1; i <= count; i++) if (line_is_meant(i)) at[++meant] = i
  if (line_absent) {
    # A byte order mark and nothing else has no line to remove.
    if (count == 1 && bom != "" && texts[1] == "") return
    for (n = 1; n <= meant; n++) remove(at[n])
    if (meant) also("removed")
    return
  }
  if (!meant) {
    insert(place_of(), line_text)
    also("added")
    return
  }
  for (n = 1; n <= meant; n++) {
    i = at[n]
    if (line_which == "all" || n == (line_which == "first" ? 1 : meant)) {
      if (texts[i] == line_text) continue
      replace(i, line_text)
      also_once("replaced")
    } else if (line_which == "only") {
      remove(i)
      also_once("removed")
    }
  }
}

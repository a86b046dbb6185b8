# editor.awk: the frame of the editors of text files: reads a file, lets an editor say what of it changes, and
# leaves every other byte as it is.
#
# Requests come on standard input, a line each:
#   F EDITOR PATH   the file the next requests are about, and who edits it
#   anything else   EDITOR's own; see EDITOR.awk
# Modes: check prints `ID=same` or `ID=differs` for each file, whose `ids` come in their order; list prints a few words on what changes of
# the one file; edit prints the file as it should be. The last two want its `size` in bytes, and exit with
# 3 if that is not what they read, or if they don't know (unless `trusted`); with 4 where the file is not
# one that can be edited, and print why: one whose lines are not what awk takes for lines, for one.
#
# An editor NAME has NAME_request(kind, rest), called with each of its requests, and NAME_plan(), which
# looks at texts[1..count] and calls replace, remove, insert and also. Its names begin with its own.

function trim(text) {
  sub(/^[ \t]+/, "", text)
  sub(/[ \t\r]+$/, "", text)
  return text
}

function indent_of(text) {
  match(text, /^[ \t]*/)
  return substr(text, 1, RLENGTH)
}

# The file's lines without their line ends into texts; ends has a carriage return where there was one.
function read_file(   line, status) {
  if (path == read_path) return
  read_path = path
  count = bytes = 0
  bom = cr = unfit = ""
  while ((status = (getline line < path)) > 0) {
    count++
    bytes += length(line) + 1
    if (nul != "" && index(line, nul)) unfit = "holds NUL bytes, as UTF-16 does: only text that is ASCII or like it can be edited"
    ends[count] = ""
    if (line ~ /\r$/) {
      ends[count] = "\r"
      line = substr(line, 1, length(line) - 1)
    }
    # As text: what looks like a number must not be compared as one.
    texts[count] = line ""
  }
  close(path)
  missing = status < 0
  if (count == 0) return
  cr = ends[1]
  if (texts[1] ~ /^(\377\376|\376\377)/) unfit = "is UTF-16: only text that is ASCII or like it can be edited"
  else if (unfit == "" && count == 1 && index(texts[1], "\r")) unfit = "has lines that end with a carriage return alone"
  if (substr(texts[1], 1, 3) == "\357\273\277") {
    bom = "\357\273\277"
    texts[1] = substr(texts[1], 4)
  }
}

# One more thing that changes.
function also(word) {
  note = note (note == "" ? "" : ", ") word
}

function also_once(word) {
  if (index(", " note ",", ", " word ",") == 0) also(word)
}

# Line i becomes text.
function replace(i, text) {
  changed[i] = text
}

function remove(i) {
  gone[i] = 1
}

# One more line behind line i, and behind those that were put there before; 0 is the file's beginning.
function insert(i, text) {
  added[i]++
  added_text[i, added[i]] = text
}

# Where a new line belongs: behind the last line that is as `after` says, or before the first that is as
# `before` says; else at the end.
function place_of(   i) {
  if (after_kind != "") {
    for (i = count; i > 0; i--) if (is_like(texts[i], after_kind, after_text)) return i
  } else if (before_kind != "") {
    for (i = 1; i <= count; i++) if (is_like(texts[i], before_kind, before_text)) return i - 1
  }
  return count
}

# Whether text matches the pattern (kind r) or is the same (kind l).
function is_like(text, kind, wanted) {
  return kind == "r" ? text ~ wanted : text == wanted
}

# Requests of a place: `A KIND TEXT` and `B KIND TEXT`.
function place_request(kind, rest) {
  if (kind == "A") {
    after_kind = substr(rest, 1, 1)
    after_text = pattern_of(after_kind, substr(rest, 3))
  } else {
    before_kind = substr(rest, 1, 1)
    before_text = pattern_of(before_kind, substr(rest, 3))
  }
}

# A pattern as it came: \001 stands for any character of UTF-8 beyond ASCII, \002 in brackets for any byte of
# one. lib/resources/host-pattern.ts makes them.
function pattern_of(kind, text) {
  if (kind != "r") return text
  gsub(/\001/, "[\302-\337][\200-\277]|[\340-\357][\200-\277][\200-\277]|[\360-\364][\200-\277][\200-\277][\200-\277]", text)
  gsub(/\002/, "\200-\377", text)
  return text
}

# Print line by line. The last is held back: flush prints it, without its newline if the file had none.
function put(line) {
  if (printed++) printf "%s\n", held
  held = line
}

function put_added(i,   n) {
  for (n = 1; n <= added[i]; n++) put(added_text[i, n] cr)
}

function print_file(   i, final, borrowed) {
  # A line behind one without a newline gives it one, and has its own; where that one goes, the line before it keeps its
  # newline: an empty line without one would be gone too.
  final = (bytes == size || added[count] || (count in gone))
  # A last line without its newline has no carriage return either; it needs one if others follow.
  if (bytes != size && cr != "" && ends[count] == "") {
    ends[count] = cr
    borrowed = !final
  }
  printf "%s", bom
  put_added(0)
  for (i = 1; i <= count; i++) {
    if (!(i in gone)) put(((i in changed) ? changed[i] : texts[i]) ends[i])
    put_added(i)
  }
  if (!printed) return
  if (borrowed) sub(/\r$/, "", held)
  printf "%s", held
  if (final || count == 0) printf "\n"
}

function finish() {
  if (path == "") return
  read_file()
  note = fault = ""
  split("", changed)
  split("", gone)
  split("", added)
  if (unfit != "") fault = "it " unfit
  else run_plan()
  if (mode == "check") {
    print id "=" (note == "" && fault == "" ? "same" : "differs")
    return
  }
  # What this awk read must be all there is, but for the newline that a last line may lack. An awk
  # that has no NUL takes one for the end of a line or of the file: the caller has to say that there is none.
  if (bytes != size && bytes != size + 1) exit_status = 3
  else if (!trusted && size > 0 && nul == "") exit_status = 3
  else if (fault != "") {
    print fault
    exit_status = 4
  }
  else if (mode == "edit") print_file()
  else print note
}

BEGIN {
  split(ids, id_of, " ")
  # Nothing in an awk that has no NUL.
  nul = sprintf("%c", 0)
  if (length(nul) != 1) nul = ""
}

{
  kind = substr($0, 1, 1)
  rest = substr($0, 3)
  if (kind == "F") {
    finish()
    id = id_of[++files]
    editor = rest
    sub(/ .*/, "", editor)
    path = substr(rest, length(editor) + 2)
    after_kind = before_kind = ""
  }
  run_request()
}

END {
  finish()
  exit exit_status
}

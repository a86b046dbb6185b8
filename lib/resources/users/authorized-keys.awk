# keys.awk: the lines of an authorized_keys file, edited. Standard input has the requests, a line each:
#   P KEY      the key (base64) is to be there, once; what follows goes for it:
#   T TYPE     ssh-ed25519 …
#   O OPTIONS  what stands before it
#   C COMMENT  what stands behind it; without this line any will do
#   A KEY      the key is not to be there
#   E          nor any other that is not named
# then comes the file, if there is one; `other` if it is not the one that the keys are to be in. mode=list: a few words on what changes, nothing where nothing does;
# mode=edit: the new text. What is not a key, a comment for one, stays where it is.

FNR == NR {
  word = substr($0, 1, 1)
  value = substr($0, 3)
  # Of another file than that of the keys, they go: sshd would take them there without their options.
  if (word == "P" && other) { gone[value] = 1; next }
  if (word == "P") { key = value; place[key] = ++wanted; at[wanted] = key }
  if (word == "T") type[key] = value
  if (word == "O") options[key] = value
  if (word == "C") { comment[key] = value; given[key] = 1 }
  if (word == "A") gone[value] = 1
  if (word == "E") others = 1
  next
}

# sshd would read no key that is added to a text in UTF-16.
FNR == 1 && /^(\377\376|\376\377)/ { exit failed = 1 }

{
  if (!parse($0)) {
    if (others && $0 !~ /^[ \t\r]*(#.*)?$/) removed++
    else text = text $0 "\n"
    next
  }
  if (found_key in gone || (others && !(found_key in place))) { removed++; next }
  if (!(found_key in place)) { text = text $0 "\n"; next }
  # sshd takes the next line of a key whose first forbids it: there may be no second.
  if (seen[found_key]++) { removed++; next }
  line = compose(found_key, given[found_key] ? comment[found_key] : found_comment) found_end
  if (line != $0) changed++
  text = text line "\n"
}

END {
  if (failed) exit 1
  for (each = 1; each <= wanted; each++) {
    if (at[each] in seen) continue
    added++
    text = text compose(at[each], comment[at[each]]) "\n"
  }
  if (mode == "edit") printf "%s", text
  else if (added + changed + removed) {
    words = (added ? ", " added " added" : "") (changed ? ", " changed " changed" : "") (removed ? ", " removed " removed" : "")
    print substr(words, 3)
  }
}

function compose(key, behind) {
  return (options[key] == "" ? "" : options[key] " ") type[key] " " key (behind == "" ? "" : " " behind)
}

# parse(LINE): whether it has a key, which goes to found_key, and what is behind it to found_comment; found_end has a
# carriage return at its end. As sshd does it: the key is the second word, or the one behind options; the first of
# the two may be a type by any of its names. sshd leaves out the carriage returns and the like within a key.
function parse(line, first) {
  found_end = line ~ /\r$/ ? "\r" : ""
  sub(/\r$/, "", line)
  sub(/^[ \t]+/, "", line)
  if (line == "" || line ~ /^#/) return 0
  first = word_of(line)
  line = rest_of(line, first)
  if (!begins_key(line)) {
    first = word_of(line)
    line = rest_of(line, first)
    if (!begins_key(line)) return 0
  }
  first = line
  sub(/[ \t].*/, "", first)
  found_key = first
  gsub(/[\r\v\f]/, "", found_key)
  found_comment = rest_of(line, first)
  return 1
}

# A key in base64 begins with the length of the name of its type, of which the first bytes are zero.
function begins_key(line) { return line ~ /^[\r\v\f]*A[\r\v\f]*A[\r\v\f]*A[\r\v\f]*A[A-Za-z0-9+\/=\r\v\f]+([ \t]|$)/ }

function rest_of(line, word) {
  line = substr(line, length(word) + 1)
  sub(/^[ \t]+/, "", line)
  return line
}

# word_of(LINE): up to the first blank that is in no quotes; options may hold some.
function word_of(line, place_in, one, quoted) {
  for (place_in = 1; place_in <= length(line); place_in++) {
    one = substr(line, place_in, 1)
    if (one == "\\" && substr(line, place_in + 1, 1) == "\"") place_in++
    else if (one == "\"") quoted = !quoted
    else if (!quoted && (one == " " || one == "\t")) break
  }
  return substr(line, 1, place_in - 1)
}

# block.awk: lines between two marker lines; see editor.awk. Requests:
#   G TEXT             the line that begins the block
#   E TEXT             the line that ends it
#   C TEXT             how a comment begins, and …
#   Z TEXT             … ends: what stands around the words of a marker line
#   N TEXT             the block's name, behind the word BEGIN or END
#   T TEXT             a line of it
#   A, B               where a new one comes; see editor.awk
#   H KIND TEXT        lines that begin a block of the file, in a format in which the first value counts
#   D                  no such block must be there
# Blanks around the parts of a marker line don't count: Ansible's may be `#BEGIN x`.

function block_request(kind, rest) {
  if (kind == "F") {
    block_lines = 0
    block_absent = block_comment = block_tail = block_header_kind = ""
  }
  else if (kind == "G") block_begin = rest
  else if (kind == "E") block_end = rest
  else if (kind == "C") block_comment = rest
  else if (kind == "Z") block_tail = rest
  else if (kind == "N") block_name = rest
  else if (kind == "T") block_text[++block_lines] = rest
  else if (kind == "H") {
    block_header_kind = substr(rest, 1, 1)
    block_header = pattern_of(block_header_kind, substr(rest, 3))
  }
  else if (kind == "D") block_absent = 1
  else place_request(kind, rest)
}

# BEGIN or END where text is a marker line of the block, else nothing.
function block_mark(text,   word, at) {
  text = trim(text)
  if (substr(text, 1, length(block_comment)) != block_comment) return ""
  text = trim(substr(text, length(block_comment) + 1))
  word = substr(text, 1, 5) == "BEGIN" ? "BEGIN" : substr(text, 1, 3) == "END" ? "END" : ""
  text = substr(text, length(word) + 1)
  if (word == "" || text !~ /^[ \t]/) return ""
  at = length(text) - length(block_tail)
  if (substr(text, at + 1) != block_tail) return ""
  return trim(substr(text, 1, at)) == block_name ? word : ""
}

# Finds the blocks: block_count, and the lines of their markers. Faults where a marker has no other.
function block_find(   i, text) {
  block_count = 0
  block_open = 0
  for (i = 1; i <= count; i++) {
    text = block_mark(texts[i])
    if (text == "BEGIN") {
      if (block_open) return block_fault(block_open, block_begin, block_end)
      block_open = i
    } else if (text == "END") {
      if (!block_open) return block_fault(i, block_end, block_begin)
      block_from[++block_count] = block_open
      block_to[block_count] = i
      block_open = 0
    }
  }
  if (block_open) block_fault(block_open, block_begin, block_end)
}

function block_fault(i, there, missing) {
  fault = "line " i " is `" there "`, but there is no `" missing "` to it"
}

function block_plan(   n, i, from, to) {
  block_find()
  if (fault != "") return
  if (block_absent) {
    for (n = 1; n <= block_count; n++) for (i = block_from[n]; i <= block_to[n]; i++) remove(i)
    if (block_count) also("removed")
    return
  }
  if (block_count > 1) {
    fault = "the block `" block_begin "` stands there " block_count " times"
    return
  }
  if (!block_count) {
    also("added")
    n = block_place()
    insert(n, block_begin)
    for (i = 1; i <= block_lines; i++) insert(n, block_text[i])
    insert(n, block_end)
    return
  }
  from = block_from[1] + 1
  to = block_to[1] - 1
  if (block_same(from, to)) return
  also("content")
  # What begins alike stays.
  for (n = 1; from <= to && n <= block_lines && texts[from] == block_text[n]; n++) from++
  for (i = from; i <= to; i++) remove(i)
  for (; n <= block_lines; n++) insert(from - 1, block_text[n])
}

function block_same(from, to,   i) {
  if (to - from + 1 != block_lines) return 0
  for (i = 1; i <= block_lines; i++) if (texts[from + i - 1] != block_text[i]) return 0
  return 1
}

# Where a new block comes. Where the first value counts, one without a block of the file in it comes first, as it
# would have no effect behind another value, nor within such a block.
function block_place(   i, n) {
  if (block_header_kind == "" || after_kind != "" || before_kind != "") return place_of()
  for (n = 1; n <= block_lines; n++) if (is_like(block_text[n], block_header_kind, block_header)) break
  if (n > block_lines) return 0
  for (i = 1; i < n; i++) if (block_text[i] !~ /^[ \t]*(#|$)/) break
  if (i == n) return count
  # Settings for all, and then blocks: before the first other one.
  for (i = 1; i <= count; i++) if (is_like(texts[i], block_header_kind, block_header)) break
  return i - 1
}

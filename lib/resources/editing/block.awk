# block.awk: lines between two marker lines; see editor.awk. Requests:
#   G TEXT             the line that begins the block
#   E TEXT             the line that ends it
#   T TEXT             a line of it
#   A, B               where a new one comes; see line.awk
#   D                  no such block must be there
# Blanks before and behind a marker don't count.

function block_request(kind, rest) {
  if (kind == "F") {
    block_lines = 0
    block_absent = ""
  }
  else if (kind == "G") block_begin = rest
  else if (kind == "E") block_end = rest
  else if (kind == "T") block_text[++block_lines] = rest
  else if (kind == "D") block_absent = 1
  else place_request(kind, rest)
}

# Finds the blocks: block_count, and the lines of their markers. Faults where a marker has no other.
function block_find(   i, text) {
  block_count = 0
  block_open = 0
  for (i = 1; i <= count; i++) {
    text = trim(texts[i])
    if (text == block_begin) {
      if (block_open) return block_fault(block_open, block_begin, block_end)
      block_open = i
    } else if (text == block_end) {
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
    n = place_of()
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

# replace.awk: what an expression matches in lines, and what comes in its place; see editor.awk. Requests:
#   M r PATTERN        lines that the expression matches in
#   P INSTRUCTION      its program, an instruction each; see replace_match
#   L TEXT             what comes in its place: this text …
#   G GROUP            … and what this group has matched; 0 is all of the match
#   W WHICH            all of the line becomes that: of the last line that matches, the first, or of all
#   A KIND TEXT        only what is behind the first line like this is looked at
#   B KIND TEXT        only what is before the next line like this is looked at
#
# Instructions, which count from 1, and are those of lib/resources/host-matcher.ts:
#   c HOW CODES OTHERS one character: of these codes of ASCII, as ranges; of OTHERS; or with HOW 1 any other beyond ASCII,
#                      with 2 any byte beyond it
#   s A B              goes on at A, and where that fails at B
#   j A                goes on at A
#   v SLOT             keeps the place in a slot: a group's beginning has an even number, its end the next one
#   x SLOT             forgets a slot and the one behind it
#   e LOOP, n LOOP     a round of a loop begins, and ends: it must not be empty
#   ^ $                the line's beginning and end
#   m                  it matches

function replace_request(kind, rest,   op) {
  if (kind == "F") {
    replace_length = replace_parts = 0
    replace_which = ""
    split("", replace_set)
    split("", replace_others)
  }
  else if (kind == "M") replace_pattern = pattern_of("r", substr(rest, 3))
  else if (kind == "P") {
    op = substr(rest, 1, 1)
    rest = substr(rest, 3)
    replace_op[++replace_length] = op
    if (op == "c") replace_characters(rest)
    else {
      replace_a[replace_length] = rest + 0
      sub(/^[^ ]* ?/, "", rest)
      replace_b[replace_length] = rest + 0
    }
  }
  else if (kind == "L" || kind == "G") {
    replace_part_kind[++replace_parts] = kind
    replace_part[replace_parts] = rest
  }
  else if (kind == "W") replace_which = rest
  else place_request(kind, rest)
}

function replace_characters(rest,   n, i, ranges, ends, code) {
  replace_a[replace_length] = substr(rest, 1, 1)
  rest = substr(rest, 3)
  n = index(rest, " ")
  replace_rest = substr(rest, n + 1)
  n = split(substr(rest, 1, n - 1), ranges, ",")
  for (i = 1; i <= n; i++) {
    if (split(ranges[i], ends, "-") < 2 || ends[1] == "") continue
    for (code = ends[1] + 0; code <= ends[2] + 0; code++) replace_set[replace_length, sprintf("%c", code)] = 1
  }
  # One after the other, by their widths.
  while (replace_rest != "") {
    n = replace_width(replace_rest, 1)
    replace_others[replace_length, substr(replace_rest, 1, n)] = 1
    replace_rest = substr(replace_rest, n + 1)
  }
}

# How many bytes the character at this place has: of what is none of UTF-8, one.
function replace_width(text, at,   four) {
  four = substr(text, at, 4)
  if (four ~ /^[\302-\337][\200-\277]/) return 2
  if (four ~ /^[\340-\357][\200-\277][\200-\277]/) return 3
  if (four ~ /^[\360-\364][\200-\277][\200-\277][\200-\277]/) return 4
  return 1
}

# How many bytes of the text the instruction takes; 0: it does not fit.
function replace_takes(pc, text, at,   c, width) {
  c = substr(text, at, 1)
  if (c == "") return 0
  if ((pc, c) in replace_set) return 1
  if (c !~ /[\200-\377]/) return 0
  if (replace_a[pc] == 2) return 1
  width = replace_width(text, at)
  if (replace_a[pc] == 1) return width > 1 ? width : 0
  return ((pc, substr(text, at, width)) in replace_others) ? width : 0
}

# Whether the program matches at this place, as JavaScript would: the first way that does, in the order of its choices. Where each
# group begins and ends is in replace_slot then; 0: it took no part. A way that is left is taken from a stack, with
# what it did to the slots.
function replace_match(text, start,   pc, at, top, op, n) {
  split("", replace_slot)
  pc = 1
  at = start
  top = 0
  while (1) {
    if (++replace_steps > 1000000) {
      fault = "the expression takes too long in line " replace_line
      return 0
    }
    op = replace_op[pc]
    if (op == "m") {
      replace_slot[0] = start
      replace_slot[1] = at
      return 1
    }
    if (op == "c") {
      n = replace_takes(pc, text, at)
      if (n) {
        at += n
        pc++
        continue
      }
    } else if (op == "s") {
      replace_kept[++top] = replace_b[pc]
      replace_kept_at[top] = at
      pc = replace_a[pc]
      continue
    } else if (op == "j") {
      pc = replace_a[pc]
      continue
    } else if (op == "v" || op == "e" || op == "x") {
      n = op == "e" ? "loop " replace_a[pc] : replace_a[pc]
      replace_kept[++top] = 0
      replace_kept_at[top] = n
      replace_kept_was[top] = replace_slot[n]
      replace_slot[n] = op == "x" ? 0 : at
      if (op == "x") {
        replace_kept[++top] = 0
        replace_kept_at[top] = n + 1
        replace_kept_was[top] = replace_slot[n + 1]
        replace_slot[n + 1] = 0
      }
      pc++
      continue
    } else if ((op == "^" && at == 1) || (op == "$" && at == length(text) + 1) || (op == "n" && at != replace_slot["loop " replace_a[pc]])) {
      pc++
      continue
    }
    # Back to the last way that is left.
    while (top > 0 && replace_kept[top] == 0) {
      replace_slot[replace_kept_at[top]] = replace_kept_was[top]
      top--
    }
    if (top == 0) return 0
    pc = replace_kept[top]
    at = replace_kept_at[top--]
  }
}

# Whether it matches at or behind this place.
function replace_find(text, start) {
  for (; start <= length(text) + 1; start += replace_width(text, start)) {
    if (replace_match(text, start)) return 1
    if (fault != "") return 0
  }
  return 0
}

# What comes in the place of the match that was found.
function replace_made(text,   n, group, made) {
  made = ""
  for (n = 1; n <= replace_parts; n++) {
    if (replace_part_kind[n] == "L") made = made replace_part[n]
    else {
      group = 2 * replace_part[n]
      if (replace_slot[group] && replace_slot[group + 1])
        made = made substr(text, replace_slot[group], replace_slot[group + 1] - replace_slot[group])
    }
  }
  return made
}

# The text with all that matches replaced; with `which`, all of it.
function replace_all(text,   at, made, width) {
  replace_steps = 0
  made = ""
  at = 1
  while (at <= length(text) + 1 && replace_find(text, at)) {
    if (replace_which != "") return replace_made(text)
    made = made substr(text, at, replace_slot[0] - at) replace_made(text)
    at = replace_slot[1]
    if (at == replace_slot[0]) {
      # Behind an empty match there is no other at the same place.
      width = replace_width(text, at)
      made = made substr(text, at, width)
      at += width
    }
  }
  return made substr(text, at)
}

function replace_plan(   i, from, to, found, last, made) {
  if (missing) {
    fault = "it does not exist"
    return
  }
  from = 1
  to = count
  if (after_kind != "") {
    while (from <= count && !is_like(texts[from], after_kind, after_text)) from++
    from++
  }
  if (before_kind != "") {
    for (i = from; i <= count && !is_like(texts[i], before_kind, before_text); i++) ;
    # Without that line nothing is before it.
    to = i <= count ? i - 1 : 0
  }
  found = last = 0
  for (i = from; i <= to; i++) {
    if (texts[i] !~ replace_pattern) continue
    if (replace_which == "first" && last) break
    last = i
    if (replace_which != "last") found += replace_in(i)
    if (fault != "") return
  }
  if (replace_which == "last" && last) found = replace_in(last)
  if (fault != "" || !found) return
  if (replace_which != "" && replace_which != "all" && changed[last] !~ replace_pattern) {
    # The next run would find another one.
    for (i = from; i <= to; i++) {
      if (i == last || texts[i] !~ replace_pattern) continue
      fault = "line " i " matches as well as line " last ", and would change in the next run"
      return
    }
  }
  also(found == 1 ? "1 line" : found " lines")
}

# Line i is as it is to be: whether that changes it.
function replace_in(i,   made) {
  replace_line = i
  made = replace_all(texts[i])
  if (fault != "" || made == texts[i]) return 0
  if (made ~ replace_pattern && replace_all(made) != made) {
    fault = "line " i " would change again in each run: what comes in its place matches too"
    return 0
  }
  if (fault != "") return 0
  replace(i, made)
  return 1
}

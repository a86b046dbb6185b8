# hosts.awk: lines of /etc/hosts: an address, its name, other names; see editor.awk. Requests:
#   H ADDRESS          the address
#   T NAME             a name of it; the first is the canonical one
#   O exclusive        the address has no other line
#   D                  the address must not have these names; without a name: no line at all
# Letter case does not count.

function hosts_request(kind, rest) {
  if (kind == "F") {
    hosts_names = 0
    hosts_exclusive = hosts_absent = ""
    split("", hosts_wanted)
  }
  else if (kind == "H") hosts_address = tolower(rest)
  else if (kind == "T") {
    hosts_name[++hosts_names] = rest
    hosts_wanted[tolower(rest)] = 1
  }
  else if (kind == "O") hosts_exclusive = 1
  else hosts_absent = 1
}

# Reads a line: hosts_words, the address first; hosts_tail, the comment and the blanks before it.
function hosts_read(text,   at) {
  at = index(text, "#")
  hosts_body = at ? substr(text, 1, at - 1) : text
  sub(/[ \t]+$/, "", hosts_body)
  hosts_tail = substr(text, length(hosts_body) + 1)
  hosts_words = split(hosts_body, hosts_word, /[ \t]+/)
  # Blanks before the address make an empty first word.
  if (hosts_words > 0 && hosts_word[1] == "") {
    for (at = 1; at < hosts_words; at++) hosts_word[at] = hosts_word[at + 1]
    hosts_words--
  }
  return hosts_words > 1
}

# Whether the line that was read has the wanted names in their order.
function hosts_is_right(   n) {
  if (hosts_words != hosts_names + 1) return 0
  for (n = 1; n <= hosts_names; n++) if (tolower(hosts_word[n + 1]) != tolower(hosts_name[n])) return 0
  return 1
}

# Whether the line that was read, of the wanted address, is the one to have the names: it has the canonical
# one first, or no name that is not wanted.
function hosts_is_own(   n) {
  if (tolower(hosts_word[2]) == tolower(hosts_name[1])) return 1
  for (n = 2; n <= hosts_words; n++) if (!(tolower(hosts_word[n]) in hosts_wanted)) return 0
  return 1
}

# The line that was read without the wanted names; without any name it goes.
function hosts_take_from(i,   n, left, found, text, rest, word) {
  rest = hosts_body
  match(rest, /^[ \t]*[^ \t]+/)
  text = substr(rest, 1, RLENGTH)
  rest = substr(rest, RLENGTH + 1)
  left = found = 0
  while (match(rest, /^[ \t]+[^ \t]+/)) {
    word = substr(rest, 1, RLENGTH)
    rest = substr(rest, RLENGTH + 1)
    if (tolower(trim(word)) in hosts_wanted) {
      found = 1
      # The first name stands where the first name stood.
      if (!left && rest != "") {
        sub(/^[ \t]+/, "", rest)
        rest = indent_of(word) rest
      }
    } else {
      text = text word
      left++
    }
  }
  if (!found) return 0
  if (left) replace(i, text hosts_tail)
  else remove(i)
  return 1
}

function hosts_plan(   i, own, last, six, n, text, between) {
  own = last = 0
  six = index(hosts_address, ":") > 0
  for (i = 1; i <= count; i++) {
    if (!hosts_read(texts[i]) || tolower(hosts_word[1]) != hosts_address) continue
    last = i
    if (!own && !hosts_absent && (hosts_exclusive || hosts_is_own())) own = i
  }
  for (i = 1; i <= count; i++) {
    if (!hosts_read(texts[i])) continue
    if (tolower(hosts_word[1]) != hosts_address) {
      # A name of another address of the same kind would be found first, or beside this one.
      if (hosts_absent || (index(hosts_word[1], ":") > 0) != six) continue
      if (hosts_take_from(i)) also_once("names taken from " hosts_word[1])
    } else if (hosts_absent ? hosts_names == 0 : (hosts_exclusive && i != own)) {
      remove(i)
      also_once("removed")
    } else if (i != own) {
      if (hosts_take_from(i)) also_once("removed")
    } else if (!hosts_is_right()) {
      match(hosts_body, /^[ \t]*[^ \t]+[ \t]+/)
      text = substr(hosts_body, 1, RLENGTH) hosts_name[1]
      for (n = 2; n <= hosts_names; n++) text = text " " hosts_name[n]
      replace(i, text hosts_tail)
      also("names")
    }
  }
  if (own || hosts_absent) return
  also("added")
  text = hosts_name[1]
  for (n = 2; n <= hosts_names; n++) text = text " " hosts_name[n]
  insert(last ? last : hosts_end(), hosts_address hosts_between() text)
}

# Where a line of a new address comes: behind the last one of its kind of address, else at the end.
function hosts_end(   i) {
  for (i = count; i > 0; i--) {
    if (hosts_read(texts[i]) && (index(hosts_word[1], ":") > 0) == (index(hosts_address, ":") > 0)) return i
  }
  return count
}

# What stands between an address and its name in the first line that has both.
function hosts_between(   i) {
  for (i = 1; i <= count; i++) {
    if (!hosts_read(texts[i])) continue
    match(hosts_body, /^[ \t]*[^ \t]+/)
    return indent_of(substr(hosts_body, RLENGTH + 1))
  }
  return "\t"
}

# env.awk: KEY=value lines as sh reads them; see editor.awk. Requests:
#   O plain            values are all that follows `=`, without quotes
#   O pam              values are as pam_env reads them
#   O export           new keys get `export ` in front
#   K KEY              a key …
#   V VALUE            … that must have this value
#   D                  … that must not be there
# Where a key stands twice, the last one counts, and is the one that is changed. A value in quotes may go
# over several lines.

function env_file_request(kind, rest) {
  if (kind == "F") {
    env_wanted = 0
    env_plain = env_pam = env_export = ""
  }
  else if (kind == "O") {
    if (rest == "plain") env_plain = 1
    else if (rest == "pam") env_pam = 1
    else env_export = "export "
  }
  else if (kind == "K") {
    env_wanted++
    env_key[env_wanted] = rest
    env_gone[env_wanted] = 0
  }
  else if (kind == "V") env_want[env_wanted] = rest
  else env_gone[env_wanted] = 1
}

# Reads a value as sh does: env_value; env_tail, what follows it; env_literal, whether sh would take it for
# just that; env_style, the quote it begins with. False where a quote or a line is left open.
function env_read(text,   i, c, quoted, next_c) {
  env_value = env_tail = quoted = ""
  env_literal = 1
  env_style = text ~ /^["']/ ? substr(text, 1, 1) : ""
  for (i = 1; i <= length(text); i++) {
    c = substr(text, i, 1)
    if (quoted == "'") {
      if (c == "'") quoted = ""
      else env_value = env_value c
    }
    else if (c == "\\") {
      if (i == length(text)) return 0
      next_c = substr(text, ++i, 1)
      if (next_c == "\n") continue
      env_value = env_value ((quoted == "" || next_c ~ /[$`"\\]/) ? "" : "\\") next_c
    }
    else if (quoted == "\"") {
      if (c == "\"") quoted = ""
      else {
        if (c == "$" || c == "`") env_literal = 0
        env_value = env_value c
      }
    }
    else if (c == "\"" || c == "'") quoted = c
    else if (c ~ /[ \t;&|<>()]/) {
      env_tail = substr(text, i)
      return 1
    }
    else {
      if (c == "$" || c == "`" || (c == "~" && (i == 1 || substr(text, i - 1, 1) == ":"))) env_literal = 0
      env_value = env_value c
    }
  }
  return quoted == ""
}

# Reads a value as pam_env does: # ends it, in quotes too; a quote at its beginning goes, and then one at its end.
# What is behind it is no comment to others, whose value goes up to the blanks before it.
function env_read_pam(text,   at) {
  at = index(text, "#")
  env_tail = at ? substr(text, at) : ""
  env_value = at ? substr(text, 1, at - 1) : text
  env_style = ""
  env_literal = 1
  if (env_value !~ /^["']/) return
  env_style = substr(env_value, 1, 1)
  env_value = substr(env_value, 2)
  sub(/["']$/, "", env_value)
}

# A value as pam_env reads it. It has no escapes, and what begins with a quote gets two more around it.
function env_written_pam(text) {
  if (text ~ /^["']/ || text ~ /^[ \t]|[ \t]$/) return "\"" text "\""
  if (text ~ "^[A-Za-z0-9_.,:/@%+=-]*$" || text ~ /["'$`\\]/) return text
  return "\"" text "\""
}

# A value as it is written: in the quotes that were there if it can be, else in none if it needs none.
function env_written(text, style,   i, c, out) {
  if (env_plain) return text
  if (env_pam) return env_written_pam(text)
  if (style == "\"" && text !~ /["\\$`]/) return "\"" text "\""
  if (style == "'" && text !~ /'/) return "'" text "'"
  if (text ~ "^[A-Za-z0-9_.,:/@%+=-]*$") return text
  if (text !~ /["\\$`]/) return "\"" text "\""
  if (text !~ /'/) return "'" text "'"
  for (i = 1; i <= length(text); i++) {
    c = substr(text, i, 1)
    out = out (c ~ /["\\$`]/ ? "\\" : "") c
  }
  return "\"" out "\""
}

# Find the last place of each wanted key.
function env_scan(   i, j, name, lead, text, to) {
  split("", env_at)
  for (j = 1; j <= env_wanted; j++) env_places[j] = 0
  env_last_key = 0
  for (i = 1; i <= count; i = to + 1) {
    to = i
    if (!match(texts[i], /^[ \t]*(export[ \t]+)?[A-Za-z_][A-Za-z0-9_]*=/)) continue
    lead = substr(texts[i], 1, RLENGTH)
    text = substr(texts[i], RLENGTH + 1)
    name = lead
    sub(/^[ \t]*(export[ \t]+)?/, "", name)
    name = substr(name, 1, length(name) - 1)
    if (env_plain) {
      env_value = text
      env_tail = env_style = ""
      env_literal = 1
    } else if (env_pam) {
      # A backslash at the end goes on in the next line.
      while (text ~ /\\$/ && to < count) text = substr(text, 1, length(text) - 1) texts[++to]
      env_read_pam(text)
    } else {
      while (!env_read(text) && to < count) text = text "\n" texts[++to]
      # A quote that nothing ends is a part of this line only.
      if (to > i && !env_read(text)) {
        to = i
        env_read(substr(texts[i], length(lead) + 1))
      }
    }
    env_last_key = to
    for (j = 1; j <= env_wanted; j++) {
      if (env_key[j] != name) continue
      env_places[j]++
      env_at[j, env_places[j]] = i
      env_to[j, env_places[j]] = to
      env_lead[j] = lead
      if (env_pam) {
        env_is[j] = env_value == env_want[j]
        # Blanks before a comment would be the value's.
        env_rest[j] = env_tail
        env_quote[j] = ""
        continue
      }
      env_is[j] = env_literal && env_value == env_want[j] && env_tail ~ /^([ \t]*$|[ \t]+#|[ \t]*;)/
      env_rest[j] = env_tail ~ /^([ \t]+#|[ \t]*;)/ ? env_tail : ""
      env_quote[j] = env_style
    }
  }
}

function env_file_plan(   j, n, i, at) {
  env_scan()
  for (j = 1; j <= env_wanted; j++) {
    n = env_places[j]
    if (env_gone[j]) {
      if (n) also(env_key[j])
      for (; n > 0; n--) for (i = env_at[j, n]; i <= env_to[j, n]; i++) remove(i)
    } else if (!n) {
      also(env_key[j])
      insert(env_last_key ? env_last_key : count, env_export env_key[j] "=" env_written(env_want[j], ""))
    } else if (!env_is[j]) {
      also(env_key[j])
      at = env_at[j, n]
      replace(at, env_lead[j] env_written(env_want[j], env_quote[j]) env_rest[j])
      for (i = at + 1; i <= env_to[j, n]; i++) remove(i)
    }
  }
}

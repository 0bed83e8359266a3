# `wrapProgram FILE --set-default NAME VALUE`: as much of it as packages here use.
wrapProgram() {
  local file="$1" name="$3" value="$4"
  [ "$2" = --set-default ] || { echo "wrapProgram $2: not in the stand-in" >&2; return 1; }
  local hidden
  hidden="$(dirname "$file")/.$(basename "$file")-wrapped"
  mv "$file" "$hidden"
  printf '#!/bin/bash\nexport %s="${%s-%s}"\nexec -a "$0" %s "$@"\n' "$name" "$name" "$value" "$hidden" >"$file"
  chmod +x "$file"
}

# What the scripts of this project share. Sourced.

say() { printf '\n== %s\n' "$*"; }

fail() {
  printf '%s: %s\n' "$(basename "$0")" "$*" >&2
  exit 1
}

need_swift() {
  command -v swift >/dev/null || fail "swift is missing; install a Swift 6.3 toolchain (https://www.swift.org/install)"
  swift --version 2>&1 | grep -qE 'Swift version (6\.([3-9]|[1-9][0-9])|[7-9])' ||
    fail "this needs Swift 6.3 or newer; 'swift --version' says: $(swift --version 2>&1 | head -1)"
}

# Installs those of the named Debian packages that are missing.
install_debian() {
  local missing=() package
  for package in "$@"; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
  done
  [ ${#missing[@]} -gt 0 ] || return 0
  command -v apt-get >/dev/null || fail "these are missing, and there is no apt-get to install them: ${missing[*]}"
  local root=()
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || fail "run this once as root: apt-get install ${missing[*]}"
    root=(sudo)
  fi
  say "installing ${missing[*]}"
  "${root[@]}" apt-get update -qq || fail "apt-get update failed; is the network up?"
  DEBIAN_FRONTEND=noninteractive "${root[@]}" apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null ||
    fail "apt-get could not install: ${missing[*]}"
}

# A build's output without a line for each file: errors, warnings and the end.
progress() { awk '
  !/error:|warning:|Compiling|Build .*complete|Linking/ { next }
  /^\[[0-9]+\/[0-9]+\]/ { n++; if (n % 50 == 0) { sub(/\].*/, ""); print "  built " substr($0, 2); fflush() } next }
  { print; fflush() }'; }

# Builds the package of the current folder; a warning is an error.
build_strictly() {
  local log
  log=$(mktemp)
  swift build "$@" 2>&1 | tee "$log" | progress
  local status=${PIPESTATUS[0]}
  if [ "$status" -ne 0 ]; then
    tail -40 "$log" >&2
    rm -f "$log"
    return 1
  fi
  if grep -E '^/.*warning: ' "$log" | grep -v '/checkouts/'; then
    rm -f "$log"
    fail "warnings are errors here"
  fi
  rm -f "$log"
}

# A Python environment outside of the tree, with the requirements of a file.
python_environment() {
  local directory="${XDG_CACHE_HOME:-$HOME/.cache}/heliograph/venv-$1"
  if ! cmp -s "$2" "$directory/requirements.txt"; then
    say "making a Python environment for $1"
    rm -rf "$directory"
    python3 -m venv "$directory" || fail "python3 -m venv failed"
    "$directory/bin/pip" install -q --disable-pip-version-check -r "$2" || fail "pip could not install what $2 names"
    cp "$2" "$directory/requirements.txt"
  fi
  PYTHON="$directory/bin/python"
}

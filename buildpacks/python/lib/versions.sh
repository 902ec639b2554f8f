# Which Python: the files that ask for one, and those that the stack has.

default_note="no Python version was asked for"

# Full versions with their programs, newest first: "3.11.2 /usr/bin/python3.11". Looked for once: each is started to
# ask it.
installed_pythons() { echo "$pythons"; }

find_pythons() {
  local directory earlier program full
  local -a directories seen=()
  IFS=: read -ra directories <<<"$PATH"
  for directory in "${directories[@]}"; do
    for earlier in "${seen[@]}"; do [[ ! $directory -ef $earlier ]] || continue 2; done # /bin is /usr/bin
    seen+=("$directory")
    for program in "$directory"/python3.*; do
      [[ ${program##*/} =~ ^python3\.[0-9]+$ && -x $program ]] || continue
      full=$("$program" -IS -c 'import sys; print("%d.%d.%d" % sys.version_info[:3])' 2>/dev/null) || continue
      echo "$full $program"
    done
  done | sort -t. -k1,1nr -k2,2nr -k3,3nr -u
}

# FILE: its one line, without comments and blank lines; refuses anything else.
version_line() {
  local lines
  lines=$(tr -d '\r' <"$1" | sed -e 's/#.*//' -e 's/^[[:space:]]*//' -e 's/[[:space:]]*$//' | grep -v '^$') || true
  if [[ -z $lines || $lines == *$'\n'* ]]; then
    refuse "Error: $1 must hold one line with a Python version." \
      "For example: $2"
  fi
  echo "$lines"
}

# Sets `wanted` ("3.11" or "3.11.2", or empty) and `wanted_by`.
read_wanted_version() {
  local line
  wanted='' wanted_by=''
  if [[ -f runtime.txt ]]; then
    line=$(version_line runtime.txt python-3.11) || { echo "$line"; exit 1; }
    [[ $line =~ ^python-(3\.[0-9]+(\.[0-9]+)?)$ ]] ||
      refuse "Error: runtime.txt asks for '$line', which is no Python version." "Write it as: python-3.11"
    wanted=${BASH_REMATCH[1]} wanted_by=runtime.txt
    warning "Warning: runtime.txt is deprecated." "Write '$wanted' into a file .python-version instead."
  elif [[ -f .python-version ]]; then
    line=$(version_line .python-version 3.11) || { echo "$line"; exit 1; }
    [[ $line =~ ^(3\.[0-9]+(\.[0-9]+)?)$ ]] ||
      refuse "Error: .python-version asks for '$line', which is no Python version." "Write it as: 3.11"
    wanted=$line wanted_by=.python-version
  elif [[ $manager == pipenv && -n $pipenv_wants ]]; then
    line=$pipenv_wants
    [[ $line =~ ^3\.[0-9]+(\.[0-9]+)?$ ]] ||
      refuse "Error: Pipfile.lock asks for Python '$line', which is no version." \
        "Write one into Pipfile, under [requires]: python_version = \"3.11\"" "Then run 'pipenv lock'."
    wanted=$line wanted_by=Pipfile.lock
  elif [[ -f $cache/version ]]; then
    # An app that names no version stays on the one it was first built with, while the stack has it.
    line=$(cat "$cache/version")
    if [[ $line =~ ^3\.[0-9]+$ ]] && installed_pythons | grep -q "^${line/./\\.}\."; then
      wanted=$line wanted_by="the last build"
    fi
  fi
}

# Sets `pipenv_wants`.
read_pipfile_lock() {
  pipenv_wants=$(python3 - 2>/dev/null <<'PYTHON'
import json
requires = json.load(open("Pipfile.lock")).get("_meta", {}).get("requires", {})
print(requires.get("python_full_version") or requires.get("python_version") or "")
PYTHON
  ) || refuse "Error: unable to read Pipfile.lock." "Run 'pipenv lock' and commit it."
}

# Sets `python` (a program) and `version` (all three numbers).
choose_python() {
  local installed found
  pythons=$(find_pythons)
  installed=$pythons
  [[ -n $installed ]] || refuse "Error: the stack '$stack' has no Python 3." \
    "Ask the operator of this server to add one (on Debian: apt install python3 python3-venv)."
  [[ $manager != pipenv ]] || read_pipfile_lock
  read_wanted_version

  if [[ -z $wanted ]]; then
    found=$(head -n1 <<<"$installed")
    topic "No Python version was specified. Using the newest of the stack: Python ${found%% *}"
    detail "To choose one, write it into a file named .python-version."
  else
    found=$(grep -E "^${wanted//./\\.}(\.[0-9]+)? " <<<"$installed" | head -n1) || true
    if [[ -z $found ]]; then
      python=$(head -n1 <<<"$installed") python=${python#* } # uv is installed with it
      download_python
      return
    fi
    topic "Using Python ${found%% *} specified by $wanted_by"
  fi
  version=${found%% *} python=${found#* }
}

# A version that the stack has not: one of uv's builds, which go into the slug. The operator's or the app's
# UV_PYTHON_INSTALL_MIRROR says from where; else uv knows.
download_python() {
  local mirror home
  topic "Using Python $wanted specified by $wanted_by, which the stack '$stack' does not have"
  get_tool uv
  mirror=$(config_var UV_PYTHON_INSTALL_MIRROR)
  [[ -z $mirror ]] || export UV_PYTHON_INSTALL_MIRROR=$mirror
  detail "Downloading Python $wanted"
  if ! UV_PYTHON_CACHE_DIR=$cache/cpython UV_HTTP_TIMEOUT=30 UV_HTTP_RETRIES=2 timeout 300 "$tools/bin-uv" python install \
    "$wanted" --install-dir "$work/cpython" --no-bin --no-progress >"$work/python.log" 2>&1; then
    tail -n5 "$work/python.log" | indent
    refuse "Error: $wanted_by asks for Python $wanted, which the stack '$stack' does not have." \
      "It has: $(installed_pythons | cut -d' ' -f1 | paste -sd, | sed 's/,/, /g'); and no other could be downloaded." \
      "Ask for one of these in .python-version (3.N takes whichever 3.N there is)."
  fi
  home=$(find "$work/cpython" -mindepth 1 -maxdepth 1 -type d -name 'cpython-*' | head -n1)
  rm -rf .heroku/cpython && mkdir -p .heroku && mv "$home" .heroku/cpython
  python=$app/.heroku/cpython/bin/python3
  version=$("$python" -c 'import sys; print("%d.%d.%d" % sys.version_info[:3])') ||
    refuse "Error: the Python $wanted that was downloaded does not run on the stack '$stack'."
  detail "Using Python $version"
}

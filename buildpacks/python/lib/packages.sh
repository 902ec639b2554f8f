# What the app needs installed, and by whom.

# "found" "meant": names that people write by accident, after which nothing is installed and nobody says why.
refuse_misspelt_files() {
  local pair
  for pair in requirement.txt:requirements.txt Requirements.txt:requirements.txt \
    requirements.text:requirements.txt requirements.txt.txt:requirements.txt requirments.txt:requirements.txt \
    .python_version:.python-version python-version:.python-version .pythonversion:.python-version \
    runtime.text:runtime.txt Runtime.txt:runtime.txt; do
    [[ -f ${pair%%:*} && ! -f ${pair##*:} ]] || continue
    refuse "Error: the file '${pair%%:*}' is not read by anything." \
      "Rename it to '${pair##*:}': git mv ${pair%%:*} ${pair##*:}"
  done
}

# Sets `manager` and `lock`, the file that it goes by.
choose_package_manager() {
  local file
  local -a found=()
  for file in Pipfile.lock requirements.txt poetry.lock uv.lock; do
    [[ -f $file ]] && found+=("$file")
  done

  if ((${#found[@]} > 1)); then
    refuse "Error: several package managers' files were found: ${found[*]}" \
      "Keep one of them. To keep the others in git, list them in .slugignore."
  fi
  if ((${#found[@]} == 0)); then
    [[ ! -f Pipfile ]] || refuse "Error: there is a Pipfile without a Pipfile.lock." \
      "Run 'pipenv lock' and commit Pipfile.lock."
    if grep -qs '^\[tool\.poetry' pyproject.toml; then
      refuse "Error: pyproject.toml is Poetry's, but there is no poetry.lock." "Run 'poetry lock' and commit poetry.lock."
    fi
    refuse "Error: no requirements.txt, Pipfile.lock, poetry.lock or uv.lock was found at the top of the app." \
      "List the Python packages that the app needs in a file requirements.txt; it may be empty." \
      "A setup.py or pyproject.toml alone is installed by a requirements.txt with one line: ."
  fi
  lock=${found[0]}
  case $lock in
    requirements.txt) manager=pip needs=() ;;
    Pipfile.lock) manager=pipenv needs=(Pipfile) ;;
    poetry.lock) manager=poetry needs=(pyproject.toml) ;;
    uv.lock) manager=uv needs=(pyproject.toml) ;;
  esac
  for file in "${needs[@]}"; do
    [[ -f $file ]] || refuse "Error: $lock was found, but no $file, which $manager needs." "Commit it, too."
  done
  if [[ $manager == uv ]]; then
    [[ ! -f runtime.txt ]] || refuse "Error: runtime.txt is not read for apps that use uv." \
      "Write the version into a file .python-version instead, and take runtime.txt out: uv python pin 3.11"
    [[ -f .python-version ]] || refuse "Error: no .python-version was found, which apps that use uv need." \
      "Write one and commit it: uv python pin 3.11"
  fi
}

# A slip in a file is said before anything is downloaded, by its line. A Python before 3.11 cannot read TOML; then the
# managers say it, later.
refuse_broken_files() {
  local file why
  for file in "$lock" "${needs[@]}"; do
    [[ $file != requirements.txt ]] || continue # pip's own form, which pip names the line of
    why=$(python3 - "$file" 2>&1 <<'PYTHON'
import json, sys
try:
    if sys.argv[1] == "Pipfile.lock":
        sys.exit(None if isinstance(json.load(open(sys.argv[1], encoding="utf-8")), dict) else "it is not an object")
    try:
        import tomllib
    except ImportError:
        sys.exit()
    with open(sys.argv[1], "rb") as file:
        tomllib.load(file)
except ValueError as wrong:
    sys.exit(str(wrong))
PYTHON
    ) || refuse "Error: unable to read $file." "$why"
  done
}

# The managers themselves come from the package index, kept in the cache as one archive, never in the slug.
tool_of() {
  case $1 in
    pipenv) echo 'pipenv>=2025' ;;
    poetry) echo 'poetry>=2.1,<3' ;;
    uv) echo 'uv>=0.6,<1' ;;
  esac
}

# NAME: makes `NAME` a command of this build.
get_tool() {
  local home=$tools/$1 archive=$cache/$1.tar key
  key="$stack $(tool_of "$1") $("$python" -V 2>&1)"
  if [[ -f $archive && $(cat "$archive.key" 2>/dev/null) == "$key" ]] && mkdir -p "$home" &&
    tar -xf "$archive" -C "$home" 2>/dev/null; then
    detail "Using cached $1"
  else
    rm -rf "$home" "$archive"
    topic "Installing $1"
    if ! { "$python" -m venv "$home" && "$home/bin/python" -m pip install --quiet --progress-bar off \
      "$(tool_of "$1")"; } >"$work/tool.log" 2>&1; then
      indent <"$work/tool.log"
      refuse "Error: unable to install $1." \
        "What pip says about it is above; where it could not reach its index, push again later."
    fi
    detail "$("$home/bin/$1" --version 2>/dev/null | head -n1)"
    # What was needed to install it is not needed to use it.
    [[ $1 != uv ]] || find "$home" -path '*/site-packages/pip*' -prune -exec rm -rf {} +
    tar -cf "$archive" -C "$home" . && echo "$key" >"$archive.key"
  fi
  ln -sfn "$home/bin/$1" "$tools/bin-$1"
}

# Whether an environment that was made from the same file needs nothing more: not where it names directories of the
# app, whose content may change, or addresses. Of names, pip would find each satisfied, and take its time for it.
lock_is_all() {
  local name='[A-Za-z0-9][A-Za-z0-9._-]*([[][A-Za-z0-9,._ -]*[]])?' rest='([<>=!~ ][^/@\\]*)?(;[^/@\\]*)?'
  case $manager in
    pip) ! tr -d '\r' <requirements.txt | sed 's/#.*//' | grep -qvE "^[[:space:]]*($name[[:space:]]*$rest)?[[:space:]]*\$" ;;
    pipenv) ! grep -qE '"(path|file|editable)":' Pipfile.lock ;;
    poetry) ! grep -qE '^type = "(directory|file)"' poetry.lock ;;
    uv) ! grep -qE 'source = \{ (directory|path) =' uv.lock ;;
  esac
}

packages_key() {
  local file
  for file in "$lock" "${needs[@]}"; do sha256sum <"$file"; done | sha256sum | cut -d' ' -f1
}

# What the managers are told of indexes, passwords included.
export_index_settings() {
  local extra name
  # Addresses of indexes are for the managers, not for the app's own code. uv has names of its own for them.
  for name in PIP_INDEX_URL PIP_EXTRA_INDEX_URL UV_DEFAULT_INDEX UV_INDEX UV_EXTRA_INDEX_URL; do
    extra=$(config_var "$name")
    [[ -z $extra ]] || export "$name=$extra"
  done
  for name in "$env"/{POETRY_HTTP_BASIC_*,POETRY_PYPI_TOKEN_*,UV_INDEX_*_USERNAME,UV_INDEX_*_PASSWORD}; do
    [[ ! -f $name ]] || export "$(basename "$name")=$(cat "$name")"
  done
  [[ -z ${PIP_INDEX_URL:-} ]] || export UV_DEFAULT_INDEX=${UV_DEFAULT_INDEX:-$PIP_INDEX_URL}
  [[ -z ${PIP_EXTRA_INDEX_URL:-} ]] || export UV_INDEX=${UV_INDEX:-$PIP_EXTRA_INDEX_URL}
}

install_packages() {
  untraced export_index_settings

  if [[ -n $restored ]] && lock_is_all && [[ $(cat "$cache/packages" 2>/dev/null) == "$(packages_key)" ]]; then
    topic "Using cached packages: $lock has not changed"
    return 0
  fi
  [[ $manager == pip ]] || get_tool "$manager"
  "install_with_$manager"
  packages_key >"$cache/packages"
}

install_with_pip() {
  # Downloads and built wheels are kept apart from the environment: they survive a change of requirements.
  export PIP_CACHE_DIR=$cache/pip
  mkdir -p "$PIP_CACHE_DIR"
  topic "Installing dependencies using 'pip install -r requirements.txt'"
  if ! "$environment/bin/python" -m pip install -r requirements.txt --progress-bar off --exists-action=w \
    "--src=$environment/src" --log "$work/pip-details.log" 2>&1 | tee "$work/pip.log" | indent; then
    refuse "Error: unable to install the packages of requirements.txt." "$(why_pip_failed)"
  fi
  if grep -q '^Successfully installed' "$work/pip.log"; then environment_changed=1; fi
}

# pip asks an index six times, and if it still does not answer, says that there is no such package.
why_pip_failed() {
  local status
  status=$(sed -nE '/Could not fetch URL/s/.*(: |too many )(5[0-9]{2}) ([Ss]erver [Ee]rror|error responses).*/\2/p' \
    "$work/pip-details.log" | tail -n1)
  if [[ -n $status ]]; then
    echo "The package index answered with status $status each time that it was asked: push again later."
  elif grep -qE 'Could not fetch URL .*(connection error|timed out)' "$work/pip-details.log"; then
    echo "The package index could not be reached, however often it was tried: push again later."
  else
    echo "What pip says about it is above."
  fi
}

install_with_pipenv() {
  export PIPENV_NOSPIN=1 PIPENV_VERBOSITY=-1 PIPENV_YES=1 PIPENV_CACHE_DIR=$cache/pip PIP_CACHE_DIR=$cache/pip CI=1
  topic "Installing dependencies using 'pipenv install --deploy'"
  environment_run "$tools/bin-pipenv" install --deploy ||
    refuse "Error: unable to install the packages of Pipfile.lock." "What pipenv says about it is above." \
      "Where Pipfile and Pipfile.lock disagree, run 'pipenv lock' and commit both."
  environment_changed=1
}

install_with_poetry() {
  export POETRY_CACHE_DIR=$cache/poetry POETRY_VIRTUALENVS_CREATE=false POETRY_VIRTUALENVS_USE_POETRY_PYTHON=false
  topic "Installing dependencies using 'poetry sync --only main'"
  environment_run "$tools/bin-poetry" sync --only main --no-interaction --no-ansi ||
    refuse "Error: unable to install the packages of poetry.lock." "What Poetry says about it is above." \
      "Where pyproject.toml and poetry.lock disagree, run 'poetry lock' and commit both."
  environment_changed=1
}

install_with_uv() {
  export UV_CACHE_DIR=$cache/uv UV_PROJECT_ENVIRONMENT=$environment UV_PYTHON=$environment/bin/python UV_LINK_MODE=copy
  export UV_PYTHON_DOWNLOADS=never UV_NO_PROGRESS=1 UV_HTTP_TIMEOUT=${UV_HTTP_TIMEOUT:-60}
  topic "Installing dependencies using 'uv sync --locked --no-default-groups'"
  environment_run "$tools/bin-uv" sync --locked --no-default-groups --compile-bytecode ||
    refuse "Error: unable to install the packages of uv.lock." "What uv says about it is above." \
      "Where pyproject.toml and uv.lock disagree, run 'uv lock' and commit both."
  environment_changed=1
}

# COMMAND...: in the environment, as if it were activated.
environment_run() { VIRTUAL_ENV=$environment PATH="$environment/bin:$PATH" "$@" 2>&1 | indent; }

install_nltk_data() {
  [[ -f nltk.txt ]] || return 0
  if ! "$environment/bin/python" -c 'import nltk' 2>/dev/null; then
    warning "Warning: nltk.txt was found, but nltk is not among the app's packages."
    return 0
  fi
  local -a corpora
  read -ra corpora <<<"$(tr -s '[:space:]' ' ' <nltk.txt)"
  topic "Downloading NLTK corpora: ${corpora[*]}"
  "$environment/bin/python" -m nltk.downloader -d "$environment/nltk_data" "${corpora[@]}" 2>&1 | indent ||
    refuse "Error: unable to download the NLTK corpora of nltk.txt." "Where the network is at fault, push again later."
}

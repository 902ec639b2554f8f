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
      "Run 'pipenv requirements > requirements.txt' and commit that file."
    refuse "Error: no requirements.txt was found at the top of the app." \
      "List the Python packages that the app needs in a file requirements.txt; it may be empty." \
      "A setup.py or pyproject.toml alone is installed by a requirements.txt with one line: ."
  fi
  case ${found[0]} in
    requirements.txt) ;;
    Pipfile.lock) refuse_manager pipenv Pipfile.lock "pipenv requirements > requirements.txt" ;;
    poetry.lock) refuse_manager Poetry poetry.lock "poetry export -o requirements.txt" ;;
    uv.lock) refuse_manager uv uv.lock "uv export --no-dev -o requirements.txt" ;;
  esac
}

refuse_manager() { # NAME FILE COMMAND
  refuse "Error: $2 was found, and $1 is not offered here yet; pip is." \
    "Run '$3', commit requirements.txt," \
    "and list $2 in .slugignore so that only one of the two is seen."
}

install_packages() {
  local extra
  extra=$(config_var PIP_EXTRA_INDEX_URL)
  [[ -z $extra ]] || export PIP_EXTRA_INDEX_URL=$extra
  # Downloads and built wheels are kept apart from the environment: they survive a change of requirements.
  export PIP_CACHE_DIR=$cache/pip
  mkdir -p "$PIP_CACHE_DIR"

  topic "Installing dependencies using 'pip install -r requirements.txt'"
  if ! "$environment/bin/python" -m pip install -r requirements.txt --progress-bar off --exists-action=w \
    "--src=$environment/src" 2>&1 | tee "$work/pip.log" | indent; then
    refuse "Error: unable to install the packages of requirements.txt." "What pip says about it is above."
  fi
  if grep -q '^Successfully installed' "$work/pip.log"; then environment_changed=1; fi
}

install_nltk_data() {
  [[ -f nltk.txt ]] || return 0
  if ! "$environment/bin/python" -c 'import nltk' 2>/dev/null; then
    warning "Warning: nltk.txt was found, but nltk is not among the packages of requirements.txt."
    return 0
  fi
  local -a corpora
  read -ra corpora <<<"$(tr -s '[:space:]' ' ' <nltk.txt)"
  topic "Downloading NLTK corpora: ${corpora[*]}"
  "$environment/bin/python" -m nltk.downloader -d "$environment/nltk_data" "${corpora[@]}" 2>&1 | indent ||
    refuse "Error: unable to download the NLTK corpora of nltk.txt."
}

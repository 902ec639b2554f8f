# The virtual environment: where it is, how it is kept between builds, and what a dyno is told of it.

environment=$app/.heroku/python
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
environment_changed=''

link_app() {
  if [[ -e .heroku/python || -L .heroku/python ]]; then
    warning "Warning: the app has a .heroku/python of its own; it is replaced." "Take it out of git."
    rm -rf .heroku/python
  fi
  [[ ! -e .heroku || -d .heroku ]] || refuse "Error: the app has a file named .heroku, where Python goes." \
    "Rename it, or list it in .slugignore."
  mkdir -p .heroku/python "$app/.heroku"
  # In CI the app is built where it runs, and there is nothing to link.
  [[ $build -ef $app ]] || ln -sfn "$build/.heroku/python" "$environment"
}

# What the kept environment depends on. A change of any of it starts from nothing.
environment_key() {
  printf '%s\n' "stack $stack" "python $version" "program $python" "path $environment" \
    "requirements $(sha256sum <requirements.txt | cut -d' ' -f1)" "format 1"
}

restore_environment() {
  [[ -f $cache/key && -f $cache/environment.tar ]] || return 0
  if [[ $(cat "$cache/key") != "$(environment_key)" ]]; then
    topic "Discarding cache: the stack, the Python version or requirements.txt changed"
    rm -f "$cache/key" "$cache/environment.tar"
    return 0
  fi
  topic "Restoring cache"
  if ! tar -xf "$cache/environment.tar" -C .heroku/python 2>/dev/null; then
    detail "The cache cannot be read; starting without it."
    find .heroku/python -mindepth 1 -delete
    rm -f "$cache/key" "$cache/environment.tar"
  fi
}

install_python() {
  if [[ -x $environment/bin/python ]]; then
    topic "Using cached install of Python $version"
    return
  fi
  topic "Installing Python $version and pip"
  "$python" -c 'import venv, ensurepip' 2>/dev/null ||
    refuse "Error: the stack's Python $version cannot make virtual environments." \
      "Ask the operator of this server to add them (on Debian: apt install python3-venv)."
  # venv refuses a path that is a symbolic link, so it is made there first and moved behind the link then.
  # Its python links to the stack's, which is where an app is built and where it runs.
  [[ $build -ef $app ]] || rm -f "$environment"
  if ! "$python" -m venv "$environment" >"$work/venv.log" 2>&1; then
    indent <"$work/venv.log"
    refuse "Error: unable to make a virtual environment with Python $version."
  fi
  if [[ ! $build -ef $app ]]; then
    rmdir "$build/.heroku/python"
    mv "$environment" "$build/.heroku/python"
    ln -sfn "$build/.heroku/python" "$environment"
  fi
  environment_changed=1
}

save_environment() {
  echo "${version%.*}" >"$cache/version"
  # A download cache that grew out of proportion costs every build a copy.
  if [[ -d $cache/pip && $(du -sm "$cache/pip" | cut -f1) -gt 512 ]]; then
    rm -rf "$cache/pip"
  fi
  [[ -n $environment_changed ]] || return 0
  topic "Saving cache"
  tar -cf "$cache/environment.tar" -C "$build/.heroku/python" .
  environment_key >"$cache/key"
}

# BUILD_DIR BUILDPACK_DIR
write_profile() {
  mkdir -p "$1/.profile.d"
  cat >"$1/.profile.d/python.sh" <<'PROFILE'
export PATH="$HOME/.heroku/python/bin:$PATH"
export PYTHONUNBUFFERED=true
# A virtual environment finds its library by itself, and only without PYTHONHOME.
unset PYTHONHOME
export LIBRARY_PATH="$HOME/.heroku/python/lib${LIBRARY_PATH:+:$LIBRARY_PATH}"
export LD_LIBRARY_PATH="$HOME/.heroku/python/lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
# Always there, which en_US.UTF-8 is not.
export LANG="${LANG:-C.UTF-8}"
export PYTHONPATH="${PYTHONPATH:-$HOME}"
# The router is the only one that reaches a dyno.
export FORWARDED_ALLOW_IPS='*'
export GUNICORN_CMD_ARGS="${GUNICORN_CMD_ARGS:---access-logfile -}"
PROFILE
  if [[ -d $1/.heroku/python/nltk_data ]]; then
    echo 'export NLTK_DATA="$HOME/.heroku/python/nltk_data"' >>"$1/.profile.d/python.sh"
  fi
  cp "$2/lib/web_concurrency.sh" "$1/.profile.d/WEB_CONCURRENCY.sh"

  cat >"$2/export" <<EXPORT
export PATH="$environment/bin:\$PATH"
export PYTHONUNBUFFERED=true
unset PYTHONHOME PYTHONPATH
export LANG="\${LANG:-C.UTF-8}"
EXPORT
}

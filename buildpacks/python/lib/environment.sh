# The virtual environment: where it is, how it is kept between builds, and what a dyno is told of it.

environment=$app/.heroku/python
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
environment_changed=''
restored=''
tools=$work/tools # of this build alone
mkdir -p "$tools"

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
  [[ $build -ef $app ]] || ln -sfn "$build/.heroku/cpython" "$app/.heroku/cpython"
}

# What the kept environment depends on. A change of any of it starts from nothing. Poetry and uv take out what a
# lock file has no more; pip and pipenv do not.
environment_key() {
  printf '%s\n' "stack $stack" "python $version" "program $python" "path $environment" "manager $manager" "format 2"
  case $manager in pip | pipenv) sha256sum <"$lock" ;; esac
}

restore_environment() {
  [[ -f $cache/key && -f $cache/environment.tar ]] || return 0
  if [[ $(cat "$cache/key") != "$(environment_key)" ]]; then
    topic "Discarding cache: the stack, the Python version, the package manager or $lock changed"
    rm -f "$cache/key" "$cache/environment.tar"
    return 0
  fi
  topic "Restoring cache"
  restored=1
  if ! tar -xf "$cache/environment.tar" -C .heroku/python 2>/dev/null; then
    detail "The cache cannot be read; starting without it."
    restored=''
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

# Packages that are linked instead of copied (-e, and the app itself with Poetry and uv) are linked by the path of
# the build; the dyno has them at another.
point_at_run_time() {
  local file
  [[ ! $build -ef $app ]] || return 0
  while read -r file; do
    if grep -qF "$build" "$file"; then sed -i "s#$build#$app#g" "$file"; fi
  done < <(find .heroku/python/lib/python3*/site-packages -maxdepth 2 -type f \
    \( -name '*.pth' -o -name '*.egg-link' -o -name '__editable__*' -o -name direct_url.json \))
}

save_environment() {
  local kept
  echo "${version%.*}" >"$cache/version"
  # A download cache that grew out of proportion costs every build a copy. uv's is a copy of what the environment
  # has, in many small files.
  rm -rf "$cache/uv"
  for kept in pip poetry; do
    if [[ -d $cache/$kept && $(du -sm "$cache/$kept" | cut -f1) -gt 512 ]]; then rm -rf "${cache:?}/$kept"; fi
  done
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

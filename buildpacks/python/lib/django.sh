# Django's static files are collected at build time, since a dyno's disk starts from the slug each time.

collect_static() {
  local manage disabled command
  compgen -G "$environment/lib/python3*/site-packages/django" >/dev/null || return 0
  # The shallowest one, three directories deep at most.
  manage=$(find . -maxdepth 3 -name manage.py -type f -printf '%d %P\n' | sort -n | head -n1 | cut -d' ' -f2-)
  [[ -n $manage ]] || {
    topic "Skipping Django collectstatic: there is no manage.py"
    return 0
  }
  disabled=$(config_var DISABLE_COLLECTSTATIC)
  if [[ -n $disabled && $disabled != 0 ]]; then
    topic "Skipping Django collectstatic: the config var DISABLE_COLLECTSTATIC is set"
    return 0
  fi
  if [[ -f .heroku/collectstatic_disabled ]]; then
    topic "Skipping Django collectstatic: there is a file .heroku/collectstatic_disabled"
    return 0
  fi

  command="python $manage collectstatic --noinput"
  topic "$command"
  if ! (
    export_config_vars
    export PATH="$environment/bin:$PATH"
    python "$manage" collectstatic --noinput --traceback 2>&1
  ) | indent; then
    if [[ $(config_var DEBUG_COLLECTSTATIC) == 1 ]]; then
      topic "Names in the environment of collectstatic (values are not shown)"
      (
        export_config_vars
        compgen -e
      ) | indent
    fi
    refuse "Error: unable to collect Django's static files." \
      "'$command' failed: its output is above." \
      "If the app has no static files, disable it: heroku config:set DISABLE_COLLECTSTATIC=1"
  fi
}

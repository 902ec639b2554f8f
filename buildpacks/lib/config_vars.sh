# Config vars come as files, one a name. They are exported only for what runs the app's own code.

config_var() { # NAME: its value, or nothing
  [[ ! -f $env/$1 ]] || cat "$env/$1"
}

# COMMAND...: not traced (BUILDPACK_XTRACE), since the values of config vars would be in the build's output.
untraced() {
  local options=$-
  { set +x; } 2>/dev/null
  "$@"
  [[ $options != *x* ]] || set -x
}

# To be called in a subshell, or by a buildpack whose every step is the app's own code. Names that would break
# the build's own programs stay out.
export_config_vars() { untraced export_each_config_var; }
export_each_config_var() {
  local file name
  for file in "$env"/*; do
    name=${file##*/}
    [[ -f $file && $name =~ ^[A-Za-z_][A-Za-z0-9_]*$ ]] || continue
    case $name in
      PATH | HOME | PWD | IFS | BASH_ENV | ENV | GIT_DIR | CPATH | CPPATH | PYTHONHOME | PYTHONPATH | LD_* | LIBRARY_PATH | STACK | UID | EUID | PPID | SHELLOPTS | BASHOPTS | BASH_*) continue ;;
    esac
    export "$name=$(cat "$file")"
  done
}

run_hook() { # bin/pre_compile, bin/post_compile, bin/go-pre-compile ...
  [[ -f $1 ]] || return 0
  topic "Running $1 hook"
  chmod +x "$1"
  (
    export_config_vars
    exec "./$1"
  ) || refuse "Error: the $1 hook failed." "Its output is above. Fix it, or take the file away."
}

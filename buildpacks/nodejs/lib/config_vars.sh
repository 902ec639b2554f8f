# Config vars come as files, one a name. They are exported only for what runs the app's own code.

config_var() { # NAME: its value, or nothing
  [[ ! -f $env/$1 ]] || cat "$env/$1"
}

# To be called in a subshell. Names that would break the build's own programs stay out.
export_config_vars() {
  local file name
  for file in "$env"/*; do
    name=${file##*/}
    [[ -f $file && $name =~ ^[A-Za-z_][A-Za-z0-9_]*$ ]] || continue
    case $name in
      PATH | HOME | PWD | IFS | BASH_ENV | ENV | GIT_DIR | CPATH | CPPATH | LD_* | LIBRARY_PATH | STACK | UID | EUID | PPID | SHELLOPTS | BASHOPTS | BASH_*) continue ;;
    esac
    export "$name=$(cat "$file")"
  done
}

# Brings buildpacks and submodules from elsewhere into the build's sandbox, whose network reaches neither the host nor
# its private addresses. A password in a URL goes to git and curl through files, never their arguments, which every
# process list shows; nor is it shown.

fetch_limit=120 # seconds a try

shown_url() { sed -E 's#^([a-z]+://)[^/@]*@#\1#' <<<"$1"; }

# URL: sets `address` to it without user and password, and `login` to a git credential file, or nothing.
take_login() {
  address=$(shown_url "$1") login=''
  [[ $address != "$1" ]] || return 0
  login=$(mktemp)
  sed -E 's#^([a-z]+://[^/@]*@[^/]*).*#\1#' <<<"$1" >"$login"
}

quiet_git() {
  local -a options=(-c advice.detachedHead=false -c init.defaultBranch=main -c http.lowSpeedLimit=1
    -c http.lowSpeedTime=60 -c core.hooksPath=/dev/null)
  # The owner of a mounted repository is somebody else; only a global file can say that it is meant.
  git_config=${git_config:-$(mktemp)}
  printf '[safe]\n\tdirectory = *\n' >"$git_config"
  [[ -z ${login:-} ]] || options+=(-c "credential.helper=store --file=$login")
  GIT_TERMINAL_PROMPT=0 GIT_CONFIG_NOSYSTEM=1 GIT_CONFIG_GLOBAL=$git_config GIT_ALLOW_PROTOCOL=${protocols:-https:http:git} \
    timeout "$fetch_limit" git "${options[@]}" "$@"
}

# URL REF DIRECTORY: a commit, branch or tag, with its submodules. A server need not hand out a commit by its name;
# then all of it is fetched.
git_checkout() {
  local address login
  take_login "$1"
  rm -rf "$3" && mkdir -p "$3" && quiet_git -C "$3" init -q || return 1
  if quiet_git -C "$3" fetch -q --depth 1 "$address" "${2:-HEAD}" 2>"$3/.git/renga-error"; then
    quiet_git -C "$3" checkout -q FETCH_HEAD
  elif [[ $2 =~ ^[0-9a-f]{7,40}$ ]]; then
    quiet_git -C "$3" fetch -q "$address" '+refs/*:refs/fetched/*' && quiet_git -C "$3" checkout -q "$2"
  else
    cat "$3/.git/renga-error"
    return 1
  fi || return 1
  [[ ! -f $3/.gitmodules ]] || {
    quiet_git -C "$3" remote add origin "$address"
    quiet_git -C "$3" submodule --quiet update --init --recursive --depth 1 || {
      # Nor need a server hand out less than all of it.
      quiet_git -C "$3" submodule --quiet deinit --force --all && rm -rf "$3/.git/modules" &&
        quiet_git -C "$3" submodule --quiet update --init --recursive
    }
  }
}

# URL DIRECTORY: a tar archive; a single directory at its top (as GitHub makes them) is left out.
archive_checkout() {
  local file
  file=$(mktemp)
  # From standard input, where no process list has it.
  curl --fail --silent --show-error --location --proto =https,http --max-time "$fetch_limit" --max-filesize 104857600 \
    --output "$file" --config - <<<"url = \"${1//[\"\\]/}\"" || return 1
  rm -rf "$2" && mkdir -p "$2" && tar -xf "$file" -C "$2" --no-same-owner || return 1
  rm -f "$file"
  local -a inside=("$2"/*)
  if [[ ! -d $2/bin && ${#inside[@]} == 1 && -d ${inside[0]} ]]; then
    mv "${inside[0]}" "$2.inner" && rm -rf "$2" && mv "$2.inner" "$2"
  fi
}

# REPOSITORY_OR_DIRECTORY REF DIRECTORY: what the operator keeps on the server, and mounted read-only.
local_checkout() {
  if [[ -z $2 && -d $1/bin ]]; then
    rm -rf "$3" && cp -R "$1" "$3"
  else
    protocols=file git_checkout "$1" "$2" "$3"
  fi
}

# KIND ADDRESS REF DIRECTORY
fetch_buildpack() {
  local attempt
  for attempt in 1 2 3; do
    case $1 in
      git) git_checkout "$2" "$3" "$4" ;;
      archive) archive_checkout "$2" "$4" ;;
      local) local_checkout "$2" "$3" "$4" ;;
    esac >"$4.log" 2>&1 && return 0
    ((attempt == 3)) || sleep "$attempt"
  done
  # A password that git or curl repeats must not be shown.
  tail -n5 "$4.log" | sed -E 's#://[^/@ ]*@#://#g; s/^/       /'
  return 1
}

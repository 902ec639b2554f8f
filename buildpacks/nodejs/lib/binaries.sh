# Node.js and the package manager, from the npm registry: packages of one archive each, kept in the cache.

node_home=$build/.heroku/node

create_environment() {
  topic "Creating runtime environment"
  export_config_vars
  export NODE_ENV=${NODE_ENV:-production} NPM_CONFIG_LOGLEVEL=${NPM_CONFIG_LOGLEVEL:-error}
  export NODE_MODULES_CACHE=${NODE_MODULES_CACHE:-true} NODE_OPTIONS=${NODE_OPTIONS:---max_old_space_size=2560}
  export NPM_CONFIG_UPDATE_NOTIFIER=false NPM_CONFIG_FUND=false NPM_CONFIG_AUDIT=false CI=true
  # Of their own, npm and pnpm wait five minutes for an answer and one between tries: a build would end before.
  export NPM_CONFIG_FETCH_RETRIES=${NPM_CONFIG_FETCH_RETRIES:-3} NPM_CONFIG_FETCH_TIMEOUT=${NPM_CONFIG_FETCH_TIMEOUT:-60000}
  export NPM_CONFIG_FETCH_RETRY_MINTIMEOUT=${NPM_CONFIG_FETCH_RETRY_MINTIMEOUT:-1000}
  export NPM_CONFIG_FETCH_RETRY_MAXTIMEOUT=${NPM_CONFIG_FETCH_RETRY_MAXTIMEOUT:-10000}
  detail "NODE_ENV=$NODE_ENV"
  detail "NODE_MODULES_CACHE=$NODE_MODULES_CACHE"

  # npm knows where its registry is; without one the server has to be told.
  registry=${NPM_CONFIG_REGISTRY:-${npm_config_registry:-}}
  if [[ -z $registry ]] && command -v npm >/dev/null; then
    registry=$(cd / && npm config get registry 2>/dev/null) || registry=''
  fi
  [[ $registry == *://* ]] || refuse "Error: this build knows of no npm registry." \
    "Set NPM_CONFIG_REGISTRY for the app (heroku config:set), or have the operator set it for all builds."
}

# NAME RANGE LABEL ASKED_BY [NODE]: sets `chosen`, `tarball` and `integrity`.
choose_version() {
  local said status=0
  said=$(python3 "$buildpack/lib/registry.py" "$registry" choose "$1" "$2" ${5:+"$5"}) || status=$?
  case $status in
    0) read -r chosen tarball integrity <<<"$said" ;;
    2) refuse "Error: $4 asks for $3 '$2', which the npm registry does not have." \
      "It has, among others: $said." "Ask for one of these in package.json." ;;
    *) refuse "Error: unable to download $3." "${said:-The npm registry could not be asked.}" "Its address is $(shown_registry)." ;;
  esac
}

shown_registry() { sed -E 's#//[^/@]*@#//#' <<<"$registry"; } # without a password

# NAME DIRECTORY: unpacks `chosen` there, from the cache where it is.
unpack() {
  local name=${1//\//-} said
  local archive=$cache/archives/$name-$chosen.tgz
  mkdir -p "$cache/archives" "$2"
  find "$cache/archives" -name "$name-*" ! -name "$name-$chosen.tgz" -delete
  [[ -f $archive ]] || said=$(python3 "$buildpack/lib/registry.py" "$registry" fetch "$tarball" "$integrity" "$archive") ||
    refuse "Error: unable to download $1 $chosen." "${said:-The npm registry could not be asked.}" "Its address is $(shown_registry)."
  tar -xzf "$archive" -C "$2" --strip-components=1 --no-same-owner || {
    rm -f "$archive"
    refuse "Error: unable to unpack $1 $chosen." "Push again: the download is made anew."
  }
}

install_binaries() {
  local range architecture name path
  topic "Installing binaries"
  range=$(package_json engines node)
  detail "engines.node (package.json):   ${range:-unspecified}"
  detail "engines.$manager (package.json):   ${manager_range:-unspecified}"
  case $(uname -m) in
    x86_64) architecture=x64 ;;
    aarch64) architecture=arm64 ;;
    *) refuse "Error: Node.js is not offered for $(uname -m)." ;;
  esac

  choose_version "node-linux-$architecture" "$range" Node.js engines.node
  node=$chosen
  detail "Using Node.js $node"
  unpack "node-linux-$architecture" "$node_home"
  rm -rf "$node_home"/{include,share}
  "$node_home/bin/node" --version >/dev/null || refuse "Error: Node.js $node does not run on the stack '$stack'." \
    "Ask for another version in package.json, engines.node."

  # npm comes always: the default process is npm start.
  install_manager npm "$([[ $manager == npm ]] && echo "$manager_range")"
  [[ $manager == npm ]] || install_manager "$manager" "$manager_range"
  export PATH="$node_home/bin:$build/node_modules/.bin:$PATH"
}

install_manager() { # NAME RANGE
  local directory=$node_home/lib/node_modules/$1 package=$1 name path
  [[ $1 != yarn || -z $berry ]] || package=@yarnpkg/cli-dist
  choose_version "$package" "$2" "$1" "package.json" "$node"
  detail "Using $1 $chosen"
  unpack "$package" "$directory"
  [[ $1 != "$manager" ]] || manager_version=$chosen
  while read -r name path; do
    chmod +x "$directory/$path"
    ln -sfn "../lib/node_modules/$1/$path" "$node_home/bin/$name"
  done < <(python3 -c 'import json, sys
for name, path in json.load(open(sys.argv[1]))["bin"].items(): print(name, path.removeprefix("./"))' "$directory/package.json")
}

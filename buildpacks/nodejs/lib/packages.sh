# The app's packages, its scripts, and what a dyno is told.

cache_key() { printf '%s\n' "stack $stack" "node ${node%%.*}" "$manager ${manager_version%%.*}" "format 1"; }

restore_cache() {
  topic "Restoring cache"
  if [[ $NODE_MODULES_CACHE == false ]]; then
    detail "Caching is disabled by the config var NODE_MODULES_CACHE"
    rm -rf "$cache/packages"
  elif [[ ! -d $cache/packages ]]; then
    detail "There is none yet"
  elif [[ $(cat "$cache/key" 2>/dev/null) != "$(cache_key)" ]]; then
    detail "Not used: the stack, Node.js or the package manager changed"
    rm -rf "$cache/packages"
  else
    detail "$manager's downloads"
  fi
  mkdir -p "$cache/packages"
  export npm_config_cache=$cache/packages YARN_CACHE_FOLDER=$cache/packages
  unset NPM_CONFIG_CACHE
  [[ -z $berry ]] || set_up_berry
}

set_up_berry() {
  export YARN_NPM_REGISTRY_SERVER=${YARN_NPM_REGISTRY_SERVER:-${registry%/}} YARN_ENABLE_TELEMETRY=0
  export YARN_ENABLE_GLOBAL_CACHE=false YARN_ENABLE_INLINE_BUILDS=true
  uses_plug_n_play || return 0
  unset YARN_CACHE_FOLDER
  # Where the app has its archives in git, there is nothing to restore.
  [[ -d .yarn/cache ]] || { mkdir -p .yarn && cp -R "$cache/packages" .yarn/cache; }
}

save_cache() {
  topic "Caching build"
  if uses_plug_n_play && [[ -d .yarn/cache ]]; then
    rm -rf "$cache/packages" && cp -R .yarn/cache "$cache/packages"
  fi
  # One that grew out of proportion costs every build a copy.
  if [[ $NODE_MODULES_CACHE == false ]] || (($(du -sm "$cache/packages" | cut -f1) > 512)); then
    rm -rf "$cache/packages"
    detail "Nothing is kept"
  else
    detail "$manager's downloads"
  fi
  cache_key >"$cache/key"
}

# SCRIPT: runs it where package.json has it.
run_script() {
  [[ -n $(package_json scripts "$1") ]] || return 0
  topic "Running $1"
  local runner=$manager
  # Yarn runs nothing before it has installed what the lock file has.
  [[ -z $berry || $1 != heroku-prebuild ]] || runner=npm
  "$runner" run "$1" 2>&1 | indent || refuse "Error: the script '$1' of package.json failed." "Its output is above."
}

install_packages() {
  local -a command
  topic "Installing dependencies"
  case $manager in
    npm)
      if [[ -n $lock && ${USE_NPM_INSTALL:-false} != true ]]; then
        command=(npm ci --include=dev)
      else
        command=(npm install --include=dev)
      fi
      if [[ -d node_modules ]]; then
        detail "Rebuilding the node_modules that are in git"
        npm rebuild 2>&1 | indent || refuse "Error: unable to rebuild node_modules." "What npm says is above."
        command=(npm install --include=dev)
      fi
      ;;
    yarn) [[ -n $berry ]] && command=(yarn install) || command=(yarn install --production=false --ignore-engines --prefer-offline --non-interactive) ;;
    pnpm) command=(pnpm install --prod=false "--store-dir=$cache/packages") ;;
  esac
  if [[ -n $berry ]]; then
    command+=("$([[ -n $lock ]] && echo --immutable || echo --no-immutable)")
  elif [[ $manager != npm && -n $lock ]]; then
    command+=(--frozen-lockfile)
  fi
  detail "Installing node modules using '${command[*]:0:2}'"
  "${command[@]}" 2>&1 | tee "$work/install.log" | indent ||
    refuse "Error: unable to install the packages of package.json." "$(why_install_failed)"
}

# npm, Yarn and pnpm ask a registry several times, and each says in its own words that it gave up.
why_install_failed() {
  local status
  status=$(sed -nE 's/.*(code E|_FETCH_|error \(|Response Code: |Request failed ."|: )(429|5[0-9]{2})( |\b).*/\2/p' "$work/install.log" | tail -n1)
  if [[ -n $status ]]; then
    echo "The npm registry answered with status $status each time that it was asked: push again later."
  elif grep -qE 'ETIMEDOUT|ECONNREFUSED|ECONNRESET|EAI_AGAIN|ENOTFOUND|EIDLETIMEOUT|ERR_SOCKET_TIMEOUT|FETCH_ERROR|TimeoutError|network timeout|socket hang up' \
    "$work/install.log"; then
    echo "The npm registry could not be reached, however often it was tried: push again later."
  else
    echo "What $manager says about it is above."
    echo " !     Where package.json and ${lock:-the lock file} disagree, run '$manager install' and commit both."
  fi
}

build_app() {
  topic "Build"
  if [[ -n $(package_json scripts heroku-postbuild) ]]; then
    run_script heroku-postbuild
  else
    run_script build
  fi
}

prune_packages() {
  topic "Pruning devDependencies"
  if [[ $NODE_ENV != production || -n ${NPM_CONFIG_PRODUCTION:-} || ${YARN_PRODUCTION:-} == false ||
    ${PNPM_SKIP_PRUNING:-} == true ]]; then
    detail "Skipping: NODE_ENV is $NODE_ENV, or a config var says so"
    return 0
  fi
  if [[ -n $berry && ! $manager_version =~ ^[4-9] ]]; then
    detail "Skipping: Yarn $manager_version has no command for it"
    return 0
  fi
  case $manager$berry in
    yarn1) yarn workspaces focus --all --production 2>&1 | indent ;;
    npm) npm prune --omit=dev 2>&1 | indent ;;
    yarn) yarn install --production --ignore-scripts --ignore-engines --prefer-offline --non-interactive 2>&1 | indent ;;
    pnpm) pnpm prune --prod --ignore-scripts 2>&1 | indent ;;
  esac || refuse "Error: unable to take the devDependencies out." "What $manager says about it is above."
}

# BUILD_DIR BUILDPACK_DIR
write_profile() {
  mkdir -p "$1/.profile.d"
  cp "$2/lib/profile.sh" "$1/.profile.d/nodejs.sh"
  if [[ ! -f Procfile && -z $(package_json scripts start) && ! -f server.js ]]; then
    warning "Warning: there is neither a Procfile, nor a start script in package.json, nor a server.js." \
      "The default process, npm start, has nothing to run."
  fi
  cat >"$2/export" <<EXPORT
export PATH="$node_home/bin:$build/node_modules/.bin:\$PATH"
export NODE_HOME="$node_home"
EXPORT
}

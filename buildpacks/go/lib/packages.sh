# Building the app's programs, and what is kept of it.

# Go's own caches are many small files; as one archive each they cost a build little.
cache_key() { echo "go$version $stack 1"; }

restore_cache() {
  local name
  export GOCACHE=$work/go-build GOMODCACHE=$work/go-mod GOPATH=$work/gopath GOBIN=$build/bin
  mkdir -p "$GOCACHE" "$GOMODCACHE" "$GOBIN"
  [[ -f $cache/key ]] || return 0
  if [[ $(cat "$cache/key") != "$(cache_key)" ]]; then
    topic "Discarding cache: the stack or the Go version changed"
    rm -f "$cache"/{go-build,go-mod}.tar
    return 0
  fi
  topic "Restoring cache"
  for name in go-build go-mod; do
    [[ ! -f $cache/$name.tar ]] || tar -xf "$cache/$name.tar" -C "$work/$name" || rm -f "$cache/$name.tar"
  done
}

save_cache() {
  local name
  # What this build did not use is not worth keeping.
  find "$GOCACHE" -type f ! -newer "$work/started" -mtime +7 -delete 2>/dev/null || true
  for name in go-build go-mod; do
    if (($(du -sm "$work/$name" | cut -f1) > 512)); then
      rm -f "$cache/$name.tar"
      detail "Go's $name cache is larger than 512 MB and is not kept"
    elif [[ ! -f $cache/$name.tar || -n $(find "$work/$name" -newer "$work/started" -type f -print -quit) ]]; then
      tar -cf "$cache/$name.tar" -C "$work/$name" .
    fi
  done
  cache_key >"$cache/key"
}

# LOG: whether what Go said there is that the module proxy is at fault. Go asks it once.
proxy_failed() {
  grep -qE ' 5[0-9]{2} [A-Z]|i/o timeout|handshake timeout|connection (refused|reset)|unexpected EOF|no such host' "$1"
}

# LOG COMMAND...: up to three times, while the module proxy is at fault.
patiently() {
  local log=$1 attempt
  shift
  for attempt in 1 2 3; do
    "$@" 2>&1 >"$log.out" | tee "$log" >&2 && return 0
    ! proxy_failed "$log" || ((attempt == 3)) || detail "The module proxy failed; asking it again." >&2
    proxy_failed "$log" && ((attempt < 3)) || return 1
    sleep "$attempt"
  done
}

# What to do about the failure whose LOG this is.
advice_for() {
  if proxy_failed "$1"; then
    echo "The module proxy could not be reached or answered with an error, three times: push again later."
  else
    echo "Where go.sum lacks something, run 'go mod tidy' and commit go.mod and go.sum."
  fi
}

# Sets `packages`: GO_INSTALL_PACKAGE_SPEC, else "// +heroku install" of go.mod, else every main package.
choose_packages() {
  local spec
  spec=$(config_var GO_INSTALL_PACKAGE_SPEC)
  [[ -n $spec ]] || spec=$(sed -nE 's#^// \+heroku install +(.*)#\1#p' go.mod | head -n1)
  if [[ -z $spec ]]; then
    patiently "$work/list.log" "$go" list -mod="$1" -tags heroku -f '{{if eq .Name "main"}}{{.ImportPath}}{{end}}' \
      ./... 2>/dev/null || true
    spec=$(grep -v '/vendor/' "$work/list.log.out") || true
    if [[ -z $spec && -s $work/list.log ]]; then
      indent <"$work/list.log"
      refuse "Error: unable to read the module." "What Go says about it is above." "$(advice_for "$work/list.log")"
    fi
  fi
  read -ra packages <<<"$(tr '\n' ' ' <<<"${spec:-.}")"
}

install_packages() {
  local mode=readonly name value
  local -a flags=(-v -tags heroku)
  touch "$work/started"
  export GOFLAGS="${GOFLAGS:-} -modcacherw"
  if [[ -d vendor && -f go.sum ]]; then mode=vendor; fi
  flags+=("-mod=$mode")
  # The source has no version control in it, which a Go that looks for it must be told.
  flags+=(-buildvcs=false)
  name=$(config_var GO_LINKER_SYMBOL) value=$(config_var GO_LINKER_VALUE)
  if [[ -n $name ]]; then flags+=("-ldflags=-X $name=${value:-${SOURCE_VERSION:-}}"); fi

  topic "Determining packages to install"
  choose_packages "$mode"
  detail "${packages[@]}"
  topic "Running: go install ${flags[*]:0:4} ${packages[*]}"
  patiently "$work/install.log" "$go" install "${flags[@]}" "${packages[@]}" 2>&1 | indent ||
    refuse "Error: unable to build the app." "What Go says about it is above." "$(advice_for "$work/install.log")"
  installed=$(find "$GOBIN" -maxdepth 1 -type f -newer "$work/started" -printf '%f\n' | sort)
  [[ -n $installed ]] || refuse "Error: nothing was built: there is no main package among ${packages[*]}." \
    "Name the ones to build in go.mod: // +heroku install ./cmd/..."
  topic "Installed the following binaries:"
  sed 's#^#       ./bin/#' <<<"$installed"
}

# A single program is the web process; of several, each is one of its own name.
write_procfile() {
  [[ ! -f Procfile ]] || return 0
  if [[ $(wc -l <<<"$installed") == 1 ]]; then
    echo "web: bin/$installed" >Procfile
  else
    while read -r name; do echo "$name: bin/$name"; done <<<"$installed" >Procfile
  fi
  topic "Created a Procfile with the following entries:"
  indent <Procfile
}

# BUILD_DIR BUILDPACK_DIR
write_profile() {
  mkdir -p "$1/.profile.d"
  echo 'export PATH="$PATH:$HOME/bin"' >"$1/.profile.d/go.sh"
  if [[ $(config_var GO_INSTALL_TOOLS_IN_IMAGE) == true ]]; then
    mkdir -p "$1/.heroku" && cp -R "$(GOTOOLCHAIN=local "$go" env GOROOT)" "$1/.heroku/go"
    echo 'export GOROOT="$HOME/.heroku/go" PATH="$HOME/.heroku/go/bin:$PATH"' >>"$1/.profile.d/go.sh"
  fi
  echo "export PATH=\"\$PATH:$1/bin\"" >"$2/export"
}

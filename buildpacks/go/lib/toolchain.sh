# Which Go, and where it comes from.

refuse_old_managers() {
  [[ ! -f go.mod ]] || return 0
  refuse "Error: the app has no go.mod; dep, glide, govendor and godep are not supported any more." \
    "Move to modules: go mod init NAME && go mod tidy, and commit go.mod and go.sum."
}

# The app's settings reach Go as environment, but for what would break the build.
read_settings() {
  local name
  for name in GOPROXY GOPRIVATE GONOPROXY GONOSUMDB GOSUMDB GONOSUMCHECK GOFLAGS GOEXPERIMENT CGO_ENABLED CGO_CFLAGS \
    CGO_LDFLAGS GOAMD64; do
    [[ -z $(config_var "$name") ]] || export "$name=$(config_var "$name")"
  done
  git_credentials
}

# GO_GIT_CRED__HTTPS__GITHUB__COM: "user:password" for private modules on https://github.com.
git_credentials() {
  local file name value
  : >"$work/credentials" && chmod 600 "$work/credentials"
  for file in "$env"/GO_GIT_CRED__*; do
    [[ -f $file ]] || continue
    name=${file##*/GO_GIT_CRED__} value=$(cat "$file")
    name=${name,,}
    [[ $value == *:* ]] || value="$value:x-oauth-basic"
    name=${name/__/:\/\/}
    echo "${name%%://*}://$value@$(sed 's/__/./g' <<<"${name#*://}")" >>"$work/credentials"
  done
  if [[ -s $work/credentials ]]; then
    printf '[credential]\n\thelper = store --file=%s\n' "$work/credentials" >"$work/gitconfig"
    export GIT_CONFIG_GLOBAL=$work/gitconfig
  fi
  export GIT_TERMINAL_PROMPT=0
}

# Go programs that the stack has: "1.26.5 /usr/local/go/bin/go", newest first.
installed_gos() {
  local program said
  for program in /usr/local/go/bin/go /usr/lib/go-*/bin/go /usr/lib/go/bin/go "$(command -v go || true)"; do
    [[ -x $program ]] || continue
    said=$(GOTOOLCHAIN=local "$program" version 2>/dev/null) || continue
    [[ $said =~ go([0-9]+\.[0-9]+(\.[0-9]+)?) ]] && echo "${BASH_REMATCH[1]} $program"
  done | sort -t. -k1,1nr -k2,2nr -k3,3nr -u
}

# Sets `wanted` ("1.26" or "1.26.5", or empty) and `wanted_by`.
read_wanted_version() {
  local line
  wanted=$(config_var GOVERSION) wanted_by="the config var GOVERSION"
  if [[ -z $wanted ]]; then
    wanted=$(sed -nE 's#^// \+heroku goVersion +(\S+).*#\1#p' go.mod | head -n1) wanted_by="go.mod (+heroku goVersion)"
  fi
  if [[ -z $wanted ]]; then
    wanted=$(sed -nE 's#^toolchain +(go[0-9.]+).*#\1#p' go.mod | head -n1) wanted_by="go.mod (toolchain)"
  fi
  if [[ -z $wanted ]]; then
    wanted=$(sed -nE 's#^go +([0-9][0-9A-Za-z.]*).*#\1#p' go.mod | head -n1) wanted_by=go.mod
  fi
  line=${wanted#go}
  if [[ -n $wanted && ! $line =~ ^1\.[0-9]+(\.[0-9]+)?$ ]]; then
    refuse "Error: $wanted_by asks for '$wanted', which is no Go version." "Write it as: 1.26 or 1.26.5"
  fi
  wanted=$line
  [[ -n $wanted ]] || wanted_by=''
}

# Sets `go` (a program) and `version`.
choose_toolchain() {
  local installed found
  installed=$(installed_gos)
  read_wanted_version
  if [[ -z $wanted ]]; then
    found=$(head -n1 <<<"$installed")
    [[ -n $found ]] || wanted=$(known_versions | head -n1)
    detail "go.mod names no Go version: using the newest"
  elif [[ $wanted_by == go.mod ]]; then
    # The go line is the least that will do.
    found=$(at_least "$wanted" <<<"$installed")
  else
    found=$(grep -E "^${wanted//./\\.}(\.[0-9]+)? " <<<"$installed" | head -n1) || true
  fi
  if [[ -n $found ]]; then
    version=${found%% *} go=${found#* }
    topic "Using go$version${wanted_by:+ (asked for by $wanted_by)}"
  else
    download_toolchain
  fi
  export GOTOOLCHAIN=local
}

# WANTED: of the versions on standard input, the newest with the same minor number and no smaller patch; or nothing.
at_least() {
  local minor patch rest
  minor=$(cut -d. -f1,2 <<<"$1")
  while read -r version rest; do
    patch=${version#"$minor"} patch=${patch#.}
    if [[ $version == "$minor" || $version == "$minor".* ]] && ((${patch:-0} >= $(cut -d. -f3 <<<"$1.0.0"))); then
      echo "$version $rest"
      return
    fi
  done
}

# The module proxy: GOPROXY, else the one that a Go of the stack knows.
find_proxy() {
  local each installed
  installed=$(installed_gos | head -n1)
  proxy=${GOPROXY:-}
  if [[ -z $proxy && -n $installed ]]; then proxy=$(GOTOOLCHAIN=local "${installed#* }" env GOPROXY); fi
  for each in ${proxy//[,|]/ }; do
    if [[ $each == *://* ]]; then
      proxy=${each%/}
      return 0
    fi
  done
  refuse "Error: Go ${wanted:-} is not on the stack '$stack', and this build knows of no module proxy to get it from." \
    "Set GOPROXY for the app (renga config:set), or have the operator set it for all builds."
}

ask_proxy() { curl --fail --silent --show-error --location --retry 3 --retry-all-errors --max-time 300 "$proxy/$1"; }
platform() {
  case $(uname -m) in
    x86_64) echo linux-amd64 ;;
    aarch64) echo linux-arm64 ;;
    *) uname -m ;;
  esac
}

# Of toolchains for this machine, newest first.
known_versions() {
  find_proxy
  ask_proxy golang.org/toolchain/@v/list 2>"$work/proxy.log" |
    sed -nE "s/^v0\.0\.1-go([0-9]+\.[0-9]+(\.[0-9]+)?)\.$(platform)$/\1/p" | sort -t. -k1,1nr -k2,2nr -k3,3nr
}

download_toolchain() {
  local known archive
  find_proxy
  known=$(known_versions) || refuse "Error: the module proxy could not be reached: no Go $wanted was downloaded." \
    "$(tail -n1 "$work/proxy.log" | sed -E 's#//[^/@]*@#//#')" "Push again later, or ask the operator of this server."
  version=$(grep -E "^${wanted//./\\.}(\.[0-9]+)?$" <<<"$known" | head -n1) || true
  # The proxy lists what somebody asked for; a whole version is there although nobody has.
  [[ -n $version || ! $wanted =~ ^1\.[0-9]+\.[0-9]+$ ]] || version=$wanted
  archive=$cache/toolchain-$version.tar
  topic "Installing go$version (asked for by ${wanted_by:-nobody: the newest})"
  find "$cache" -maxdepth 1 -name 'toolchain-*' ! -name "toolchain-$version.tar" -delete
  if [[ -n $version && ! -f $archive ]]; then
    detail "Downloading it from the module proxy"
    ask_proxy "golang.org/toolchain/@v/v0.0.1-go$version.$(platform).zip" >"$work/toolchain.zip" 2>"$work/proxy.log" || version=''
  fi
  [[ -n $version ]] || refuse "Error: ${wanted_by:-nobody} asks for Go $wanted, which the module proxy does not have." \
    "It has, among others: $(sort -t. -k1,2 -u <<<"$known" | sort -Vr | head -n8 | paste -sd, | sed 's/,/, /g')." \
    "The stack '$stack' has: $(installed_gos | cut -d' ' -f1 | paste -sd, | sed 's/,/, /g')."
  mkdir -p "$work/go"
  if [[ -f $archive ]]; then
    tar -xf "$archive" -C "$work/go"
  else
    python3 - "$work/toolchain.zip" "$work/go" <<'PYTHON' || refuse "Error: unable to unpack go$version." "Push again: the download is made anew."
import os, sys, zipfile
# Names are golang.org/toolchain@VERSION/...; modules carry no modes.
with zipfile.ZipFile(sys.argv[1]) as archive:
    for entry in archive.infolist():
        name = entry.filename.split("@", 1)[1].split("/", 1)[1]
        if not name or name.endswith("/") or ".." in name.split("/") or name.startswith(("test/", "api/", "doc/")):
            continue
        path = os.path.join(sys.argv[2], name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with archive.open(entry) as source, open(path, "wb") as target:
            while piece := source.read(1 << 20):
                target.write(piece)
        if name.startswith(("bin/", "pkg/tool/")):
            os.chmod(path, 0o755)
PYTHON
    tar -cf "$archive" -C "$work/go" .
  fi
  go=$work/go/bin/go
  "$go" version >/dev/null || refuse "Error: go$version does not run on the stack '$stack'."
}

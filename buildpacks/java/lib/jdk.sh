# Which Java.

# JDKs of the stack: "21.0.8 /usr/lib/jvm/java-21-openjdk-amd64", newest first, each version once.
installed_jdks() {
  local home version
  for home in ${RENGA_JVMS:-/usr/lib/jvm}/*; do
    [[ -x $home/bin/javac && -f $home/release ]] || continue
    version=$(sed -nE 's/^JAVA_VERSION="([0-9._]+)"$/\1/p' "$home/release")
    [[ -z $version ]] || echo "${version#1.} $(readlink -f "$home")"
  done | sort -Vr | uniq
}

# Sets `wanted`: java.runtime.version of system.properties, or nothing.
read_wanted_version() {
  local line
  wanted=''
  [[ -f system.properties ]] || return 0
  line=$(tr -d '\r' <system.properties | sed -nE 's/^[[:space:]]*java\.runtime\.version[[:space:]]*[=:][[:space:]]*([^[:space:]]*).*/\1/p' | tail -n1)
  wanted=${line#*-} # a vendor: zulu-21, openjdk-21
  wanted=${wanted#1.}
  [[ -z $line || $wanted =~ ^[0-9]+(\.[0-9]+)*$ ]] ||
    refuse "Error: system.properties asks for java.runtime.version '$line', which is no Java version." "Write it as: java.runtime.version=21"
}

choose_jdk() {
  local installed found
  installed=$(installed_jdks)
  [[ -n $installed ]] || refuse "Error: the stack '$stack' has no JDK." \
    "Choose a stack that has one (renga stack), or ask the operator of this server (on Debian: apt install default-jdk-headless)."
  read_wanted_version
  if [[ -z $wanted ]]; then
    found=$(head -n1 <<<"$installed")
    topic "No Java version was specified. Using the newest of the stack: ${found%% *}"
    detail "To choose one, write into system.properties: java.runtime.version=${found%%.*}"
  else
    found=$(grep -E "^${wanted//./\\.}([._][0-9._]*)? " <<<"$installed" | head -n1) || true
    [[ -n $found ]] || refuse "Error: system.properties asks for Java $wanted, which the stack '$stack' does not have." \
      "It has: $(cut -d' ' -f1 <<<"$installed" | paste -sd, | sed 's/,/, /g'). Ask for one of these."
    topic "Using Java ${found%% *} specified by system.properties"
  fi
  export JAVA_HOME=${found#* }
  export PATH="$JAVA_HOME/bin:$PATH"
}

# BUILD_DIR BUILDPACK_DIR
write_profile() {
  mkdir -p "$1/.profile.d"
  { echo "export JAVA_HOME=$JAVA_HOME PATH=\"$JAVA_HOME/bin:\$PATH\"" && cat "$2/lib/profile.sh"; } >"$1/.profile.d/java.sh"
  echo "export JAVA_HOME=$JAVA_HOME PATH=\"$JAVA_HOME/bin:\$PATH\"" >"$2/export"
}
